//! `string.format()`: clauses like `%s` or `%.2f`, and what they make of values.
//!
//! Kubernetes has the second version of cel-go's strings, and in it numbers follow the customs of the
//! United States: `%f` groups digits (`1,234.500000`) and `%e` writes `1.234500×10⁰³`, whose precision
//! is a *width*, and a bug that we share.
//!
//! *Differs*: a precision of more than [`MOST_PLACES`] is refused, where upstream begins to answer
//! nonsense at some hundred thousands, and so are values that are nested deeper than [`MOST_DEPTH`].

use super::duration::Duration;
use super::number::{double_to_string, special};
use super::text::{TextError, of_bytes};
use super::timestamp::Timestamp;
use crate::api::quote::quoted;

/// The largest precision.
pub const MOST_PLACES: usize = 1000;

/// How deep lists and maps may be nested in an argument.
pub const MOST_DEPTH: usize = 128;

/// The places behind the point where no precision is given.
const PLACES: usize = 6;

/// Why a template cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It has more clauses than there are arguments.
    #[error("index {0} out of range")]
    Index(usize),
    /// It ends with a `%`.
    #[error("unexpected end of string")]
    End,
    /// There is no such clause.
    #[error("could not parse formatting clause: unrecognized formatting clause \"{0}\"")]
    Clause(char),
    /// Nothing stands behind a precision.
    #[error(
        "could not parse formatting clause: error while parsing precision: could not find end of \
         precision specifier"
    )]
    PrecisionEnd,
    /// A precision has no digits, or too many.
    #[error(
        "could not parse formatting clause: error while parsing precision: error while converting \
         precision to integer: strconv.Atoi: parsing {}: {problem}", quoted(.text)
    )]
    Precision {
        /// The digits.
        text: String,
        /// Go's word on them.
        problem: &'static str,
    },
    /// A precision is more than [`MOST_PLACES`].
    #[error(
        "could not parse formatting clause: error while parsing precision: precision {0} exceeds \
         maximum allowed precision {MOST_PLACES}"
    )]
    Places(usize),
    /// A clause cannot show values of this type.
    #[error("error during formatting: {}, was given {given}", .clause.demand())]
    Type {
        /// The clause.
        clause: Clause,
        /// The type.
        given: String,
    },
    /// Lists and maps cannot show values of this type.
    #[error("error during formatting: no formatting function for {0}")]
    Element(String),
    /// Maps cannot show keys of this type.
    #[error("error during formatting: no formatting function for map key of type {0}")]
    Key(String),
    /// Bytes are no text.
    #[error("error during formatting: could not convert argument {} to string", quoted(&.0.to_string()))]
    Bytes(TextError),
    /// A value is nested deeper than [`MOST_DEPTH`].
    #[error("error during formatting: value is nested too deeply")]
    Depth,
}

/// A value to be shown.
#[derive(Clone, Debug)]
pub enum Argument<'a> {
    /// `null`.
    Null,
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// An uint.
    Uint(u64),
    /// A double.
    Double(f64),
    /// A string.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A timestamp.
    Timestamp(Timestamp),
    /// A duration.
    Duration(Duration),
    /// A type, by its name.
    Type(&'a str),
    /// A list.
    List(Vec<Self>),
    /// A map.
    Map(Vec<(Self, Self)>),
    /// Anything else, by the name of its type. No clause shows it.
    Other(&'a str),
}

/// What is between the literal parts of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    /// `%s`.
    Text,
    /// `%d`.
    Decimal,
    /// `%f`, with so many places behind the point.
    Fixed(usize),
    /// `%e`, at least so wide.
    Scientific(usize),
    /// `%b`.
    Binary,
    /// `%x`.
    LowerHex,
    /// `%X`.
    UpperHex,
    /// `%o`.
    Octal,
}

/// The next part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it is.
    Literal(&'a str),
    /// The next argument.
    Clause(Clause),
}

/// The parts of a template one by one, for whoever fills it and whoever only checks it.
#[derive(Clone, Debug)]
pub struct Pieces<'a> {
    rest: &'a str,
    arguments: usize,
    used: usize,
}

