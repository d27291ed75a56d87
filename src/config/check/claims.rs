//! `claimMappings`, `claimValidationRules` and `userValidationRules`.
//!
//! What is wrong is found in upstream's order and told in its words, and every expression is compiled
//! here: one that is wrong is a mistake of the configuration, at its column.

use std::collections::HashSet;

use crate::claims::expression::{CompileError, Environment, Expression, Returns};
use crate::claims::{
    ClaimMapping, ClaimOrExpression, ClaimRule, EMAIL, EMAIL_VERIFIED, ExtraMapping, Message,
    PrefixedClaim, PrefixedClaimOrExpression, RequiredClaim, UserRule, Validation,
};
use crate::document::{Entry, Place, Report};

use super::super::file::{self, Extra, Mapping, Rule, Schema};
use super::{extra_key, once, set, unset};

/// The check of one entry of `jwt`, from `claimValidationRules` on: whether an e-mail address may be
/// relied on is seen from all of its parts together.
pub struct Context<'r> {
    schema: Schema,
    allow_reserved: bool,
    report: &'r Report,
    verifies_email: bool,
}

impl<'r> Context<'r> {
    /// At its beginning.
    pub fn new(schema: Schema, allow_reserved: bool, report: &'r Report) -> Self {
        Self { schema, allow_reserved, report, verifies_email: false }
    }

    /// `claimValidationRules`.
    pub fn claim_rules(&mut self, entry: &Entry<Vec<Rule>>) -> Option<Vec<ClaimRule>> {
        let Some(items) = entry.value() else { return entry.is_absent().then(Vec::new) };
        let (mut claims, mut expressions) = (HashSet::new(), HashSet::new());
        let mut rules = Vec::new();
        for item in items {
            rules.push(self.claim_rule(item, &mut claims, &mut expressions));
        }
        rules.into_iter().collect()
    }

    fn claim_rule(
        &mut self,
        rule: &Rule,
        claims: &mut HashSet<String>,
        expressions: &mut HashSet<String>,
    ) -> Option<ClaimRule> {
        match (set(&rule.claim), set(&rule.expression)) {
            (Some(claim), Some(_)) => {
                let text =
                    format!("Invalid value: {claim:?}: claim and expression can't both be set");
                self.report.problem(&rule.place, text);
                None
            }
            (None, None) => {
                if unset(&rule.claim) && unset(&rule.expression) {
                    let text = "Required value: claim or expression is required";
                    self.report.problem(&rule.place, text);
                }
                None
            }
            (Some(claim), None) => {
                self.misplaced(&rule.message, "claim");
                self.misplaced(&rule.message_expression, "claim");
                once(&rule.claim, claims, self.report);
                let required_value = match rule.required_value.is_absent() {
                    true => "",
                    false => rule.required_value.value()?,
                };
                Some(ClaimRule::Required(RequiredClaim {
                    claim: claim.to_owned(),
                    required_value: required_value.to_owned(),
                }))
            }
            (None, Some(_)) => {
                self.misplaced(&rule.required_value, "expression");
                let Rule { expression, message, message_expression, .. } = rule;
                let environment = Environment::Claims;
                if !once(expression, expressions, self.report) {
                    return None;
                }
                let validation =
                    self.validation(expression, message, message_expression, environment)?;
                self.verifies_email |= validation.expression.reads_claim(EMAIL_VERIFIED);
                Some(ClaimRule::Expression(validation))
            }
        }
    }

    /// `userValidationRules`.
    pub fn user_rules(&self, entry: &Entry<Vec<file::UserRule>>) -> Option<Vec<UserRule>> {
        let Some(items) = entry.value() else { return entry.is_absent().then(Vec::new) };
        let mut expressions = HashSet::new();
        let mut rules = Vec::new();
        for file::UserRule { expression, message, message_expression } in items {
            if unset(expression) {
                self.report.problem(&expression.place, "Required value");
            }
            let validation = once(expression, &mut expressions, self.report).then(|| {
                self.validation(expression, message, message_expression, Environment::User)
            });
            rules.push(validation.flatten().map(UserRule));
        }
        rules.into_iter().collect()
    }

