//! How each rule is told in a transcript.

use crate::transcript::{Check, Text};

use super::{Claims, Expression, Message, RequiredClaim, on_one_line};

pub(super) fn required(index: usize, rule: &RequiredClaim, claims: &Claims) -> Check {
    let RequiredClaim { claim, required_value } = rule;
    Check::of("claim rule")
        .at(format!("claimValidationRules[{index}].requiredValue"))
        .expected(format!("claim {claim:?} is {required_value:?}"))
        .found(match claims.get(claim) {
            None => "no such claim".into(),
            Some(value) => match value.string() {
                Some(text) if text == *required_value => "it is".into(),
                Some(text) => Text::said("another string", format!("{text:?}")),
                None => Text::said(format!("a {}", value.kind()), value.json()),
            },
        })
}

pub(super) fn expression(place: String, expression: &Expression, found: String) -> Check {
    let what = if place.starts_with("claim") { "claim rule" } else { "user rule" };
    Check::of(what).at(place).expected(on_one_line(expression.source())).found(found)
}

/// An expression may say anything of a claim.
pub(super) fn message(place: String, message: &Message, text: &str) -> Check {
    let (field, found) = match message {
        Message::Expression | Message::Text(_) => ("message", text.into()),
        Message::Evaluated(..) => ("messageExpression", Text::said("<string>", text)),
    };
    Check::of("message").at(format!("{place}.{field}")).found(found)
}
