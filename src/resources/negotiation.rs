//! Which media types a caller sends and takes.
//!
//! Two negotiations, as there are two clients: kube-apiserver asks its webhook in JSON; the clients of
//! the API use what kube-apiserver itself serves (the contract, section 5.3).

use http::{HeaderMap, header};

use crate::api::{Format, Status};

use super::accept;
use super::query::Query;

/// The one media type of the webhook.
const JSON: &str = "application/json";

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// In which format.
    pub format: Format,
    /// Whether JSON is indented.
    pub pretty: bool,
}

impl Output {
    /// What the caller takes best, if it takes anything of it.
    ///
    /// As upstream, where two programs look: the first wants one of the types, or `*/*`, letter for
    /// letter; the second chooses by quality.
    ///
    /// # Errors
    ///
    /// A 406, which upstream writes as JSON, mostly indented.
    pub fn negotiate(headers: &HeaderMap, query: &Query<'_>) -> Result<Self, (Status, Self)> {
        let values = accept::values(headers);
        let clauses = accept::clauses(&values);
        let (as_is, made_into_else): (Vec<_>, Vec<_>) =
            clauses.iter().partition(|clause| clause.parameter("as").is_none());
        let chosen = as_is.into_iter().find_map(|clause| {
            let takes = |format: &Format| {
                matches!(clause.media_type(), "*" | "*/*" | "application/*")
                    || clause.media_type() == format.media_type()
            };
            Some((Format::ALL.into_iter().find(takes)?, clause))
        });
        let media_types = media_types();
        let Some((format, clause)) = chosen else {
            let refusal = match made_into_else.is_empty() {
                true => Status::no_representation(&media_types),
                false => Status::not_acceptable(&media_types),
            };
            return Err((refusal, Self { format: Format::Json, pretty: true }));
        };
        let asked = query.pretty().or(clause.parameter("pretty").map(|value| value == "1"));
        let pretty = asked.unwrap_or_else(|| is_read_by_a_person(headers));
        let output = Self { format, pretty };
        let is_routed = clauses.iter().any(|clause| {
            let media_type = clause.media_type();
            media_type == "*/*" || Format::ALL.iter().any(|it| it.media_type() == media_type)
        });
        match is_routed {
            true => Ok(output),
            false => Err((Status::no_representation(&media_types), output)),
        }
    }
}

/// What upstream offers, in its order.
fn media_types() -> String {
    Format::ALL.map(Format::media_type).join(", ")
}

/// Terminals and browsers get what people can read.
fn is_read_by_a_person(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).map(|value| value.as_bytes()).unwrap_or_default();
    ["curl", "Wget", "Mozilla/5.0"].iter().any(|known| agent.starts_with(known.as_bytes()))
}

/// The format of a body. No `Content-Type` means JSON; parameters and letter case do not matter.
///
/// # Errors
///
/// 415 for a type that is not read here.
pub fn body_format(headers: &HeaderMap) -> Result<Format, Status> {
    let Some(sent) = headers.get(header::CONTENT_TYPE) else { return Ok(Format::Json) };
    let sent = essence(sent.to_str().unwrap_or_default());
    if sent.is_empty() {
        return Ok(Format::Json);
    }
    let is_it = |format: &Format| sent.eq_ignore_ascii_case(format.media_type());
    let format = Format::ALL.into_iter().find(is_it);
    format.ok_or_else(|| Status::unsupported_media_type(&media_types()))
}

/// Checks that the body is JSON and that JSON may be answered, for the webhook.
///
/// No `Content-Type` and no `Accept` mean JSON, as in Kubernetes. Parameters and letter case do not
/// matter.
///
/// # Errors
///
/// 415 for another body, 406 for a caller that takes no JSON.
pub fn json_only(headers: &HeaderMap) -> Result<(), Status> {
    let sent = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    if sent.is_some_and(|sent| !essence(sent).eq_ignore_ascii_case(JSON)) {
        return Err(Status::unsupported_media_type(JSON));
    }
    let values = accept::values(headers);
    // What client-go sends with every review, which need not be taken apart each time.
    if matches!(&*values, ["application/json, */*"]) {
        return Ok(());
    }
    let takes_json = accept::clauses(&values).iter().any(|clause| clause.takes(JSON));
    if takes_json { Ok(()) } else { Err(Status::not_acceptable(JSON)) }
}

