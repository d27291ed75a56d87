//! `claimMappings`, `claimValidationRules` and `userValidationRules`.

use std::collections::HashSet;

use crate::claims::{ClaimMapping, ClaimRule, ExtraClaim, PrefixedClaim};
use crate::document::{Entry, Report};

use super::super::file::{Extra, Mapping, Rule};
use super::{once, set, unset};

/// What CEL gets until a later version has it.
const NO_CEL: &str = "CEL expressions are not supported by this version";

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
    characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
    'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const PATH: &str = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";

/// The extra key that the verifier itself sets, from `jti`.
const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

/// `claimMappings`.
pub fn mapping(
    username: &Mapping,
    groups: &Mapping,
    uid: &Mapping,
    extra: &Entry<Vec<Extra>>,
    allow_reserved: bool,
    report: &Report,
) -> Option<ClaimMapping> {
    let name = prefixed(username, allow_reserved, report);
    if matches!(name, Some(None)) {
        report.problem(&username.place, "Required value: claim or expression is required");
    }
    let groups = prefixed(groups, allow_reserved, report);
    let uid = prefixed(uid, allow_reserved, report);
    let extra = self::extra(extra, allow_reserved, report);
    Some(ClaimMapping {
        username: name??,
        groups: groups?,
        uid: uid?.map(|uid| uid.claim),
        extra: extra?,
    })
}

/// A claim and its prefix; `Some(None)` if there is neither claim nor expression.
fn prefixed(
    mapping: &Mapping,
    allow_reserved: bool,
    report: &Report,
) -> Option<Option<PrefixedClaim>> {
    let (claim, expression) = (set(&mapping.claim), set(&mapping.expression));
    let prefix = mapping.prefix.as_ref();
    if claim.is_some() && expression.is_some() {
        let text = "Invalid value: \"\": claim and expression can't both be set";
        report.problem(&mapping.place, text);
    }
    if expression.is_some() {
        let instead = if prefix.is_some() { "claim and prefix" } else { "claim" };
        report.problem(&mapping.expression.place, format!("{NO_CEL}: use {instead}"));
        if let Some((prefix, text)) = prefix.and_then(|prefix| Some((prefix, prefix.value()?))) {
            let text =
                format!("Invalid value: {text:?}: may not be specified when expression is set");
            report.problem(&prefix.place, text);
        }
        return None;
    }
    let Some(claim) = claim else {
        if let Some(prefix) = prefix.filter(|prefix| set(prefix).is_some()) {
            report.warning(&prefix.place, "has no effect without claim");
        }
        return (unset(&mapping.claim) && unset(&mapping.expression)).then_some(None);
    };
    let prefix = match prefix {
        None => String::new(),
        Some(prefix) => self::prefix(prefix, allow_reserved, report)?,
    };
    Some(Some(PrefixedClaim { claim: claim.to_owned(), prefix }))
}

fn prefix(entry: &Entry<String>, allow_reserved: bool, report: &Report) -> Option<String> {
    if entry.is_absent() {
        let text = "Required value: prefix is required when claim is set. It can be set to an empty \
                    string to disable prefixing";
        report.problem(&entry.place, text);
    }
    let prefix = entry.value()?;
    if prefix.starts_with("system:") && !allow_reserved {
        let text = format!(
            "Invalid value: {prefix:?}: names that start with system: are reserved for Kubernetes, \
             every token would be refused; issuer.allowReserved: true allows them"
        );
        report.problem(&entry.place, text);
        return None;
    }
    Some(prefix.clone())
}

fn extra(
    entry: &Entry<Vec<Extra>>,
    allow_reserved: bool,
    report: &Report,
) -> Option<Vec<ExtraClaim>> {
    let Some(items) = entry.value() else { return entry.is_absent().then(Vec::new) };
    let mut keys = HashSet::new();
    let claims = items.iter().map(|item| {
        let key = extra_key(&item.key, allow_reserved, report);
        once(&item.key, &mut keys, report);
        let claim = set(&item.claim);
        if set(&item.value_expression).is_some() {
            let text = match claim {
                Some(_) => "claim and valueExpression can't both be set".to_owned(),
                None => format!("{NO_CEL}: use claim"),
            };
            report.problem(&item.value_expression.place, text);
        } else if unset(&item.claim) {
            report.problem(&item.claim.place, "Required value");
        }
        Some(ExtraClaim { key: key?.to_owned(), claim: claim?.to_owned() })
    });
    // All of them are looked at before one can end it.
    let claims = claims.collect::<Vec<_>>();
    claims.into_iter().collect()
}

