//! Durations, sizes, counts and addresses, as they are written.

use std::net::SocketAddr;
use std::time::Duration;

use crate::document::{Cursor, Entry, Scalar};

/// `500ms`, `30s`, `2m`, `1h30m`, and plain `0`, as in Go.
pub fn duration(cursor: Cursor<'_>) -> Entry<Duration> {
    cursor.scalar("a duration, such as 30s or 2m", |scalar| {
        let (Scalar::String(text) | Scalar::Number(text)) = scalar;
        parse_duration(text).ok_or_else(|| match scalar {
            Scalar::Number(number) => {
                format!("Invalid value: {number}: a unit is missing, as in {number}s")
            }
            Scalar::String(text) => {
                format!("Invalid value: {text:?}: not a duration, such as 500ms, 30s, 2m or 1h30m")
            }
        })
    })
}

/// `64Ki`, `3Mi`, `1Gi`, or a plain number of bytes.
pub fn bytes(cursor: Cursor<'_>) -> Entry<u64> {
    cursor.scalar("a size, such as 64Ki or 3Mi", |scalar| {
        let (Scalar::String(text) | Scalar::Number(text)) = scalar;
        parse_bytes(text).ok_or_else(|| {
            format!("Invalid value: {text:?}: not a size, such as 65536, 64Ki, 3Mi or 1Gi")
        })
    })
}

/// A whole number.
pub fn count(cursor: Cursor<'_>) -> Entry<u64> {
    cursor.scalar("a whole number", |scalar| match scalar {
        Scalar::Number(text) => whole(text).ok_or_else(|| {
            format!("Invalid value: {text}: must be a whole number and not negative")
        }),
        Scalar::String(text) => Err(format!("wanted a whole number, found the string {text:?}")),
    })
}

/// `IP:PORT`.
pub fn address(cursor: Cursor<'_>) -> Entry<SocketAddr> {
    cursor.scalar("an address and port", |scalar| {
        let (Scalar::String(text) | Scalar::Number(text)) = scalar;
        text.parse().map_err(|_| {
            format!(
                "Invalid value: {text:?}: must be an IP address and a port, such as 127.0.0.1:8443, \
                 0.0.0.0:8443 or \"[::]:8443\""
            )
        })
    })
}

/// The shortest way to write `duration`, to the millisecond.
pub fn written(duration: &Duration) -> String {
    match (duration.as_secs(), duration.subsec_millis()) {
        (0, 0) => "0s".to_owned(),
        (seconds, 0) if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        (seconds, 0) if seconds % 60 == 0 => format!("{}m", seconds / 60),
        (seconds, 0) => format!("{seconds}s"),
        _ => format!("{}ms", duration.as_millis()),
    }
}

/// Go's `time.ParseDuration`, without signs and below the millisecond.
fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|end| *end > 0)?;
        let (number, tail) = rest.split_at(number);
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = tail;
    }
    // Beyond a century nobody means it, and clocks overflow.
    (!text.is_empty() && total.as_secs() < 100 * 365 * 86_400).then_some(total)
}

fn parse_bytes(text: &str) -> Option<u64> {
    let factors = [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30)];
    let (number, factor) = factors
        .into_iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .unwrap_or((text, 1_u64));
    whole(number)?.checked_mul(factor)
}

/// Digits only: no sign, no exponent.
fn whole(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_go() {
        for (text, milliseconds) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("1.5s", Some(1_500)),
            ("2m", Some(120_000)),
            ("1h30m", Some(5_400_000)),
            ("1h0m0.25s", Some(3_600_250)),
            ("", None),
            ("5", None),
            ("s", None),
            ("1d", None),
            ("-1s", None),
            ("1 s", None),
            ("1s ", None),
            ("1.2.3s", None),
            ("1µs", None),
            ("1e3s", None),
            ("999999999999999999999h", None),
            ("900000h", None),
        ] {
            let read = parse_duration(text).map(|duration| duration.as_millis());
            assert_eq!(read, milliseconds, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for text in ["0s", "1ms", "1500ms", "59s", "61s", "2m", "90m", "24h"] {
            assert_eq!(written(&parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn sizes_read_as_in_kubernetes() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("65536", Some(65_536)),
            ("64Ki", Some(65_536)),
            ("3Mi", Some(3 << 20)),
            ("1Gi", Some(1 << 30)),
            ("", None),
            ("Ki", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("1.5Mi", None),
            ("64KB", None),
            ("64 Ki", None),
            ("17179869184Gi", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text:?}");
        }
    }
}