    fn validation(
        &self,
        expression: &Entry<String>,
        message: &Entry<String>,
        message_expression: &Entry<String>,
        environment: Environment,
    ) -> Option<Validation> {
        let expression = self.compile(expression, environment, Returns::Bool);
        let text = match set(message) {
            None if !unset(message) => return None,
            text => text.map(str::to_owned),
        };
        let message = match (unset(message_expression), text) {
            (true, None) => Message::Expression,
            (true, Some(text)) => Message::Text(text),
            (false, text) => {
                let says = self.compile(message_expression, environment, Returns::String);
                Message::Evaluated(says?, text)
            }
        };
        Some(Validation { expression: expression?, message })
    }

    /// `claimMappings`.
    pub fn mapping(
        &mut self,
        username: &Mapping,
        groups: &Mapping,
        uid: &Mapping,
        extra: &Entry<Vec<Extra>>,
    ) -> Option<ClaimMapping> {
        let name = self.prefixed(username);
        if matches!(name, Some(None)) {
            let text = "Required value: claim or expression is required";
            self.report.problem(&username.place, text);
        }
        let name = name.flatten();
        let mut unverified = None;
        if let Some(PrefixedClaimOrExpression::Expression(expression)) = &name {
            unverified = expression.reads_claim(EMAIL).then(|| expression.source().to_owned());
            self.verifies_email |= expression.reads_claim(EMAIL_VERIFIED);
        }
        let groups = self.prefixed(groups);
        let uid = self.plain(uid);
        let extra = self.extra(extra);
        if let Some(expression) = unverified.filter(|_| !self.verifies_email) {
            let text = format!(
                "Invalid value: {expression:?}: claims.email_verified must be used in \
                 claimMappings.username.expression or claimMappings.extra[*].valueExpression or \
                 claimValidationRules[*].expression when claims.email is used in \
                 claimMappings.username.expression"
            );
            self.report.problem(&username.expression.place, text);
        }
        Some(ClaimMapping { username: name?, groups: groups?, uid: uid?, extra: extra? })
    }

    /// `Some(None)` if there is neither claim nor expression.
    fn prefixed(&self, mapping: &Mapping) -> Option<Option<PrefixedClaimOrExpression>> {
        let plain = self.plain(mapping);
        let prefix = match &mapping.prefix {
            Some(prefix) => self.prefix(prefix, mapping),
            None => Some(String::new()),
        };
        let (plain, prefix) = (plain?, prefix?);
        Some(plain.map(|plain| match plain {
            ClaimOrExpression::Claim(claim) => PrefixedClaim { claim, prefix }.into(),
            ClaimOrExpression::Expression(expression) => {
                PrefixedClaimOrExpression::Expression(expression)
            }
        }))
    }

    /// A claim or an expression; `Some(None)` if there is neither.
    fn plain(&self, mapping: &Mapping) -> Option<Option<ClaimOrExpression>> {
        match (set(&mapping.claim), set(&mapping.expression)) {
            (Some(_), Some(_)) => {
                let text = "Invalid value: \"\": claim and expression can't both be set";
                self.report.problem(&mapping.place, text);
                None
            }
            (None, None) => (unset(&mapping.claim) && unset(&mapping.expression)).then_some(None),
            (Some(claim), None) => Some(Some(ClaimOrExpression::Claim(claim.to_owned()))),
            (None, Some(_)) => {
                let expression =
                    self.compile(&mapping.expression, Environment::Claims, Returns::Any);
                Some(Some(ClaimOrExpression::Expression(expression?)))
            }
        }
    }

    /// The prefix of a claim: needed there, and nowhere else.
    fn prefix(&self, entry: &Entry<String>, mapping: &Mapping) -> Option<String> {
        match (set(&mapping.claim), set(&mapping.expression)) {
            (Some(_), None) => self.prefix_of_claim(entry),
            (None, Some(_)) => match entry.value() {
                Some(text) => {
                    let detail = "may not be specified when expression is set";
                    self.invalid(&entry.place, text, detail);
                    None
                }
                None => entry.is_absent().then(String::new),
            },
            _ => {
                if set(entry).is_some() {
                    self.report.warning(&entry.place, "has no effect without claim");
                }
                Some(String::new())
            }
        }
    }