/// `template.format(arguments)`. More arguments than clauses are no error here, but they are where
/// both are literals in an expression.
pub fn format(template: &str, arguments: &[Argument<'_>]) -> Result<String, TemplateError> {
    let mut out = String::with_capacity(template.len());
    let mut next = arguments.iter();
    for piece in Pieces::of(template, arguments.len()) {
        match piece? {
            Piece::Literal(text) => out.push_str(text),
            Piece::Clause(clause) => {
                let argument = next.next().ok_or(TemplateError::Index(arguments.len()))?;
                out.push_str(&clause.show(argument)?);
            }
        }
    }
    Ok(out)
}

impl<'a> Pieces<'a> {
    /// The parts of `template`, for so many arguments.
    pub fn of(template: &'a str, arguments: usize) -> Self {
        Self { rest: template, arguments, used: 0 }
    }

    /// How many clauses there have been.
    pub fn used(&self) -> usize {
        self.used
    }

    fn clause(&mut self, text: &'a str) -> Result<Clause, TemplateError> {
        if self.used >= self.arguments {
            return Err(TemplateError::Index(self.used));
        }
        self.used += 1;
        if text.is_empty() {
            return Err(TemplateError::End);
        }
        let mut precision = PLACES;
        let mut text = text;
        if let Some(after) = text.strip_prefix('.') {
            let count = after.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, after) = after.split_at_checked(count).unwrap_or((after, ""));
            if after.is_empty() {
                return Err(TemplateError::PrecisionEnd);
            }
            precision = read_precision(digits)?;
            text = after;
        }
        let clause = match text.as_bytes().first() {
            Some(b's') => Clause::Text,
            Some(b'd') => Clause::Decimal,
            Some(b'f') => Clause::Fixed(precision),
            Some(b'e') => Clause::Scientific(precision),
            Some(b'b') => Clause::Binary,
            Some(b'x') => Clause::LowerHex,
            Some(b'X') => Clause::UpperHex,
            Some(b'o') => Clause::Octal,
            // Upstream sees bytes, and shows them as if they were Latin-1.
            other => return Err(TemplateError::Clause(other.map_or(' ', |&byte| byte.into()))),
        };
        self.rest = text.get(1..).unwrap_or_default();
        Ok(clause)
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Piece<'a>, TemplateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some(behind) = self.rest.strip_prefix('%') else {
            let end = self.rest.find('%').unwrap_or(self.rest.len());
            let (literal, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest;
            return Some(Ok(Piece::Literal(literal)));
        };
        if let Some(rest) = behind.strip_prefix('%') {
            self.rest = rest;
            return Some(Ok(Piece::Literal("%")));
        }
        let clause = self.clause(behind);
        if clause.is_err() {
            self.rest = "";
        }
        Some(clause.map(Piece::Clause))
    }
}

fn read_precision(digits: &str) -> Result<usize, TemplateError> {
    let problem = if digits.is_empty() { "invalid syntax" } else { "value out of range" };
    let places = digits.parse::<i64>().ok().and_then(|places| usize::try_from(places).ok());
    let places =
        places.ok_or_else(|| TemplateError::Precision { text: digits.to_owned(), problem })?;
    if places > MOST_PLACES { Err(TemplateError::Places(places)) } else { Ok(places) }
}

impl Clause {
    /// What it asks of its argument, as its refusal begins.
    fn demand(self) -> &'static str {
        match self {
            Self::Text => {
                "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, \
                 types, durations, and timestamps"
            }
            Self::Decimal => "decimal clause can only be used on integers",
            Self::Fixed(_) => "fixed-point clause can only be used on doubles",
            Self::Scientific(_) => "scientific clause can only be used on doubles",
            Self::Binary => "only integers and bools can be formatted as binary",
            Self::LowerHex | Self::UpperHex => {
                "only integers, byte buffers, and strings can be formatted as hex"
            }
            Self::Octal => "octal clause can only be used on integers",
        }
    }

    /// The argument as this clause shows it.
    pub fn show(self, argument: &Argument<'_>) -> Result<String, TemplateError> {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = match (self, argument) {
            (Self::Text, argument) => return argument.text(),
            (
                Self::Decimal | Self::Binary | Self::LowerHex | Self::UpperHex | Self::Octal,
                number,
            ) if number.integer().is_some() => {
                let (sign, size) = number.integer().unwrap_or_default();
                match self {
                    Self::Binary => format!("{sign}{size:b}"),
                    Self::LowerHex | Self::UpperHex => format!("{sign}{size:x}"),
                    Self::Octal => format!("{sign}{size:o}"),
                    _ => format!("{sign}{size}"),
                }
            }
            (Self::Binary, Argument::Bool(value)) => u8::from(*value).to_string(),
            (Self::LowerHex | Self::UpperHex, Argument::Text(text)) => hex(text.as_bytes()),
            (Self::LowerHex | Self::UpperHex, Argument::Bytes(bytes)) => hex(bytes),
            (Self::Fixed(places), argument) if argument.double().is_some() => {
                fixed(argument.double().unwrap_or(f64::NAN), places)
            }
            (Self::Scientific(width), argument) if argument.double().is_some() => {
                let shown = scientific(argument.double().unwrap_or(f64::NAN));
                format!("{shown:>width$}")
            }
            (clause, argument) => {
                return Err(TemplateError::Type { clause, given: argument.type_name().to_owned() });
            }
        };
        Ok(if self == Self::UpperHex { shown.to_ascii_uppercase() } else { shown })
    }
}

