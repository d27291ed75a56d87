//! Conversions between types.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::types::number::{self, NumberError};
use super::super::types::text::of_bytes;
use super::super::val::{Text, Val};
use super::Function;
use super::opaque::Opaque;
use super::time;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "bool",
        &["(bool) bool", "(string) bool"],
        |machine, arguments| match arguments {
            [Val::Bool(value)] => Ok(Val::Bool(*value)),
            [Val::String(text)] => from_text(machine, text, number::string_to_bool).map(Val::Bool),
            _ => UNRESOLVED,
        },
    ),
    Function::new("bytes", &["(bytes) bytes", "(string) bytes"], |machine, arguments| {
        match arguments {
            [Val::Bytes(bytes)] => Ok(Val::Bytes(bytes.clone())),
            [Val::String(text)] => {
                machine.meter.text(text.len())?;
                Ok(Val::Bytes(text.as_bytes().into()))
            }
            _ => UNRESOLVED,
        }
    }),
    Function::new(
        "double",
        &["(double) double", "(int) double", "(string) double", "(uint) double"],
        |machine, arguments| match arguments {
            [Val::Double(value)] => Ok(Val::Double(*value)),
            [Val::Int(value)] => Ok(Val::Double(number::int_to_double(*value))),
            [Val::Uint(value)] => Ok(Val::Double(number::uint_to_double(*value))),
            [Val::String(text)] => {
                from_text(machine, text, number::string_to_double).map(Val::Double)
            }
            _ => UNRESOLVED,
        },
    ),
    Function::new("dyn", &["(A) dyn"], |_, arguments| match arguments {
        [value] => Ok(value.clone()),
        _ => UNRESOLVED,
    }),
    Function::new(
        "int",
        &[
            "(int) int",
            "(double) int",
            "(duration) int",
            "(string) int",
            "(timestamp) int",
            "(uint) int",
        ],
        |machine, arguments| match arguments {
            [Val::Int(value)] => Ok(Val::Int(*value)),
            [Val::Double(value)] => converted(number::double_to_int(*value)).map(Val::Int),
            [Val::Uint(value)] => converted(number::uint_to_int(*value)).map(Val::Int),
            [Val::Duration(value)] => Ok(Val::Int(value.nanoseconds())),
            [Val::Timestamp(value)] => Ok(Val::Int(value.unix())),
            [Val::String(text)] => from_text(machine, text, number::string_to_int).map(Val::Int),
            _ => UNRESOLVED,
        },
    ),
    Function::new(
        "string",
        &[
            "(string) string",
            "(bool) string",
            "(bytes) string",
            "(double) string",
            "(duration) string",
            "(int) string",
            "(timestamp) string",
            "(uint) string",
            "(net.IP) string",
            "(net.CIDR) string",
        ],
        |machine, arguments| match arguments {
            [value] => text(machine, value).map(Val::String),
            _ => UNRESOLVED,
        },
    ),
    Function::new("type", &["(A) type(A)"], |_, arguments| match arguments {
        [value] => Ok(Val::Type(value.type_name())),
        _ => UNRESOLVED,
    }),
    Function::new(
        "uint",
        &["(uint) uint", "(double) uint", "(int) uint", "(string) uint"],
        |machine, arguments| match arguments {
            [Val::Uint(value)] => Ok(Val::Uint(*value)),
            [Val::Double(value)] => converted(number::double_to_uint(*value)).map(Val::Uint),
            [Val::Int(value)] => converted(number::int_to_uint(*value)).map(Val::Uint),
            [Val::String(text)] => from_text(machine, text, number::string_to_uint).map(Val::Uint),
            _ => UNRESOLVED,
        },
    ),
    Function::new(
        "duration",
        &["(duration) duration", "(string) duration"],
        |machine, arguments| match arguments {
            [Val::Duration(value)] => Ok(Val::Duration(*value)),
            [Val::String(text)] => {
                from_text(machine, text, str::parse::<time::Duration>).map(Val::Duration)
            }
            _ => UNRESOLVED,
        },
    ),
    Function::new(
        "timestamp",
        &["(timestamp) timestamp", "(int) timestamp", "(string) timestamp"],
        |machine, arguments| match arguments {
            [Val::Timestamp(value)] => Ok(Val::Timestamp(*value)),
            [Val::Int(unix)] => converted(time::Timestamp::from_unix(*unix)).map(Val::Timestamp),
            [Val::String(text)] => {
                from_text(machine, text, str::parse::<time::Timestamp>).map(Val::Timestamp)
            }
            _ => UNRESOLVED,
        },
    ),
];

const UNRESOLVED: Outcome<'static> = Err(EvaluationError::UNRESOLVED);

/// `string(value)`, for all that have it.
pub fn text<'a>(machine: &mut Machine<'a>, value: &Val<'a>) -> Result<Text<'a>, EvaluationError> {
    Ok(match value {
        Val::String(text) => text.clone(),
        Val::Bool(value) => value.to_string().into(),
        Val::Int(value) => value.to_string().into(),
        Val::Uint(value) => value.to_string().into(),
        Val::Double(value) => number::double_to_string(*value).into(),
        Val::Duration(value) => value.to_string().into(),
        Val::Timestamp(value) => value.to_string().into(),
        Val::Bytes(bytes) => {
            machine.meter.text(bytes.len())?;
            of_bytes(bytes).map_err(EvaluationError::of)?.to_owned().into()
        }
        Val::Opaque(value) => match &**value {
            Opaque::Ip(ip) => ip.to_string().into(),
            Opaque::Cidr(cidr) => cidr.to_string().into(),
            _ => return Err(EvaluationError::UNRESOLVED),
        },
        _ => return Err(EvaluationError::UNRESOLVED),
    })
}

fn converted<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, EvaluationError> {
    result.map_err(EvaluationError::of)
}

/// Reads a text. None of the errors quote it.
fn from_text<'a, T, E: Harmless>(
    machine: &mut Machine<'a>,
    text: &str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, EvaluationError> {
    machine.meter.text(text.len())?;
    read(text).map_err(EvaluationError::of)
}

/// An error that does not quote what it is about.
trait Harmless: std::fmt::Display {}
impl Harmless for NumberError {}
impl Harmless for time::DurationError {}
impl Harmless for time::TimestampError {}