    fn prefix_of_claim(&self, entry: &Entry<String>) -> Option<String> {
        if entry.is_absent() {
            let text = "Required value: prefix is required when claim is set. It can be set to an empty \
                        string to disable prefixing";
            self.report.problem(&entry.place, text);
        }
        let prefix = entry.value()?;
        if prefix.starts_with("system:") && !self.allow_reserved {
            let remedy = match self.schema {
                Schema::Ours => "issuer.allowReserved: true allows them",
                Schema::Upstream => {
                    "only the jwt list of countersign's own Configuration can allow them \
                     (issuer.allowReserved: true)"
                }
            };
            let detail = format!(
                "names that start with system: are reserved for Kubernetes, every token would be \
                 refused; {remedy}"
            );
            self.invalid(&entry.place, prefix, &detail);
            return None;
        }
        if prefix.is_empty() {
            let text = "without a prefix this issuer can give any name that is not reserved, such as one \
                        that a client certificate or another source gives too";
            self.report.warning(&entry.place, text);
        }
        Some(prefix.clone())
    }

    fn extra(&mut self, entry: &Entry<Vec<Extra>>) -> Option<Vec<ExtraMapping>> {
        let Some(items) = entry.value() else { return entry.is_absent().then(Vec::new) };
        let mut keys = HashSet::new();
        let mut mappings = Vec::new();
        for item in items {
            let key = self.extra_key(&item.key);
            let value = match once(&item.key, &mut keys, self.report) {
                true => self.extra_value(item),
                false => None,
            };
            mappings.push(key.zip(value).map(|(key, value)| ExtraMapping { key, value }));
        }
        mappings.into_iter().collect()
    }

    fn extra_value(&mut self, item: &Extra) -> Option<ClaimOrExpression> {
        match (set(&item.claim), set(&item.value_expression)) {
            (Some(_), Some(_)) => {
                let text = "claim and valueExpression can't both be set";
                self.report.problem(&item.value_expression.place, text);
                None
            }
            (Some(claim), None) => Some(ClaimOrExpression::Claim(claim.to_owned())),
            (None, Some(_)) => {
                let entry = &item.value_expression;
                let expression = self.compile(entry, Environment::Claims, Returns::Any)?;
                self.verifies_email |= expression.reads_claim(EMAIL_VERIFIED);
                Some(ClaimOrExpression::Expression(expression))
            }
            (None, None) => {
                if unset(&item.claim) && unset(&item.value_expression) {
                    let text = match self.schema {
                        Schema::Ours => "Required value: or claim",
                        Schema::Upstream => "Required value",
                    };
                    self.report.problem(&item.value_expression.place, text);
                }
                None
            }
        }
    }

    fn extra_key(&self, entry: &Entry<String>) -> Option<String> {
        if unset(entry) {
            self.report.problem(&entry.place, "Required value");
        }
        let key = set(entry)?;
        let mistakes = extra_key::mistakes(key, self.allow_reserved);
        for mistake in &mistakes {
            self.report.problem(&entry.place, mistake);
        }
        mistakes.is_empty().then(|| key.to_owned())
    }

    fn compile(
        &self,
        entry: &Entry<String>,
        environment: Environment,
        returns: Returns,
    ) -> Option<Expression> {
        let source = set(entry)?;
        match Expression::compile(environment, source, returns) {
            Ok(expression) => return Some(expression),
            Err(CompileError::Invalid(detail)) => self.invalid(&entry.place, source, &detail),
            Err(CompileError::Internal(detail)) => {
                self.report.problem(&entry.place, format!("Internal error: {detail}"));
            }
        }
        None
    }

    /// Complains about what is set `beside` something that excludes it.
    fn misplaced(&self, entry: &Entry<String>, beside: &str) {
        if let Some(text) = set(entry) {
            let detail = format!("may not be specified when {beside} is set");
            self.invalid(&entry.place, text, &detail);
        }
    }

    fn invalid(&self, place: &Place, value: &str, detail: &str) {
        self.report.problem(place, format!("Invalid value: {value:?}: {detail}"));
    }
}
