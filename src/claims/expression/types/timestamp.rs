//! `timestamp()`: an instant between the years 1 and 9999, to the nanosecond, and the offset from UTC
//! that it was written with.
//!
//! The offset shows in `string(timestamp)` only. The getters count in UTC where no zone is given
//! (upstream's `DefaultUTCTimeZone`), and two instants are equal whatever their offsets.

use std::cmp::Ordering;
use std::fmt;

use super::duration::Duration;
use super::zone::{ZoneError, offset_seconds};

const DAY: i64 = 24 * 60 * 60;
const NANOSECONDS: i64 = 1_000_000_000;

/// `0001-01-01T00:00:00Z` and the last second of 9999.
const UNIX: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Why a timestamp, or something of one, cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The text is none.
    #[error("type conversion error from 'string' to 'google.protobuf.Timestamp'")]
    Text,
    /// It is before the year 1 or after 9999.
    #[error("timestamp overflow")]
    Overflow,
    /// The duration between two, or the opposite of one, is more than 292 years.
    #[error("integer overflow")]
    Duration,
    /// The time zone is none.
    #[error(transparent)]
    Zone(#[from] ZoneError),
}

/// An instant.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp {
    unix: i64,
    nanoseconds: i64,
    offset: i64,
}

/// What a getter asks for. Months and days count from 0 but where it says so, and Sunday is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `getFullYear()`.
    FullYear,
    /// `getMonth()`.
    Month,
    /// `getDayOfYear()`.
    DayOfYear,
    /// `getDayOfMonth()`.
    DayOfMonth,
    /// `getDate()`: the day of the month from 1.
    Date,
    /// `getDayOfWeek()`.
    DayOfWeek,
    /// `getHours()`.
    Hours,
    /// `getMinutes()`.
    Minutes,
    /// `getSeconds()`.
    Seconds,
    /// `getMilliseconds()`.
    Milliseconds,
}

impl std::str::FromStr for Timestamp {
    type Err = TimestampError;

    /// RFC 3339 as Go reads it: also with one digit of hours, with a comma before the fraction, and
    /// with offsets of up to 24 hours and 60 minutes; what is beyond nanoseconds is cut off.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let read = read(text).ok_or(TimestampError::Text)?;
        if UNIX.contains(&read.unix) { Ok(read) } else { Err(TimestampError::Overflow) }
    }
}

impl Timestamp {
    /// `timestamp(int)`: so many seconds after 1970.
    pub fn from_unix(unix: i64) -> Result<Self, TimestampError> {
        let in_range = UNIX.contains(&unix).then_some(Self { unix, nanoseconds: 0, offset: 0 });
        in_range.ok_or(TimestampError::Overflow)
    }

    /// `int(timestamp)`: seconds after 1970, downwards.
    pub fn unix(self) -> i64 {
        self.unix
    }

    /// The nanoseconds since the last second.
    pub fn nanoseconds(self) -> i64 {
        self.nanoseconds
    }

    /// So much later.
    pub fn plus(self, duration: Duration) -> Result<Self, TimestampError> {
        let nanoseconds = self.nanoseconds + duration.nanoseconds() % NANOSECONDS;
        let seconds = duration.nanoseconds() / NANOSECONDS + nanoseconds.div_euclid(NANOSECONDS);
        let unix = self.unix + seconds;
        if !UNIX.contains(&unix) {
            return Err(TimestampError::Overflow);
        }
        Ok(Self { unix, nanoseconds: nanoseconds.rem_euclid(NANOSECONDS), ..self })
    }

    /// So much earlier.
    pub fn minus(self, duration: Duration) -> Result<Self, TimestampError> {
        self.plus(duration.negate().map_err(|_| TimestampError::Duration)?)
    }

    /// How much later it is than `other`.
    pub fn since(self, other: Self) -> Result<Duration, TimestampError> {
        let seconds = (self.unix - other.unix).checked_mul(NANOSECONDS);
        let nanoseconds = self.nanoseconds - other.nanoseconds;
        let between = seconds.and_then(|seconds| seconds.checked_add(nanoseconds));
        between.map(Duration::from_nanoseconds).ok_or(TimestampError::Duration)
    }

