//! Expressions in CEL, as `AuthenticationConfiguration` has them.
//!
//! An [`Expression`] is compiled once, when its configuration is read: parsed, expanded and
//! statically typed in kube-apiserver's environment, so that whatever upstream refuses is refused
//! here, at the same place and in the same words. It is evaluated for every token, at a bounded
//! cost: nothing that a token says can make it take longer, recurse deeper or hold more than its
//! [`Budget`] allows, and no evaluation panics.

mod checker;
mod compare;
mod evaluator;
mod json;
mod library;
mod limits;
mod loops;
mod macros;
mod names;
mod parse;
mod plan;
mod source;
mod syntax;
pub mod types;
mod val;
mod value;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::api::UserInfo;

use self::checker::Type;
use self::evaluator::Machine;
use self::plan::Step;
use self::syntax::{Kind, Node};
use super::Claims;

pub use limits::Budget;
pub use value::Value;

/// A compiled expression.
#[derive(Clone)]
pub struct Expression {
    environment: Environment,
    source: String,
    returns: Returns,
    step: Arc<Step>,
    /// The members of `claims` that it reads by name.
    reads: Vec<String>,
    loops: bool,
}

/// What an expression may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// `claims`: the members of the token's payload.
    Claims,
    /// `user`: the user that the claims were mapped to.
    User,
}

/// What an expression must evaluate to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Statically a boolean: validation rules.
    Bool,
    /// Anything; whoever asks looks at the [`Value`].
    Any,
    /// Statically a string: `messageExpression`.
    String,
}

/// What an expression is evaluated on.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// For [`Environment::Claims`].
    Claims(&'a Claims),
    /// For [`Environment::User`].
    User(&'a UserInfo),
}

impl Expression {
    /// Parses and types an expression.
    pub fn compile(
        environment: Environment,
        source: &str,
        returns: Returns,
    ) -> Result<Self, CompileError> {
        let failed = |mistakes| CompileError::failed(source, mistakes);
        parse::check_length(source).map_err(failed)?;
        let compiled = parse::on_large_stack(|| Self::compile_here(environment, source, returns));
        compiled
            .unwrap_or_else(|| Err(CompileError::Internal("no thread to compile in".to_owned())))
    }

    fn compile_here(
        environment: Environment,
        source: &str,
        returns: Returns,
    ) -> Result<Self, CompileError> {
        let failed = |mistakes| CompileError::failed(source, mistakes);
        let node = parse::parse(source).map_err(failed)?;
        let checked = checker::check(&node, environment, source).map_err(failed)?;
        match (returns, &checked.result) {
            (Returns::Any, _) | (Returns::Bool, Type::Bool) | (Returns::String, Type::String) => {}
            (Returns::Bool, _) => {
                return Err(CompileError::Invalid("must evaluate to bool".to_owned()));
            }
            (Returns::String, _) => {
                return Err(CompileError::Invalid("must evaluate to string".to_owned()));
            }
        }
        let step = plan::plan(&node, &checked).map_err(|error| {
            CompileError::Internal(format!("program instantiation failed: {error}"))
        })?;
        let mut reads = Vec::new();
        let loops = node.any(goes_through);
        node.any(|node| {
            reads.extend(read_claim(node).map(str::to_owned));
            false
        });
        let source = source.to_owned();
        Ok(Self { environment, source, returns, step: Arc::new(step), reads, loops })
    }

    /// The expression as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it reads this member of `claims` as a field, anywhere: `claims.name`, `claims.?name` or
    /// `has(claims.name)`. A question about its text, and upstream's: it does not see
    /// `claims["name"]`, nor any other way.
    pub fn reads_claim(&self, name: &str) -> bool {
        self.environment == Environment::Claims && self.reads.iter().any(|read| read == name)
    }

    /// Whether its evaluation may take long, so that it must not hold up other work: it goes through a
    /// list, or compiles a pattern that came with the claims.
    pub fn loops(&self) -> bool {
        self.loops
    }

    /// Evaluates it; costs come out of the budget.
    pub fn evaluate(
        &self,
        input: Input<'_>,
        budget: &mut Budget,
    ) -> Result<Value, EvaluationError> {
        let mut machine = Machine::new(input, budget.lend());
        let outcome = machine.evaluate(&self.step);
        let value = outcome.and_then(|value| Value::of(&value, &mut machine.meter));
        budget.settle(&machine.meter);
        value
    }
}

/// Whether it goes through a list, or compiles a pattern that is not known beforehand.
fn goes_through(node: &Node) -> bool {
    match &node.kind {
        Kind::Loop(_) | Kind::SortBy(_) => true,
        Kind::Call { function, target, arguments } => match function.as_str() {
            "distinct" | "flatten" | "range" | "sort" => true,
            "contains" | "equivalent" | "intersects" => target
                .as_ref()
                .is_some_and(|of| matches!(&of.kind, Kind::Name(name) if name == "sets")),
            "find" | "findAll" | "matches" => {
                !arguments.first().is_some_and(|pattern| matches!(pattern.kind, Kind::Literal(_)))
            }
            _ => false,
        },
        _ => false,
    }
}

/// The member of `claims` that a node reads by name.
fn read_claim(node: &Node) -> Option<&str> {
    let is_claims = |node: &Node| matches!(&node.kind, Kind::Name(name) if name.trim_start_matches('.') == "claims");
    match &node.kind {
        Kind::Select { operand, field, .. } if is_claims(operand) => Some(field),
        Kind::Call { function, target: None, arguments } => match (&**function, &**arguments) {
            ("_?._", [of, key]) if is_claims(of) => key.literal_str(),
            _ => None,
        },
        _ => None,
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.environment == other.environment
            && self.source == other.source
            && self.returns == other.returns
    }
}

impl Eq for Expression {}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

/// Why an expression is refused, in upstream's words: `compilation failed: ERROR: <input>:1:1: …`
/// with the place it stands at, or `must evaluate to bool`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The expression is wrong: upstream's `Invalid value: "<expression>": <this>`.
    #[error("{0}")]
    Invalid(String),
    /// A conversion of something that was written down fails, or a pattern is none: upstream's
    /// `Internal error: <this>`.
    #[error("{0}")]
    Internal(String),
}

impl CompileError {
    fn failed(source: &str, mistakes: Vec<source::Mistake>) -> Self {
        Self::Invalid(format!("compilation failed: {}", source::show(source, mistakes)))
    }
}

/// Why an evaluation came to nothing, in upstream's words. They name members and types, and never
/// hold the value of a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct EvaluationError {
    text: Cow<'static, str>,
    /// Whether a function has yet to say which of them did not take its arguments.
    is_unresolved: bool,
}

impl EvaluationError {
    /// Nothing can be done with values of these types.
    const NO_OVERLOAD: Self = Self::fixed("no such overload");

    /// No overload of a function takes these values; it is the function that is to be named.
    const UNRESOLVED: Self = Self { text: Cow::Borrowed("no such overload"), is_unresolved: true };

    /// It costs more than it may.
    const TOO_COSTLY: Self = Self::fixed("operation cancelled: actual cost limit exceeded");

    const fn fixed(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), is_unresolved: false }
    }

    fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), is_unresolved: false }
    }

    /// For errors that quote nothing of what they are about.
    fn of(error: impl fmt::Display) -> Self {
        Self::new(error.to_string())
    }

    /// Whether nothing that comes after can make it good: `true ||` does not, for one.
    fn is_final(&self) -> bool {
        *self == Self::TOO_COSTLY
    }
}

#[cfg(test)]
mod tests;
