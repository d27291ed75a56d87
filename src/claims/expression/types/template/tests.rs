use serde_json::Value;

use super::super::golden::{Arguments, check, shown, text};
use super::*;

/// A golden argument. Numbers and bytes carry the letter of their type.
fn argument(value: &Value) -> Argument<'_> {
    match value {
        Value::Null => Argument::Null,
        Value::Bool(value) => Argument::Bool(*value),
        Value::Array(values) => Argument::List(values.iter().map(argument).collect()),
        Value::Object(entries) => Argument::Map(
            entries.iter().map(|(key, value)| (Argument::Text(key), argument(value))).collect(),
        ),
        Value::String(tagged) => match tagged.split_at(2) {
            ("i:", value) => Argument::Int(value.parse().expect("an int")),
            ("u:", value) => Argument::Uint(value.parse().expect("an uint")),
            ("d:", value) => Argument::Double(value.parse().expect("a double")),
            ("x:", value) => Argument::Bytes(value.as_bytes()),
            ("s:", value) => Argument::Text(value),
            other => panic!("{other:?}"),
        },
        Value::Number(_) => panic!("{value}"),
    }
}

fn answer(expression: &str, args: &Arguments) -> String {
    let one = |argument: Argument<'_>| shown(format("%s", &[argument]), text);
    let in_list = |argument| one(Argument::List(vec![argument]));
    let timestamp = || Argument::Timestamp(args.text(0).parse().expect("a timestamp"));
    let duration = || Argument::Duration(args.text(0).parse().expect("a duration"));
    let map = |keys: Vec<Argument<'_>>| {
        let entries = keys.into_iter().map(|key| (key, argument(args.raw(0)))).collect();
        one(Argument::Map(entries))
    };
    match expression {
        "a.format([b])" => shown(format(args.text(0), &[argument(args.raw(1))]), text),
        "a.format([b, c])" => {
            let arguments = [argument(args.raw(1)), argument(args.raw(2))];
            shown(format(args.text(0), &arguments), text)
        }
        "'%s'.format([timestamp(a)])" => one(timestamp()),
        "'%s'.format([[timestamp(a)]])" => in_list(timestamp()),
        "'%s'.format([duration(a)])" => one(duration()),
        "'%s'.format([[duration(a)]])" => in_list(duration()),
        "'%s'.format([type(a)])" => one(Argument::Type("int")),
        "'%s'.format([[type(a)]])" => in_list(Argument::Type("int")),
        "'%s'.format([dyn(quantity(a))])" => one(Argument::Other("kubernetes.Quantity")),
        "'%s'.format([[dyn(quantity(a))]])" => in_list(Argument::Other("kubernetes.Quantity")),
        "'%s'.format([{1: a, 0: a, 10: a, 2: a, -1: a}])" => {
            map([1, 0, 10, 2, -1].map(Argument::Int).to_vec())
        }
        "'%s'.format([{true: a, false: a}])" => map([true, false].map(Argument::Bool).to_vec()),
        "'%s'.format([{1u: a, 3u: a}])" => map([1, 3].map(Argument::Uint).to_vec()),
        other => panic!("{other}"),
    }
}

#[test]
fn it_answers_as_kubernetes_does() {
    check(include_str!("../golden/template.jsonl"), answer);
}

#[test]
fn what_would_grow_without_bound_is_refused() {
    let seven = [Argument::Double(7.0)];
    assert_eq!(format("%.1000f", &seven).map(|text| text.len()), Ok(1002));
    assert_eq!(format("%.1001f", &seven), Err(TemplateError::Places(1001)));
    let mut nested = Argument::Null;
    for _ in 0..=MOST_DEPTH {
        nested = Argument::List(vec![nested]);
    }
    assert_eq!(format("%s", &[nested]), Err(TemplateError::Depth));
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let error = format("%s", &[Argument::Bytes(&[0xff])]).expect_err("no text").to_string();
    let text = "error during formatting: could not convert argument \"invalid UTF-8 in bytes, \
                cannot convert to string\" to string";
    assert_eq!(error, text);
}

#[test]
fn a_check_sees_the_clauses_without_values() {
    let mut pieces = Pieces::of("%s is %.3f%%", 3);
    let clauses: Vec<_> = pieces.by_ref().filter_map(Result::ok).collect();
    assert!(clauses.contains(&Piece::Clause(Clause::Fixed(3))));
    assert_eq!(pieces.used(), 2);
}
