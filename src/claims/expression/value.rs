//! What expressions evaluate to.

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
    /// A value of any other type, and how it is written.
    Other {
        /// As the `type` function names it.
        type_name: String,
        /// As `string` or `format` would write it.
        text: String,
    },
}

impl Value {
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
