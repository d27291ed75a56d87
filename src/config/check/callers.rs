//! `callers`.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::document::{Entry, Report};
use crate::resources::{Allow, CallerSettings, ServiceAccountPattern};

use super::super::file::Caller;
use super::super::units;
use super::{distinct, set, within};

/// No token is for less than ten minutes, and none for more than 2^32 seconds.
const EXPIRATION: RangeInclusive<Duration> = Duration::from_mins(10)..=Duration::from_secs(1 << 32);

/// Every entry, in the order written.
pub fn check(
    entry: Entry<Vec<Caller>>,
    has_issuer: bool,
    report: &Report,
) -> Option<Vec<CallerSettings>> {
    let entries = entry.or(Vec::new())?.into_iter();
    entries.map(|entry| caller(entry, has_issuer, report)).collect::<Vec<_>>().into_iter().collect()
}

fn caller(caller: Caller, has_issuer: bool, report: &Report) -> Option<CallerSettings> {
    let users = distinct(&caller.users, report);
    let groups = distinct(&caller.groups, report);
    if users.as_ref().is_some_and(Vec::is_empty) && groups.as_ref().is_some_and(Vec::is_empty) {
        report.problem(&caller.place, "Required value: users or groups, else nobody is meant");
    }
    let allow = allow(&caller.allow, report);
    let service_accounts = parsed(&caller.service_accounts, report, |text| {
        ServiceAccountPattern::parse(text).ok_or_else(|| {
            format!(
                "Invalid value: {text:?}: must be namespace/name, such as ci/builder, ci/* or */*: * \
                 stands for a whole segment"
            )
        })
    });
    let audiences = distinct(&caller.audiences, report);
    let requests = allow.as_ref().map(|allow| allow.contains(&Allow::ServiceAccountsToken));
    match requests {
        Some(true) => needs(&caller, report),
        Some(false) => lacks(&caller, report),
        // What is allowed is wrong, and who knows what was meant.
        None => {}
    }
    if requests == Some(true) && !has_issuer {
        let text =
            "serviceaccounts/token without serviceAccountIssuer: there are no tokens to request";
        report.warning(&caller.allow.place, text);
    }
    for any in caller.audiences.value().into_iter().flatten().filter(|one| set(one) == Some("*")) {
        let text =
            "any audience of a token can replay it at the others: list those that are needed";
        report.warning(&any.place, text);
    }
    let max_expiration = within(caller.max_expiration, EXPIRATION, units::written, report);
    Some(CallerSettings {
        users: users?,
        groups: groups?,
        allow: allow?,
        service_accounts: service_accounts?,
        audiences: audiences?,
        max_expiration: max_expiration.map(Some).or(None)?,
    })
}

fn allow(entry: &Entry<Vec<Entry<String>>>, report: &Report) -> Option<Vec<Allow>> {
    let words = || Allow::ALL.map(|allow| format!("{:?}", allow.as_str())).join(", ");
    let allow = parsed(entry, report, |word| {
        let known = Allow::ALL.into_iter().find(|allow| allow.as_str() == word);
        known.ok_or_else(|| format!("Unsupported value: {word:?}: supported values: {}", words()))
    });
    if allow.as_ref().is_some_and(Vec::is_empty) {
        report.problem(&entry.place, format!("Required value: at least one of {}", words()));
    }
    allow
}

/// Whoever requests tokens is told which.
fn needs(caller: &Caller, report: &Report) {
    let empty =
        |entry: &Entry<Vec<_>>| entry.is_absent() || entry.value().is_some_and(Vec::is_empty);
    for (missing, entry, example) in [
        (empty(&caller.service_accounts), &caller.service_accounts.place, "[ci/builder]"),
        (empty(&caller.audiences), &caller.audiences.place, "[https://vault.example.com]"),
    ] {
        if missing {
            let text = format!("Required value: with serviceaccounts/token, such as {example}");
            report.problem(entry, text);
        }
    }
}

/// Whoever requests none needs no bounds.
fn lacks(caller: &Caller, report: &Report) {
    for (given, entry) in [
        (!caller.service_accounts.is_absent(), &caller.service_accounts.place),
        (!caller.audiences.is_absent(), &caller.audiences.place),
        (!caller.max_expiration.is_absent(), &caller.max_expiration.place),
    ] {
        if given {
            report.problem(entry, "has no meaning unless allow has serviceaccounts/token");
        }
    }
}

/// A list of distinct strings, each made into something else.
fn parsed<T>(
    entry: &Entry<Vec<Entry<String>>>,
    report: &Report,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<Vec<T>> {
    let texts = distinct(entry, report);
    let items = entry.value().into_iter().flatten().filter_map(|item| Some((item, set(item)?)));
    let parsed = items.map(|(item, text)| match parse(text) {
        Ok(value) => Some(value),
        Err(mistake) => {
            report.problem(&item.place, mistake);
            None
        }
    });
    let parsed = parsed.collect::<Vec<_>>();
    texts.and_then(|_| parsed.into_iter().collect())
}