    /// What a getter without a time zone answers: in UTC.
    pub fn field(self, field: Field) -> i64 {
        self.field_at(field, 0)
    }

    /// What a getter answers for a time zone.
    pub fn field_in(self, field: Field, zone: &str) -> Result<i64, TimestampError> {
        Ok(self.field_at(field, offset_seconds(zone, self.unix)?))
    }

    fn field_at(self, field: Field, offset: i64) -> i64 {
        let local = self.unix + offset;
        let days = local.div_euclid(DAY);
        let second = local.rem_euclid(DAY);
        let (year, month, day) = date(days);
        match field {
            Field::FullYear => year,
            Field::Month => month - 1,
            Field::DayOfYear => days - days_before(year, 1, 1),
            Field::DayOfMonth => day - 1,
            Field::Date => day,
            // 1970 began on a Thursday.
            Field::DayOfWeek => (days + 4).rem_euclid(7),
            Field::Hours => second / 3600,
            Field::Minutes => second / 60 % 60,
            Field::Seconds => second % 60,
            Field::Milliseconds => self.nanoseconds / 1_000_000,
        }
    }
}

impl Field {
    /// The field that a getter of this name asks for.
    pub fn of_getter(name: &str) -> Option<Self> {
        Some(match name {
            "getFullYear" => Self::FullYear,
            "getMonth" => Self::Month,
            "getDayOfYear" => Self::DayOfYear,
            "getDayOfMonth" => Self::DayOfMonth,
            "getDate" => Self::Date,
            "getDayOfWeek" => Self::DayOfWeek,
            "getHours" => Self::Hours,
            "getMinutes" => Self::Minutes,
            "getSeconds" => Self::Seconds,
            "getMilliseconds" => Self::Milliseconds,
            _ => return None,
        })
    }
}

/// `string(timestamp)`: RFC 3339 with its own offset, and no zeros at the end of the fraction.
impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let get = |field| self.field_at(field, self.offset);
        let (year, month, day) = (get(Field::FullYear), get(Field::Month) + 1, get(Field::Date));
        write!(out, "{year:04}-{month:02}-{day:02}T")?;
        let (hour, minute, second) = (get(Field::Hours), get(Field::Minutes), get(Field::Seconds));
        write!(out, "{hour:02}:{minute:02}:{second:02}")?;
        if self.nanoseconds > 0 {
            let fraction = format!("{:09}", self.nanoseconds);
            write!(out, ".{}", fraction.trim_end_matches('0'))?;
        }
        if self.offset == 0 {
            return out.write_str("Z");
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs() / 60;
        write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.unix, self.nanoseconds).cmp(&(other.unix, other.nanoseconds))
    }
}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timestamp {}

fn read(text: &str) -> Option<Timestamp> {
    let mut rest = text;
    let days = read_date(&mut rest)?;
    skip(&mut rest, "T")?;
    let two = rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let hour = take(&mut rest, if two { 2 } else { 1 }).filter(|&hour| hour < 24)?;
    let minute = take(skip(&mut rest, ":")?, 2).filter(|&minute| minute < 60)?;
    let second = take(skip(&mut rest, ":")?, 2).filter(|&second| second < 60)?;
    let mut nanoseconds = 0;
    if let Some(after) = rest.strip_prefix(['.', ',']) {
        let count = after.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = after.split_at_checked(count)?;
        let digits: String = digits.chars().chain("000000000".chars()).take(9).collect();
        nanoseconds = if count > 0 { digits.parse().ok()? } else { return None };
        rest = after;
    }
    let offset = if rest == "Z" {
        rest = "";
        0
    } else {
        let sign = if rest.starts_with('-') { -1 } else { 1 };
        rest = rest.strip_prefix(['-', '+'])?;
        let hours = take(&mut rest, 2).filter(|&hours| hours <= 24)?;
        let minutes = take(skip(&mut rest, ":")?, 2).filter(|&minutes| minutes <= 60)?;
        sign * (hours * 60 + minutes) * 60
    };
    let local = days * DAY + (hour * 60 + minute) * 60 + second;
    rest.is_empty().then_some(Timestamp { unix: local - offset, nanoseconds, offset })
}

