//! The last word on each thing that is read again while the process runs.
//!
//! One word for three readers: a log line when it is said, a count for Prometheus, and a line of
//! `/readyz?verbose` for as long as it holds. What is wrong makes nobody unready: the last good
//! content stays.

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use crate::metrics::Metrics;
use crate::resources::{Check, State};

use super::issuer_health::in_words;

/// Every [`Notice`] that somebody holds.
#[derive(Clone)]
pub(super) struct Notices {
    metrics: Arc<Metrics>,
    held: Arc<Mutex<Vec<Weak<Notice>>>>,
}

impl Notices {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, held: Arc::default() }
    }

    /// One for `what` is read from `file`, which is good so far.
    pub(super) fn open(
        &self,
        what: &'static str,
        file: impl Display,
        detail: String,
    ) -> Arc<Notice> {
        let word = Mutex::new(Word { said_at: SystemTime::now(), detail, wrong: None });
        let metrics = self.metrics.clone();
        let notice = Arc::new(Notice { what, file: file.to_string(), metrics, word });
        let mut held = lock(&self.held);
        held.retain(|notice| notice.strong_count() > 0);
        held.push(Arc::downgrade(&notice));
        notice
    }

    /// A line for each, in the order of their names.
    pub(super) fn checks(&self, now: SystemTime) -> Vec<Check> {
        let held: Vec<_> = lock(&self.held).iter().filter_map(Weak::upgrade).collect();
        let mut checks: Vec<_> = held.iter().map(|notice| notice.check(now)).collect();
        checks.sort_by(|one, other| one.name.cmp(&other.name));
        checks
    }
}

/// The last word on one file, or on several that belong together.
pub(super) struct Notice {
    what: &'static str,
    file: String,
    metrics: Arc<Metrics>,
    word: Mutex<Word>,
}

struct Word {
    said_at: SystemTime,
    /// What the content in force is, in a few words.
    detail: String,
    /// Why what is there now, or a part of it, is not in force.
    wrong: Option<String>,
}

impl Notice {
    /// What is there now is in force, and whether it `changed` anything.
    pub(super) fn taken(&self, detail: String, changed: bool) {
        self.partly_taken(detail, changed, None);
    }

    /// What is there now is in force but for what is `wrong`, and whether it `changed` anything. Of
    /// what has been wrong before nothing more is said.
    pub(super) fn partly_taken(&self, detail: String, changed: bool, wrong: Option<String>) {
        let mut word = lock(&self.word);
        if changed || (word.wrong.is_some() && wrong.is_none()) {
            let (what, file) = (self.what, &self.file);
            tracing::info!(file, changed, "the {what} was read again: {detail}");
            self.metrics.config_reloaded(true);
        }
        if let Some(wrong) = wrong.as_ref().filter(|wrong| word.wrong.as_ref() != Some(wrong)) {
            self.complain(wrong);
        }
        if changed || word.wrong != wrong {
            self.say(&mut word, Word { said_at: SystemTime::now(), detail, wrong });
        }
    }

    /// What is there now is wrong, and what was in force stays.
    pub(super) fn refused(&self, error: impl Display) {
        let error = error.to_string();
        self.complain(&error);
        let mut word = lock(&self.word);
        let detail = word.detail.clone();
        self.say(&mut word, Word { said_at: SystemTime::now(), detail, wrong: Some(error) });
    }

    fn say(&self, word: &mut Word, new: Word) {
        let wrong = |word: &Word| i64::from(word.wrong.is_some());
        self.metrics.config_files_wrong.add(wrong(&new) - wrong(word));
        *word = new;
    }

    fn complain(&self, error: &str) {
        let (what, file) = (self.what, &self.file);
        tracing::error!(file, error, "the {what} is wrong; the last good content stays");
        self.metrics.config_reloaded(false);
    }

    fn check(&self, now: SystemTime) -> Check {
        let word = lock(&self.word);
        let since = in_words(now.duration_since(word.said_at).unwrap_or_default());
        let (state, detail) = match &word.wrong {
            None => (State::Good, format!("ok: {}, read {since} ago", word.detail)),
            Some(error) => {
                let mut lines = error.lines();
                let first = lines.next().unwrap_or_default();
                let more = match lines.count() {
                    0 => String::new(),
                    more => format!(" (and {more} more, which are in the log)"),
                };
                let text =
                    format!("wrong, seen {since} ago; the last good content stays: {first}{more}");
                (State::Degraded, text)
            }
        };
        Check { name: format!("{} {}", self.what, self.file), state, detail }
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        if lock(&self.word).wrong.is_some() {
            self.metrics.config_files_wrong.dec();
        }
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