/// A media type without its parameters.
fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: header::HeaderName, value: &str) -> Option<u16> {
        let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
        json_only(&headers).err().map(|status| status.code.as_u16())
    }

    #[test]
    fn takes_json_however_it_is_written() {
        for sent in ["application/json", "Application/JSON; charset=utf-8"] {
            assert_eq!(check(header::CONTENT_TYPE, sent), None, "{sent}");
        }
        for sent in ["application/yaml", "text/plain", "", "application/jsonx"] {
            assert_eq!(check(header::CONTENT_TYPE, sent), Some(415), "{sent}");
        }
        for taken in ["application/json, */*", "text/html, application/*;q=0.1", "*/*", ""] {
            assert_eq!(check(header::ACCEPT, taken), None, "{taken}");
        }
        for taken in ["application/yaml", "application/json;q=0", "\u{e9}"] {
            assert_eq!(check(header::ACCEPT, taken), Some(406), "{taken}");
        }
        assert_eq!(json_only(&HeaderMap::new()), Ok(()));
    }

    fn output(accept: &str, query: &str, agent: &str) -> Result<(Format, bool), (String, bool)> {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(header::ACCEPT, accept.parse().unwrap());
        }
        headers.insert(header::USER_AGENT, agent.parse().unwrap());
        match Output::negotiate(&headers, &Query::parse(Some(query))) {
            Ok(Output { format, pretty }) => Ok((format, pretty)),
            Err((status, output)) => Err((status.message, output.pretty)),
        }
    }

    /// The contract, section 5.3, and the recorded exchanges.
    #[test]
    fn the_best_of_what_is_taken_is_sent() {
        use Format::{Json, Protobuf, Yaml};
        for (accept, format, pretty) in [
            ("", Json, false),
            ("*/*", Json, false),
            ("application/json", Json, false),
            ("application/json;foo=bar;charset=utf-8", Json, false),
            ("application/json;pretty=1", Json, true),
            ("application/yaml", Yaml, false),
            ("application/vnd.kubernetes.protobuf,application/json", Protobuf, false),
            ("application/json, */*", Json, false),
            ("text/html, application/json;q=0.5", Json, false),
            ("application/yaml;q=0.2,application/json;q=0.1", Yaml, false),
            ("*/*;q=0.9, application/yaml", Yaml, false),
            ("*/*, application/yaml", Yaml, false),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Json, false),
        ] {
            assert_eq!(output(accept, "", "test"), Ok((format, pretty)), "{accept}");
        }
        let none = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf";
        for (accept, pretty) in [
            ("application/*", false),
            ("text/html", true),
            ("APPLICATION/JSON", true),
            ("*", false),
            (",", true),
        ] {
            assert_eq!(output(accept, "", "test"), Err((none.to_owned(), pretty)), "{accept}");
        }
        let table = output("application/json;as=Table;v=v1;g=meta.k8s.io", "", "test").unwrap_err();
        assert!(table.0.starts_with("only the following media types are accepted"), "{table:?}");
    }

    #[test]
    fn people_get_indented_json_unless_they_say_otherwise() {
        for (query, agent, pretty) in [
            ("", "curl/8.1", true),
            ("", "Wget/1", true),
            ("", "Mozilla/5.0 (X11)", true),
            ("", "kubectl/v1.33.1", false),
            ("pretty=true", "test", true),
            ("pretty=T", "test", true),
            ("pretty=0", "curl/8.1", false),
            ("pretty=junk", "curl/8.1", false),
            ("pretty=junk", "test", false),
        ] {
            let (_, got) = output("", query, agent).unwrap();
            assert_eq!(got, pretty, "{query} {agent}");
        }
    }

    #[test]
    fn a_body_is_json_yaml_or_protobuf() {
        let format = |sent: &str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, sent.parse().unwrap())]);
            body_format(&headers).map_err(|status| status.code.as_u16())
        };
        assert_eq!(body_format(&HeaderMap::new()), Ok(Format::Json));
        for (sent, want) in [
            ("", Ok(Format::Json)),
            ("Application/JSON; charset=utf-8", Ok(Format::Json)),
            ("application/yaml", Ok(Format::Yaml)),
            ("application/vnd.kubernetes.protobuf", Ok(Format::Protobuf)),
            ("application/cbor", Err(415)),
            ("application/x-www-form-urlencoded", Err(415)),
            ("json", Err(415)),
            ("*/*", Err(415)),
            ("application/json, application/yaml", Err(415)),
        ] {
            assert_eq!(format(sent), want, "{sent}");
        }
    }
}
