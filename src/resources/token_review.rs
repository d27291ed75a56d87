//! `POST /authenticate`: kube-apiserver's question whose a token is.
//!
//! Whatever the token is, a well-formed review is answered with 200 and a TokenReview of the version
//! that was asked. Any other code means that the request itself, or this process, is at fault.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use crate::api::{Status, TokenReview, token_review};
use crate::authn::{NotReviewed, RefusalLog, Reviews, Surface};
use crate::metrics::Metrics;
use crate::server::Peer;

use super::{json, negotiation};

/// The webhook.
pub struct Webhook {
    reviews: Arc<Reviews>,
    client_names: Option<Vec<String>>,
    metrics: Arc<Metrics>,
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
        Self {
            reviews,
            client_names,
            metrics,
            log: RefusalLog::default(),
            callers: "callers".into(),
        }
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
        let asked = TokenReview::from_json(request.body()).map_err(Status::bad_request)?;

        let start = Instant::now();
        let _in_flight = InFlight::new(&self.metrics);
        let answer =
            self.reviews.review(&asked.token, &asked.audiences, Surface::Webhook).await.map_err(
                |error| match error {
                    NotReviewed::Overloaded => {
                        self.metrics.requests_shed.inc();
                        Status::overloaded()
                    }
                    NotReviewed::Panicked => Status::internal_error(&error.to_string()),
                },
            )?;
        self.metrics.token_reviews.of(answer.outcome).inc();
        self.metrics
            .token_review_duration_seconds
            .of(answer.outcome)
            .observe(start.elapsed().as_secs_f64());
        Ok(token_review::answer(asked.version, &answer.status))
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

/// Counts a review as in flight until it is dropped, also by a caller that hangs up.
struct InFlight<'a>(&'a Metrics);

impl<'a> InFlight<'a> {
    fn new(metrics: &'a Metrics) -> Self {
        metrics.token_reviews_in_flight.inc();
        Self(metrics)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.token_reviews_in_flight.dec();
    }
}
