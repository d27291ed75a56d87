//! Who is taken: `claimValidationRules` and `userValidationRules`.

mod told;

use crate::api::UserInfo;
use crate::transcript::Transcript;

use super::expression::{Budget, Expression, Input};
use super::{ClaimError, Claims};

/// How much of a message is kept, for the log and with the remembered answer: what a
/// `messageExpression` comes to may be megabytes.
const MAX_MESSAGE_BYTES: usize = 1_024;

/// An entry of `claimValidationRules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimRule {
    /// `claim` and `requiredValue`.
    Required(RequiredClaim),
    /// `expression`, over the claims.
    Expression(Validation),
}

/// A claim that must be there and have one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredClaim {
    /// The claim's name, matched exactly.
    pub claim: String,
    /// The string it must be.
    pub required_value: String,
}

/// An entry of `userValidationRules`: its expression is over the user that was mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRule(pub Validation);

/// An expression that must be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// What must be true.
    pub expression: Expression,
    /// What to say if it is not.
    pub message: Message,
}

/// What to say of a rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The expression itself.
    Expression,
    /// `message`.
    Text(String),
    /// `messageExpression`, and `message` for when it comes to nothing.
    Evaluated(Expression, Option<String>),
}

impl ClaimRule {
    /// Whether the claims satisfy all rules.
    ///
    /// As upstream: first the required values, then the expressions, each of which is evaluated
    /// before any result is looked at. So an expression that fails outweighs one that is false.
    pub fn check_all(
        rules: &[Self],
        claims: &Claims,
        budget: &mut Budget,
        transcript: &Transcript,
    ) -> Result<(), ClaimError> {
        for (index, rule) in rules.iter().enumerate() {
            if let Self::Required(required) = rule {
                let held = required.check(claims);
                transcript.judged(held, |_| told::required(index, required, claims))?;
            }
        }
        let expressions = rules.iter().enumerate().filter_map(|(index, rule)| match rule {
            Self::Required(_) => None,
            Self::Expression(validation) => Some((index, validation)),
        });
        let list = "claimValidationRules";
        match first_false(list, expressions, Input::Claims(claims), budget, transcript)? {
            None => Ok(()),
            Some(text) => Err(ClaimError::ClaimRule(text)),
        }
    }

    /// Whether it may take long.
    pub fn loops(&self) -> bool {
        match self {
            Self::Required(_) => false,
            Self::Expression(validation) => validation.loops(),
        }
    }
}

impl RequiredClaim {
    /// As upstream, `null` is the empty string, and a claim that is missing or no string satisfies
    /// nothing.
    fn check(&self, claims: &Claims) -> Result<(), ClaimError> {
        let value =
            claims.get(&self.claim).ok_or_else(|| ClaimError::Missing(self.claim.clone()))?;
        let value = value.string().ok_or_else(|| ClaimError::invalid(&self.claim, "a string"))?;
        if value == self.required_value {
            Ok(())
        } else {
            Err(ClaimError::RequiredValue(self.claim.clone()))
        }
    }
}

impl UserRule {
    /// Whether the user satisfies all rules, each of which is evaluated before any result is looked
    /// at.
    pub fn check_all(
        rules: &[Self],
        user: &UserInfo,
        budget: &mut Budget,
        transcript: &Transcript,
    ) -> Result<(), ClaimError> {
        let validations = rules.iter().map(|rule| &rule.0).enumerate();
        let list = "userValidationRules";
        match first_false(list, validations, Input::User(user), budget, transcript)? {
            None => Ok(()),
            Some(text) => Err(ClaimError::UserRule(text)),
        }
    }

    /// Whether it may take long.
    pub fn loops(&self) -> bool {
        self.0.loops()
    }
}

impl Validation {
    fn loops(&self) -> bool {
        let message = match &self.message {
            Message::Evaluated(expression, _) => expression.loops(),
            Message::Expression | Message::Text(_) => false,
        };
        message || self.expression.loops()
    }

    fn says(&self, input: Input<'_>, budget: &mut Budget) -> String {
        let text = match &self.message {
            Message::Expression => None,
            Message::Text(text) => Some(text.clone()),
            Message::Evaluated(expression, text) => {
                let value = expression.evaluate(input, budget).ok();
                let value = value.as_ref().and_then(|value| value.as_str());
                value.map(str::to_owned).filter(|value| !value.is_empty()).or_else(|| text.clone())
            }
        };
        let text = text.as_deref().unwrap_or(self.expression.source());
        on_one_line(text.get(..text.floor_char_boundary(MAX_MESSAGE_BYTES)).unwrap_or_default())
    }
}

/// What to say of the first rule that is false, once all of them have been evaluated.
fn first_false<'r>(
    list: &'static str,
    validations: impl Iterator<Item = (usize, &'r Validation)>,
    input: Input<'_>,
    budget: &mut Budget,
    transcript: &Transcript,
) -> Result<Option<String>, ClaimError> {
    let mut first = None;
    for (index, validation) in validations {
        let expression = &validation.expression;
        let place = || format!("{list}[{index}].expression");
        let told = |found| told::expression(place(), expression, found);
        let value = expression.evaluate(input, budget).map_err(|error| {
            transcript.holds(false, || told(error.to_string()));
            ClaimError::failed(place(), expression, error.to_string())
        })?;
        match value.as_bool() {
            Some(holds) => {
                if !transcript.holds(holds, || told(holds.to_string())) {
                    first = first.or(Some((index, validation)));
                }
            }
            // Its type was checked, so this does not happen.
            None => return Err(ClaimError::failed(place(), expression, "must return a bool")),
        }
    }
    Ok(first.map(|(index, validation)| {
        let text = validation.says(input, budget);
        if !matches!(validation.message, Message::Expression) {
            let place = || format!("{list}[{index}]");
            transcript.note(|| told::message(place(), &validation.message, &text));
        }
        text
    }))
}

/// A text as somebody wrote it, for a line of a log: spaces for what would break it.
pub(super) fn on_one_line(text: &str) -> String {
    let text = text.trim();
    text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).fold(
        String::with_capacity(text.len()),
        |mut line, part| {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(part);
            line
        },
    )
}

#[cfg(test)]
mod tests;
