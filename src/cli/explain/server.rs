//! What a running server says of the same token, and whether it is the same.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::config::Config;
use crate::secret::Secret;

use super::super::probe::review::{self, Review};
use super::words::duration;

/// As long as kube-apiserver waits.
const TIMEOUT_SECONDS: u64 = 30;
/// What clocks may differ by before it is worth a word: `Date` is whole seconds, and takes its way.
const CLOCK_LEEWAY: Duration = Duration::from_secs(5);

/// The answer of a running server.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Server {
    /// `status` of its TokenReview; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<Value>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// Whether it is the same as ours.
    pub(super) agrees: bool,
    /// What is not, by the names of its fields.
    pub(super) differences: Vec<&'static str>,
    /// Why that may be.
    pub(super) hints: Vec<String>,
    #[serde(skip)]
    date: Option<String>,
}

impl Server {
    /// Asks the server that `kubeconfig` leads to, as kube-apiserver would.
    pub(super) async fn ask(kubeconfig: &Path, token: &Secret, audiences: &[String]) -> Self {
        let (status, error, date) =
            match review::ask(kubeconfig, token, audiences, TIMEOUT_SECONDS).await {
                Ok(Review { status, date }) => (Some(status), None, date),
                Err(error) => (None, Some(error.to_string()), None),
            };
        let (differences, hints) = (Vec::new(), Vec::new());
        Self { status, error, agrees: false, differences, hints, date }
    }

    /// The same, compared with our own status.
    pub(super) fn compared_with(mut self, ours: &Value, config: &Config, now: SystemTime) -> Self {
        let Some(theirs) = &self.status else { return self };
        let differ = |field: &&str| ours.get(field) != theirs.get(field);
        let fields = ["authenticated", "user", "audiences", "error"];
        self.differences = fields.into_iter().filter(differ).collect();
        self.agrees = self.differences.is_empty();
        if !self.agrees {
            self.hints = hints(theirs, self.date.as_deref(), config, now);
        }
        self
    }

    pub(super) fn agrees(&self) -> bool {
        self.agrees
    }

    /// The same, with another status to show.
    pub(super) fn map_status(self, veil: impl FnOnce(Value) -> Value) -> Self {
        Self { status: self.status.map(veil), ..self }
    }
}

fn hints(theirs: &Value, date: Option<&str>, config: &Config, now: SystemTime) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(clock) = date.and_then(|date| clock(date, now)) {
        hints.push(clock);
    }
    let (field, ttl) = match theirs.get("authenticated") == Some(&Value::Bool(true)) {
        true => ("authenticatedTTL", config.cache.authenticated_ttl),
        false => ("rejectedTTL", config.cache.rejected_ttl),
    };
    if !ttl.is_zero() {
        let ttl = duration(ttl);
        hints
            .push(format!("it may remember an earlier answer: ask again in {ttl} (cache.{field})"));
    }
    hints.push(format!(
        "it may run another configuration, or other keys and files: this one has the hash {}, its own is in \
         countersign_config_info",
        config.hash
    ));
    hints
}

/// How its clock differs from ours, if that matters.
fn clock(date: &str, now: SystemTime) -> Option<String> {
    let theirs: SystemTime = OffsetDateTime::parse(date, &Rfc2822).ok()?.into();
    let (distance, word) = match theirs.duration_since(now) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let said = format!("its clock is {} {word} this machine's", duration(distance));
    (distance > CLOCK_LEEWAY).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_differs_is_told() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_480);
        assert_eq!(clock("Wed, 21 Oct 2015 07:28:03 GMT", now), None);
        let ahead = clock("Wed, 21 Oct 2015 08:28:00 GMT", now);
        assert_eq!(ahead.as_deref(), Some("its clock is 1 hour ahead of this machine's"));
        let behind = clock("Wed, 21 Oct 2015 07:27:00 GMT", now);
        assert_eq!(behind.as_deref(), Some("its clock is 1 minute behind this machine's"));
        assert_eq!(clock("yesterday", now), None);
    }
}
