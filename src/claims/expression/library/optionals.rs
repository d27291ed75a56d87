//! Optional values.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::val::Val;
use super::Function;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new("optional.none", &["() optional_type(V)"], |_, _| Ok(Val::Optional(None))),
    Function::new("optional.of", &["(V) optional_type(V)"], |_, arguments| match arguments {
        [value] => Ok(Val::some(value.clone())),
        _ => UNRESOLVED,
    }),
    Function::new("optional.ofNonZeroValue", &["(V) optional_type(V)"], |_, arguments| {
        match arguments {
            [value] if is_zero(value) => Ok(Val::Optional(None)),
            [value] => Ok(Val::some(value.clone())),
            _ => UNRESOLVED,
        }
    }),
    Function::new("hasValue", &["optional_type(V).() bool"], |_, arguments| match arguments {
        [Val::Optional(value)] => Ok(Val::Bool(value.is_some())),
        _ => UNRESOLVED,
    }),
    Function::new("value", &["optional_type(V).() V"], |_, arguments| match arguments {
        [Val::Optional(Some(value))] => Ok((**value).clone()),
        [Val::Optional(None)] => Err(EvaluationError::new("optional.none() dereference")),
        _ => UNRESOLVED,
    }),
    Function::new(
        "or",
        &["optional_type(V).(optional_type(V)) optional_type(V)"],
        |_, arguments| match arguments {
            [Val::Optional(None), other @ Val::Optional(_)] => Ok(other.clone()),
            [one @ Val::Optional(Some(_)), _] => Ok(one.clone()),
            _ => UNRESOLVED,
        },
    )
    .plain(),
    Function::new("orValue", &["optional_type(V).(V) V"], |_, arguments| match arguments {
        [Val::Optional(Some(value)), _] => Ok((**value).clone()),
        [Val::Optional(None), other] => Ok(other.clone()),
        _ => UNRESOLVED,
    })
    .plain(),
    Function::new("optional.unwrap", &["(list(optional_type(V))) list(V)"], unwrap),
    Function::new("unwrapOpt", &["list(optional_type(V)).() list(V)"], unwrap),
    Function::new("first", &["list(V).() optional_type(V)"], |_, arguments| match arguments {
        [Val::List(list)] => Ok(Val::optional(list.first().cloned())),
        _ => UNRESOLVED,
    }),
    Function::new("last", &["list(V).() optional_type(V)"], |_, arguments| match arguments {
        [Val::List(list)] => Ok(Val::optional(list.last().cloned())),
        _ => UNRESOLVED,
    }),
];

const UNRESOLVED: Outcome<'static> = Err(EvaluationError::UNRESOLVED);

fn unwrap<'a>(machine: &mut Machine<'a>, arguments: &[Val<'a>]) -> Outcome<'a> {
    let [Val::List(list)] = arguments else { return UNRESOLVED };
    machine.meter.charge(list.len())?;
    let mut values = Vec::with_capacity(list.len());
    for item in list.iter() {
        match item {
            Val::Optional(value) => values.extend(value.as_deref().cloned()),
            _ => return UNRESOLVED,
        }
    }
    Ok(Val::list(values))
}

/// Whether a value is what its type has when nothing was said. Lists and maps of the token never
/// are upstream, empty or not.
fn is_zero(value: &Val<'_>) -> bool {
    match value {
        Val::Null => true,
        Val::Bool(value) => !value,
        Val::Int(value) => *value == 0,
        Val::Uint(value) => *value == 0,
        Val::Double(value) => *value == 0.0,
        Val::String(text) => text.is_empty(),
        Val::Bytes(bytes) => bytes.is_empty(),
        Val::List(list) => list.is_empty() && !list.is_input,
        Val::Map(map) => map.len() == 0 && !map.is_input,
        Val::Duration(value) => value.nanoseconds() == 0,
        _ => false,
    }
}
