//! What is served, one file for each Kubernetes resource: negotiation, callers, status codes.

mod admin;
mod callers;
mod negotiation;
mod router;
mod token_review;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

pub use admin::{Admin, Check, Checks};
pub use callers::{Allow, CallerSettings, ServiceAccountPattern};
pub use router::Router;
pub use token_review::Webhook;

/// A JSON answer.
fn json(code: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    answer(code, "application/json", body)
}

fn answer(code: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
