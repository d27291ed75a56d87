//! A review that somebody asked for, counted.

use std::sync::Arc;
use std::time::Instant;

use crate::api::Status;
use crate::api::webhook::Question;
use crate::authn::{Answer, Key, NotReviewed, Reviews};
use crate::metrics::Metrics;

/// Has tokens reviewed for those who may ask, at the webhook and at the API.
pub struct Reviewing {
    reviews: Arc<Reviews>,
    metrics: Arc<Metrics>,
}

impl Reviewing {
    /// Asks `reviews`, and counts in `metrics`.
    pub fn new(reviews: Arc<Reviews>, metrics: Arc<Metrics>) -> Self {
        Self { reviews, metrics }
    }

    /// Reviews `token` for `audiences` (none: `apiAudiences`).
    ///
    /// # Errors
    ///
    /// 503 or 500, if there is no answer at all.
    pub async fn review(
        &self,
        token: &str,
        audiences: &[impl AsRef<str>],
    ) -> Result<Arc<Answer>, Status> {
        self.counted(async {
            let answer = self.reviews.review(token, audiences).await;
            answer.map_err(|error| not_reviewed(error, &self.metrics))
        })
        .await
    }

    /// Answers the webhook what is asked in `body`, which is read only if its answer is not remembered.
    ///
    /// # Errors
    ///
    /// 400 if it is no TokenReview, 503 or 500 if there is no answer at all.
    pub async fn review_of(&self, body: &[u8]) -> Result<Arc<Answer>, Status> {
        self.counted(async {
            match self.reviews.remembered(body) {
                Ok(answer) => Ok(answer),
                // Boxed: each request would be as large as one whose answer has to be waited for.
                Err(key) => Box::pin(self.judged(&key, body)).await,
            }
        })
        .await
    }

    async fn judged(&self, key: &Key, body: &[u8]) -> Result<Arc<Answer>, Status> {
        let question = Question::from_json(body).map_err(Status::bad_request)?;
        let answer = self.reviews.review_of(key, &question).await;
        answer.map_err(|error| not_reviewed(error, &self.metrics))
    }

    async fn counted(
        &self,
        review: impl Future<Output = Result<Arc<Answer>, Status>>,
    ) -> Result<Arc<Answer>, Status> {
        let start = Instant::now();
        let metrics = &self.metrics;
        let _in_flight = InFlight::new(metrics);
        let answer = review.await?;
        metrics.token_reviews.of(answer.outcome).inc();
        let took = start.elapsed().as_secs_f64();
        metrics.token_review_duration_seconds.of(answer.outcome).observe(took);
        Ok(answer)
    }
}

/// Why there is no answer, for the caller.
pub fn not_reviewed(error: NotReviewed, metrics: &Metrics) -> Status {
    match error {
        NotReviewed::Overloaded => {
            metrics.requests_shed.inc();
            Status::overloaded()
        }
        NotReviewed::Panicked => Status::internal_error(&error.to_string()),
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
