//! Operators.
//!
//! `&&`, `||`, `?:` and what looks into values have their own rules about errors, and are
//! [`Step`](super::super::plan::Step)s; only their types are here.

use std::cmp::Ordering;

use super::super::EvaluationError;
use super::super::compare;
use super::super::evaluator::{Machine, Outcome};
use super::super::val::{Map, Text, Val};
use super::Function;

/// What this file has.
pub const FUNCTIONS: &[Function] =
    &[
        Function::new("!_", &["(bool) bool"], not).plain(),
        Function::new("-_", &["(double) double", "(int) int"], negate).operator(NEGATED),
        Function::new("_==_", &["(A, A) bool"], |machine, arguments| match arguments {
            [one, other] => compare::equal(one, other, &mut machine.meter).map(Val::Bool),
            _ => UNRESOLVED,
        })
        .plain(),
        Function::new("_!=_", &["(A, A) bool"], |machine, arguments| match arguments {
            [one, other] => {
                compare::holds([other], one, &mut machine.meter).map(|equal| Val::Bool(!equal))
            }
            _ => UNRESOLVED,
        })
        .plain(),
        Function::new("_<_", COMPARISONS, |machine, arguments| {
            ordered(machine, arguments, Ordering::is_lt)
        })
        .operator(COMPARED),
        Function::new("_<=_", COMPARISONS, |machine, arguments| {
            ordered(machine, arguments, Ordering::is_le)
        })
        .operator(COMPARED),
        Function::new("_>_", COMPARISONS, |machine, arguments| {
            ordered(machine, arguments, Ordering::is_gt)
        })
        .operator(COMPARED),
        Function::new("_>=_", COMPARISONS, |machine, arguments| {
            ordered(machine, arguments, Ordering::is_ge)
        })
        .operator(COMPARED),
        Function::new(
            "_+_",
            &[
                "(bytes, bytes) bytes",
                "(double, double) double",
                "(duration, duration) duration",
                "(duration, timestamp) timestamp",
                "(timestamp, duration) timestamp",
                "(int, int) int",
                "(list(A), list(A)) list(A)",
                "(string, string) string",
                "(uint, uint) uint",
            ],
            add,
        )
        .operator(ADDED),
        Function::new(
            "_-_",
            &[
                "(double, double) double",
                "(duration, duration) duration",
                "(int, int) int",
                "(timestamp, duration) timestamp",
                "(timestamp, timestamp) duration",
                "(uint, uint) uint",
            ],
            subtract,
        )
        .operator(SUBTRACTED),
        Function::new(
            "_*_",
            &["(double, double) double", "(int, int) int", "(uint, uint) uint"],
            |_, arguments| match arguments {
                [Val::Double(one), Val::Double(other)] => Ok(Val::Double(one * other)),
                [Val::Int(one), Val::Int(other)] => int(one.checked_mul(*other)),
                [Val::Uint(one), Val::Uint(other)] => uint(one.checked_mul(*other)),
                _ => UNRESOLVED,
            },
        )
        .operator(MULTIPLIED),
        Function::new(
            "_/_",
            &["(double, double) double", "(int, int) int", "(uint, uint) uint"],
            |_, arguments| match arguments {
                [Val::Double(one), Val::Double(other)] => Ok(Val::Double(one / other)),
                [Val::Int(_), Val::Int(0)] | [Val::Uint(_), Val::Uint(0)] => {
                    Err(EvaluationError::new("division by zero"))
                }
                [Val::Int(one), Val::Int(other)] => int(one.checked_div(*other)),
                [Val::Uint(one), Val::Uint(other)] => uint(one.checked_div(*other)),
                _ => UNRESOLVED,
            },
        )
        .operator(MULTIPLIED),
        Function::new("_%_", &["(int, int) int", "(uint, uint) uint"], |_, arguments| {
            match arguments {
                [Val::Int(_), Val::Int(0)] | [Val::Uint(_), Val::Uint(0)] => {
                    Err(EvaluationError::new("modulus by zero"))
                }
                [Val::Int(one), Val::Int(other)] => int(one.checked_rem(*other)),
                [Val::Uint(one), Val::Uint(other)] => uint(one.checked_rem(*other)),
                _ => UNRESOLVED,
            }
        })
        .operator(DIVIDED),
        Function::new("@in", &["(A, list(A)) bool", "(A, map(A, B)) bool"], within).plain(),
        Function::new("_&&_", &["(bool, bool) bool"], |_, _| UNRESOLVED).plain(),
        Function::new("_||_", &["(bool, bool) bool"], |_, _| UNRESOLVED).plain(),
        Function::new("_?_:_", &["(bool, A, A) A"], |_, _| UNRESOLVED).plain(),
        Function::new(
            "_[_]",
            &[
                "(list(A), int) A",
                "(map(A, B), A) B",
                "(optional_type(list(V)), int) optional_type(V)",
                "(optional_type(map(K, V)), K) optional_type(V)",
            ],
            |_, _| UNRESOLVED,
        )
        .plain(),
        Function::new(
            "_[?_]",
            &[
                "(list(V), int) optional_type(V)",
                "(optional_type(list(V)), int) optional_type(V)",
                "(map(K, V), K) optional_type(V)",
                "(optional_type(map(K, V)), K) optional_type(V)",
            ],
            |_, _| UNRESOLVED,
        )
        .plain(),
        Function::new("_?._", &["(dyn, string) optional_type(V)"], |_, _| UNRESOLVED).plain(),
        // What upstream's expansion of `transformMapEntry` calls: for the wording of mistakes.
        Function::new(
            "cel.@mapInsert",
            &["(map(K, V), K, V) map(K, V)", "(map(K, V), map(K, V)) map(K, V)"],
            |_, _| UNRESOLVED,
        ),
    ];

