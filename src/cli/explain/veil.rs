//! Takes what claims say out of the status of a TokenReview.

use std::time::SystemTime;

use serde_json::Value;

use crate::authn::token_file;
use crate::transcript::{Check, Part, Source};

use super::words::Voice;

/// What has to be taken out of a status.
pub(super) struct Veil {
    /// Whether there is anything to take out.
    is_on: bool,
    /// Whether what a rule says is made of claims.
    message: bool,
    /// What stands for the username, if more is known than that it is a string.
    username: Option<String>,
}

impl Veil {
    /// For the status that these checks led to.
    pub(super) fn over(sources: &[Source], show_claims: bool) -> Self {
        let voice = Voice { now: SystemTime::UNIX_EPOCH, shows_claims: false };
        let last = sources.last();
        let checks = || last.iter().flat_map(|source| &source.checks);
        let is_said =
            |check: &Check| check.found.0.iter().any(|part| matches!(part, Part::Said { .. }));
        Self {
            // Users of the token file are those of a file, and not of a claim.
            is_on: !show_claims && last.is_some_and(|it| it.name != token_file::NAME),
            message: checks().any(|check| check.what == "message" && is_said(check)),
            username: checks()
                .find(|check| check.what == "username")
                .map(|check| voice.say(&check.found)),
        }
    }

    /// For a status of which nobody knows what it is made of.
    pub(super) fn over_all(show_claims: bool) -> Self {
        Self { is_on: !show_claims, message: true, username: None }
    }

    /// The status as it may be shown.
    pub(super) fn veiled(&self, mut status: Value) -> Value {
        if !self.is_on {
            return status;
        }
        if let Some(user) = status.get_mut("user") {
            veil_strings(user);
            if let (Some(name), Some(veiled)) = (user.get_mut("username"), &self.username) {
                *name = veiled.as_str().into();
            }
        }
        if self.message
            && let Some(Value::String(error)) = status.get_mut("error")
        {
            // Behind this phrase comes what the expression says.
            const PHRASE: &str = "ValidationRules: ";
            if let Some(at) = error.find(PHRASE) {
                error.truncate(at + PHRASE.len());
                error.push_str("<string>");
            }
        }
        status
    }
}

fn veil_strings(value: &mut Value) {
    match value {
        Value::String(text) => "<string>".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(veil_strings),
        Value::Object(members) => members.values_mut().for_each(veil_strings),
        _ => {}
    }
}
