//! What the users of each source are called, and whose names may be the same.
//!
//! Two sources that can name one user are one user to every authorizer: whoever controls the weaker
//! source has what the other's users may do. What is known of names is how they begin; an expression
//! tells no more than it has at its beginning.

use std::collections::{BTreeSet, HashMap};

use crate::claims::{PrefixedClaim, PrefixedClaimOrExpression};
use crate::document::{Place, Report};

/// A source of users.
pub struct Source<'r> {
    /// What it is called in a remark.
    pub name: String,
    /// Its usernames.
    pub names: Names,
    /// Whether they may be reserved.
    pub allow_reserved: bool,
    /// Where they are configured.
    pub place: Place,
    /// The report on that file.
    pub report: &'r Report,
}

/// The usernames of a source, as far as one can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// Any that begin like this.
    StartingWith(String),
    /// These and no others.
    These(Vec<String>),
    /// Whatever this expression makes.
    Of(String),
}

impl Names {
    /// Those that a mapping makes.
    pub fn of(mapping: &PrefixedClaimOrExpression) -> Self {
        match mapping {
            PrefixedClaimOrExpression::Claim(PrefixedClaim { prefix, .. }) => {
                Self::StartingWith(prefix.clone())
            }
            PrefixedClaimOrExpression::Expression(expression) => {
                let source = expression.source().trim();
                match beginning(source) {
                    Some(prefix) => Self::StartingWith(prefix.to_owned()),
                    None => Self::Of(source.to_owned()),
                }
            }
        }
    }
}

/// Warns of sources whose users may have the same names: at the one whose names are the wider, or
/// else at the one that is written later.
pub fn warn_of_equals(sources: &[Source<'_>]) {
    let mut meetings = vec![BTreeSet::new(); sources.len()];
    let mut meet = |here: usize, other: usize| {
        if let Some(others) = meetings.get_mut(here) {
            others.insert(other);
        }
    };
    let mut by_expression = HashMap::new();
    // How names begin, or all of a name; of equals the one that is written first comes first.
    let mut beginnings = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        match &source.names {
            Names::Of(expression) => match by_expression.get(expression) {
                Some(&first) => meet(index, first),
                None => {
                    by_expression.insert(expression, index);
                }
            },
            Names::StartingWith(text) => beginnings.push((text.as_str(), false, index)),
            Names::These(names) => {
                beginnings.extend(names.iter().map(|name| (name.as_str(), true, index)));
            }
        }
    }
    let allows = |index: usize| sources.get(index).is_some_and(|source| source.allow_reserved);
    // The guard refuses them: nobody is called so.
    beginnings.retain(|(text, _, index)| !text.starts_with(SYSTEM) || allows(*index));
    beginnings.sort_unstable();
    // Those whose beginnings begin the present one, the shortest first.
    let mut around: Vec<(&str, usize)> = Vec::new();
    for (text, is_whole, index) in beginnings {
        while around.last().is_some_and(|(outer, _)| !text.starts_with(outer)) {
            around.pop();
        }
        let wider = around
            .iter()
            .find(|(_, outer)| *outer != index && (!text.starts_with(SYSTEM) || allows(*outer)));
        if let Some(&(outer, other)) = wider {
            if outer == text && !is_whole { meet(index, other) } else { meet(other, index) }
        }
        // Equal ones lie around each other, and one is enough to meet.
        if !is_whole && around.last().is_none_or(|(outer, _)| *outer != text) {
            around.push((text, index));
        }
    }
    for (source, others) in sources.iter().zip(meetings) {
        let Some(first) = others.first().and_then(|first| sources.get(*first)) else { continue };
        let more = match others.len() - 1 {
            0 => String::new(),
            1 => " and of 1 other".to_owned(),
            more => format!(" and of {more} others"),
        };
        let text = format!(
            "its users may have the same names as those of {}{more}: give it a prefix of its own",
            first.name
        );
        source.report.warning(&source.place, text);
    }
}

/// Names that Kubernetes keeps for itself.
const SYSTEM: &str = "system:";

/// How everything begins that an expression makes, if its text says so: it is a literal and something
/// after it, or nothing but a claim.
fn beginning(expression: &str) -> Option<&str> {
    let is_name =
        |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    let inner = expression.strip_prefix("string(").and_then(|rest| rest.strip_suffix(')'));
    if inner.unwrap_or(expression).strip_prefix("claims.").is_some_and(is_name) {
        return Some("");
    }
    let quote = expression.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (literal, rest) = expression.get(1..)?.split_once(quote)?;
    // An escape would have to be understood; a condition chooses among several beginnings.
    let chooses = rest.replace(".?", "").replace("[?", "").contains('?');
    (rest.trim_start().starts_with('+') && !literal.contains('\\') && !chooses).then_some(literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_tells_how_it_begins() {
        for (expression, wanted) in [
            ("claims.sub", Some("")),
            ("string(claims.employee.id)", Some("")),
            ("'idp:' + claims.sub", Some("idp:")),
            ("\"idp:\"+claims.?sub.orValue('x')", Some("idp:")),
            ("'' + claims.sub", Some("")),
            ("'idp:'", None),
            ("'i\\'dp:' + claims.sub", None),
            ("'a' + claims.x == 'ab' ? claims.y : claims.z", None),
            ("claims.sub + '@idp'", None),
            ("claims.a + claims.b", None),
            ("claims[?'sub'].orValue('')", None),
            ("", None),
        ] {
            assert_eq!(beginning(expression), wanted, "{expression}");
        }
    }
}