const COMPARED: &[&str] = &[
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
];

const ADDED: &[&str] = &[
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
];

const SUBTRACTED: &[&str] =
    &["int", "uint", "double", "google.protobuf.Duration", "google.protobuf.Timestamp"];

const MULTIPLIED: &[&str] = &["int", "uint", "double"];

/// A string can be negated no more than `null`, but upstream says so in other words.
const NEGATED: &[&str] = &["int", "double", "string", "bool"];

const DIVIDED: &[&str] = &["int", "uint"];

const COMPARISONS: &[&str] = &[
    "(bool, bool) bool",
    "(int, int) bool",
    "(int, double) bool",
    "(int, uint) bool",
    "(uint, uint) bool",
    "(uint, double) bool",
    "(uint, int) bool",
    "(double, double) bool",
    "(double, int) bool",
    "(double, uint) bool",
    "(string, string) bool",
    "(bytes, bytes) bool",
    "(timestamp, timestamp) bool",
    "(duration, duration) bool",
];

const UNRESOLVED: Outcome<'static> = Err(EvaluationError::UNRESOLVED);

fn int<'a>(result: Option<i64>) -> Outcome<'a> {
    result.map(Val::Int).ok_or_else(|| EvaluationError::new("integer overflow"))
}

fn uint<'a>(result: Option<u64>) -> Outcome<'a> {
    result.map(Val::Uint).ok_or_else(|| EvaluationError::new("unsigned integer overflow"))
}

fn not<'a>(_: &mut Machine<'a>, arguments: &[Val<'a>]) -> Outcome<'a> {
    match arguments {
        [Val::Bool(value)] => Ok(Val::Bool(!value)),
        _ => UNRESOLVED,
    }
}

fn negate<'a>(_: &mut Machine<'a>, arguments: &[Val<'a>]) -> Outcome<'a> {
    match arguments {
        [Val::Int(value)] => int(value.checked_neg()),
        [Val::Double(value)] => Ok(Val::Double(-value)),
        [Val::Duration(value)] => value.negate().map(Val::Duration).map_err(EvaluationError::of),
        _ => UNRESOLVED,
    }
}

fn ordered<'a>(
    machine: &mut Machine<'a>,
    arguments: &[Val<'a>],
    holds: fn(Ordering) -> bool,
) -> Outcome<'a> {
    match arguments {
        [one, other] => {
            let order = compare::order(one, other, &mut machine.meter).map_err(|error| {
                if error == EvaluationError::NO_OVERLOAD {
                    EvaluationError::UNRESOLVED
                } else {
                    error
                }
            })?;
            Ok(Val::Bool(holds(order)))
        }
        _ => UNRESOLVED,
    }
}

fn add<'a>(machine: &mut Machine<'a>, arguments: &[Val<'a>]) -> Outcome<'a> {
    let [one, other] = arguments else { return UNRESOLVED };
    match (one, other) {
        (Val::String(one), Val::String(other)) => {
            machine.meter.text(one.len() + other.len())?;
            Ok(Val::String(Text::from([&**one, other].concat())))
        }
        (Val::Bytes(one), Val::Bytes(other)) => {
            machine.meter.text(one.len() + other.len())?;
            Ok(Val::Bytes([&**one, other].concat().into()))
        }
        (Val::List(one), Val::List(other)) => {
            machine.meter.charge(one.len() + other.len())?;
            let items = one.iter().chain(other.iter()).map(|item| item.clone().made());
            Ok(Val::list(items.collect()))
        }
        (Val::Double(one), Val::Double(other)) => Ok(Val::Double(one + other)),
        (Val::Int(one), Val::Int(other)) => int(one.checked_add(*other)),
        (Val::Uint(one), Val::Uint(other)) => uint(one.checked_add(*other)),
        (Val::Duration(one), Val::Duration(other)) => {
            one.plus(*other).map(Val::Duration).map_err(EvaluationError::of)
        }
        (Val::Timestamp(time), Val::Duration(by)) | (Val::Duration(by), Val::Timestamp(time)) => {
            time.plus(*by).map(Val::Timestamp).map_err(EvaluationError::of)
        }
        _ => UNRESOLVED,
    }
}

fn subtract<'a>(_: &mut Machine<'a>, arguments: &[Val<'a>]) -> Outcome<'a> {
    let [one, other] = arguments else { return UNRESOLVED };
    match (one, other) {
        (Val::Double(one), Val::Double(other)) => Ok(Val::Double(one - other)),
        (Val::Int(one), Val::Int(other)) => int(one.checked_sub(*other)),
        (Val::Uint(one), Val::Uint(other)) => uint(one.checked_sub(*other)),
        (Val::Duration(one), Val::Duration(other)) => {
            one.minus(*other).map(Val::Duration).map_err(EvaluationError::of)
        }
        (Val::Timestamp(one), Val::Duration(other)) => {
            one.minus(*other).map(Val::Timestamp).map_err(EvaluationError::of)
        }
        (Val::Timestamp(one), Val::Timestamp(other)) => {
            one.since(*other).map(Val::Duration).map_err(EvaluationError::of)
        }
        _ => UNRESOLVED,
    }
}

fn within<'a>(machine: &mut Machine<'a>, arguments: &[Val<'a>]) -> Outcome<'a> {
    match arguments {
        [one, Val::List(list)] => {
            compare::holds(list.iter(), one, &mut machine.meter).map(Val::Bool)
        }
        [key, Val::Map(map)] => {
            machine.meter.charge(map.price(key))?;
            Ok(Val::Bool(Map::get(map, key).is_some()))
        }
        _ => UNRESOLVED,
    }
}
