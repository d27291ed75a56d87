//! What upstream looks at once the types are right: literals of one type, and arguments that are
//! written down and could never be valid.

use super::super::library;
use super::super::library::time::{Duration, Timestamp};
use super::super::source::{Mistake, Offset};
use super::super::syntax::{Kind, Node};
use super::super::types::pattern::Pattern;
use super::super::val::Val;
use super::{Checked, Type};

/// Notes what is wrong with literals.
pub fn check(root: &Node, checked: &Checked, source: &str, mistakes: &mut Vec<Mistake>) {
    let mut left = vec![(root, false)];
    while let Some((node, in_format)) = left.pop() {
        let mut mistake = |at: usize, text: String| mistakes.push(Mistake::at(source, at, text));
        let mismatch = |expected: &Type, found: &Type| {
            format!("expected type '{expected}' but found '{found}'")
        };
        match &node.kind {
            Kind::List(elements) if !in_format => {
                let mut types = elements.iter().map(|element| {
                    (&element.value, value_type(&element.value, element.optional, checked))
                });
                let Some((_, first)) = types.next() else { continue };
                if let Some((wrong, found)) = types.find(|(_, found)| **found != *first) {
                    mistake(wrong.at, mismatch(first, found));
                }
            }
            Kind::Map(entries) if !in_format => {
                let types = |entry: &'_ super::super::syntax::Entry| {
                    (
                        checked.type_of(&entry.key).clone(),
                        value_type(&entry.value, entry.optional, checked).clone(),
                    )
                };
                let Some((first, rest)) = entries.split_first() else { continue };
                let (keys, values) = types(first);
                for entry in rest {
                    let (key, value) = types(entry);
                    if key != keys {
                        mistake(entry.key.at, mismatch(&keys, &key));
                    }
                    if value != values {
                        mistake(entry.value.at, mismatch(&values, &value));
                    }
                }
            }
            Kind::Call { function, target, arguments } => {
                if let Some(argument) = arguments.first()
                    && let Kind::Literal(value) = &argument.kind
                    && !is_valid(function, value)
                {
                    mistake(argument.at, format!("invalid {function} argument"));
                }
                if let ("format", Some(target), [arguments]) = (&**function, target, &**arguments)
                    && let (Some(format), Kind::List(elements)) =
                        (target.literal_str(), &arguments.kind)
                {
                    let types: Vec<_> =
                        elements.iter().map(|one| literals_in(&one.value, checked)).collect();
                    if let Err((at, text)) = library::formatting::validate(format, &types) {
                        mistake(at.unwrap_or(node.at), text);
                    }
                }
            }
            _ => {}
        }
        // Texts are formatted from lists of anything.
        let in_format =
            in_format || matches!(&node.kind, Kind::Call { function, .. } if function == "format");
        left.extend(node.children().into_iter().map(|child| (child, in_format)));
    }
}

/// The type of a node, and of all that is written down in it if it is a list or a map.
fn literals_in<'a>(node: &Node, checked: &'a Checked) -> Vec<(&'a Type, Offset)> {
    let mut found = Vec::new();
    let mut left = vec![node];
    while let Some(node) = left.pop() {
        found.push((checked.type_of(node), node.at));
        if matches!(node.kind, Kind::List(_) | Kind::Map(_)) {
            left.extend(node.children().into_iter().rev());
        }
    }
    found
}

fn value_type<'a>(value: &Node, optional: bool, checked: &'a Checked) -> &'a Type {
    match checked.type_of(value) {
        Type::Optional(value) if optional => value,
        found => found,
    }
}

/// Whether a function could take the literal. Of functions called so, whether they are methods or
/// not does not count, as upstream.
fn is_valid(function: &str, value: &Val<'_>) -> bool {
    match (function, value) {
        ("duration", Val::String(text)) => text.parse::<Duration>().is_ok(),
        ("timestamp", Val::String(text)) => text.parse::<Timestamp>().is_ok(),
        ("timestamp", Val::Int(seconds)) => Timestamp::from_unix(*seconds).is_ok(),
        ("matches", Val::String(pattern)) => pattern.parse::<Pattern>().is_ok(),
        _ => true,
    }
}
