//! `format`: texts from a template, as version 2 of cel-go's string extension has it.

use std::fmt::Write as _;

use super::super::EvaluationError;
use super::super::checker::Type;
use super::super::evaluator::{Machine, Outcome};
use super::super::types::number;
use super::super::val::{Map, Val};
use super::conversions::{NOT_UTF8, text};
use super::Function;
use crate::api::quote::quoted;

/// Decimal places where a template says nothing.
const PRECISION: usize = 6;

/// What this file has.
pub const FUNCTIONS: &[Function] =
    &[Function::new("format", &["string.(list(dyn)) string"], |machine, arguments| {
        match arguments {
            [Val::String(template), Val::List(arguments)] => format(machine, template, arguments),
            _ => Err(EvaluationError::NO_OVERLOAD),
        }
    })];

/// A part of a template.
enum Clause<'t> {
    /// Stands for itself.
    Text(&'t str),
    /// Is replaced by an argument: how, and with how many decimal places.
    Argument(char, Option<usize>),
}

/// Takes the first part of a template off. The error says what is wrong with it.
fn clause(template: &str) -> Result<Option<(Clause<'_>, &str)>, String> {
    let Some(rest) = template.strip_prefix('%') else {
        let end = template.find('%').unwrap_or(template.len());
        let parts = template.split_at_checked(end).filter(|(before, _)| !before.is_empty());
        return Ok(parts.map(|(before, rest)| (Clause::Text(before), rest)));
    };
    if let Some(after) = rest.strip_prefix('%') {
        return Ok(rest.get(..1).map(|percent| (Clause::Text(percent), after)));
    }
    if rest.is_empty() {
        return Err("unexpected end of string".to_owned());
    }
    let wrong = |why: String| Err(format!("could not parse formatting clause: {why}"));
    let (precision, rest) = match rest.strip_prefix('.') {
        None => (None, rest),
        Some(rest) => {
            let Some(end) = rest.find(|c: char| !c.is_ascii_digit()) else {
                let why = "error while parsing precision: could not find end of precision specifier";
                return wrong(why.to_owned());
            };
            let (digits, rest) = rest.split_at_checked(end).unwrap_or_default();
            match digits.parse() {
                Ok(precision) => (Some(precision), rest),
                Err(_) => {
                    let flaw =
                        if digits.is_empty() { "invalid syntax" } else { "value out of range" };
                    return wrong(format!(
                        "error while parsing precision: error while converting precision to \
                         integer: strconv.Atoi: parsing {}: {flaw}",
                        quoted(digits)
                    ));
                }
            }
        }
    };
    match rest.chars().next() {
        Some(verb @ ('s' | 'd' | 'f' | 'e' | 'b' | 'x' | 'X' | 'o')) => {
            Ok(Some((Clause::Argument(verb, precision), rest.get(1..).unwrap_or_default())))
        }
        // Go takes the first byte for a letter.
        _ => {
            let byte = rest.bytes().next().map(char::from).unwrap_or_default();
            wrong(format!("unrecognized formatting clause \"{byte}\""))
        }
    }
}

/// What a template says of an argument that it cannot take.
fn refusal(verb: char, given: &str) -> String {
    let can = match verb {
        's' => {
            "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, \
             types, durations, and timestamps"
        }
        'd' => "decimal clause can only be used on integers",
        'f' => "fixed-point clause can only be used on doubles",
        'e' => "scientific clause can only be used on doubles",
        'b' => "only integers and bools can be formatted as binary",
        'o' => "octal clause can only be used on integers",
        _ => "only integers, byte buffers, and strings can be formatted as hex",
    };
    format!("error during formatting: {can}, was given {given}")
}

/// Whether a template that is written down fits the types of its arguments. The error says what is
/// wrong, and with which of them.
pub fn validate(template: &str, arguments: &[&Type]) -> Result<(), (Option<usize>, String)> {
    let (mut rest, mut next) = (template, 0);
    while !rest.is_empty() {
        let Some((found, after)) = clause(rest).map_err(|text| (None, text))? else { break };
        rest = after;
        let Clause::Argument(verb, _) = found else { continue };
        let Some(argument) = arguments.get(next) else {
            return Err((None, format!("index {next} out of range")));
        };
        let number = matches!(argument, Type::Int | Type::Uint);
        let fits = match (verb, argument) {
            (_, Type::Dyn) => true,
            ('s', Type::Opaque(_) | Type::Optional(_) | Type::Any | Type::User) => false,
            ('s', _) => true,
            ('f' | 'e', Type::Double | Type::String) | ('b', Type::Bool) => true,
            ('x' | 'X', Type::String | Type::Bytes) => true,
            ('d' | 'b' | 'o' | 'x' | 'X', _) => number,
            _ => false,
        };
        if !fits {
            return Err((Some(next), refusal(verb, &runtime_name(argument))));
        }
        next += 1;
    }
    if arguments.len() > next {
        let given = arguments.len();
        let text = format!(
            "too many arguments supplied to string.format (expected {next}, got {given})"
        );
        return Err((None, text));
    }
    Ok(())
}

