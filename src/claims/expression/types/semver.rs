//! `semver()`: versions after semver.org 2.0.0, as github.com/blang/semver reads and orders them.

use std::cmp::Ordering;
use std::str::FromStr;

use crate::api::quote::quoted;

/// Why a text is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SemverError {
    /// There is nothing.
    #[error("Version string empty")]
    Empty,
    /// There are not three parts.
    #[error("No Major.Minor.Patch elements found")]
    Elements,
    /// A short version, as normalisation allows them, with more than numbers.
    #[error("short version cannot contain PreRelease/Build meta data")]
    Short,
    /// A part has characters that it may not have.
    #[error("Invalid character(s) found in {part} {}", quoted(.text))]
    Characters {
        /// Which part.
        part: &'static str,
        /// The part.
        text: String,
    },
    /// A number begins with a zero and is not one.
    #[error("{part} must not contain leading zeroes {}", quoted(.text))]
    LeadingZeroes {
        /// Which part.
        part: &'static str,
        /// The part.
        text: String,
    },
    /// A number has no digits.
    #[error("strconv.ParseUint: parsing {}: invalid syntax", quoted(.0))]
    Syntax(String),
    /// A number does not fit 64 bits.
    #[error("strconv.ParseUint: parsing {}: value out of range", quoted(.0))]
    Range(String),
    /// Nothing stands before, after or between dots of the prerelease.
    #[error("Prerelease is empty")]
    EmptyPrerelease,
    /// Nothing stands before, after or between dots of the build metadata.
    #[error("Build meta data is empty")]
    EmptyBuild,
}

/// A version. Two are equal when neither is greater: their build metadata does not count.
#[derive(Clone, Debug)]
pub struct Semver {
    numbers: [u64; 3],
    prerelease: Vec<Identifier>,
    length: usize,
}

/// One part of a prerelease. Numbers come before words, and words are compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(Box<str>),
}

impl FromStr for Semver {
    type Err = SemverError;

    fn from_str(text: &str) -> Result<Self, SemverError> {
        if text.is_empty() {
            return Err(SemverError::Empty);
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(SemverError::Elements);
        };
        let major = number(major, "major number", "Major number")?;
        let minor = number(minor, "minor number", "Minor number")?;
        let (rest, build) = match rest.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (rest, None),
        };
        let (patch, words) = match rest.split_once('-') {
            Some((patch, words)) => (patch, Some(words)),
            None => (rest, None),
        };
        let patch = number(patch, "patch number", "Patch number")?;
        let prerelease = words.map(|words| words.split('.').map(Identifier::read).collect());
        for part in build.iter().flat_map(|build| build.split('.')) {
            // Upstream reads the prerelease first.
            if let Some(Err(error)) = prerelease {
                return Err(error);
            }
            if part.is_empty() {
                return Err(SemverError::EmptyBuild);
            }
            alphanumeric(part, "build meta data")?;
        }
        let prerelease = prerelease.transpose()?.unwrap_or_default();
        Ok(Self { numbers: [major, minor, patch], prerelease, length: text.len() })
    }
}

impl Semver {
    /// `semver(text, normalize)`: with `normalize`, a leading `v`, leading zeros and missing numbers
    /// are put right first.
    pub fn parse(text: &str, normalize: bool) -> Result<Self, SemverError> {
        if normalize { normalized(text)?.parse() } else { text.parse() }
    }

    /// `isSemver()`: whether [`Self::parse`] takes `text`.
    pub fn is_semver(text: &str, normalize: bool) -> bool {
        Self::parse(text, normalize).is_ok()
    }

    /// `major()`. As upstream, what does not fit an int wraps around.
    pub fn major(&self) -> i64 {
        let [major, _, _] = self.numbers;
        major.cast_signed()
    }

    /// `minor()`: as [`Self::major`].
    pub fn minor(&self) -> i64 {
        let [_, minor, _] = self.numbers;
        minor.cast_signed()
    }

    /// `patch()`: as [`Self::major`].
    pub fn patch(&self) -> i64 {
        let [_, _, patch] = self.numbers;
        patch.cast_signed()
    }

