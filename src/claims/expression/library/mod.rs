//! The functions of kube-apiserver's environment, all of them.
//!
//! Each file has those of one library: their signatures, which the checker resolves overloads with,
//! beside what they do. At run time one function serves all overloads of a name, as values have
//! their types with them.

pub mod authorizer;
pub mod conversions;
pub mod formats;
pub mod formatting;
pub mod lists;
pub mod network;
pub mod opaque;
pub mod operators;
pub mod optionals;
pub mod quantities;
pub mod regex;
pub mod sets;
pub mod strings;
pub mod time;
pub mod versions;

use super::EvaluationError;
use super::checker::Type;
use super::evaluator::{Machine, Outcome};
use super::val::Val;

/// A function, a method or an operator.
#[derive(Debug)]
pub struct Function {
    /// As upstream has it: `size`, `sets.contains`, `_+_`.
    pub name: &'static str,
    /// Its overloads, as [`Signature`](super::checker::Signature) reads them.
    pub signatures: &'static [&'static str],
    /// What it does. What a method is called on comes first. Arguments that no overload takes are
    /// [`EvaluationError::UNRESOLVED`].
    pub call: Implementation,
    /// How that is reported.
    pub refusal: Refusal,
}

/// What a function does.
pub type Implementation = for<'a> fn(&mut Machine<'a>, &[Val<'a>]) -> Outcome<'a>;

/// How arguments are reported that no overload takes. They are known at run time only, and upstream
/// is not of one mind about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `no such overload`.
    Plain,
    /// `no such overload: name`.
    Named,
    /// `no such overload: name(types)`.
    Typed,
    /// `no such overload` if the first argument is of one of these types, and with the name if it
    /// is not.
    Operator(&'static [&'static str]),
}

impl Function {
    const fn new(
        name: &'static str,
        signatures: &'static [&'static str],
        call: Implementation,
    ) -> Self {
        Self { name, signatures, call, refusal: Refusal::Typed }
    }

    const fn plain(mut self) -> Self {
        self.refusal = Refusal::Plain;
        self
    }

    const fn operator(mut self, types: &'static [&'static str]) -> Self {
        self.refusal = Refusal::Operator(types);
        self
    }

    const fn named(mut self) -> Self {
        self.refusal = Refusal::Named;
        self
    }

    /// The error as upstream has it, for arguments that no overload takes.
    pub fn refused(&self, error: EvaluationError, arguments: &[Val<'_>]) -> EvaluationError {
        if error != EvaluationError::UNRESOLVED {
            return error;
        }
        let name = self.name;
        match self.refusal {
            Refusal::Plain => EvaluationError::NO_OVERLOAD,
            Refusal::Operator(types)
                if arguments.first().is_some_and(|one| types.contains(&one.type_name())) =>
            {
                EvaluationError::NO_OVERLOAD
            }
            Refusal::Named | Refusal::Operator(_) => {
                EvaluationError::new(format!("no such overload: {name}"))
            }
            Refusal::Typed => {
                let types: Vec<_> = arguments.iter().map(Val::type_name).collect();
                EvaluationError::new(format!("no such overload: {name}({})", types.join(", ")))
            }
        }
    }
}

const LIBRARIES: [&[Function]; 14] = [
    operators::FUNCTIONS,
    conversions::FUNCTIONS,
    strings::FUNCTIONS,
    formatting::FUNCTIONS,
    regex::FUNCTIONS,
    lists::FUNCTIONS,
    sets::FUNCTIONS,
    optionals::FUNCTIONS,
    time::FUNCTIONS,
    network::FUNCTIONS,
    quantities::FUNCTIONS,
    versions::FUNCTIONS,
    formats::FUNCTIONS,
    authorizer::FUNCTIONS,
];

/// The function of that name.
pub fn function(name: &str) -> Option<&'static Function> {
    LIBRARIES.into_iter().flatten().find(|function| function.name == name)
}

/// The names of all functions.
#[cfg(test)]
pub fn all() -> Vec<&'static str> {
    LIBRARIES.into_iter().flatten().map(|function| function.name).collect()
}

/// The type that a name in an expression is, and how it is called at run time.
pub fn type_name(name: &str) -> Option<(&'static str, Type)> {
    Some(match name {
        "bool" => ("bool", Type::Bool),
        "bytes" => ("bytes", Type::Bytes),
        "double" => ("double", Type::Double),
        "duration" => ("duration", Type::Duration),
        "google.protobuf.Duration" => ("google.protobuf.Duration", Type::Duration),
        "google.protobuf.Timestamp" => ("google.protobuf.Timestamp", Type::Timestamp),
        "int" => ("int", Type::Int),
        "list" => ("list", Type::list(Type::Dyn)),
        "map" => ("map", Type::map(Type::Dyn, Type::Dyn)),
        "net.CIDR" => ("net.CIDR", Type::Opaque("net.CIDR")),
        "net.IP" => ("net.IP", Type::Opaque("net.IP")),
        "null_type" => ("null_type", Type::Null),
        "optional_type" => ("optional_type", Type::optional(Type::Dyn)),
        "string" => ("string", Type::String),
        "timestamp" => ("timestamp", Type::Timestamp),
        "type" => ("type", Type::AnyMeta),
        "uint" => ("uint", Type::Uint),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::checker::Signature;
    use super::*;

    #[test]
    fn all_signatures_can_be_read() {
        for function in LIBRARIES.into_iter().flatten() {
            for signature in function.signatures {
                assert!(Signature::parse(signature, 0).is_some(), "{}: {signature}", function.name);
            }
            let named = LIBRARIES.into_iter().flatten().filter(|one| one.name == function.name);
            assert_eq!(named.count(), 1, "{} is there twice", function.name);
        }
    }
}
