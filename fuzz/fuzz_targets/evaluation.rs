//! Evaluation: a line with an expression, then claims, or a user, as JSON. What compiles comes to the
//! same each time, at the same cost, within the limit, and that cost covers what it comes to.

#![no_main]

use std::sync::LazyLock;

use countersign::api::UserInfo;
use countersign::claims::expression::{
    Budget, Environment, EvaluationError, Expression, Input, Returns, Value,
};
use countersign::claims::{Claims, JsonObject};

/// `MAX_VALUE_DEPTH`, an optional around that, and the scalar within.
const MAX_DEPTH: usize = 402;

/// For inputs that have none of their own.
static CLAIMS: LazyLock<Claims> =
    LazyLock::new(|| claims(include_str!("claims.json")).expect("claims"));
static USER: LazyLock<UserInfo> =
    LazyLock::new(|| serde_json::from_str(include_str!("user.json")).expect("a user"));

libfuzzer_sys::fuzz_target!(|input: &str| {
    let (source, json) = input.split_once('\n').unwrap_or((input, ""));
    if let Ok(expression) = Expression::compile(Environment::Claims, source, Returns::Any) {
        match claims(json) {
            Some(claims) => evaluate(&expression, Input::Claims(&claims)),
            None => evaluate(&expression, Input::Claims(&CLAIMS)),
        }
    }
    if let Ok(expression) = Expression::compile(Environment::User, source, Returns::Any) {
        match serde_json::from_str(json) {
            Ok(user) => evaluate(&expression, Input::User(&user)),
            Err(_) => evaluate(&expression, Input::User(&USER)),
        }
    }
});

fn claims(json: &str) -> Option<Claims> {
    Claims::parse(JsonObject::parse(json.into())?.into()).ok()
}

fn evaluate(expression: &Expression, input: Input<'_>) {
    // Enough for both, and so no reason for the second to end otherwise.
    let mut budget = Budget::new();
    let (first, cost) = once(expression, input, &mut budget);
    let (second, again) = once(expression, input, &mut budget);
    assert_eq!(cost, again, "the cost is the same each time");
    match (&first, &second) {
        (Ok(first), Ok(second)) => {
            assert!(same(first, second), "the value is the same each time");
            let (size, depth) = measure(first);
            assert!(size <= cost, "a value of {size} for {cost}");
            assert!(depth <= MAX_DEPTH, "a value that is {depth} deep");
            assert_eq!(first.as_bool().is_some(), matches!(first, Value::Bool(_)));
            let groups = first.string_list().unwrap_or_default();
            assert!(!groups.contains(&String::new()), "no group without a name");
        }
        (Err(first), Err(second)) => {
            assert_eq!(first, second, "the error is the same each time");
            let is_costly = first.to_string().contains("cost limit exceeded");
            assert!(!is_costly || cost == Budget::EXPRESSION, "all was spent first");
        }
        _ => panic!("{first:?}, then {second:?}"),
    }
}

/// What an evaluation comes to, and what it cost.
fn once(
    expression: &Expression,
    input: Input<'_>,
    budget: &mut Budget,
) -> (Result<Value, EvaluationError>, u64) {
    let before = budget.left();
    let outcome = expression.evaluate(input, budget);
    let cost = before.checked_sub(budget.left()).expect("nothing is given back");
    assert!(cost <= Budget::EXPRESSION, "no more than one expression may");
    (outcome, cost)
}

/// How much must have been paid for a value at least, and how deep it is.
fn measure(value: &Value) -> (u64, usize) {
    let text = |length: usize| u64::try_from(length / 100).expect("a length");
    let (size, depth) = match value {
        Value::String(it) => (text(it.len()), 0),
        Value::Bytes(it) => (text(it.len()), 0),
        Value::Other { text: it, .. } => (text(it.len()), 0),
        Value::Optional(Some(it)) => measure(it),
        Value::List(items) => all(items.iter()),
        Value::Map(entries) => all(entries.iter().flat_map(|(key, value)| [key, value])),
        _ => (0, 0),
    };
    (size + 1, depth + 1)
}

fn all<'v>(values: impl Iterator<Item = &'v Value>) -> (u64, usize) {
    values.map(measure).fold((0, 0), |all, one| (all.0 + one.0, all.1.max(one.1)))
}

/// As `==`, but that not-a-number is itself.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Double(one), Value::Double(other)) => one.to_bits() == other.to_bits(),
        (Value::Optional(Some(one)), Value::Optional(Some(other))) => same(one, other),
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|((a, b), (c, d))| same(a, c) && same(b, d))
        }
        (one, other) => one == other,
    }
}
