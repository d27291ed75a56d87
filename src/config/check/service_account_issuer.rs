//! `serviceAccountIssuer`, and the keys and manifests that it names.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::document::{Entry, Report};
use crate::issuer::{Manifests, Settings, SigningKeys};
use crate::token::SigningKey;

use super::super::file::ServiceAccountIssuer;
use super::super::files::Files;
use super::issuer::{fetchable, good};
use super::url::Query;
use super::{lasting, set, unset};

/// Upstream's `--service-account-max-token-expiration`.
const EXPIRATION: RangeInclusive<Duration> = Duration::from_hours(1)..=Duration::from_secs(1 << 32);

/// The settings of the embedded issuer.
pub fn check(issuer: ServiceAccountIssuer, files: &Files, report: &Report) -> Option<Settings> {
    let url = url(&issuer.url, report);
    let signing_key_files = signing_keys(&issuer.signing_key_files, files, report);
    let objects_dir = objects(&issuer.objects_dir, files, report);
    let max_expiration =
        lasting(issuer.max_expiration, Duration::from_hours(24), EXPIRATION, report);
    let allow_reserved = issuer.allow_reserved.or(false);
    let prefixes = [issuer.username_prefix, issuer.groups_prefix];
    if allow_reserved == Some(false) {
        one_of_two(&prefixes, report);
    }
    let [username_prefix, groups_prefix] = prefixes.map(|entry| prefix(entry, report));
    Some(Settings {
        url: url?,
        signing_key_files: signing_key_files?,
        objects_dir: objects_dir?,
        max_expiration: max_expiration?,
        username_prefix: username_prefix?,
        groups_prefix: groups_prefix?,
        allow_reserved: allow_reserved?,
    })
}

fn url(entry: &Entry<String>, report: &Report) -> Option<String> {
    if unset(entry) {
        report.problem(&entry.place, "Required value");
    }
    set(entry)?;
    // Others have to fetch its keys from there.
    fetchable(good(entry, Query::Forbidden, report)?, entry, report)
}

/// The paths of the keys, if each is a key and the first one signs.
fn signing_keys(
    entry: &Entry<Vec<Entry<String>>>,
    files: &Files,
    report: &Report,
) -> Option<Vec<PathBuf>> {
    let entries = if entry.is_absent() { &[][..] } else { entry.value()? };
    let named = entries.iter().map(|entry| {
        let named = files.read(entry, report)?;
        match SigningKey::from_pem(&named.bytes) {
            Ok(key) => Some((named.path, key)),
            Err(error) => {
                report.problem(&entry.place, format!("{} {error}", named.path.display()));
                None
            }
        }
    });
    let named = named.collect::<Vec<_>>();
    let (paths, keys): (Vec<_>, Vec<_>) =
        named.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
    let mistakes = match SigningKeys::new(keys) {
        Ok(_) => return Some(paths),
        Err(mistakes) => mistakes,
    };
    for mistake in mistakes {
        // The list itself, if it is empty.
        let place = entries.get(mistake.index()).map_or(&entry.place, |entry| &entry.place);
        report.problem(place, mistake.to_string());
    }
    None
}

/// The path of the manifests, if all of them are right.
fn objects(entry: &Entry<String>, files: &Files, report: &Report) -> Option<PathBuf> {
    if unset(entry) {
        report.problem(&entry.place, "Required value: the path of a directory");
    }
    let problem = |text: String| report.problem(&entry.place, text);
    let path = files.path(set(entry)?).map_err(problem).ok()?;
    match Manifests::open(&path) {
        Ok((.., errors)) => {
            errors.iter().for_each(|error| problem(error.to_string()));
            errors.is_empty().then_some(path)
        }
        Err(error) => {
            problem(format!("{}: {error}", path.display()));
            None
        }
    }
}

fn prefix(entry: Entry<String>, report: &Report) -> Option<String> {
    let entry = entry.and_then(report, |prefix| {
        if prefix.starts_with("system:") {
            return Err(format!(
                "Invalid value: {prefix:?}: names that start with \"system:\" are Kubernetes' own: a \
                 prefix must not make any"
            ));
        }
        Ok(prefix)
    });
    entry.or(String::new())
}

/// One prefix alone leaves the other name reserved, which nobody means.
fn one_of_two(prefixes: &[Entry<String>; 2], report: &Report) {
    let [username, groups] = prefixes;
    let missing = match (unset(username), unset(groups)) {
        (true, false) => username,
        (false, true) => groups,
        _ => return,
    };
    let text = "is empty, and the other prefix is not: without allowReserved every token is refused at \
                /authenticate (reserved_identity)";
    report.warning(&missing.place, text);
}
