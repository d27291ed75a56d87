//! `size` and strings: the standard ones, and version 2 of cel-go's extension.
//!
//! Positions count characters.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
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
                Ok(count(text.chars().count()))
            }
            [Val::Bytes(bytes)] => Ok(count(bytes.len())),
            [Val::List(list)] => Ok(count(list.len())),
            [Val::Map(map)] => Ok(count(map.len())),
            _ => NO_OVERLOAD,
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
            let index = index(machine, text, *at)?;
            let letter = text.get(index..).and_then(|rest| rest.chars().next());
            Ok(Val::string(letter.map(String::from).unwrap_or_default()))
        }
        _ => NO_OVERLOAD,
    }),
    // Lists have them, too: see Kubernetes' library of lists.
    Function::new(
        "indexOf",
        &["string.(string) int", "string.(string, int) int", "list(A).(A) int"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::String(part)] => index_of(machine, text, part, None),
            [Val::String(text), Val::String(part), Val::Int(from)] => {
                index_of(machine, text, part, Some(*from))
            }
            [Val::List(list), one] => super::lists::position(machine, list, one, false),
            _ => NO_OVERLOAD,
        },
    ),
    Function::new(
        "lastIndexOf",
        &["string.(string) int", "string.(string, int) int", "list(A).(A) int"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::String(part)] => last_index_of(machine, text, part, None),
            [Val::String(text), Val::String(part), Val::Int(until)] => {
                last_index_of(machine, text, part, Some(*until))
            }
            [Val::List(list), one] => super::lists::position(machine, list, one, true),
            _ => NO_OVERLOAD,
        },
    ),
    Function::new(
        "join",
        &["list(string).() string", "list(string).(string) string"],
        |machine, arguments| match arguments {
            [Val::List(list)] => join(machine, list, ""),
            [Val::List(list), Val::String(separator)] => join(machine, list, separator),
            _ => NO_OVERLOAD,
        },
    ),
    Function::new("lowerAscii", &["string.() string"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            Ok(Val::string(text.to_ascii_lowercase()))
        }
        _ => NO_OVERLOAD,
    }),
    Function::new("upperAscii", &["string.() string"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            Ok(Val::string(text.to_ascii_uppercase()))
        }
        _ => NO_OVERLOAD,
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
            _ => NO_OVERLOAD,
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
            _ => NO_OVERLOAD,
        },
    ),
    Function::new(
        "substring",
        &["string.(int) string", "string.(int, int) string"],
        |machine, arguments| match arguments {
            [Val::String(text), Val::Int(start)] => substring(machine, text, *start, None),
            [Val::String(text), Val::Int(start), Val::Int(end)] => {
                substring(machine, text, *start, Some(*end))
            }
            _ => NO_OVERLOAD,
        },
    ),
    Function::new("trim", &["string.() string"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            Ok(part(text, text.trim()))
        }
        _ => NO_OVERLOAD,
    }),
    Function::new("strings.quote", &["(string) string"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            Ok(Val::string(quote(text)))
        }
        _ => NO_OVERLOAD,
    }),
];

const NO_OVERLOAD: Outcome<'static> = Err(EvaluationError::NO_OVERLOAD);

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
        _ => NO_OVERLOAD,
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

/// Where the character with that index begins; its end for the one after the last.
fn index(machine: &Machine<'_>, text: &str, at: i64) -> Result<usize, EvaluationError> {
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    usize::try_from(at)
        .ok()
        .and_then(|at| ends.into_iter().nth(at))
        .ok_or_else(|| out_of_range(machine, at))
}

fn out_of_range(machine: &Machine<'_>, at: i64) -> EvaluationError {
    machine.error(format_args!("index out of range: {at}"), "index out of range")
}

/// How many characters stand before a byte.
fn characters<'a>(text: &str, bytes: usize) -> Val<'a> {
    count(text.get(..bytes).unwrap_or_default().chars().count())
}

