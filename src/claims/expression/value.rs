//! What expressions evaluate to.

use super::EvaluationError;
use super::library::opaque::Opaque;
use super::limits::Meter;
use super::val::Val;

/// What an expression evaluated to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `bool`.
    Bool(bool),
    /// `int`.
    Int(i64),
    /// `uint`.
    Uint(u64),
    /// `double`.
    Double(f64),
    /// `string`.
    String(String),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// `list`.
    List(Vec<Value>),
    /// `map`, in no order.
    Map(Vec<(Value, Value)>),
    /// `optional_type`.
    Optional(Option<Box<Value>>),
    /// A value of any other type, and how it is written.
    Other {
        /// As the `type` function names it.
        type_name: String,
        /// As it would be written; empty if nobody writes it.
        text: String,
    },
}

impl Value {
    /// Takes a value out of an evaluation. What stands in it twice is copied, and paid for, twice.
    pub(super) fn of(value: &Val<'_>, meter: &mut Meter) -> Result<Self, EvaluationError> {
        meter.charge(3)?;
        let other = |text: String, meter: &mut Meter| {
            meter.charge(text.len() / 10)?;
            Ok(Self::Other { type_name: value.type_name().to_owned(), text })
        };
        Ok(match value {
            Val::Null => Self::Null,
            Val::Bool(value) => Self::Bool(*value),
            Val::Int(value) => Self::Int(*value),
            Val::Uint(value) => Self::Uint(*value),
            Val::Double(value) => Self::Double(*value),
            Val::String(text) => {
                meter.charge(text.len() / 10)?;
                Self::String(text.to_string())
            }
            Val::Bytes(bytes) => {
                meter.charge(bytes.len() / 10)?;
                Self::Bytes(bytes.to_vec())
            }
            Val::List(list) => {
                Self::List(list.iter().map(|item| Self::of(item, meter)).collect::<Result<_, _>>()?)
            }
            Val::Map(map) => {
                let mut entries = Vec::with_capacity(map.len());
                for (key, value) in map.entries() {
                    entries.push((Self::of(key, meter)?, Self::of(value, meter)?));
                }
                Self::Map(entries)
            }
            Val::Optional(value) => Self::Optional(match value {
                Some(value) => Some(Box::new(Self::of(value, meter)?)),
                None => None,
            }),
            Val::Duration(value) => other(value.to_string(), meter)?,
            Val::Timestamp(value) => other(value.to_string(), meter)?,
            Val::Type(name) => other((*name).to_owned(), meter)?,
            Val::Opaque(value) => match &**value {
                Opaque::Ip(ip) => other(ip.to_string(), meter)?,
                Opaque::Cidr(cidr) => other(cidr.to_string(), meter)?,
                Opaque::Url(url) => other(url.to_string(), meter)?,
                _ => other(String::new(), meter)?,
            },
            Val::Root(_) => other(String::new(), meter)?,
        })
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The strings that groups and extra values take from it: a string is one, a list those it has
    /// without empty ones, `null` and the empty string none. Anything else is absent, a list that
    /// holds anything but strings included.
    pub fn string_list(&self) -> Option<Vec<String>> {
        let strings = match self {
            Self::Null => Vec::new(),
            Self::String(text) => vec![text.clone()],
            Self::List(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()?,
            _ => return None,
        };
        Some(strings.into_iter().filter(|text| !text.is_empty()).collect())
    }
}
