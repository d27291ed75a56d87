//! An instant as JWTs write it.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::IgnoredAny;

use super::Value;

/// Seconds since 1970-01-01T00:00:00Z (RFC 7519, section 2), truncated, within the years 1 to 9999.
///
/// A signer may choose any number. What lies outside is moved to the nearest end, so that whoever
/// adds a duration to an instant, or prints it, cannot be made to overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(i64);

impl NumericDate {
    /// 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800);

    /// The instant that many seconds after (or before) the epoch.
    pub fn new(seconds: i64) -> Self {
        Self(seconds.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Seconds since the epoch.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// The instant so much earlier; parts of a second are dropped from `duration`.
    pub fn minus(self, duration: Duration) -> Self {
        Self::new(self.0.saturating_sub_unsigned(duration.as_secs()))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0 - earlier.0).unwrap_or_default())
    }

    /// Reads a number, or a string that holds one, as go-oidc does; anything else is absent.
    pub(super) fn from_claim(value: Value<'_>) -> Option<Self> {
        let text = value.string().unwrap_or(Cow::Borrowed(value.json()));
        // Only JSON's numbers: neither Rust's `inf` and `+1`, nor space that JSON would skip.
        let ends = (text.as_bytes().first()?, text.as_bytes().last()?);
        let (b'-' | b'0'..=b'9', b'0'..=b'9') = ends else { return None };
        serde_json::from_str::<IgnoredAny>(&text).ok()?;
        match text.parse::<i64>() {
            Ok(seconds) => Some(Self::new(seconds)),
            // A float-to-integer cast truncates and saturates.
            #[expect(clippy::cast_possible_truncation, reason = "both are wanted")]
            Err(_) => {
                text.parse::<f64>().ok().filter(|s| s.is_finite()).map(|s| Self::new(s as i64))
            }
        }
    }
}

impl From<NumericDate> for SystemTime {
    fn from(date: NumericDate) -> Self {
        let distance = Duration::from_secs(date.0.unsigned_abs());
        let time = match date.0 {
            0.. => UNIX_EPOCH.checked_add(distance),
            _ => UNIX_EPOCH.checked_sub(distance),
        };
        time.unwrap_or(UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::super::JsonObject;
    use super::*;

    fn read(json: &str) -> Option<i64> {
        let object = JsonObject::parse(format!(r#"{{"exp":{json}}}"#).into()).expect(json);
        NumericDate::from_claim(object.get("exp").unwrap()).map(NumericDate::seconds)
    }

    #[test]
    fn numbers_are_truncated_and_saturate() {
        let (min, max) = (NumericDate::MIN.seconds(), NumericDate::MAX.seconds());
        for (json, seconds) in [
            ("1257894000", 1_257_894_000),
            ("0", 0),
            ("-0", 0),
            ("-1", -1),
            ("1.9", 1),
            ("-1.9", -1),
            ("1257894000.999", 1_257_894_000),
            ("1.257894e9", 1_257_894_000),
            ("1e-400", 0),
            ("253402300800", max),
            ("9223372036854775807", max),
            ("9223372036854775808", max),
            ("18446744073709551616", max),
            ("-9223372036854775808", min),
            ("1e19", max),
            ("1e300", max),
            ("-1e300", min),
            (r#""1257894000""#, 1_257_894_000),
            (r#""1.5e1""#, 15),
            (r#""\u0031""#, 1),
        ] {
            assert_eq!(read(json), Some(seconds), "{json}");
        }
        assert_eq!(read(&"9".repeat(400)), None, "as in Go: no float is that large");
        assert_eq!(read(&format!("0.{}", "9".repeat(10_000))), Some(1), "a long fraction");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for json in [
            "null",
            "true",
            "{}",
            "[1]",
            "1e400",
            "-1e400",
            r#""""#,
            r#"" 1""#,
            r#""1 ""#,
            r#""+1""#,
            r#""01""#,
            r#""1.""#,
            r#"".5""#,
            r#""0x1F""#,
            r#""inf""#,
            r#""NaN""#,
            r#""1,2""#,
            r#""1 2""#,
            r#""-""#,
            r#""2024-01-01T00:00:00Z""#,
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn every_date_is_a_time_that_can_be_reckoned_with() {
        for date in [NumericDate::MIN, NumericDate::new(i64::MIN), NumericDate::new(i64::MAX)] {
            let time = SystemTime::from(date);
            assert!(time.checked_add(Duration::from_secs(1 << 40)).is_some());
            assert_eq!(date.minus(Duration::MAX), NumericDate::MIN);
        }
        let (day, next) = (NumericDate::new(-86_400), NumericDate::new(5));
        assert_eq!(SystemTime::from(next), UNIX_EPOCH + Duration::from_secs(5));
        assert_eq!(SystemTime::from(day), UNIX_EPOCH - Duration::from_secs(86_400));
        assert_eq!(next.since(day), Duration::from_secs(86_405));
        assert_eq!(day.since(next), Duration::ZERO);
        assert_eq!(next.minus(Duration::from_millis(5_900)), NumericDate::new(0));
    }
}
