//! From paths to resources, and the count of what was answered.

use bytes::Bytes;
use http::{Request, Response};

use std::sync::Arc;

use crate::api::Status;
use crate::metrics::Metrics;
use crate::server::{Handler, Peer};

use super::Webhook;

/// The HTTPS listener's paths.
pub struct Router {
    webhook: Webhook,
    metrics: Arc<Metrics>,
}

impl Router {
    /// Routes to the given resources.
    pub fn new(webhook: Webhook, metrics: Arc<Metrics>) -> Self {
        Self { webhook, metrics }
    }
}

impl Handler for Router {
    async fn handle(&self, request: Request<Bytes>, peer: &Peer) -> Response<Bytes> {
        let (path, response) = match request.uri().path() {
            "/authenticate" => ("/authenticate", self.webhook.answer(&request, peer).await),
            _ => ("other", Status::not_found().to_response()),
        };
        self.metrics.http_answered(path, response.status());
        response
    }
}
