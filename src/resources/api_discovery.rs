//! What clients read before they ask: which version this is, which resources are served, and in
//! which form (`/version`, `/api`, `/apis` and below, `/openapi/v3`).
//!
//! Everything here is text that is made once. An answer is a pure function of the path, the query
//! and `Accept`; whoever asks has been let in before, with GET. Nothing is listed that is not
//! served, but for one operation that the OpenAPI documents themselves mark as absent: kubectl
//! looks for it.

mod lists;
mod open_api;

use std::net::SocketAddr;

use bytes::Bytes;
use serde::Serialize;

use crate::api::{Status, codec};

use super::accept::{Clause, clauses};

use self::lists::Resources;
use self::open_api::OpenApi;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

/// What is not kept by anybody but the caller, and by it only to ask whether it still holds.
const PRIVATE: &str = "no-cache, private";

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// `Content-Type`, with its parameters.
    pub media_type: &'static str,
    /// The whole body.
    pub body: Bytes,
    /// `Cache-Control`.
    pub cache_control: &'static str,
    /// `ETag`, quotes and all, where caches may keep the document. `Vary: Accept` goes with it, and
    /// a caller whose `If-None-Match` is this text can be answered 304.
    pub etag: Option<String>,
}

/// Every document that says what is served.
pub struct ApiDiscovery {
    version: List,
    api: List,
    apis: List,
    group: List,
    core: List,
    authentication: List,
    open_api: OpenApi,
}

impl ApiDiscovery {
    /// Documents of a server at `address`. Without an embedded issuer it issues no tokens, and says
    /// so: neither the list of `v1` nor OpenAPI has TokenRequest.
    pub fn new(address: SocketAddr, issues_tokens: bool) -> Self {
        let resources = Resources::new(address, issues_tokens);
        Self {
            version: List::of_json_alone(&lists::Version::default()),
            api: List::new(&resources.api_versions()).aggregated(&resources.aggregated_core()),
            apis: List::new(&resources.groups()).aggregated(&resources.aggregated_groups()),
            group: List::new(&resources.group()),
            core: List::new(&resources.core()),
            authentication: List::new(&resources.authentication()),
            open_api: OpenApi::new(issues_tokens),
        }
    }

    /// The document at `path`, if there is one, in the form that is liked best of those in `accept`,
    /// the values of the `Accept` headers; JSON is indented if `pretty`. `query` matters to caches:
    /// an OpenAPI document that was asked for by its hash never changes.
    ///
    /// # Errors
    ///
    /// 406 where there is no such form.
    pub fn find(
        &self,
        path: &str,
        query: Option<&str>,
        accept: &[&str],
        pretty: bool,
    ) -> Option<Result<Document, Status>> {
        let clauses = clauses(accept);
        // One slash at the end is let pass by kube-apiserver too, but not for OpenAPI.
        let list = match path.strip_suffix('/').unwrap_or(path) {
            "/version" => &self.version,
            "/api" => &self.api,
            "/apis" => &self.apis,
            "/api/v1" => &self.core,
            "/apis/authentication.k8s.io" => &self.group,
            "/apis/authentication.k8s.io/v1" => &self.authentication,
            _ => {
                let document = self.open_api.find(path, query)?;
                let accepted = clauses.iter().any(|clause| clause.takes(JSON));
                return Some(accepted.then_some(document).ok_or_else(|| not_acceptable(&[JSON])));
            }
        };
        Some(list.negotiate(&clauses, pretty))
    }
}

/// A list in every form that it can be had in.
struct List {
    plain: Forms,
    aggregated: Option<Forms>,
    /// Whether it is only there as JSON, and only indented.
    json_alone: bool,
}

/// One text, three times.
struct Forms {
    json: Bytes,
    indented: Bytes,
    yaml: Bytes,
}

impl List {
    fn new(list: &impl Serialize) -> Self {
        Self { plain: Forms::of(list), aggregated: None, json_alone: false }
    }

    fn of_json_alone(list: &impl Serialize) -> Self {
        Self { json_alone: true, ..Self::new(list) }
    }

    /// The same list, which can also be had with all resources of all groups in it.
    fn aggregated(self, list: &impl Serialize) -> Self {
        Self { aggregated: Some(Forms::of(list)), ..self }
    }

    /// As in upstream, whoever takes the aggregated form in any clause gets it.
    fn negotiate(&self, clauses: &[Clause<'_>], pretty: bool) -> Result<Document, Status> {
        let offered: &[&str] = if self.json_alone { &[JSON] } else { &[JSON, YAML] };
        let chosen = |wanted: fn(&Clause<'_>) -> bool| {
            clauses.iter().filter(|clause| wanted(clause)).find_map(|clause| {
                let media_type = offered.iter().find(|offered| clause.takes(offered))?;
                let pretty = pretty || clause.parameter("pretty") == Some("1");
                Some((*media_type, pretty || self.json_alone))
            })
        };
        if let Some(forms) = &self.aggregated
            && let Some((media_type, pretty)) = chosen(wants_aggregated)
        {
            let media_type = match media_type {
                YAML => "application/yaml;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
                _ => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            };
            let body = forms.choose(media_type, pretty);
            let etag = Some(format!("\"{}\"", blake3::hash(&forms.json).to_hex()));
            return Ok(Document { media_type, body, cache_control: "public", etag });
        }
        let (media_type, pretty) = chosen(wants_plain).ok_or_else(|| not_acceptable(offered))?;
        let body = self.plain.choose(media_type, pretty);
        Ok(Document { media_type, body, cache_control: PRIVATE, etag: None })
    }
}

impl Forms {
    fn of(list: &impl Serialize) -> Self {
        let [json, indented] = [false, true].map(|pretty| codec::json(list, pretty).into());
        Self { json, indented, yaml: codec::yaml(list).into() }
    }

    fn choose(&self, media_type: &str, pretty: bool) -> Bytes {
        let form = match (media_type.starts_with(YAML), pretty) {
            (true, _) => &self.yaml,
            (false, true) => &self.indented,
            (false, false) => &self.json,
        };
        form.clone()
    }
}

/// Asks for the aggregated form. Its `v2beta1` is gone from Kubernetes since 1.35: clients that
/// know nothing newer take the plain lists as well.
fn wants_aggregated(clause: &Clause<'_>) -> bool {
    clause.parameter("g") == Some("apidiscovery.k8s.io")
        && clause.parameter("v") == Some("v2")
        && clause.parameter("as") == Some("APIGroupDiscoveryList")
}

/// Asks for nothing else to be made of the list.
fn wants_plain(clause: &Clause<'_>) -> bool {
    ["g", "v", "as"].iter().all(|name| clause.parameter(name).is_none())
}

fn not_acceptable(offered: &[&str]) -> Status {
    Status::no_representation(&offered.join(", "))
}

#[cfg(test)]
mod tests;
