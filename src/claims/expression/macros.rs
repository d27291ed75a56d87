//! Calls that are not calls: `has`, loops, `optMap`, `sortBy`.

use super::parse::Builder;
use super::source::Offset;
use super::syntax::{Kind, Loop, LoopKind, Node, OptionalMap, SortBy};

/// What upstream's expansions call what they build up; no loop may use the name.
const ACCUMULATORS: [&str; 2] = ["@result", "__result__"];

/// The macro that a call is, or the call.
pub fn expand(
    builder: &mut Builder<'_>,
    at: Offset,
    function: String,
    target: Option<Node>,
    arguments: Vec<Node>,
) -> Node {
    match (target, arguments.len()) {
        (None, 1) if function == "has" => has(builder, at, arguments),
        (Some(target), 2..=4) => match shape(&function, arguments.len()) {
            Some(shape) => on_target(builder, at, shape, &function, target, arguments),
            None => call(builder, at, function, Some(target), arguments),
        },
        (target, _) => call(builder, at, function, target, arguments),
    }
}

fn call(
    builder: &mut Builder<'_>,
    at: Offset,
    function: String,
    target: Option<Node>,
    arguments: Vec<Node>,
) -> Node {
    builder.at(at, Kind::Call { function, target: target.map(Box::new), arguments })
}

fn has(builder: &mut Builder<'_>, at: Offset, arguments: Vec<Node>) -> Node {
    let Some(argument) = arguments.into_iter().next() else {
        return builder.mistake(at, "invalid argument to has() macro");
    };
    match argument.kind {
        Kind::Select { operand, field, .. } => {
            builder.at(at, Kind::Select { operand, field, test: true })
        }
        _ => builder.mistake(argument.at, "invalid argument to has() macro"),
    }
}

/// What a macro makes, and how many names it has.
enum Shape {
    Loop { kind: LoopKind, names: usize },
    OptionalMap { flat: bool },
    SortBy,
}

fn shape(function: &str, arguments: usize) -> Option<Shape> {
    let (kind, names) = match (function, arguments) {
        ("all", 2) => (LoopKind::All, 1),
        ("exists", 2) => (LoopKind::Exists, 1),
        ("exists_one", 2) => (LoopKind::ExistsOne, 1),
        ("map", 2 | 3) | ("filter", 2) => (LoopKind::List, 1),
        ("all", 3) => (LoopKind::All, 2),
        ("exists", 3) => (LoopKind::Exists, 2),
        ("exists_one" | "existsOne", 3) => (LoopKind::ExistsOne, 2),
        ("transformList", 3 | 4) => (LoopKind::List, 2),
        ("transformMap", 3 | 4) => (LoopKind::Map, 2),
        ("transformMapEntry", 3 | 4) => (LoopKind::Entries, 2),
        ("optMap", 2) => return Some(Shape::OptionalMap { flat: false }),
        ("optFlatMap", 2) => return Some(Shape::OptionalMap { flat: true }),
        ("sortBy", 2) => return Some(Shape::SortBy),
        _ => return None,
    };
    Some(Shape::Loop { kind, names })
}

fn on_target(
    builder: &mut Builder<'_>,
    at: Offset,
    shape: Shape,
    function: &str,
    target: Node,
    arguments: Vec<Node>,
) -> Node {
    let mut arguments = arguments.into_iter();
    let unnamed = match shape {
        Shape::OptionalMap { .. } => {
            format!("{function}() variable name must be a simple identifier")
        }
        Shape::Loop { kind: LoopKind::List, names: 1 } | Shape::SortBy => {
            "argument is not an identifier".to_owned()
        }
        Shape::Loop { .. } => "argument must be a simple name".to_owned(),
    };
    let mut name = |builder: &mut Builder<'_>| {
        let node = arguments.next()?;
        let Kind::Name(name) = node.kind else {
            builder.mistake(node.at, unnamed.clone());
            return None;
        };
        if ACCUMULATORS.contains(&&*name) && !matches!(shape, Shape::OptionalMap { .. }) {
            builder.mistake(node.at, "iteration variable overwrites accumulator variable");
            return None;
        }
        Some((node.at, name))
    };
    let Some((first_at, first)) = name(builder) else {
        return builder.at(at, Kind::Name(String::new()));
    };
    let second = match shape {
        Shape::Loop { names: 2, .. } => match name(builder) {
            Some((second_at, second)) if second == first => {
                return builder.mistake(second_at, format!("duplicate variable name: {first}"));
            }
            Some((_, second)) => Some(second),
            None => return builder.at(at, Kind::Name(String::new())),
        },
        _ => None,
    };
    let step = arguments.next();
    let (condition, step) = match (arguments.next(), step) {
        (Some(step), condition) => (condition, Some(step)),
        // What `filter` keeps is the element itself.
        (None, condition) if function == "filter" => {
            (condition, Some(builder.at(first_at, Kind::Name(first.clone()))))
        }
        (None, step) => (None, step),
    };
    let Some(step) = step else { return builder.mistake(at, "unsupported expression") };
    let kind = match shape {
        Shape::Loop { kind, .. } => {
            let names = (first, second);
            Kind::Loop(Box::new(Loop { kind, range: target, names, condition, step }))
        }
        Shape::OptionalMap { flat } => {
            Kind::OptionalMap(Box::new(OptionalMap { target, name: first, step, flat }))
        }
        Shape::SortBy => match &target.kind {
            Kind::Literal(_) | Kind::Map(_) => {
                let text = "sortBy can only be applied to a list, identifier, comprehension, call \
                            or select expression";
                return builder.mistake(target.at, text);
            }
            _ => Kind::SortBy(Box::new(SortBy { target, name: first, key: step })),
        },
    };
    builder.at(at, kind)
}
