//! `quantity` and `sign`, and what quantities share with versions.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::types::quantity::{Quantity, QuantityError};
use super::super::val::Val;
use super::Function;
use super::opaque::Opaque;

/// What this file has. Versions compare as quantities do, with functions of the same names.
pub const FUNCTIONS: &[Function] = &[
    Function::new("quantity", &["(string) kubernetes.Quantity"], |machine, arguments| {
        match arguments {
            [Val::String(text)] => {
                machine.meter.text(text.len())?;
                quantity(text.parse())
            }
            _ => UNRESOLVED,
        }
    }),
    Function::new("isQuantity", &["(string) bool"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            Ok(Val::Bool(Quantity::is_quantity(text)))
        }
        _ => UNRESOLVED,
    }),
    Function::new("sign", &["(kubernetes.Quantity) int"], |_, arguments| {
        own(arguments, |one| Ok(Val::Int(one.sign())))
    }),
    Function::new("asInteger", &["kubernetes.Quantity.() int"], |_, arguments| {
        own(arguments, |one| one.as_integer().map(Val::Int).map_err(EvaluationError::of))
    }),
    Function::new("isInteger", &["kubernetes.Quantity.() bool"], |_, arguments| {
        own(arguments, |one| Ok(Val::Bool(one.is_integer())))
    }),
    Function::new(
        "asApproximateFloat",
        &["kubernetes.Quantity.() double"],
        |machine, arguments| {
            own(arguments, |one| {
                machine.meter.charge(one.weight())?;
                Ok(Val::Double(one.as_approximate_float()))
            })
        },
    ),
    Function::new(
        "add",
        &[
            "kubernetes.Quantity.(kubernetes.Quantity) kubernetes.Quantity",
            "kubernetes.Quantity.(int) kubernetes.Quantity",
        ],
        |machine, arguments| arithmetic(machine, arguments, Quantity::plus, Quantity::plus_integer),
    ),
    Function::new(
        "sub",
        &[
            "kubernetes.Quantity.(kubernetes.Quantity) kubernetes.Quantity",
            "kubernetes.Quantity.(int) kubernetes.Quantity",
        ],
        |machine, arguments| {
            arithmetic(machine, arguments, Quantity::minus, Quantity::minus_integer)
        },
    ),
    Function::new(
        "isGreaterThan",
        &[
            "kubernetes.Quantity.(kubernetes.Quantity) bool",
            "kubernetes.Semver.(kubernetes.Semver) bool",
        ],
        |machine, arguments| compare(machine, arguments, |order| Val::Bool(order.is_gt())),
    ),
    Function::new(
        "isLessThan",
        &[
            "kubernetes.Quantity.(kubernetes.Quantity) bool",
            "kubernetes.Semver.(kubernetes.Semver) bool",
        ],
        |machine, arguments| compare(machine, arguments, |order| Val::Bool(order.is_lt())),
    ),
    Function::new(
        "compareTo",
        &[
            "kubernetes.Quantity.(kubernetes.Quantity) int",
            "kubernetes.Semver.(kubernetes.Semver) int",
        ],
        |machine, arguments| compare(machine, arguments, |order| Val::Int(order as i64)),
    ),
];

const UNRESOLVED: Outcome<'static> = Err(EvaluationError::UNRESOLVED);

fn quantity<'a>(result: Result<Quantity, QuantityError>) -> Outcome<'a> {
    // Its errors quote nothing.
    result.map(Val::opaque).map_err(EvaluationError::of)
}

/// A sum, which may have far more digits than what was added, though no more than are allowed.
fn result<'a>(machine: &mut Machine<'a>, result: Result<Quantity, QuantityError>) -> Outcome<'a> {
    if let Ok(sum) = &result {
        machine.meter.charge(sum.weight())?;
    }
    quantity(result)
}

fn own<'a>(arguments: &[Val<'a>], of: impl FnOnce(&Quantity) -> Outcome<'a>) -> Outcome<'a> {
    match arguments {
        [Val::Opaque(one)] => match &**one {
            Opaque::Quantity(one) => of(one),
            _ => UNRESOLVED,
        },
        _ => UNRESOLVED,
    }
}

fn arithmetic<'a>(
    machine: &mut Machine<'a>,
    arguments: &[Val<'a>],
    of_two: fn(&Quantity, &Quantity) -> Result<Quantity, QuantityError>,
    of_int: fn(&Quantity, i64) -> Result<Quantity, QuantityError>,
) -> Outcome<'a> {
    machine.meter.charge(10)?;
    let (Some(Val::Opaque(one)), [_, other]) = (arguments.first(), arguments) else {
        return UNRESOLVED;
    };
    match (&**one, other) {
        (Opaque::Quantity(one), Val::Int(other)) => {
            machine.meter.charge(one.weight())?;
            result(machine, of_int(one, *other))
        }
        (Opaque::Quantity(one), Val::Opaque(other)) => match &**other {
            Opaque::Quantity(other) => {
                machine.meter.charge(one.weight() + other.weight())?;
                result(machine, of_two(one, other))
            }
            _ => UNRESOLVED,
        },
        _ => UNRESOLVED,
    }
}

fn compare<'a>(
    machine: &mut Machine<'a>,
    arguments: &[Val<'a>],
    answer: fn(std::cmp::Ordering) -> Val<'static>,
) -> Outcome<'a> {
    let [Val::Opaque(one), Val::Opaque(other)] = arguments else { return UNRESOLVED };
    Ok(answer(match (&**one, &**other) {
        (Opaque::Quantity(one), Opaque::Quantity(other)) => {
            machine.meter.charge(10 + one.weight() + other.weight())?;
            one.cmp(other)
        }
        (Opaque::Semver(one), Opaque::Semver(other)) => {
            machine.meter.text(one.length().min(other.length()))?;
            one.cmp(other)
        }
        _ => return UNRESOLVED,
    }))
}
