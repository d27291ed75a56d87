//! Lists as sets: cel-go's extension.

use super::super::EvaluationError;
use super::super::compare;
use super::super::evaluator::Machine;
use super::super::val::Val;
use super::Function;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new("sets.contains", SIGNATURES, |machine, arguments| match arguments {
        [Val::List(one), Val::List(other)] => contains(machine, one, other).map(Val::Bool),
        _ => Err(EvaluationError::UNRESOLVED),
    }),
    Function::new("sets.equivalent", SIGNATURES, |machine, arguments| match arguments {
        [Val::List(one), Val::List(other)] => {
            Ok(Val::Bool(contains(machine, one, other)? && contains(machine, other, one)?))
        }
        _ => Err(EvaluationError::UNRESOLVED),
    }),
    Function::new("sets.intersects", SIGNATURES, |machine, arguments| match arguments {
        [Val::List(one), Val::List(other)] => {
            for item in other.iter() {
                if compare::holds(one.iter(), item, &mut machine.meter)? {
                    return Ok(Val::Bool(true));
                }
            }
            Ok(Val::Bool(false))
        }
        _ => Err(EvaluationError::UNRESOLVED),
    }),
];

const SIGNATURES: &[&str] = &["(list(T), list(T)) bool"];

fn contains<'a>(
    machine: &mut Machine<'a>,
    list: &[Val<'a>],
    items: &[Val<'a>],
) -> Result<bool, EvaluationError> {
    for item in items {
        if !compare::holds(list, item, &mut machine.meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}