fn index_of<'a>(
    machine: &mut Machine<'a>,
    text: &str,
    part: &str,
    from: Option<i64>,
) -> Outcome<'a> {
    machine.meter.text(text.len() + part.len())?;
    let from = from.unwrap_or_default();
    if from < 0 {
        return Err(out_of_range(machine, from));
    }
    // Beyond the end only nothing is found, at the end.
    let from = index(machine, text, from).unwrap_or(text.len());
    let found = text.get(from..).and_then(|rest| rest.find(part));
    Ok(found.map_or(Val::Int(-1), |found| characters(text, from + found)))
}

fn last_index_of<'a>(
    machine: &mut Machine<'a>,
    text: &str,
    part: &str,
    until: Option<i64>,
) -> Outcome<'a> {
    machine.meter.text(text.len() + part.len())?;
    // The end of where it may begin.
    let until = match until {
        None => text.len(),
        Some(until) if until < 0 => return Err(out_of_range(machine, until)),
        Some(until) => match index(machine, text, until) {
            Ok(until) if until < text.len() || part.is_empty() => until,
            // As upstream: from beyond the last character nothing is looked for.
            _ if part.is_empty() => text.len(),
            _ => return Ok(Val::Int(-1)),
        },
    };
    let mut end = until.saturating_add(part.len()).min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let found = text.get(..end).and_then(|before| before.rfind(part));
    Ok(found.filter(|found| *found <= until).map_or(Val::Int(-1), |found| characters(text, found)))
}

fn join<'a>(machine: &mut Machine<'a>, list: &[Val<'a>], separator: &str) -> Outcome<'a> {
    let mut joined = String::new();
    for (at, item) in list.iter().enumerate() {
        let Val::String(item) = item else {
            let shown = super::formatting::key(item);
            return Err(machine.error(format_args!("join: invalid input: {shown}"), "join: invalid input"));
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
    times: i64,
) -> Outcome<'a> {
    machine.meter.text(text.len() + from.len())?;
    let times = usize::try_from(times).unwrap_or(usize::MAX);
    let found = text.matches(from).take(times).count();
    machine.meter.text(found.saturating_mul(to.len()))?;
    Ok(Val::string(text.replacen(from, to, times)))
}

fn split<'a>(
    machine: &mut Machine<'a>,
    text: &Text<'a>,
    separator: &str,
    parts: i64,
) -> Outcome<'a> {
    machine.meter.text(text.len() + separator.len())?;
    let parts = usize::try_from(parts).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    if parts == 0 {
        return Ok(Val::list(found));
    }
    let mut rest = &**text;
    while found.len() + 1 < parts {
        let end = if separator.is_empty() {
            // Between characters, and not after the last.
            rest.chars().next().map(char::len_utf8).filter(|first| *first < rest.len())
        } else {
            rest.find(separator)
        };
        let Some((before, after)) = end.and_then(|end| rest.split_at_checked(end)) else { break };
        machine.meter.charge(1)?;
        found.push(part(text, before));
        rest = after.get(separator.len()..).unwrap_or_default();
    }
    if !(separator.is_empty() && rest.is_empty()) {
        found.push(part(text, rest));
    }
    Ok(Val::list(found))
}

fn substring<'a>(
    machine: &mut Machine<'a>,
    text: &Text<'a>,
    start: i64,
    end: Option<i64>,
) -> Outcome<'a> {
    machine.meter.text(text.len())?;
    if let Some(end) = end
        && start > end
    {
        let full = format_args!("invalid substring range. start: {start}, end: {end}");
        return Err(machine.error(full, "invalid substring range"));
    }
    let start = index(machine, text, start)?;
    let end = match end {
        Some(end) => index(machine, text, end)?,
        None => text.len(),
    };
    Ok(part(text, text.get(start..end).unwrap_or_default()))
}

/// A string literal of CEL.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        let escape = match letter {
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{b}' => "\\v",
            '\\' => "\\\\",
            '"' => "\\\"",
            letter => {
                quoted.push(letter);
                continue;
            }
        };
        quoted.push_str(escape);
    }
    quoted.push('"');
    quoted
}
