//! `format`: texts from a template, as version 2 of cel-go's string extension has it.

use super::super::EvaluationError;
use super::super::checker::Type;
use super::super::evaluator::{Machine, Outcome};
use super::super::limits::Meter;
use super::super::source::Offset;
use super::super::types::number;
use super::super::types::template::{self, Argument, Clause, Piece, Pieces, TemplateError};
use super::super::val::Val;
use super::Function;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[Function::new(
    "format",
    &["string.(list(dyn)) string"],
    |machine, arguments| match arguments {
        [Val::String(template), Val::List(arguments)] => format(machine, template, arguments),
        _ => Err(EvaluationError::UNRESOLVED),
    },
)];

/// What a number with all decimal places may take beside them.
const LONGEST_NUMBER: usize = 500;

fn format<'a>(machine: &mut Machine<'a>, template: &str, arguments: &[Val<'a>]) -> Outcome<'a> {
    machine.meter.text(template.len())?;
    let mut shown = Vec::with_capacity(arguments.len());
    for value in arguments {
        shown.push(argument(value, 0, &mut machine.meter)?);
    }
    for piece in Pieces::of(template, shown.len()) {
        match piece {
            Ok(Piece::Clause(Clause::Fixed(places) | Clause::Scientific(places))) => {
                machine.meter.text(places + LONGEST_NUMBER)?;
            }
            Ok(_) => machine.meter.charge(1)?,
            Err(_) => break,
        }
    }
    template::format(template, &shown).map(Val::string).map_err(|error| match error {
        // What these quote is of the template.
        TemplateError::Clause(_) | TemplateError::Precision { .. } | TemplateError::Places(_) => {
            machine.error(error, "could not parse formatting clause")
        }
        error => EvaluationError::of(error),
    })
}

/// A value for a template, paid for as it will be copied: once for each list or map it stands in.
fn argument<'v>(
    value: &'v Val<'_>,
    depth: usize,
    meter: &mut Meter,
) -> Result<Argument<'v>, EvaluationError> {
    let mut pay = |bytes: usize| meter.charge((bytes / 5 + 1).saturating_mul(depth + 1));
    if depth > template::MOST_DEPTH {
        return Err(EvaluationError::of(TemplateError::Depth));
    }
    Ok(match value {
        Val::String(text) => {
            pay(text.len())?;
            Argument::Text(text)
        }
        Val::Bytes(bytes) => {
            pay(bytes.len())?;
            Argument::Bytes(bytes)
        }
        Val::List(list) => {
            pay(list.len())?;
            let items = list.iter().map(|item| argument(item, depth + 1, meter));
            Argument::List(items.collect::<Result<_, _>>()?)
        }
        Val::Map(map) => {
            pay(map.len())?;
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.entries() {
                let key = argument(key, depth + 1, meter)?;
                entries.push((key, argument(value, depth + 1, meter)?));
            }
            Argument::Map(entries)
        }
        value => {
            pay(10)?;
            match value {
                Val::Null => Argument::Null,
                Val::Bool(value) => Argument::Bool(*value),
                Val::Int(value) => Argument::Int(*value),
                Val::Uint(value) => Argument::Uint(*value),
                Val::Double(value) => Argument::Double(*value),
                Val::Duration(value) => Argument::Duration(*value),
                Val::Timestamp(value) => Argument::Timestamp(*value),
                Val::Type(name) => Argument::Type(name),
                other => Argument::Other(other.type_name()),
            }
        }
    })
}

/// Whether a template that is written down fits the types of its arguments. The error says what is
/// wrong, and where, unless it is the template itself.
///
/// Each argument comes with the literals in it, itself first: for `%s` they all count.
pub fn validate(
    template: &str,
    arguments: &[Vec<(&Type, Offset)>],
) -> Result<(), (Option<Offset>, String)> {
    let mut next = 0;
    for piece in Pieces::of(template, arguments.len()) {
        let Piece::Clause(clause) = piece.map_err(|error| (None, error.to_string()))? else {
            continue;
        };
        let argument = arguments.get(next).map(Vec::as_slice).unwrap_or_default();
        let looked_at = if clause == Clause::Text { argument.len() } else { 1 };
        if let Some((of, at)) = argument.iter().take(looked_at).find(|(of, _)| !fits(clause, of)) {
            let error = TemplateError::Type { clause, given: runtime_name(of) };
            return Err((Some(*at), error.to_string()));
        }
        next += 1;
    }
    if arguments.len() > next {
        let given = arguments.len();
        let text =
            format!("too many arguments supplied to string.format (expected {next}, got {given})");
        return Err((None, text));
    }
    Ok(())
}

fn fits(clause: Clause, of: &Type) -> bool {
    let is_integer = matches!(of, Type::Int | Type::Uint);
    match clause {
        _ if *of == Type::Dyn => true,
        Clause::Text => !matches!(of, Type::Opaque(_) | Type::Optional(_) | Type::Any | Type::User),
        Clause::Decimal | Clause::Octal => is_integer,
        Clause::Fixed(_) | Clause::Scientific(_) => matches!(of, Type::Double | Type::String),
        Clause::Binary => is_integer || *of == Type::Bool,
        Clause::LowerHex | Clause::UpperHex => {
            is_integer || matches!(of, Type::String | Type::Bytes)
        }
    }
}

fn runtime_name(of: &Type) -> String {
    match of {
        Type::Any => "google.protobuf.Any".to_owned(),
        Type::Null => "null_type".to_owned(),
        Type::Duration => "google.protobuf.Duration".to_owned(),
        Type::Timestamp => "google.protobuf.Timestamp".to_owned(),
        Type::List(_) => "list".to_owned(),
        Type::Map(_) => "map".to_owned(),
        Type::Meta(_) | Type::AnyMeta => "type".to_owned(),
        Type::Optional(_) => "optional_type".to_owned(),
        other => other.to_string(),
    }
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
