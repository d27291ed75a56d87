//! `keys`.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::document::{Entry, Report};
use crate::keys;

use super::super::file::Keys;
use super::super::files::Files;
use super::super::units::written;

/// Twice the longest that a provider's answer may take to be tried again, and what nobody means
/// when `for ever` is meant.
const MAX_STALE: RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(8760);

/// How long keys are used, and where they are kept.
pub fn check(keys: Keys, files: &Files, report: &Report) -> Option<keys::Settings> {
    let max_stale = keys.max_stale.and_then(report, |age| {
        if age.is_zero() || MAX_STALE.contains(&age) {
            return Ok((!age.is_zero()).then_some(age));
        }
        let [age, low, high] = [&age, MAX_STALE.start(), MAX_STALE.end()].map(written);
        Err(format!("Invalid value: {age}: must be 0s, which is for ever, or from {low} to {high}"))
    });
    let cache_dir = cache_dir(keys.cache_dir, files, report);
    Some(keys::Settings { max_stale: max_stale.or(None)?, cache_dir: cache_dir? })
}

/// A path. Whether a folder is there is not for the configuration to demand: without one there are
/// no keys on disk, which is no reason not to serve with those from the network.
fn cache_dir(entry: Entry<String>, files: &Files, report: &Report) -> Option<Option<PathBuf>> {
    let place = entry.place.clone();
    let path = |written: String| match written.is_empty() {
        true => Err("Required value: the path of a folder".to_owned()),
        false => files.path(&written),
    };
    let folder = entry.and_then(report, path).map(Some).or(None)?;
    if let Some(text) = folder.as_deref().and_then(unusable) {
        report.warning(&place, text);
    }
    Some(folder)
}

fn unusable(folder: &Path) -> Option<String> {
    let shown = folder.display();
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => None,
        Ok(_) => Some(format!("{shown} is not a folder: no keys will be kept")),
        Err(_) if folder.parent().is_some_and(Path::is_dir) => None,
        Err(error) => Some(format!(
            "{shown}: {error}: no keys will be kept before the folder above it is there (a volume \
             that is not mounted?)"
        )),
    }
}
