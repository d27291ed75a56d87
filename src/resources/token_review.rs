//! `POST /apis/authentication.k8s.io/v1/tokenreviews`: the TokenReview API, as kube-apiserver serves it.
//!
//! The same chain and cache as the webhook's. What differs is what upstream's two sides differ in: an
//! empty token is a bad request, nobody's token is an error, and the user is in
//! `system:authenticated`, which the webhook leaves to kube-apiserver.

use std::sync::Arc;
use std::time::SystemTime;

use crate::api::{Status, TokenReview, UserInfo, token_review};
use crate::authn::Reviews;
use crate::metrics::Metrics;
use crate::server::Peer;

use super::callers::{Callers, add_authenticated};
use super::exchange::Exchange;
use super::managed_fields;
use super::reviewing::Reviewing;

/// The TokenReview API.
pub struct TokenReviews {
    reviewing: Reviewing,
}

impl TokenReviews {
    /// Answers from `reviews`.
    pub fn new(reviews: Arc<Reviews>, metrics: Arc<Metrics>) -> Self {
        Self { reviewing: Reviewing::new(reviews, metrics) }
    }

    /// Reviews the token that was sent. A dry run reviews it as well: nothing is kept either way.
    ///
    /// # Errors
    ///
    /// Only if the caller or its request is at fault, or this process; a refused token is an answer.
    pub async fn create(
        &self,
        exchange: &mut Exchange<'_>,
        caller: &UserInfo,
        peer: &Peer,
        callers: &Callers,
    ) -> Result<TokenReview, Status> {
        callers.check_token_reviews(caller, peer)?;
        let created = exchange.read::<TokenReview>().await?;
        let TokenReview { mut metadata, spec, .. } = created.object;
        if spec.token.is_empty() {
            return Err(Status::bad_request("token is required for TokenReview in authentication"));
        }
        metadata.managed_fields.clear();
        // What the server alone may say of an object, and a namespace, which a review has not.
        metadata.namespace.clear();
        metadata.uid.clear();
        metadata.self_link.clear();
        metadata.creation_timestamp = None;
        metadata.deletion_timestamp = None;
        metadata.deletion_grace_period_seconds = None;

        let answer = self.reviewing.review(&spec.token, &spec.audiences).await?;
        let status = status(&answer.status);
        let sent = TokenReview { metadata, spec, status: token_review::Status::default() };
        let entry = managed_fields::entry(&sent, created.manager, "", SystemTime::now());
        let TokenReview { mut metadata, mut spec, .. } = sent;
        metadata.managed_fields.push(entry);
        spec.token.clear();
        Ok(TokenReview { metadata, spec, status })
    }
}

/// What upstream's API says where the webhook would be silent.
const INVALID_BEARER_TOKEN: &str = "invalid bearer token";

/// The status of the API, from that of the webhook.
fn status(answer: &[u8]) -> token_review::Status {
    let mut status: token_review::Status = serde_json::from_slice(answer).unwrap_or_default();
    if status.authenticated {
        add_authenticated(&mut status.user);
    } else if status.error.is_empty() {
        status.error = INVALID_BEARER_TOKEN.to_owned();
    }
    status
}
