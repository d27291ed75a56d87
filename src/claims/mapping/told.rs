//! How each mapping is told in a transcript.

use crate::transcript::{Check, Text};

use super::super::{ClaimError, rules};
use super::{
    ClaimOrExpression, Claims, Expression, ExtraMapping, PrefixedClaim, PrefixedClaimOrExpression,
};

pub(super) fn username(
    mapping: &PrefixedClaimOrExpression,
    username: Result<&String, &ClaimError>,
) -> Check {
    use PrefixedClaimOrExpression::{Claim, Expression};
    let check = Check::of("username");
    let (check, prefix, instead) = match mapping {
        Claim(PrefixedClaim { claim, prefix }) => {
            let expected = format!("claim {claim:?}, behind {prefix:?}");
            (check.at("claimMappings.username.claim").expected(expected), &**prefix, named(claim))
        }
        Expression(expression) => {
            let check = check.at("claimMappings.username.expression").expected(source(expression));
            (check, "", "<string>".to_owned())
        }
    };
    match username {
        Ok(username) => {
            let value = username.strip_prefix(prefix).unwrap_or(username);
            check.found(Text::from(prefix).and(Text::said(instead, value)))
        }
        Err(error) => check.found(why(error)),
    }
}

pub(super) fn groups(
    mapping: &PrefixedClaimOrExpression,
    claims: &Claims,
    groups: Result<&Vec<String>, &ClaimError>,
) -> Check {
    use PrefixedClaimOrExpression::{Claim, Expression};
    let check = Check::of("groups");
    match mapping {
        Claim(PrefixedClaim { claim, prefix }) => {
            let expected = format!("claim {claim:?}, behind {prefix:?}");
            let check = check.at("claimMappings.groups.claim").expected(expected);
            match claims.get(claim) {
                Some(_) => check.found(listed(groups, &format!("{prefix}{}", named(claim)))),
                None => check.found(format!("no claim {claim:?}, and so no groups")),
            }
        }
        Expression(expression) => check
            .at("claimMappings.groups.expression")
            .expected(source(expression))
            .found(listed(groups, "<string>")),
    }
}

pub(super) fn uid(mapping: &ClaimOrExpression, uid: Result<&String, &ClaimError>) -> Check {
    let check = Check::of("uid");
    let (check, instead) = match mapping {
        ClaimOrExpression::Claim(claim) => {
            let expected = format!("claim {claim:?}");
            (check.at("claimMappings.uid.claim").expected(expected), named(claim))
        }
        ClaimOrExpression::Expression(expression) => {
            let check = check.at("claimMappings.uid.expression").expected(source(expression));
            (check, "<string>".to_owned())
        }
    };
    match uid {
        Ok(uid) => check.found(Text::said(instead, uid)),
        Err(error) => check.found(why(error)),
    }
}

pub(super) fn extra(
    index: usize,
    mapping: &ExtraMapping,
    values: Result<&Vec<String>, &ClaimError>,
) -> Check {
    let ExtraMapping { key, value } = mapping;
    let (field, expected, instead) = match value {
        ClaimOrExpression::Claim(claim) => ("claim", format!("claim {claim:?}"), named(claim)),
        ClaimOrExpression::Expression(expression) => {
            ("valueExpression", source(expression), "<string>".to_owned())
        }
    };
    Check::of("extra")
        .at(format!("claimMappings.extra[{index}].{field}"))
        .expected(format!("{key} from {expected}"))
        .found(listed(values, &instead))
}

/// What stands for a claim's value.
fn named(claim: &str) -> String {
    format!("<{claim}>")
}

fn source(expression: &Expression) -> String {
    rules::on_one_line(expression.source())
}

fn listed(list: Result<&Vec<String>, &ClaimError>, instead: &str) -> Text {
    match list.map(Vec::as_slice) {
        Ok([]) => "none".into(),
        Ok(list) => {
            let shown: Vec<_> = list.iter().map(|item| format!("{item:?}")).collect();
            Text::from(format!("{}: ", list.len())).and(Text::said(instead, shown.join(", ")))
        }
        Err(error) => why(error).into(),
    }
}

/// Why there is no value, without what else is told anyway.
fn why(error: &ClaimError) -> String {
    match error {
        ClaimError::Expression(failure) => failure.problem.clone(),
        error => error.to_string(),
    }
}
