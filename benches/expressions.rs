//! What four plain expressions take, from a token's claims to their results, against claims and
//! prefixes that do about as much. Their goal is a time, whatever the ratio.

use std::hint::black_box;

use countersign::claims::expression::{Budget, Environment, Expression, Returns};
use countersign::claims::{
    ClaimMapping, ClaimRule, Claims, JsonObject, Message, PrefixedClaim, PrefixedClaimOrExpression,
    RequiredClaim, UserRule, Validation,
};
use countersign::transcript::Transcript;
use serde_json::Value;

use crate::Effort;
use crate::table::{Goal, Pair, Table, Unit};
use crate::tokens::claims;
use crate::verification::{CALLS, timed};

pub fn measure(effort: Effort, table: &mut Table) {
    table.group("Claims to a user", "claims", "expressions");
    let claims = JsonObject::parse(Value::from(claims()).to_string().into()).unwrap();
    let claims = Claims::parse(claims.into()).unwrap();
    let (plain, expressions) = (Mapping::plain(), Mapping::expressions());
    let rounds: Vec<Pair> = (0..effort.turns)
        .map(|_| {
            let plain = timed(CALLS, || plain.user(&claims));
            (plain, timed(CALLS, || expressions.user(&claims)))
        })
        .collect();
    table.compare("four expressions in CEL", Unit::Microseconds, &rounds, Goal::Itself(10.0));
}

/// From claims to a user who is taken.
struct Mapping {
    claims: ClaimMapping,
    claim_rules: Vec<ClaimRule>,
    user_rules: Vec<UserRule>,
}

impl Mapping {
    fn plain() -> Self {
        let prefixed = |claim: &str| {
            let prefixed = PrefixedClaim { claim: claim.into(), prefix: "idp:".into() };
            PrefixedClaimOrExpression::Claim(prefixed)
        };
        let required = RequiredClaim { claim: "azp".into(), required_value: "kubernetes".into() };
        Self {
            claims: ClaimMapping {
                username: prefixed("preferred_username"),
                groups: Some(prefixed("groups")),
                uid: None,
                extra: Vec::new(),
            },
            claim_rules: vec![ClaimRule::Required(required)],
            user_rules: Vec::new(),
        }
    }

    fn expressions() -> Self {
        let compile = |environment, source, returns| {
            Expression::compile(environment, source, returns).unwrap()
        };
        let mapped = |source| {
            let expression = compile(Environment::Claims, source, Returns::Any);
            PrefixedClaimOrExpression::Expression(expression)
        };
        let rule = |environment, source| Validation {
            expression: compile(environment, source, Returns::Bool),
            message: Message::Expression,
        };
        let claim_rule = "claims.azp == 'kubernetes' && claims.email_verified == true";
        let user_rule = "!user.username.startsWith('system:')";
        Self {
            claims: ClaimMapping {
                username: mapped("'idp:' + claims.preferred_username"),
                groups: Some(mapped("claims.?groups.orValue([])")),
                uid: None,
                extra: Vec::new(),
            },
            claim_rules: vec![ClaimRule::Expression(rule(Environment::Claims, claim_rule))],
            user_rules: vec![UserRule(rule(Environment::User, user_rule))],
        }
    }

    fn user(&self, claims: &Claims) {
        let (budget, off) = (&mut Budget::new(), &Transcript::off());
        let claims = black_box(claims);
        let user = self.claims.user(claims, budget, off).unwrap();
        ClaimRule::check_all(&self.claim_rules, claims, budget, off).unwrap();
        UserRule::check_all(&self.user_rules, &user, budget, off).unwrap();
        black_box(user);
    }
}
