//! What an expression is made of, once it is parsed and its macros are expanded.
//!
//! Loops stay what they are instead of becoming folds over an accumulator: they are typed as
//! upstream types those, and evaluated without copying the list for each element.

use super::source::Offset;
use super::val::Val;

/// A part of an expression.
#[derive(Debug)]
pub struct Node {
    /// Tells it from all others of one expression; they are counted from 0.
    pub id: usize,
    /// Where upstream would show a mistake in it.
    pub at: Offset,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Node`] is.
#[derive(Debug)]
pub enum Kind {
    /// A value that was written down.
    Literal(Val<'static>),
    /// A variable, or a type by its name; a leading dot is kept.
    Name(String),
    /// `operand.field`, or `has(operand.field)`.
    Select {
        /// What has the field.
        operand: Box<Node>,
        /// Its name.
        field: String,
        /// Whether only its presence is asked.
        test: bool,
    },
    /// A function, a method or an operator.
    Call {
        /// As upstream names it: `_+_`, `size`.
        function: String,
        /// What a method is called on.
        target: Option<Box<Node>>,
        /// All others.
        arguments: Vec<Node>,
    },
    /// `[a, ?b]`.
    List(Vec<Element>),
    /// `{a: b, ?c: d}`.
    Map(Vec<Entry>),
    /// `Type{…}`, of which upstream's environment has none that are of use.
    Message(String),
    /// A macro that goes through a list or a map.
    Loop(Box<Loop>),
    /// `target.optMap(name, step)` or `target.optFlatMap(name, step)`.
    OptionalMap(Box<OptionalMap>),
    /// `target.sortBy(name, key)`.
    SortBy(Box<SortBy>),
}

/// An element of a list literal.
#[derive(Debug)]
pub struct Element {
    /// Left out if it is an optional without value.
    pub optional: bool,
    /// Its value.
    pub value: Node,
}

/// An entry of a map literal.
#[derive(Debug)]
pub struct Entry {
    /// Left out if its value is an optional without value.
    pub optional: bool,
    /// Its key.
    pub key: Node,
    /// Its value.
    pub value: Node,
}

/// A macro that goes through a list or a map.
#[derive(Debug)]
pub struct Loop {
    /// Which it is.
    pub kind: LoopKind,
    /// What it goes through.
    pub range: Node,
    /// What each element is called; with two, its index or key comes first.
    pub names: (String, Option<String>),
    /// Which elements count, for `map`, `filter` and `transform…`.
    pub condition: Option<Node>,
    /// What is made of each.
    pub step: Node,
}

/// What comes out of a [`Loop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopKind {
    /// Whether all steps are true.
    All,
    /// Whether any step is true.
    Exists,
    /// Whether one step is true.
    ExistsOne,
    /// The list of all steps: `map`, `filter`, `transformList`.
    List,
    /// The map from each key to its step: `transformMap`.
    Map,
    /// The map of all entries that the steps are: `transformMapEntry`.
    Entries,
}

/// `target.optMap(name, step)` or `target.optFlatMap(name, step)`.
#[derive(Debug)]
pub struct OptionalMap {
    /// The optional.
    pub target: Node,
    /// What its value is called.
    pub name: String,
    /// What is made of it.
    pub step: Node,
    /// Whether the step is an optional itself.
    pub flat: bool,
}

/// `target.sortBy(name, key)`.
#[derive(Debug)]
pub struct SortBy {
    /// The list.
    pub target: Node,
    /// What each element is called.
    pub name: String,
    /// What they are compared by.
    pub key: Node,
}

impl Node {
    /// All nodes directly below this one.
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Literal(_) | Kind::Name(_) | Kind::Message(_) => Vec::new(),
            Kind::Select { operand, .. } => vec![operand],
            Kind::Call { target, arguments, .. } => {
                target.iter().map(|target| &**target).chain(arguments).collect()
            }
            Kind::List(elements) => elements.iter().map(|element| &element.value).collect(),
            Kind::Map(entries) => {
                entries.iter().flat_map(|entry| [&entry.key, &entry.value]).collect()
            }
            Kind::Loop(part) => {
                let Loop { range, condition, step, .. } = &**part;
                [range].into_iter().chain(condition).chain([step]).collect()
            }
            Kind::OptionalMap(part) => vec![&part.target, &part.step],
            Kind::SortBy(part) => vec![&part.target, &part.key],
        }
    }

    /// Whether this node, or any below it, is so.
    pub fn any(&self, mut is: impl FnMut(&Self) -> bool) -> bool {
        let mut left = vec![self];
        while let Some(node) = left.pop() {
            if is(node) {
                return true;
            }
            left.extend(node.children());
        }
        false
    }

    /// The dotted name that this spells, if it is nothing but names and fields.
    pub fn qualified_name(&self) -> Option<String> {
        match &self.kind {
            Kind::Name(name) => Some(name.clone()),
            Kind::Select { operand, field, test: false } => {
                Some(format!("{}.{field}", operand.qualified_name()?))
            }
            _ => None,
        }
    }

    /// The string that was written here, if one was.
    pub fn literal_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Literal(Val::String(text)) => Some(text),
            _ => None,
        }
    }
}