/// Kubernetes' rules for keys, each violation a problem of its own.
fn extra_key<'e>(
    entry: &'e Entry<String>,
    allow_reserved: bool,
    report: &Report,
) -> Option<&'e str> {
    if unset(entry) {
        report.problem(&entry.place, "Required value");
        return None;
    }
    let key = set(entry)?;
    let mut details = Vec::new();
    match key.split_once('/').filter(|(host, path)| !host.is_empty() && !path.is_empty()) {
        None => details.push("must be a domain-prefixed path (such as \"acme.io/foo\")"),
        Some((host, path)) => {
            if !is_subdomain(host) {
                details.push(SUBDOMAIN);
            }
            if !path.chars().all(is_path_character) {
                details.push(PATH);
            }
        }
    }
    if key != key.to_lowercase() {
        details.push("must be lowercase");
    }
    let host = key.split('/').next().unwrap_or(key);
    if is_reserved(host) && (!allow_reserved || key == CREDENTIAL_ID) {
        details.push("k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use");
    }
    for detail in &details {
        report.problem(&entry.place, format!("Invalid value: {key:?}: {detail}"));
    }
    details.is_empty().then_some(key)
}

/// RFC 1123, as Kubernetes reads it.
fn is_subdomain(host: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    host.len() <= 253
        && host.split('.').all(|label| {
            label.starts_with(alphanumeric)
                && label.ends_with(alphanumeric)
                && label.chars().all(|c| alphanumeric(c) || c == '-')
        })
}

fn is_path_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/-._~%!$&'()*+,;=:".contains(c)
}

fn is_reserved(host: &str) -> bool {
    ["k8s.io", "kubernetes.io"].iter().any(|domain| {
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// `claimValidationRules`.
pub fn rules(entry: &Entry<Vec<Rule>>, report: &Report) -> Option<Vec<ClaimRule>> {
    let Some(items) = entry.value() else { return entry.is_absent().then(Vec::new) };
    let (mut claims, mut expressions) = (HashSet::new(), HashSet::new());
    let mut rules = Vec::new();
    for item in items {
        once(&item.claim, &mut claims, report);
        once(&item.expression, &mut expressions, report);
        rules.push(rule(item, report));
    }
    rules.into_iter().collect()
}

fn rule(rule: &Rule, report: &Report) -> Option<ClaimRule> {
    let misplaced = |entry: &Entry<String>, beside: &str| {
        if let Some(text) = set(entry) {
            let text =
                format!("Invalid value: {text:?}: may not be specified when {beside} is set");
            report.problem(&entry.place, text);
        }
    };
    let (claim, expression) = (set(&rule.claim), set(&rule.expression));
    match (claim, expression) {
        (Some(claim), Some(_)) => {
            let text = format!("Invalid value: {claim:?}: claim and expression can't both be set");
            report.problem(&rule.place, text);
        }
        (None, None) if unset(&rule.claim) && unset(&rule.expression) => {
            report.problem(&rule.place, "Required value: claim or expression is required");
        }
        (Some(_), None) => misplaced(&rule.message, "claim"),
        (None, Some(_)) => misplaced(&rule.required_value, "expression"),
        (None, None) => {}
    }
    if expression.is_some() {
        report.problem(&rule.expression.place, format!("{NO_CEL}: use claim and requiredValue"));
        return None;
    }
    let required_value = match rule.required_value.is_absent() {
        true => "",
        false => rule.required_value.value()?,
    };
    Some(ClaimRule { claim: claim?.to_owned(), required_value: required_value.to_owned() })
}

/// `userValidationRules`: all CEL.
pub fn user_rules(entry: &Entry<Vec<Entry<String>>>, report: &Report) {
    let mut seen = HashSet::new();
    for expression in entry.value().into_iter().flatten() {
        once(expression, &mut seen, report);
        if set(expression).is_some() {
            report.problem(&expression.place, NO_CEL);
        } else if unset(expression) {
            report.problem(&expression.place, "Required value");
        }
    }
}
