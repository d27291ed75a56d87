//! Regular expressions: `matches`, and Kubernetes' `find` and `findAll`.
//!
//! A pattern that is written down is compiled with its expression. One that is made on the way is
//! compiled once for an evaluation, and costs what that may take.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::types::pattern::{Pattern, PatternError};
use super::super::val::Val;
use super::Function;

/// How many patterns that are made on the way one evaluation remembers.
const MAX_PATTERNS: usize = 16;

/// How long a pattern may be that is made on the way. Upstream has no limit.
const MAX_LENGTH: usize = 1_024;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "matches",
        &["(string, string) bool", "string.(string) bool"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::String(pattern)] => {
                let say = |error: PatternError| error.to_string();
                with_pattern(machine, text, pattern, say, |pattern| pattern.matches(text))
                    .map(Val::Bool)
            }
            _ => UNRESOLVED,
        },
    )
    .plain(),
    Function::new("find", &["string.(string) string"], |machine, arguments| match arguments {
        [Val::String(text), Val::String(pattern)] => with_pattern(
            machine,
            text,
            pattern,
            |error| error.in_find(),
            |pattern| Val::string(pattern.find(text)),
        ),
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

fn find_all<'a>(machine: &mut Machine<'a>, text: &str, pattern: &str, limit: i64) -> Outcome<'a> {
    // There may be as many matches as characters, and one more.
    machine.meter.charge(text.len())?;
    with_pattern(
        machine,
        text,
        pattern,
        |error| error.in_find(),
        |pattern| Val::list(pattern.find_all(text, limit).into_iter().map(Val::string).collect()),
    )
}

/// Does something with a compiled pattern, and pays for it.
fn with_pattern<T>(
    machine: &mut Machine<'_>,
    text: &str,
    pattern: &str,
    say: impl FnOnce(PatternError) -> String,
    work: impl FnOnce(&Pattern) -> T,
) -> Result<T, EvaluationError> {
    machine.meter.regex(text.len(), pattern.len())?;
    if let Some(known) = machine.pattern {
        return Ok(work(known));
    }
    if !machine.patterns.iter().any(|(known, _)| known == pattern) {
        if pattern.len() > MAX_LENGTH {
            return Err(EvaluationError::new("regular expression is too long"));
        }
        machine.meter.charge(compilation(pattern))?;
        let compiled = pattern.parse::<Pattern>();
        let compiled =
            compiled.map_err(|error| machine.error(say(error), "error parsing regexp"))?;
        if machine.patterns.len() >= MAX_PATTERNS {
            machine.patterns.clear();
        }
        machine.patterns.push((pattern.to_owned(), compiled));
    }
    let found = machine.patterns.iter().find(|(known, _)| known == pattern);
    found.map(|(_, compiled)| work(compiled)).ok_or(EvaluationError::NO_OVERLOAD)
}

/// What compiling a pattern may cost, in steps of an evaluation: microseconds if it is plain, and
/// some milliseconds if it repeats what is large.
fn compilation(pattern: &str) -> usize {
    let may_be_large = pattern.contains(['{', '\\', '?']);
    let base = if may_be_large { 20_000 } else { 1_000 };
    base + pattern.len().saturating_mul(100)
}
