//! Time zones by name or by offset, as the getters of a timestamp take them.
//!
//! kube-apiserver carries the IANA database with it, and so do we (jiff's, in the binary): what an
//! expression means depends on no file of the machine.
//!
//! *Differs*: `Local` is UTC here, as it is in kube-apiserver's image; offsets of a million hours or
//! minutes are refused; and only the names of the database are known, where upstream also finds what
//! else lies in a machine's `/usr/share/zoneinfo`. Upstream prefers that directory, and so may have
//! another edition of the database.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::api::quote::quoted;

/// The most hours, or minutes, that an offset may have.
const MOST: i64 = 1_000_000;

/// Why a text is no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// The database has no such name.
    #[error("unknown time zone {0}")]
    Unknown(String),
    /// The name is a path.
    #[error("time: invalid location name")]
    Path,
    /// A part of an offset is no number.
    #[error("strconv.Atoi: parsing {}: invalid syntax", quoted(.0))]
    Syntax(String),
    /// A part of an offset is too large a number.
    #[error("strconv.Atoi: parsing {}: value out of range", quoted(.0))]
    Range(String),
}

/// How many seconds `zone` is ahead of UTC at `unix` seconds after 1970.
///
/// A zone with a colon is hours and minutes (`-08:00`), and one without is a name.
pub(super) fn offset_seconds(zone: &str, unix: i64) -> Result<i64, ZoneError> {
    let Some((hours, minutes)) = zone.split_once(':') else {
        return named(zone, unix);
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    // Nobody asks whether there are so many hours in a day or minutes in an hour.
    if let Some(much) = [hours, minutes].into_iter().find(|part| !(-MOST..=MOST).contains(part)) {
        return Err(ZoneError::Range(much.to_string()));
    }
    let minutes = if zone.starts_with('-') { -minutes } else { minutes };
    Ok((hours * 60 + minutes) * 60)
}

fn named(zone: &str, unix: i64) -> Result<i64, ZoneError> {
    if matches!(zone, "" | "UTC" | "Local") {
        return Ok(0);
    }
    if zone.starts_with(['/', '\\']) || zone.contains("..") {
        return Err(ZoneError::Path);
    }
    let found = TimeZoneDatabase::bundled().get(zone).ok();
    // Upstream's names are those of files, and so their case counts.
    let found = found.filter(|found: &TimeZone| found.iana_name() == Some(zone));
    let found = found.ok_or_else(|| ZoneError::Unknown(zone.to_owned()))?;
    // The last hours of 9999, which jiff does not have, are in the zone as the ones before.
    let latest = Timestamp::MAX.as_second();
    let at = Timestamp::from_second(unix.min(latest)).unwrap_or(Timestamp::MIN);
    Ok(found.to_offset(at).seconds().into())
}

/// Go's `strconv.Atoi`.
fn number(text: &str) -> Result<i64, ZoneError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ZoneError::Syntax(text.to_owned()));
    }
    text.parse().map_err(|_| ZoneError::Range(text.to_owned()))
}