    /// The length of the text, in bytes, for what its comparison may cost.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl Ord for Semver {
    fn cmp(&self, other: &Self) -> Ordering {
        // A release comes after its prereleases, of which the shorter is the earlier.
        let release = self.prerelease.is_empty().cmp(&other.prerelease.is_empty());
        let words = || self.prerelease.cmp(&other.prerelease);
        self.numbers.cmp(&other.numbers).then(release).then_with(words)
    }
}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Semver {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Semver {}

impl Identifier {
    fn read(text: &str) -> Result<Self, SemverError> {
        if text.is_empty() {
            return Err(SemverError::EmptyPrerelease);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return number(text, "", "Numeric PreRelease version").map(Self::Number);
        }
        alphanumeric(text, "prerelease")?;
        Ok(Self::Word(text.into()))
    }
}

/// A number of digits only. Errors call it `part` in the middle of a text, and `Part` before one.
fn number(text: &str, part: &'static str, name: &'static str) -> Result<u64, SemverError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(SemverError::Characters { part, text: text.to_owned() });
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(SemverError::LeadingZeroes { part: name, text: text.to_owned() });
    }
    let wrong = if text.is_empty() { SemverError::Syntax } else { SemverError::Range };
    text.parse().map_err(|_| wrong(text.to_owned()))
}

fn alphanumeric(text: &str, part: &'static str) -> Result<(), SemverError> {
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits { Ok(()) } else { Err(SemverError::Characters { part, text: text.to_owned() }) }
}

/// `text` without a leading `v`, without zeros before each of the three parts' first other character,
/// and with `.0` for what is missing.
fn normalized(text: &str) -> Result<String, SemverError> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let parts: Vec<_> = text.splitn(3, '.').collect();
    let last = parts.last().copied().unwrap_or_default();
    if parts.len() < 3 && last.contains(['+', '-']) {
        return Err(SemverError::Short);
    }
    let missing = 3_usize.saturating_sub(parts.len());
    let mut parts: Vec<_> = parts.into_iter().map(without_zeros).collect();
    parts.extend(std::iter::repeat_n("0".to_owned(), missing));
    Ok(parts.join("."))
}

fn without_zeros(part: &str) -> String {
    if part.len() < 2 {
        return part.to_owned();
    }
    let rest = part.trim_start_matches('0');
    let zero = if rest.starts_with(|first: char| first.is_ascii_digit()) { "" } else { "0" };
    format!("{zero}{rest}")
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Arguments, bool, check, int, shown};
    use super::*;

    fn answer(expression: &str, args: &Arguments) -> String {
        let read = |index| args.text(index).parse::<Semver>();
        let both = |join: &dyn Fn(Semver, Semver) -> String| {
            shown(read(0).and_then(|a| Ok((a, read(1)?))), |(a, b)| join(a, b))
        };
        match expression {
            "isSemver(a)" => bool(Semver::is_semver(args.text(0), false)),
            "isSemver(a, b)" => bool(Semver::is_semver(args.text(0), args.bool(1))),
            "semver(a).major()" => shown(read(0), |a| int(a.major())),
            "semver(a).minor()" => shown(read(0), |a| int(a.minor())),
            "semver(a).patch()" => shown(read(0), |a| int(a.patch())),
            "semver(a, b).minor()" => {
                shown(Semver::parse(args.text(0), args.bool(1)), |a| int(a.minor()))
            }
            "semver(a).compareTo(semver(b))" => both(&|a, b| int(a.cmp(&b) as i64)),
            "semver(a).isLessThan(semver(b))" => both(&|a, b| bool(a < b)),
            "semver(a).isGreaterThan(semver(b))" => both(&|a, b| bool(a > b)),
            "semver(a) == semver(b)" => both(&|a, b| bool(a == b)),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn it_answers_as_kubernetes_does() {
        check(include_str!("golden/semver.jsonl"), answer);
    }

    #[test]
    fn a_long_one_is_only_long() {
        let text = format!("1.2.3-{}", vec!["a"; 1 << 16].join("."));
        let version: Semver = text.parse().expect("a version");
        assert_eq!(version.length(), text.len());
        assert_eq!(version, version.clone());
    }
}