impl Argument<'_> {
    /// What CEL calls its type.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Type(_) => "type",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Other(name) => name,
        }
    }

    /// The sign and the size of a whole number.
    fn integer(&self) -> Option<(&'static str, u64)> {
        match self {
            Self::Int(value) => Some((if *value < 0 { "-" } else { "" }, value.unsigned_abs())),
            Self::Uint(value) => Some(("", *value)),
            _ => None,
        }
    }

    /// A double, or the name of one that JSON has no number for.
    fn double(&self) -> Option<f64> {
        match self {
            Self::Double(value) => Some(*value),
            Self::Text("NaN") => Some(f64::NAN),
            Self::Text("Infinity") => Some(f64::INFINITY),
            Self::Text("-Infinity") => Some(f64::NEG_INFINITY),
            _ => None,
        }
    }

    /// As `%s` shows it, and `string()` where it is no list or map.
    fn text(&self) -> Result<String, TemplateError> {
        Ok(match self {
            Self::Double(value) => double_to_string(*value),
            Self::Text(text) => (*text).to_owned(),
            Self::Bytes(bytes) => of_bytes(bytes).map_err(TemplateError::Bytes)?.to_owned(),
            Self::Timestamp(value) => value.to_string(),
            Self::Duration(value) => value.to_string(),
            Self::Other(name) => {
                let given = (*name).to_owned();
                return Err(TemplateError::Type { clause: Clause::Text, given });
            }
            other => return other.literal(0),
        })
    }

    /// As it is shown in a list or a map: nearly as an expression would have it.
    fn literal(&self, depth: usize) -> Result<String, TemplateError> {
        if depth > MOST_DEPTH {
            return Err(TemplateError::Depth);
        }
        Ok(match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Uint(value) => value.to_string(),
            Self::Double(value) if value.is_finite() => format!("{value:.PLACES$}"),
            Self::Double(value) => quoted(special(*value, "+Inf", "-Inf")),
            Self::Text(text) => quoted(text),
            Self::Bytes(_) => format!("b{}", quoted(&self.text()?)),
            Self::Timestamp(value) => format!("timestamp({})", quoted(&value.to_string())),
            Self::Duration(value) => format!("duration({})", quoted(&value.to_string())),
            Self::Type(name) => (*name).to_owned(),
            Self::List(values) => {
                let shown: Result<Vec<_>, _> =
                    values.iter().map(|value| value.literal(depth + 1)).collect();
                format!("[{}]", shown?.join(", "))
            }
            Self::Map(entries) => {
                let shown: Result<Vec<_>, _> = entries
                    .iter()
                    .map(|(key, value)| Ok((key.key()?, value.literal(depth + 1)?)))
                    .collect();
                let mut shown = shown?;
                shown.sort_by(|(one, _), (other, _)| one.cmp(other));
                let shown: Vec<_> =
                    shown.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
                format!("{{{}}}", shown.join(", "))
            }
            Self::Other(name) => return Err(TemplateError::Element((*name).to_owned())),
        })
    }

    fn key(&self) -> Result<String, TemplateError> {
        match self {
            Self::Text(_) | Self::Bool(_) | Self::Int(_) | Self::Uint(_) => self.literal(0),
            other => Err(TemplateError::Key(other.type_name().to_owned())),
        }
    }
}

/// A number with so many places, its digits in groups of three.
fn fixed(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return special(value, "∞", "-∞").to_owned();
    }
    let shown = format!("{:.places$}", value.abs());
    let whole = shown.find('.').unwrap_or(shown.len());
    let mut out = String::from(if value < 0.0 { "-" } else { "" });
    for (at, letter) in shown.chars().enumerate() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(letter);
    }
    out
}

/// A number as a small one times a power of ten.
fn scientific(value: f64) -> String {
    if !value.is_finite() {
        return special(value, "∞", "-∞").to_owned();
    }
    // Zero has no sign.
    let shown = format!("{:.PLACES$e}", if value == 0.0 { 0.0 } else { value });
    let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(("", exponent), |size| ("⁻", size));
    let raised: String = format!("{exponent:0>2}")
        .chars()
        .filter_map(|digit| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit.to_digit(10)? as usize))
        .collect();
    format!("{digits}×10{sign}{raised}")
}

#[cfg(test)]
mod tests;