fn runtime_name(of: &Type) -> String {
    match of {
        Type::Any => "google.protobuf.Any".to_owned(),
        Type::Null => "null_type".to_owned(),
        Type::Duration => "google.protobuf.Duration".to_owned(),
        Type::Timestamp => "google.protobuf.Timestamp".to_owned(),
        Type::List(_) => "list".to_owned(),
        Type::Map(_) => "map".to_owned(),
        Type::Type(_) | Type::AnyType => "type".to_owned(),
        Type::Optional(_) => "optional_type".to_owned(),
        other => other.to_string(),
    }
}

fn format<'a>(machine: &mut Machine<'a>, template: &str, arguments: &[Val<'a>]) -> Outcome<'a> {
    machine.meter.text(template.len())?;
    let (mut rest, mut next, mut made) = (template, 0, String::new());
    while !rest.is_empty() {
        // The verb is of the template, which may be made of claims.
        let found = clause(rest)
            .map_err(|error| machine.error(error, "could not parse formatting clause"))?;
        let Some((found, after)) = found else { break };
        rest = after;
        match found {
            Clause::Text(text) => made.push_str(text),
            Clause::Argument(verb, precision) => {
                let argument = arguments
                    .get(next)
                    .ok_or_else(|| EvaluationError::new(format!("index {next} out of range")))?;
                next += 1;
                let refuse = || EvaluationError::new(refusal(verb, argument.type_name()));
                match (verb, argument) {
                    ('s', value) => written(machine, value, &mut made)?,
                    ('d' | 'b' | 'o' | 'x' | 'X', Val::Int(value)) => {
                        if *value < 0 {
                            made.push('-');
                        }
                        integer(verb, value.unsigned_abs(), &mut made);
                    }
                    ('d' | 'b' | 'o' | 'x' | 'X', Val::Uint(value)) => {
                        integer(verb, *value, &mut made);
                    }
                    ('b', Val::Bool(value)) => made.push(if *value { '1' } else { '0' }),
                    ('x' | 'X', Val::String(text)) => {
                        hex(machine, verb, text.as_bytes(), &mut made)?;
                    }
                    ('x' | 'X', Val::Bytes(bytes)) => hex(machine, verb, bytes, &mut made)?,
                    ('f' | 'e', value) => {
                        let number = number(value).ok_or_else(refuse)?;
                        let precision = precision.unwrap_or(PRECISION);
                        machine.meter.text(precision.saturating_add(400))?;
                        if verb == 'f' {
                            fixed(number, precision, &mut made);
                        } else {
                            scientific(number, precision, &mut made);
                        }
                    }
                    _ => return Err(refuse()),
                }
            }
        }
    }
    Ok(Val::string(made))
}

fn number(value: &Val<'_>) -> Option<f64> {
    match value {
        Val::Double(value) => Some(*value),
        Val::String(text) => match &**text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn integer(verb: char, value: u64, made: &mut String) {
    // Writing to a string does not fail.
    let _ = match verb {
        'b' => write!(made, "{value:b}"),
        'o' => write!(made, "{value:o}"),
        'x' => write!(made, "{value:x}"),
        'X' => write!(made, "{value:X}"),
        _ => write!(made, "{value}"),
    };
}

fn hex(
    machine: &mut Machine<'_>,
    verb: char,
    bytes: &[u8],
    made: &mut String,
) -> Result<(), EvaluationError> {
    machine.meter.text(bytes.len().saturating_mul(2))?;
    for byte in bytes {
        let _ = if verb == 'x' { write!(made, "{byte:02x}") } else { write!(made, "{byte:02X}") };
    }
    Ok(())
}

/// As many decimal places as are wanted, and commas between thousands: English, as upstream.
fn fixed(value: f64, precision: usize, made: &mut String) {
    if let Some(special) = special(value) {
        made.push_str(special);
        return;
    }
    let plain = decimal(value, precision);
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", &*plain),
    };
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    made.push_str(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            made.push(',');
        }
        made.push(digit);
    }
    made.push_str(fraction);
}

/// All decimal places that are wanted: a double has no more than 1,074 that are not zero.
fn decimal(value: f64, precision: usize) -> String {
    const EXACT: usize = 1_100;
    let mut text = format!("{value:.*}", precision.min(EXACT));
    text.extend(std::iter::repeat_n('0', precision.saturating_sub(EXACT)));
    text
}

/// Six decimal places and a power of ten; upstream takes the precision for a width.
fn scientific(value: f64, width: usize, made: &mut String) {
    let shown = match special(value) {
        Some(special) => special.to_owned(),
        None => {
            let plain = format!("{value:.PRECISION$e}");
            let (digits, exponent) = plain.split_once('e').unwrap_or((&plain, "0"));
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ("⁻", exponent),
                None => ("", exponent),
            };
            let raised = |digit: char| match digit {
                '1' => '¹',
                '2' => '²',
                '3' => '³',
                '4' => '⁴',
                '5' => '⁵',
                '6' => '⁶',
                '7' => '⁷',
                '8' => '⁸',
                '9' => '⁹',
                _ => '⁰',
            };
            let exponent: String = format!("{exponent:0>2}").chars().map(raised).collect();
            format!("{digits}×10{sign}{exponent}")
        }
    };
    let pad = width.saturating_sub(shown.chars().count());
    made.extend(std::iter::repeat_n(' ', pad));
    made.push_str(&shown);
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "∞" } else { "-∞" })
    } else {
        None
    }
}

