//! The static types of expressions.

use std::fmt;
use std::sync::Arc;

/// A static type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Known at run time only.
    Dyn,
    /// The same, but not for loops: what a claim is.
    Any,
    /// Of what has a mistake in it, so that it has no second one.
    Error,
    /// `null`.
    Null,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `uint`.
    Uint,
    /// `double`.
    Double,
    /// `string`.
    String,
    /// `bytes`.
    Bytes,
    /// `google.protobuf.Duration`.
    Duration,
    /// `google.protobuf.Timestamp`.
    Timestamp,
    /// `list(T)`.
    List(Arc<Type>),
    /// `map(K, V)`.
    Map(Arc<(Type, Type)>),
    /// `type(T)`, the type of a type.
    Meta(Arc<Type>),
    /// The type of types whose own is not known.
    AnyMeta,
    /// `optional_type(T)`.
    Optional(Arc<Type>),
    /// A library's own, by its name.
    Opaque(&'static str),
    /// The type of `user`.
    User,
    /// To be found out.
    Variable(usize),
}

/// Names of upstream's types which no expression can spell, but overloads have.
const OPAQUE: [&str; 14] = [
    "net.IP",
    "net.CIDR",
    "kubernetes.URL",
    "kubernetes.Quantity",
    "kubernetes.Semver",
    "kubernetes.NamedFormat",
    "kubernetes.authorization.Authorizer",
    "kubernetes.authorization.PathCheck",
    "kubernetes.authorization.GroupCheck",
    "kubernetes.authorization.ResourceCheck",
    "kubernetes.authorization.Decision",
    "kubernetes.Authorizer",
    "kubernetes.claims",
    "function",
];

impl Type {
    /// `list(element)`.
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// `map(key, value)`.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new((key, value)))
    }

    /// `optional_type(value)`.
    pub fn optional(value: Self) -> Self {
        Self::Optional(Arc::new(value))
    }

    /// Whether it can be anything, as far as overloads care.
    pub fn is_dyn(&self) -> bool {
        matches!(self, Self::Dyn | Self::Any)
    }

    /// The types it is made of.
    pub fn parts(&self) -> impl Iterator<Item = &Self> {
        let (first, second) = match self {
            Self::List(part) | Self::Meta(part) | Self::Optional(part) => (Some(&**part), None),
            Self::Map(parts) => (Some(&parts.0), Some(&parts.1)),
            _ => (None, None),
        };
        first.into_iter().chain(second)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn => f.write_str("dyn"),
            Self::Any => f.write_str("any"),
            Self::Error => f.write_str("!error!"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Duration => f.write_str("duration"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Map(parts) => write!(f, "map({}, {})", parts.0, parts.1),
            Self::Meta(of) => write!(f, "type({of})"),
            Self::AnyMeta => f.write_str("type"),
            Self::Optional(value) => write!(f, "optional_type({value})"),
            Self::Opaque(name) => f.write_str(name),
            Self::User => f.write_str("kubernetes.UserInfo"),
            Self::Variable(number) => write!(f, "_var{number}"),
        }
    }
}

/// What a function takes and returns, in the form `target.(argument, argument) result`, or without
/// target. Single capital letters are type parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Signature {
    /// Whether it is called as a method; the first argument is the target then.
    pub is_method: bool,
    /// What it takes.
    pub arguments: Vec<Type>,
    /// What it returns.
    pub result: Type,
}

impl Signature {
    /// Reads a signature; its type parameters become variables counted from `first`. Absent if it
    /// is none, which the test below excludes for all that there are.
    pub fn parse(text: &str, first: usize) -> Option<Self> {
        let mut reader = Reader { rest: text, names: Vec::new(), first };
        let target = if text.starts_with('(') { None } else { Some(reader.read_type()?) };
        if target.is_some() {
            reader.expect(".")?;
        }
        reader.expect("(")?;
        let is_method = target.is_some();
        let mut arguments: Vec<_> = target.into_iter().collect();
        while reader.expect(")").is_none() {
            arguments.push(reader.read_type()?);
            let _ = reader.expect(", ");
        }
        reader.expect(" ")?;
        let result = reader.read_type()?;
        reader.rest.is_empty().then_some(Self { is_method, arguments, result })
    }
}

struct Reader<'a> {
    rest: &'a str,
    names: Vec<&'a str>,
    first: usize,
}

impl<'a> Reader<'a> {
    fn expect(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn read_type(&mut self) -> Option<Type> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut end = self.rest.find(|c| !word(c)).unwrap_or(self.rest.len());
        // A dot belongs to a name if a letter follows, and to the signature otherwise.
        while self.rest.get(end..).is_some_and(|rest| {
            rest.starts_with('.') && rest.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic())
        }) {
            let rest = self.rest.get(end + 1..)?;
            end += 1 + rest.find(|c| !word(c)).unwrap_or(rest.len());
        }
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(match name {
            "dyn" => Type::Dyn,
            "any" => Type::Any,
            "null" => Type::Null,
            "bool" => Type::Bool,
            "int" => Type::Int,
            "uint" => Type::Uint,
            "double" => Type::Double,
            "string" => Type::String,
            "bytes" => Type::Bytes,
            "duration" => Type::Duration,
            "timestamp" => Type::Timestamp,
            "list" => Type::list(self.part("(", ")")?),
            "type" => Type::Meta(Arc::new(self.part("(", ")")?)),
            "optional_type" => Type::optional(self.part("(", ")")?),
            "map" => Type::map(self.part("(", ", ")?, self.part("", ")")?),
            name if name.len() == 1 => {
                let at = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
                    self.names.push(name);
                    self.names.len() - 1
                });
                Type::Variable(self.first + at)
            }
            name => Type::Opaque(OPAQUE.into_iter().find(|known| *known == name)?),
        })
    }

    fn part(&mut self, before: &str, after: &str) -> Option<Type> {
        self.expect(before)?;
        let part = self.read_type()?;
        self.expect(after)?;
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_read() {
        let signature = Signature::parse("net.CIDR.(map(K, list(V)), K) optional_type(V)", 7);
        let (key, value) = (Type::Variable(7), Type::Variable(8));
        let map = Type::map(key.clone(), Type::list(value.clone()));
        let arguments = vec![Type::Opaque("net.CIDR"), map, key];
        let result = Type::optional(value);
        assert_eq!(signature, Some(Signature { is_method: true, arguments, result }));
        let none = Signature { is_method: false, arguments: vec![], result: Type::Int };
        assert_eq!(Signature::parse("() int", 0), Some(none));
        for wrong in ["", "int", "(int", "() ", "(int) nothing", "list(int) int", "(map(int)) int"]
        {
            assert_eq!(Signature::parse(wrong, 0), None, "{wrong}");
        }
    }
}
