//! `size` and strings: the standard ones, and version 2 of cel-go's extension.
//!
//! Positions count characters.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::types::text::{self, TextError};
use super::super::val::{Text, Val};
use super::Function;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "size",
        &[
            "(bytes) int",
            "bytes.() int",
            "(list(A)) int",
            "list(A).() int",
            "(map(A, B)) int",
            "map(A, B).() int",
            "(string) int",
            "string.() int",
        ],
        |machine, arguments| match arguments {
            [Val::String(text)] => {
                machine.meter.text(text.len())?;
                Ok(count(text::size(text)))
            }
            [Val::Bytes(bytes)] => Ok(count(bytes.len())),
            [Val::List(list)] => Ok(count(list.len())),
            [Val::Map(map)] => Ok(count(map.len())),
            _ => UNRESOLVED,
        },
    )
    .named(),
    Function::new("contains", &["string.(string) bool"], |machine, arguments| {
        two(machine, arguments, |one, other| one.contains(other))
    })
    .plain(),
    Function::new("startsWith", &["string.(string) bool"], |machine, arguments| {
        two(machine, arguments, |one, other| one.starts_with(other))
    })
    .plain(),
    Function::new("endsWith", &["string.(string) bool"], |machine, arguments| {
        two(machine, arguments, |one, other| one.ends_with(other))
    })
    .plain(),
    Function::new("charAt", &["string.(int) string"], |machine, arguments| match arguments {
        [Val::String(text), Val::Int(at)] => {
            machine.meter.text(text.len())?;
            answer(machine, text::char_at(text, *at).map(|letter| part(text, letter)))
        }
        _ => UNRESOLVED,
    }),
    // Lists have them, too: see Kubernetes' library of lists.
    Function::new(
        "indexOf",
        &["string.(string) int", "string.(string, int) int", "list(A).(A) int"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::String(part)] => {
                machine.meter.text(text.len() + part.len())?;
                answer(machine, text::index_of(text, part, 0).map(Val::Int))
            }
            [Val::String(text), Val::String(part), Val::Int(from)] => {
                machine.meter.text(text.len() + part.len())?;
                answer(machine, text::index_of(text, part, *from).map(Val::Int))
            }
            [Val::List(list), one] => super::lists::position(machine, list, one, false),
            _ => UNRESOLVED,
        },
    ),
    Function::new(
        "lastIndexOf",
        &["string.(string) int", "string.(string, int) int", "list(A).(A) int"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::String(part)] => {
                machine.meter.text(text.len() + part.len())?;
                Ok(Val::Int(text::last_index_of(text, part)))
            }
            [Val::String(text), Val::String(part), Val::Int(until)] => {
                machine.meter.text(text.len() + part.len())?;
                answer(machine, text::last_index_of_until(text, part, *until).map(Val::Int))
            }
            [Val::List(list), one] => super::lists::position(machine, list, one, true),
            _ => UNRESOLVED,
        },
    ),
    Function::new(
        "join",
        &["list(string).() string", "list(string).(string) string"],
        |machine, arguments| match arguments {
            [Val::List(list)] => join(machine, list, ""),
            [Val::List(list), Val::String(separator)] => join(machine, list, separator),
            _ => UNRESOLVED,
        },
    ),
    Function::new("lowerAscii", &["string.() string"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            Ok(Val::string(text::lower_ascii(text)))
        }
        _ => UNRESOLVED,
    }),
    Function::new("upperAscii", &["string.() string"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            Ok(Val::string(text::upper_ascii(text)))
        }
        _ => UNRESOLVED,
    }),
    Function::new(
        "replace",
        &["string.(string, string) string", "string.(string, string, int) string"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::String(from), Val::String(to)] => {
                replace(machine, text, from, to, -1)
            }
            [Val::String(text), Val::String(from), Val::String(to), Val::Int(times)] => {
                replace(machine, text, from, to, *times)
            }
            _ => UNRESOLVED,
        },
    ),
    Function::new(
        "split",
        &["string.(string) list(string)", "string.(string, int) list(string)"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::String(separator)] => split(machine, text, separator, -1),
            [Val::String(text), Val::String(separator), Val::Int(parts)] => {
                split(machine, text, separator, *parts)
            }
            _ => UNRESOLVED,
        },
    ),
    Function::new(
        "substring",
        &["string.(int) string", "string.(int, int) string"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::Int(start)] => {
                machine.meter.text(text.len())?;
                answer(machine, text::substring_from(text, *start).map(|one| part(text, one)))
            }
            [Val::String(text), Val::Int(start), Val::Int(end)] => {
                machine.meter.text(text.len())?;
                answer(machine, text::substring(text, *start, *end).map(|one| part(text, one)))
            }
            _ => UNRESOLVED,
        },
    ),
    Function::new("trim", &["string.() string"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            Ok(part(text, text::trim(text)))
        }
        _ => UNRESOLVED,
    }),
    Function::new("strings.quote", &["(string) string"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            Ok(Val::string(text::quote(text)))
        }
        _ => UNRESOLVED,
    }),
];

