//! `semver`. Versions compare with what quantities have for it.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::types::semver::Semver;
use super::super::val::Val;
use super::Function;
use super::opaque::Opaque;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "semver",
        &["(string) kubernetes.Semver", "(string, bool) kubernetes.Semver"],
        |machine, arguments| {
            let (text, normalize) = text(machine, arguments)?;
            Semver::parse(text, normalize)
                .map(Val::opaque)
                .map_err(|error| machine.error(error, "invalid semantic version"))
        },
    ),
    Function::new("isSemver", &["(string) bool", "(string, bool) bool"], |machine, arguments| {
        let (text, normalize) = text(machine, arguments)?;
        Ok(Val::Bool(Semver::is_semver(text, normalize)))
    }),
    Function::new("major", &["kubernetes.Semver.() int"], |_, a| number(a, Semver::major)),
    Function::new("minor", &["kubernetes.Semver.() int"], |_, a| number(a, Semver::minor)),
    Function::new("patch", &["kubernetes.Semver.() int"], |_, a| number(a, Semver::patch)),
];

fn text<'v, 'a>(
    machine: &mut Machine<'a>,
    arguments: &'v [Val<'a>],
) -> Result<(&'v str, bool), EvaluationError> {
    let (text, normalize) = match arguments {
        [Val::String(text)] => (text, false),
        [Val::String(text), Val::Bool(normalize)] => (text, *normalize),
        _ => return Err(EvaluationError::UNRESOLVED),
    };
    machine.meter.text(text.len())?;
    Ok((text, normalize))
}

fn number<'a>(arguments: &[Val<'a>], of: fn(&Semver) -> i64) -> Outcome<'a> {
    match arguments {
        [Val::Opaque(version)] => match &**version {
            Opaque::Semver(version) => Ok(Val::Int(of(version))),
            _ => Err(EvaluationError::UNRESOLVED),
        },
        _ => Err(EvaluationError::UNRESOLVED),
    }
}
