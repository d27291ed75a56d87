//! The resources' fields and operations, as OpenAPI v3: what `kubectl explain` prints, and what
//! kubectl looks into before it creates anything.
//!
//! The documents are files beside this one, one for each group and version, and are sent as they
//! stand there. The index gives each by the hash of its content, so that clients keep it until
//! there is another.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use super::{Document, JSON, PRIVATE};

const CORE: (&str, &str) = ("api/v1", include_str!("openapi-api-v1.json"));
const AUTHENTICATION: (&str, &str) =
    ("apis/authentication.k8s.io/v1", include_str!("openapi-authentication-v1.json"));

/// A year: as good as for ever.
const IMMUTABLE: &str = "public, immutable, max-age=31536000";

pub(super) struct OpenApi {
    index: Bytes,
    documents: Vec<Entry>,
}

/// A document, and what it is called in the index.
struct Entry {
    name: &'static str,
    hash: String,
    body: Bytes,
}

impl OpenApi {
    /// With the document of TokenRequest, or without.
    pub(super) fn new(issues_tokens: bool) -> Self {
        Self::of(if issues_tokens { &[CORE, AUTHENTICATION] } else { &[AUTHENTICATION] })
    }

    fn of(documents: &[(&'static str, &'static str)]) -> Self {
        let documents: Vec<_> = documents
            .iter()
            .map(|&(name, text)| Entry {
                name,
                hash: blake3::hash(text.as_bytes()).to_hex().to_string(),
                body: Bytes::from_static(text.as_bytes()),
            })
            .collect();
        let paths = documents.iter().map(|entry| (entry.name, entry.place())).collect();
        // Writing into memory cannot fail.
        let index = serde_json::to_vec(&Index { paths }).unwrap_or_default().into();
        Self { index, documents }
    }

    /// The index or a document. One that was asked for by the hash of what it is may be kept.
    pub(super) fn find(&self, path: &str, query: Option<&str>) -> Option<Document> {
        let document = |body: &Bytes, cache_control, hash: &str| Document {
            media_type: JSON,
            body: body.clone(),
            cache_control,
            etag: Some(format!("\"{hash}\"")),
        };
        let name = path.strip_prefix("/openapi/v3")?;
        if name.is_empty() {
            return Some(document(&self.index, PRIVATE, &blake3::hash(&self.index).to_hex()));
        }
        let name = name.strip_prefix('/')?;
        let entry = self.documents.iter().find(|entry| entry.name == name)?;
        let hash = query
            .into_iter()
            .flat_map(|query| query.split('&'))
            .find_map(|parameter| parameter.strip_prefix("hash="));
        let cache_control = if hash == Some(&entry.hash) { IMMUTABLE } else { PRIVATE };
        Some(document(&entry.body, cache_control, &entry.hash))
    }
}

impl Entry {
    fn place(&self) -> Place {
        let Self { name, hash, .. } = self;
        Place { server_relative_url: format!("/openapi/v3/{name}?hash={hash}") }
    }
}

#[derive(Serialize)]
struct Index {
    paths: BTreeMap<&'static str, Place>,
}

#[derive(Serialize)]
struct Place {
    #[serde(rename = "serverRelativeURL")]
    server_relative_url: String,
}

#[cfg(test)]
mod tests;
