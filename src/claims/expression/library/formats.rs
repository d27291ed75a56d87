//! `format`: Kubernetes' named formats.

use super::super::EvaluationError;
use super::super::evaluator::Outcome;
use super::super::types::formats::Format;
use super::super::val::Val;
use super::Function;
use super::opaque::Opaque;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "format.named",
        &["(string) optional_type(kubernetes.NamedFormat)"],
        |machine, arguments| match arguments {
            [Val::String(name)] => {
                machine.meter.text(name.len())?;
                Ok(Val::optional(Format::named(name).map(Val::opaque)))
            }
            _ => Err(EvaluationError::UNRESOLVED),
        },
    ),
    Function::new("format.dns1123Label", FORMAT, |_, _| named("dns1123Label")),
    Function::new("format.dns1123Subdomain", FORMAT, |_, _| named("dns1123Subdomain")),
    Function::new("format.dns1035Label", FORMAT, |_, _| named("dns1035Label")),
    Function::new("format.qualifiedName", FORMAT, |_, _| named("qualifiedName")),
    Function::new("format.dns1123LabelPrefix", FORMAT, |_, _| named("dns1123LabelPrefix")),
    Function::new("format.dns1123SubdomainPrefix", FORMAT, |_, _| named("dns1123SubdomainPrefix")),
    Function::new("format.dns1035LabelPrefix", FORMAT, |_, _| named("dns1035LabelPrefix")),
    Function::new("format.labelValue", FORMAT, |_, _| named("labelValue")),
    Function::new("format.uri", FORMAT, |_, _| named("uri")),
    Function::new("format.uuid", FORMAT, |_, _| named("uuid")),
    Function::new("format.byte", FORMAT, |_, _| named("byte")),
    Function::new("format.date", FORMAT, |_, _| named("date")),
    Function::new("format.datetime", FORMAT, |_, _| named("datetime")),
    Function::new(
        "validate",
        &["kubernetes.NamedFormat.(string) optional_type(list(string))"],
        |machine, arguments| match arguments {
            [Val::Opaque(format), Val::String(text)] => match &**format {
                Opaque::Format(format) => {
                    let pattern = usize::try_from(format.pattern_length()).unwrap_or(usize::MAX);
                    machine.meter.regex(text.len(), pattern)?;
                    let wrong: Vec<_> =
                        format.validate(text).into_iter().map(Val::string).collect();
                    Ok(Val::optional((!wrong.is_empty()).then(|| Val::list(wrong))))
                }
                _ => Err(EvaluationError::UNRESOLVED),
            },
            _ => Err(EvaluationError::UNRESOLVED),
        },
    ),
];

const FORMAT: &[&str] = &["() kubernetes.NamedFormat"];

fn named<'a>(name: &str) -> Outcome<'a> {
    Format::named(name).map(Val::opaque).ok_or(EvaluationError::UNRESOLVED)
}
