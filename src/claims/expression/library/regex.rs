//! Regular expressions: `matches`, and Kubernetes' `find` and `findAll`.
//!
//! A pattern that is written down is compiled with its expression. One that is made on the way is
//! compiled once for an evaluation, and costs what that may take.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::types::pattern::{Pattern, PatternError, UNTRUSTED_SIZE_LIMIT};
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
    let weight = weight(pattern);
    machine.meter.regex(text.len(), weight)?;
    if let Some(known) = machine.pattern {
        return Ok(work(known));
    }
    if !machine.patterns.iter().any(|(known, _)| known == pattern) {
        if pattern.len() > MAX_LENGTH {
            return Err(EvaluationError::new("regular expression is too long"));
        }
        machine.meter.charge(weight.saturating_mul(10).saturating_add(1_000))?;
        let compiled = Pattern::compile(pattern, UNTRUSTED_SIZE_LIMIT);
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

/// How large a pattern is once it is compiled, roughly, as if it were written out: upstream counts
/// its text only, but a dozen bytes can make a program of megabytes.
fn weight(pattern: &str) -> usize {
    let mut factor = 1_usize;
    for repeated in pattern.split('{').skip(1) {
        let bounds = repeated.split('}').next().unwrap_or_default().split(',');
        let most = bounds.filter_map(|bound| bound.parse::<usize>().ok()).max();
        factor = factor.saturating_add(most.unwrap_or_default());
    }
    // A class of Unicode is hundreds of ranges.
    let classes = pattern.matches(r"\p").count() + pattern.matches(r"\P").count();
    pattern.len().saturating_mul(factor.saturating_add(classes.saturating_mul(100)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_weigh_what_they_are_compiled_to() {
        for (pattern, expected) in [
            ("", 0),
            ("^a.*$", 5),
            ("a{2,10}", 7 * 11),
            ("[0-9a-f]{8}-{4}", 15 * 13),
            ("a{", 2),
            ("a{x}", 4),
            (r"\pL{1000}", 9 * 1_101),
        ] {
            assert_eq!(weight(pattern), expected, "{pattern}");
        }
    }
}
