//! Regular expressions: Go's syntax, run by the regex crate. Neither backtracks.
//!
//! The two crates' languages are sisters and yet differ: here `\d`, `\w`, `\s` and `\b` know ASCII
//! only, `a**` and `a{1001}` are errors, `{` may be literal, `\Q…\E` quotes, and there is no `&&` in
//! classes and no `(?x)`. So each pattern is read as Go reads it, by `syntax`, and handed on in
//! words that leave nothing open.
//!
//! *Differs*: a pattern of more than [`LENGTH_LIMIT`] bytes, one that compiles to more than
//! [`SIZE_LIMIT`], or one of more than [`DEPTH_LIMIT`] groups in each other is too large; Go allows
//! some more of each. Within them, compiling takes some ten milliseconds at the worst; matching
//! takes time in proportion to the *product* of both lengths, which is upstream's measure of its cost
//! too, and which who calls has to bound beforehand. The editions of Unicode may differ.

mod classes;
mod names;
mod syntax;

use std::str::FromStr;

use regex::{Regex, RegexBuilder};

/// The largest program, in bytes, of a pattern that is written in an expression: it is compiled once.
pub const SIZE_LIMIT: usize = 4 << 20;

/// The largest program of a pattern that comes with the claims, whose writer may have us compile one
/// after the other: about a millisecond of work.
pub const UNTRUSTED_SIZE_LIMIT: usize = 256 << 10;

/// The longest pattern, in bytes.
pub const LENGTH_LIMIT: usize = 1 << 16;

/// The most groups in each other.
pub const DEPTH_LIMIT: usize = 100;

/// Why a text is no pattern, in Go's words. Each holds the part that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {problem}: `{part}`")]
pub struct PatternError {
    problem: &'static str,
    part: String,
}

impl PatternError {
    fn new(problem: &'static str, part: &str) -> Self {
        Self { problem, part: part.to_owned() }
    }

    /// What `find()` and `findAll()` say of it, where `matches()` has it bare.
    pub fn in_find(&self) -> String {
        format!("Illegal regex: {self}")
    }
}

/// A compiled pattern. Sharing one is cheap (`Arc`), and cloning it is not.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    length: usize,
}

impl FromStr for Pattern {
    type Err = PatternError;

    /// Within [`SIZE_LIMIT`].
    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::compile(text, SIZE_LIMIT)
    }
}

impl Pattern {
    /// Compiles `text` to a program of no more than `size_limit` bytes.
    pub fn compile(text: &str, size_limit: usize) -> Result<Self, PatternError> {
        let too_large = || PatternError::new("expression too large", text);
        if text.len() > LENGTH_LIMIT {
            return Err(too_large());
        }
        let pattern = syntax::translate(text)?;
        // What is right in Go can fail for its size alone: its own limit to what is nested is higher
        // than ours.
        let compiled = RegexBuilder::new(&pattern).size_limit(size_limit).build();
        let regex = compiled.map_err(|_| too_large())?;
        Ok(Self { regex, length: text.len() })
    }

    /// `matches()`: whether it is anywhere in `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// `find()`: the first match, or nothing.
    pub fn find<'a>(&self, text: &'a str) -> &'a str {
        self.regex.find(text).map_or("", |found| found.as_str())
    }

    /// `findAll()`: all matches, or the first so many if `limit` is not negative.
    pub fn find_all<'a>(&self, text: &'a str, limit: i64) -> Vec<&'a str> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.regex.find_iter(text).take(limit).map(|found| found.as_str()).collect()
    }

    /// The length of the pattern, in bytes, by which upstream counts the cost of using it.
    pub fn length(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{self, Arguments, check, texts};
    use super::*;

    fn answer(expression: &str, args: &Arguments) -> String {
        let text = args.text(0);
        let pattern = match args.text(1).parse::<Pattern>() {
            Ok(pattern) => pattern,
            Err(error) if expression == "a.matches(b)" => return format!("err:{error}"),
            Err(error) => return format!("err:{}", error.in_find()),
        };
        match expression {
            "a.matches(b)" => golden::bool(pattern.matches(text)),
            "a.find(b)" => golden::text(pattern.find(text)),
            "a.findAll(b)" => texts(pattern.find_all(text, -1)),
            "a.findAll(b, c)" => texts(pattern.find_all(text, args.int(2))),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn it_answers_as_kubernetes_does() {
        check(include_str!("golden/pattern.jsonl"), answer);
    }

    #[test]
    fn large_ones_are_refused_quickly() {
        let error = |pattern: &str| pattern.parse::<Pattern>().map(|_| ()).unwrap_err().problem;
        assert_eq!(error(r"\p{L}{1000}"), "expression too large");
        let nested = |depth| format!("{}a{}", "(".repeat(depth), ")*".repeat(depth));
        assert!(nested(DEPTH_LIMIT).parse::<Pattern>().is_ok());
        assert_eq!(error(&nested(DEPTH_LIMIT + 1)), "expression nests too deeply");
        assert_eq!(error(&"(".repeat(LENGTH_LIMIT)), "expression nests too deeply");
        assert_eq!(error(&"a".repeat(LENGTH_LIMIT + 1)), "expression too large");
        let long = "a".repeat(1 << 10);
        assert!(long.parse::<Pattern>().expect("a pattern").matches(&long));
        assert!(Pattern::compile(r"\w{100}", UNTRUSTED_SIZE_LIMIT).is_ok());
        assert!(Pattern::compile(r"\pL{50}", UNTRUSTED_SIZE_LIMIT).is_err());
    }

    #[test]
    fn every_name_is_known_to_the_regex_crate() {
        for name in names::CATEGORIES.into_iter().chain(names::SCRIPTS) {
            assert!(format!(r"\p{{{name}}}").parse::<Pattern>().is_ok(), "{name}");
        }
    }

    /// What takes a backtracking engine exponential time.
    #[test]
    fn matching_is_linear() {
        let pattern: Pattern = "(a*)*b".parse().expect("a pattern");
        assert!(!pattern.matches(&"a".repeat(1 << 18)));
    }
}
