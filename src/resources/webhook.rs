//! `POST /authenticate`: kube-apiserver's question whose a token is.
//!
//! Whatever the token is, a well-formed review is answered with 200 and a TokenReview of the version
//! that was asked. Any other code means that the request itself, or this process, is at fault.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use crate::api::{Status, webhook};
use crate::authn::{RefusalLog, Reviews};
use crate::metrics::Metrics;
use crate::server::Peer;

use super::reviewing::Reviewing;
use super::{json, negotiation};

/// The webhook.
pub struct Webhook {
    reviewing: Reviewing,
    client_names: Option<Vec<String>>,
    log: RefusalLog,
    callers: Arc<str>,
}

impl Webhook {
    /// Answers from `reviews` to callers whose certificate's common name is in `client_names`;
    /// without such a list, to anybody.
    pub fn new(
        reviews: Arc<Reviews>,
        client_names: Option<Vec<String>>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let reviewing = Reviewing::new(reviews, metrics);
        Self { reviewing, client_names, log: RefusalLog::default(), callers: "callers".into() }
    }

    /// Answers a request to this path.
    pub async fn answer(&self, request: &Request<Bytes>, peer: &Peer) -> Response<Bytes> {
        match self.review(request, peer).await {
            Ok(body) => json(StatusCode::OK, body),
            Err(refusal) => refusal.to_response(),
        }
    }

    async fn review(&self, request: &Request<Bytes>, peer: &Peer) -> Result<Vec<u8>, Status> {
        if request.method() != Method::POST {
            return Err(Status::method_not_allowed());
        }
        self.check_caller(peer).inspect_err(|refusal| {
            self.log.caller(&self.callers, peer.address, &refusal.message);
        })?;
        negotiation::json_only(request.headers())?;

        let answer = self.reviewing.review_of(request.body()).await?;
        Ok(webhook::answer(answer.surface.version(), &answer.status))
    }

    /// An open webhook is a token oracle: whoever may ask it can try tokens.
    fn check_caller(&self, peer: &Peer) -> Result<(), Status> {
        let Some(names) = &self.client_names else { return Ok(()) };
        match &peer.certificate {
            None => Err(Status::unauthorized(
                "a client certificate is required: set client-certificate and client-key in the \
                 webhook kubeconfig",
            )),
            Some(certificate) if names.contains(&certificate.common_name) => Ok(()),
            Some(certificate) => Err(Status::forbidden(format!(
                "the client certificate's common name {:?} is not in listen.clientNames",
                certificate.common_name
            ))),
        }
    }
}
