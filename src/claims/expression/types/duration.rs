//! `duration()`: an `int64` of nanoseconds, as Go's `time.Duration` reads, writes and counts it.

use super::number::positional;

/// Why a duration cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// The text is none, or is one of more than 292 years.
    #[error("type conversion error from 'string' to 'google.protobuf.Duration'")]
    Text,
    /// The result is more than 292 years.
    #[error("integer overflow")]
    Overflow,
}

/// A duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    nanoseconds: i64,
}

/// The units that a text may have, and how many nanoseconds each is. The micro sign has two forms.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
];

const SECOND: u64 = 1_000_000_000;

impl std::str::FromStr for Duration {
    type Err = DurationError;

    /// A sign, and then decimal numbers with a unit each: `1h30m`, `-1.5h`. A lone `0` needs none.
    fn from_str(text: &str) -> Result<Self, DurationError> {
        read(text).map(Self::from_nanoseconds).ok_or(DurationError::Text)
    }
}

impl Duration {
    /// So many nanoseconds.
    pub fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self { nanoseconds }
    }

    /// How many nanoseconds.
    pub fn nanoseconds(self) -> i64 {
        self.nanoseconds
    }

    /// `getHours()`: all of them, towards zero.
    pub fn hours(self) -> i64 {
        self.in_units(3600 * SECOND)
    }

    /// `getMinutes()`: all of them, towards zero.
    pub fn minutes(self) -> i64 {
        self.in_units(60 * SECOND)
    }

    /// `getSeconds()`: all of them, towards zero.
    pub fn seconds(self) -> i64 {
        self.in_units(SECOND)
    }

    /// `getMilliseconds()`: all of them, towards zero.
    pub fn milliseconds(self) -> i64 {
        self.nanoseconds / 1_000_000
    }

    /// The sum of two.
    pub fn plus(self, other: Self) -> Result<Self, DurationError> {
        let sum = self.nanoseconds.checked_add(other.nanoseconds);
        sum.map(Self::from_nanoseconds).ok_or(DurationError::Overflow)
    }

    /// The difference of two.
    pub fn minus(self, other: Self) -> Result<Self, DurationError> {
        let difference = self.nanoseconds.checked_sub(other.nanoseconds);
        difference.map(Self::from_nanoseconds).ok_or(DurationError::Overflow)
    }

    /// The same, the other way.
    pub fn negate(self) -> Result<Self, DurationError> {
        let negated = self.nanoseconds.checked_neg();
        negated.map(Self::from_nanoseconds).ok_or(DurationError::Overflow)
    }

    /// As Go counts, in floating point: a nanosecond before a million hours is a million hours.
    #[expect(clippy::cast_possible_truncation, reason = "an int64 of nanoseconds was larger")]
    fn in_units(self, unit: u64) -> i64 {
        self.fraction(unit) as i64
    }

    #[expect(clippy::cast_precision_loss, reason = "as Go does")]
    fn fraction(self, unit: u64) -> f64 {
        let unit = unit.cast_signed();
        let whole = self.nanoseconds.checked_div(unit).unwrap_or(0);
        let rest = self.nanoseconds.checked_rem(unit).unwrap_or(0);
        whole as f64 + rest as f64 / unit as f64
    }
}

/// `string(duration)`: seconds, as a double has them, without an exponent.
impl std::fmt::Display for Duration {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(out, "{}s", positional(self.fraction(SECOND)))
    }
}

fn read(text: &str) -> Option<i64> {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    // One more than an int64 has, for the least of them.
    let limit = 1 << 63;
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|letter: char| letter == '.' || letter.is_ascii_digit());
        let (unit, after) = after.split_at_checked(end.unwrap_or(after.len()))?;
        let &(_, unit) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let part = whole.checked_mul(unit)?.checked_add(part_of(unit, fraction))?;
        sum = sum.checked_add(part).filter(|&sum| part <= limit && sum <= limit)?;
        rest = after;
    }
    if text.starts_with('-') { 0_i64.checked_sub_unsigned(sum) } else { sum.try_into().ok() }
}

/// The fraction `0.digits` of a unit, in floating point as Go has it, from as many digits as 63 bits
/// hold.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "as Go does; the fraction is less than one unit"
)]
fn part_of(unit: u64, digits: &str) -> u64 {
    let (mut fraction, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        if fraction > i64::MAX.cast_unsigned() / 10 {
            break;
        }
        let next = fraction * 10 + u64::from(digit - b'0');
        if next > 1 << 63 {
            break;
        }
        fraction = next;
        scale *= 10.0;
    }
    (fraction as f64 * (unit as f64 / scale)) as u64
}

/// The digits at the beginning, and the rest.
fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Arguments, bool, check, int, shown, text};
    use super::*;

    fn answer(expression: &str, args: &Arguments) -> String {
        let read = |index| args.text(index).parse::<Duration>();
        let both = || Ok((read(0)?, read(1)?));
        match expression {
            "string(duration(a))" => shown(read(0), text),
            "duration(a).getHours()" => shown(read(0), |a| int(a.hours())),
            "duration(a).getMinutes()" => shown(read(0), |a| int(a.minutes())),
            "duration(a).getSeconds()" => shown(read(0), |a| int(a.seconds())),
            "duration(a).getMilliseconds()" => shown(read(0), |a| int(a.milliseconds())),
            "string(duration(a) + duration(b))" => shown(both().and_then(|(a, b)| a.plus(b)), text),
            "string(duration(a) - duration(b))" => {
                shown(both().and_then(|(a, b)| a.minus(b)), text)
            }
            "duration(a) < duration(b)" => shown(both(), |(a, b)| bool(a < b)),
            "duration(a) == duration(b)" => shown(both(), |(a, b)| bool(a == b)),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn it_answers_as_kubernetes_does() {
        check(include_str!("golden/duration.jsonl"), answer);
    }

    #[test]
    fn the_least_has_no_opposite() {
        let least = Duration::from_nanoseconds(i64::MIN);
        assert_eq!(least.negate(), Err(DurationError::Overflow));
        assert_eq!(Duration::from_nanoseconds(5).negate().map(Duration::nanoseconds), Ok(-5));
    }
}
