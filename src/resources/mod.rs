//! What is served, one file for each Kubernetes resource: negotiation, callers, status codes.

mod accept;
mod admin;
mod api_discovery;
mod callers;
mod exchange;
mod issuer_discovery;
mod managed_fields;
mod negotiation;
mod pool;
mod query;
mod reviewing;
mod router;
mod self_subject_review;
mod token_request;
mod token_review;
mod warnings;
mod webhook;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

pub use admin::{Admin, Check, Checks, State};
pub use api_discovery::ApiDiscovery;
pub use callers::{Allow, CallerSettings, Callers, ServiceAccountPattern};
pub use issuer_discovery::IssuerDiscovery;
pub use pool::Pool;
pub use router::Router;
pub use token_request::TokenRequests;
pub use token_review::TokenReviews;
pub use webhook::Webhook;

/// A JSON answer.
fn json(code: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    answer(code, "application/json", body)
}

fn answer(code: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
