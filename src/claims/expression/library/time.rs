//! Parts of timestamps and durations.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::types::timestamp::Field;
use super::super::val::Val;
use super::Function;

pub use super::super::types::duration::{Duration, DurationError};
pub use super::super::types::timestamp::{Timestamp, TimestampError};

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new("getDate", DATE, |m, a| get(m, a, "getDate", None)),
    Function::new("getDayOfMonth", DATE, |m, a| get(m, a, "getDayOfMonth", None)),
    Function::new("getDayOfWeek", DATE, |m, a| get(m, a, "getDayOfWeek", None)),
    Function::new("getDayOfYear", DATE, |m, a| get(m, a, "getDayOfYear", None)),
    Function::new("getFullYear", DATE, |m, a| get(m, a, "getFullYear", None)),
    Function::new("getMonth", DATE, |m, a| get(m, a, "getMonth", None)),
    Function::new("getHours", BOTH, |m, a| get(m, a, "getHours", Some(Duration::hours))),
    Function::new("getMinutes", BOTH, |m, a| get(m, a, "getMinutes", Some(Duration::minutes))),
    Function::new("getSeconds", BOTH, |m, a| get(m, a, "getSeconds", Some(Duration::seconds))),
    Function::new("getMilliseconds", BOTH, |m, a| {
        get(m, a, "getMilliseconds", Some(Duration::milliseconds))
    }),
];

const DATE: &[&str] = &["timestamp.() int", "timestamp.(string) int"];

const BOTH: &[&str] = &["timestamp.() int", "timestamp.(string) int", "duration.() int"];

fn get<'a>(
    machine: &mut Machine<'a>,
    arguments: &[Val<'a>],
    name: &str,
    of_duration: Option<fn(Duration) -> i64>,
) -> Outcome<'a> {
    let field = Field::of_getter(name).ok_or(EvaluationError::UNRESOLVED)?;
    match (arguments, of_duration) {
        ([Val::Timestamp(time)], _) => Ok(Val::Int(time.field(field))),
        ([Val::Timestamp(time), Val::String(zone)], _) => {
            // Its table has to be searched.
            machine.meter.charge(zone.len() + 10)?;
            let found = time.field_in(field, zone);
            found.map(Val::Int).map_err(|error| machine.error(error, "unknown time zone"))
        }
        ([Val::Duration(duration)], Some(of_duration)) => Ok(Val::Int(of_duration(*duration))),
        _ => Err(EvaluationError::UNRESOLVED),
    }
}
