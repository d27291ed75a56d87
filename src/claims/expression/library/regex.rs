//! Regular expressions: `matches`, and Kubernetes' `find` and `findAll`.
//!
//! A pattern that is written down is compiled with its expression. One that is made on the way is
//! compiled once for an evaluation, within bounds.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::val::Val;
use super::Function;

/// How many patterns that are made on the way one evaluation remembers.
const MAX_PATTERNS: usize = 16;

/// How large a pattern may be that is made on the way.
const MAX_DYNAMIC: usize = 1_024;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Regex {
    regex: regex::Regex,
    length: usize,
}

/// Compiles a pattern; the error is what Go says.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let regex = regex::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
        .nest_limit(100)
        .build()
        .map_err(|_| "error parsing regexp".to_owned())?;
    Ok(Regex { regex, length: pattern.len() })
}

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "matches",
        &["(string, string) bool", "string.(string) bool"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::String(pattern)] => {
                let found = with_pattern(machine, text, pattern, "", |regex| {
                    regex.is_match(text)
                })?;
                Ok(Val::Bool(found))
            }
            _ => UNRESOLVED,
        },
    )
    .plain(),
    Function::new("find", &["string.(string) string"], |machine, arguments| match arguments {
        [Val::String(text), Val::String(pattern)] => {
            let found = with_pattern(machine, text, pattern, ILLEGAL, |regex| {
                regex.find(text).map(|found| found.as_str().to_owned())
            })?;
            Ok(Val::string(found.unwrap_or_default()))
        }
        _ => refused(machine),
    }),
    Function::new(
        "findAll",
        &["string.(string) list(string)", "string.(string, int) list(string)"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::String(pattern)] => find_all(machine, text, pattern, -1),
            [Val::String(text), Val::String(pattern), Val::Int(limit)] => {
                find_all(machine, text, pattern, *limit)
            }
            _ => refused(machine),
        },
    ),
];

const UNRESOLVED: Outcome<'static> = Err(EvaluationError::UNRESOLVED);

/// Upstream has another function for patterns that are known, which says less.
fn refused<'a>(machine: &Machine<'a>) -> Outcome<'a> {
    if machine.pattern.is_some() { Err(EvaluationError::NO_OVERLOAD) } else { UNRESOLVED }
}

const ILLEGAL: &str = "Illegal regex: ";

fn find_all<'a>(
    machine: &mut Machine<'a>,
    text: &str,
    pattern: &str,
    limit: i64,
) -> Outcome<'a> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = with_pattern(machine, text, pattern, ILLEGAL, |regex| {
        let found = regex.find_iter(text).take(limit);
        found.map(|found| Val::string(found.as_str())).collect::<Vec<_>>()
    })?;
    machine.meter.charge(found.len())?;
    Ok(Val::list(found))
}

/// Does something with a compiled pattern, and pays for it.
fn with_pattern<T>(
    machine: &mut Machine<'_>,
    text: &str,
    pattern: &str,
    before: &str,
    work: impl FnOnce(&regex::Regex) -> T,
) -> Result<T, EvaluationError> {
    machine.meter.regex(text.len(), pattern.len())?;
    if let Some(known) = machine.pattern {
        return Ok(work(&known.regex));
    }
    if !machine.patterns.iter().any(|(known, _)| known == pattern) {
        if pattern.len() > MAX_DYNAMIC {
            return Err(EvaluationError::new("regular expression is too long"));
        }
        // Compiling takes longer than matching.
        machine.meter.charge(1_000 + pattern.len().saturating_mul(100))?;
        let regex = compile(pattern).map_err(|error| {
            machine.error(format_args!("{before}{error}"), "error parsing regexp")
        })?;
        if machine.patterns.len() >= MAX_PATTERNS {
            machine.patterns.clear();
        }
        machine.patterns.push((pattern.to_owned(), regex));
    }
    let found = machine.patterns.iter().find(|(known, _)| known == pattern);
    found.map(|(_, regex)| work(&regex.regex)).ok_or(EvaluationError::UNRESOLVED)
}

impl Regex {
    /// How long its text is.
    pub fn length(&self) -> usize {
        self.length
    }
}