/// What `%s` makes of a value.
fn written<'a>(
    machine: &mut Machine<'a>,
    value: &Val<'a>,
    made: &mut String,
) -> Result<(), EvaluationError> {
    let wrong = |why: String| EvaluationError::new(format!("error during formatting: {why}"));
    match value {
        Val::Null => made.push_str("null"),
        Val::Type(name) => made.push_str(name),
        Val::List(list) => {
            made.push('[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    made.push_str(", ");
                }
                nested(machine, item, made)?;
            }
            made.push(']');
        }
        Val::Map(map) => written_map(machine, map, made)?,
        Val::Optional(_) | Val::Root(_) => {
            return Err(EvaluationError::new(refusal('s', value.type_name())));
        }
        Val::Opaque(_) => return Err(EvaluationError::new(refusal('s', value.type_name()))),
        value => {
            let text = text(machine, value).map_err(|error| {
                if error == EvaluationError::new(NOT_UTF8) {
                    wrong(format!("could not convert argument \"{NOT_UTF8}\" to string"))
                } else {
                    error
                }
            })?;
            machine.meter.text(text.len())?;
            made.push_str(&text);
        }
    }
    Ok(())
}

fn written_map<'a>(
    machine: &mut Machine<'a>,
    map: &Map<'a>,
    made: &mut String,
) -> Result<(), EvaluationError> {
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map.entries() {
        let mut entry = String::new();
        if matches!(key, Val::Null | Val::Double(_)) {
            let name = key.type_name();
            return Err(EvaluationError::new(format!(
                "error during formatting: no formatting function for map key of type {name}"
            )));
        }
        nested(machine, key, &mut entry)?;
        let end = entry.len();
        entry.push(':');
        nested(machine, value, &mut entry)?;
        entries.push((end, entry));
    }
    entries.sort_by(|(one_end, one), (other_end, other)| {
        one.get(..*one_end).cmp(&other.get(..*other_end))
    });
    made.push('{');
    for (at, (_, entry)) in entries.iter().enumerate() {
        if at > 0 {
            made.push_str(", ");
        }
        machine.meter.text(entry.len())?;
        made.push_str(entry);
    }
    made.push('}');
    Ok(())
}

/// A value in a list or a map, written as a literal.
fn nested<'a>(
    machine: &mut Machine<'a>,
    value: &Val<'a>,
    made: &mut String,
) -> Result<(), EvaluationError> {
    machine.meter.charge(1)?;
    let literal = |machine: &mut Machine<'a>, value: &Val<'a>| {
        let mut plain = String::new();
        written(machine, value, &mut plain)?;
        Ok::<_, EvaluationError>(quoted(&plain).to_string())
    };
    match value {
        Val::String(_) => made.push_str(&literal(machine, value)?),
        Val::Bytes(_) => {
            made.push('b');
            made.push_str(&literal(machine, value)?);
        }
        Val::Double(value) if value.is_finite() => made.push_str(&decimal(*value, PRECISION)),
        Val::Double(value) => {
            made.push_str(&quoted(&number::double_to_string(*value)).to_string());
        }
        Val::Timestamp(_) | Val::Duration(_) => {
            let name = if matches!(value, Val::Timestamp(_)) { "timestamp" } else { "duration" };
            let _ = write!(made, "{name}({})", literal(machine, value)?);
        }
        Val::Optional(_) | Val::Opaque(_) | Val::Root(_) => {
            let name = value.type_name();
            return Err(EvaluationError::new(format!(
                "error during formatting: no formatting function for {name}"
            )));
        }
        value => written(machine, value, made)?,
    }
    Ok(())
}

/// A key or an index in an error.
pub fn key(value: &Val<'_>) -> String {
    match value {
        Val::Bool(value) => value.to_string(),
        Val::Int(value) => value.to_string(),
        Val::Uint(value) => value.to_string(),
        Val::Double(value) => number::double_to_string(*value),
        Val::String(text) => text.to_string(),
        Val::Null => "null".to_owned(),
        value => value.type_name().to_owned(),
    }
}
