//! Times, durations and other people's texts, as a tired person reads them.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::api::quote::is_printable;
use crate::transcript::{Part, Text};

/// How a [`Text`] is put into words.
#[derive(Clone, Copy)]
pub(super) struct Voice {
    pub(super) now: SystemTime,
    /// Whether what claims say is said.
    pub(super) shows_claims: bool,
}

impl Voice {
    pub(super) fn say(&self, text: &Text) -> String {
        self.say_about("", text)
    }

    /// The same, of what is called `what`: of an `exp` that has passed one says that it expired.
    pub(super) fn say_about(&self, what: &str, text: &Text) -> String {
        let part = |part: &Part| match part {
            Part::Plain(text) => printable(text),
            Part::Said { value, .. } if self.shows_claims => printable(value),
            Part::Said { instead, .. } => printable(instead),
            Part::Time(time) => self.instant(what, *time),
            Part::Span(span) => duration(*span),
        };
        text.0.iter().map(part).collect()
    }

    fn instant(&self, what: &str, time: SystemTime) -> String {
        format!("{}, {}", rfc3339(time), self.distance(what, time))
    }

    /// How far from now an instant is: that of an `exp`, if `what` says so.
    pub(super) fn distance(&self, what: &str, time: SystemTime) -> String {
        match (time.duration_since(self.now), what) {
            (Ok(ahead), "exp") => format!("valid for another {}", duration(ahead)),
            (Ok(ahead), _) => format!("in {}", duration(ahead)),
            (Err(past), "exp") => format!("expired {} ago", duration(past.duration())),
            (Err(past), _) => format!("{} ago", duration(past.duration())),
        }
    }
}

/// As in RFC 3339, in UTC, to the second.
pub(super) fn rfc3339(time: SystemTime) -> String {
    let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).ok(),
        Err(before) => i64::try_from(before.duration().as_secs()).ok().map(|it| -it),
    };
    let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| "a time far away".to_owned())
}

/// A duration in one unit, or two where one would say little.
pub(super) fn duration(duration: Duration) -> String {
    const UNITS: [(u64, &str); 5] = [
        (365 * 24 * 60 * 60, "year"),
        (24 * 60 * 60, "day"),
        (60 * 60, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let mut left = duration.as_secs();
    let mut words = Vec::new();
    for (unit, name) in UNITS {
        let count = left / unit;
        left %= unit;
        match count {
            0 if words.is_empty() => continue,
            0 => break,
            1 => words.push(format!("1 {name}")),
            _ => words.push(format!("{count} {name}s")),
        }
        if words.len() == 2 || count >= 10 {
            break;
        }
    }
    if words.is_empty() { "0 seconds".to_owned() } else { words.join(" ") }
}

/// What somebody else wrote, so that it cannot steer a terminal.
pub(super) fn printable(text: &str) -> String {
    let escaped = |letter: char| match is_printable(letter) {
        true => letter.to_string(),
        false => letter.escape_default().to_string(),
    };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_words() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (61, "1 minute 1 second"),
            (52 * 60 + 13, "52 minutes"),
            (3 * 3600, "3 hours"),
            (3 * 3600 + 20 * 60, "3 hours 20 minutes"),
            (3 * 3600 + 20, "3 hours"),
            (26 * 3600, "1 day 2 hours"),
            (90 * 24 * 3600, "90 days"),
            (3 * 365 * 24 * 3600, "3 years"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn what_a_claim_says_is_said_to_those_who_ask() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
        let text = Text::from("idp:").and(Text::said("<sub>", "alice\u{1b}[2J")).and(", ").and(now);
        let quiet = Voice { now, shows_claims: false };
        assert_eq!(quiet.say(&text), "idp:<sub>, 1970-01-02T00:00:00Z, in 0 seconds");
        let open = Voice { shows_claims: true, ..quiet };
        assert!(open.say(&text).starts_with("idp:alice\\u{1b}[2J, "));
        let hour = Duration::from_secs(3600);
        for (time, said) in [
            (now - hour, "1970-01-01T23:00:00Z, expired 1 hour ago"),
            (now + hour, "1970-01-02T01:00:00Z, valid for another 1 hour"),
        ] {
            assert_eq!(quiet.say_about("exp", &time.into()), said);
        }
        assert_eq!(
            quiet.say_about("nbf", &(now - hour).into()),
            "1970-01-01T23:00:00Z, 1 hour ago"
        );
    }
}