const UNRESOLVED: Outcome<'static> = Err(EvaluationError::UNRESOLVED);

/// A number of things.
pub fn count<'a>(count: usize) -> Val<'a> {
    Val::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn two<'a>(
    machine: &mut Machine<'a>,
    arguments: &[Val<'a>],
    holds: fn(&str, &str) -> bool,
) -> Outcome<'a> {
    match arguments {
        [Val::String(one), Val::String(other)] => {
            machine.meter.text(one.len() + other.len())?;
            Ok(Val::Bool(holds(one, other)))
        }
        _ => UNRESOLVED,
    }
}

/// `part` of `text`, borrowed if the text is.
fn part<'a>(text: &Text<'a>, part: &str) -> Val<'a> {
    let start = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    match text {
        Text::Borrowed(text) => match text.get(start..start.wrapping_add(part.len())) {
            Some(part) => Val::String(Text::Borrowed(part)),
            None => Val::string(part),
        },
        Text::Shared(_) => Val::string(part),
    }
}

fn join<'a>(machine: &mut Machine<'a>, list: &[Val<'a>], separator: &str) -> Outcome<'a> {
    let mut joined = String::new();
    for (at, item) in list.iter().enumerate() {
        let Val::String(item) = item else {
            let shown = super::formatting::key(item);
            return Err(
                machine.error(format_args!("join: invalid input: {shown}"), "join: invalid input")
            );
        };
        machine.meter.text(item.len() + separator.len())?;
        if at > 0 {
            joined.push_str(separator);
        }
        joined.push_str(item);
    }
    Ok(Val::string(joined))
}

fn replace<'a>(
    machine: &mut Machine<'a>,
    text: &str,
    from: &str,
    to: &str,
    limit: i64,
) -> Outcome<'a> {
    machine.meter.text(text.len() + from.len())?;
    machine.meter.text(text::replaced_length(text, from, to, limit))?;
    Ok(Val::string(text::replace(text, from, to, limit)))
}

fn split<'a>(
    machine: &mut Machine<'a>,
    text: &Text<'a>,
    separator: &str,
    limit: i64,
) -> Outcome<'a> {
    machine.meter.text(text.len() + separator.len())?;
    let parts = text::split(text, separator, limit);
    machine.meter.charge(parts.len())?;
    Ok(Val::list(parts.into_iter().map(|one| part(text, one)).collect()))
}

/// An answer about a text, whose error may quote an index.
fn answer<'a>(machine: &Machine<'a>, result: Result<Val<'a>, TextError>) -> Outcome<'a> {
    result.map_err(|error| match error {
        TextError::Index(_) => machine.error(error, "index out of range"),
        error => machine.error(error, "invalid substring range"),
    })
}