/// Whether `text` is a date as RFC 3339 writes it.
pub(super) fn is_date(text: &str) -> bool {
    let mut rest = text;
    read_date(&mut rest).is_some() && rest.is_empty()
}

/// The days between 1970 and the date that comes next.
fn read_date(rest: &mut &str) -> Option<i64> {
    let year = take(rest, 4)?;
    let month = take(skip(rest, "-")?, 2).filter(|month| (1..=12).contains(month))?;
    let day = take(skip(rest, "-")?, 2)?;
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let length = days_before(next.0, next.1, 1) - days_before(year, month, 1);
    (1..=length).contains(&day).then(|| days_before(year, month, day))
}

/// The number in the next `count` characters, all of them digits.
fn take(rest: &mut &str, count: usize) -> Option<i64> {
    let (digits, after) = rest.split_at_checked(count)?;
    *rest = after;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// What is behind the next `mark`.
fn skip<'a, 'b>(rest: &'a mut &'b str, mark: &str) -> Option<&'a mut &'b str> {
    *rest = rest.strip_prefix(mark)?;
    Some(rest)
}

/// The days between 1970 and a date of the Gregorian calendar. Years begin in March here, so that the
/// day that may be missing is the last.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let month = if month < 3 { month + 9 } else { month - 3 };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - MARCH_0_TO_1970
}

/// The days from 1 March of the year 0 to 1970.
const MARCH_0_TO_1970: i64 = 719_468;

/// The date so many days after 1970: year, month from 1 and day from 1.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + MARCH_0_TO_1970;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = year + era * 400;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Arguments, bool, check, int, shown, text};
    use super::*;

    fn answer(expression: &str, args: &Arguments) -> String {
        let read = |index| args.text(index).parse::<Timestamp>();
        let duration = |index| args.text(index).parse::<Duration>().expect("a duration");
        let both = || Ok((read(0)?, read(1)?));
        match expression {
            "string(timestamp(a))" if args.raw(0).as_str().is_some_and(|a| a.starts_with('i')) => {
                shown(Timestamp::from_unix(args.int(0)), text)
            }
            "string(timestamp(a))" => shown(read(0), text),
            "int(timestamp(a))" => shown(read(0), |a| int(a.unix())),
            "string(timestamp(a) + duration(b))" | "string(duration(b) + timestamp(a))" => {
                shown(read(0).and_then(|a| a.plus(duration(1))), text)
            }
            "string(timestamp(a) - duration(b))" => {
                shown(read(0).and_then(|a| a.minus(duration(1))), text)
            }
            "string(timestamp(a) - timestamp(b))" => {
                shown(both().and_then(|(a, b)| a.since(b)), text)
            }
            "timestamp(a) < timestamp(b)" => shown(both(), |(a, b)| bool(a < b)),
            "timestamp(a) == timestamp(b)" => shown(both(), |(a, b)| bool(a == b)),
            getter => {
                let name = getter.strip_prefix("timestamp(a).").expect("a getter");
                let (name, zoned) = name.split_once('(').expect("a call");
                let field = Field::of_getter(name).expect("a field");
                if zoned == "b)" {
                    shown(read(0).and_then(|a| a.field_in(field, args.text(1))), int)
                } else {
                    shown(read(0).map(|a| a.field(field)), int)
                }
            }
        }
    }

    #[test]
    fn it_answers_as_kubernetes_does() {
        check(include_str!("golden/timestamp.jsonl"), answer);
    }

    #[test]
    fn dates_and_days_are_inverse() {
        for days in (-800_000..3_000_000).step_by(97) {
            let (year, month, day) = date(days);
            assert_eq!(days_before(year, month, day), days, "{year}-{month}-{day}");
        }
    }
}
