//! `/.well-known/openid-configuration` and `/openid/v1/jwks`: how others come to trust the embedded
//! issuer.
//!
//! Public, as they have to be for whoever verifies a token. Unlike upstream's, the keys can be had by
//! clients that say `Accept: application/json`.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::issuer::TokenIssuer;

use super::answer;

/// What the embedded issuer publishes.
pub struct IssuerDiscovery {
    issuer: Arc<TokenIssuer>,
    /// The path in the issuer's URL, without a slash at its end: mostly nothing.
    prefix: String,
}

impl IssuerDiscovery {
    /// What `issuer` publishes, at the root and below the path in its URL.
    pub fn new(issuer: Arc<TokenIssuer>) -> Self {
        let prefix = issuer.url().parse::<http::Uri>().ok();
        let path = |url: &http::Uri| {
            let path = url.path();
            path.strip_suffix('/').unwrap_or(path).to_owned()
        };
        let prefix = prefix.as_ref().map(path);
        Self { prefix: prefix.unwrap_or_default(), issuer }
    }

    /// The document at `path`, if there is one.
    pub fn find(&self, path: &str) -> Option<Response<Bytes>> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let path = path.strip_prefix(&*self.prefix).unwrap_or(path);
        let (media_type, body) = match path {
            "/.well-known/openid-configuration" => ("application/json", self.issuer.discovery()),
            "/openid/v1/jwks" => ("application/jwk-set+json", self.issuer.jwks()),
            _ => return None,
        };
        let mut response = answer(StatusCode::OK, media_type, body);
        let an_hour = HeaderValue::from_static("public, max-age=3600");
        response.headers_mut().insert(header::CACHE_CONTROL, an_hour);
        Some(response)
    }
}
