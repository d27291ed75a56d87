//! From bytes to a tree.
//!
//! The parser's events are taken as they come, so that duplicate keys, the style of a scalar and its
//! place survive. What could grow (nesting, aliases) is bounded before it does.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{
    ErrorKind, Event, Parser, ScalarStyle, Span, StrInput, Tag, options,
};

use super::{Field, Node, Position, Value};

/// Lists and objects within each other.
const MAX_DEPTH: usize = 64;
/// Scalars, lists and objects, with each alias counted as what it stands for.
const MAX_NODES: usize = 1_000_000;
/// Bytes of text in copies: what is anchored is copied once, and again by each of its aliases.
const MAX_COPIED: usize = 4 << 20;
/// Characters of a key; YAML's own limit of 1024 would refuse valid JSON.
const MAX_KEY: usize = 64 * 1024;

/// Why bytes are not a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SyntaxError {
    /// From one; absent if the document as a whole is meant.
    pub line: Option<usize>,
    pub(super) text: String,
    /// Whether the text has a part of the document in it.
    pub(super) quotes: bool,
}

impl SyntaxError {
    /// What is wrong, for documents that must not be seen: in their stead no letter of them.
    pub fn discreet(&self) -> &str {
        if self.quotes { "not YAML or JSON: check quotes, and tags (!)" } else { &self.text }
    }
}

/// Parses the one document in `bytes`.
pub(super) fn document(bytes: &[u8]) -> Result<Node, SyntaxError> {
    let mut tree = Tree::of(bytes, MAX_NODES)?;
    let root = match tree.begin()? {
        Some(_) => tree.root()?,
        None => return Err(whole(EMPTY)),
    };
    match tree.begin()? {
        Some(second) => Err(at(second, "a second document begins here: one file holds one")),
        None if root.value == Value::Null => Err(whole(EMPTY)),
        None => Ok(root),
    }
}

const EMPTY: &str = "the file is empty";

/// Parses every document in `bytes` that has something in it.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Node>, SyntaxError> {
    let mut tree = Tree::of(bytes, MAX_NODES)?;
    let mut roots = Vec::new();
    while tree.begin()?.is_some() {
        roots.push(tree.root()?);
    }
    roots.retain(|root| root.value != Value::Null);
    Ok(roots)
}

/// Parses the first document in `bytes`, and looks at no other. It may be null, as nothing is.
pub(super) fn first(bytes: &[u8], max_nodes: usize) -> Result<Node, SyntaxError> {
    let mut tree = Tree::of(bytes, max_nodes)?;
    match tree.begin()? {
        Some(_) => tree.root(),
        None => Ok(Node { position: Position { offset: 0, line: 1 }, value: Value::Null }),
    }
}

struct Tree<'t> {
    events: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    max_nodes: usize,
    copied: usize,
}

impl<'t> Tree<'t> {
    fn of(bytes: &'t [u8], max_nodes: usize) -> Result<Self, SyntaxError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| whole(format!("not UTF-8 text (byte {})", error.valid_up_to())))?;
        let mut options = options! {
            simple_key_max_lookahead: MAX_KEY,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        options.set_emit_comments(false);
        let events = Parser::new_from_str_with_options(text, options);
        Ok(Self { events, anchors: HashMap::new(), nodes: 0, max_nodes, copied: 0 })
    }

    /// Goes to where the next document begins; absent at the end.
    fn begin(&mut self) -> Result<Option<Span>, SyntaxError> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(None),
                (Event::DocumentStart(..), span) => return Ok(Some(span)),
                _ => {}
            }
        }
    }

    /// The root of the document that has begun.
    fn root(&mut self) -> Result<Node, SyntaxError> {
        let (event, span) = self.next()?;
        self.node(event, span)
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), SyntaxError> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(SyntaxError {
                line: Some(error.marker().line()),
                text: format!("not YAML or JSON: {}", error.info()),
                quotes: matches!(error.kind(), ErrorKind::UnexpectedCharacter { .. }),
            }),
            None => Err(whole("not YAML or JSON: it ends too early")),
        }
    }

    /// The node that begins with `event`.
    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Node, SyntaxError> {
        self.grow(1, span)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let string = is_string_tag(tag.as_deref(), span)? || style != ScalarStyle::Plain;
                let text = text.into_owned();
                (if string { Value::String(text) } else { plain(text) }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                refuse(tag.as_deref(), span)?;
                (Value::List(self.items()?), anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                refuse(tag.as_deref(), span)?;
                (Value::Object(self.fields()?), anchor)
            }
            Event::Alias(anchor) => {
                // Taken out, so that it is measured before it is copied.
                let Some(node) = self.anchors.remove(&anchor) else {
                    return Err(at(span, "an alias within what it stands for"));
                };
                let copy = self.copy(&node, span)?;
                self.anchors.insert(anchor, node);
                return Ok(copy);
            }
            _ => return Err(at(span, "not YAML or JSON: a value is missing")),
        };
        let node = Node { position: position(span), value };
        if anchor != 0 {
            let copy = self.copy(&node, span)?;
            self.anchors.insert(anchor, copy);
        }
        Ok(node)
    }

    fn items(&mut self) -> Result<Vec<Node>, SyntaxError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn fields(&mut self) -> Result<Vec<Field>, SyntaxError> {
        let mut fields = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(fields),
                Event::Scalar(key, style, 0, None) => {
                    if style == ScalarStyle::Plain && key == "<<" {
                        return Err(at(span, "merge keys (<<) are not supported"));
                    }
                    key.into_owned()
                }
                _ => return Err(at(span, "a key must be a plain or quoted string")),
            };
            let (event, value_span) = self.next()?;
            let node = self.node(event, value_span)?;
            fields.push(Field { position: position(span), key, node });
        }
    }

    /// A copy of a node, if there is room for it.
    fn copy(&mut self, node: &Node, span: Span) -> Result<Node, SyntaxError> {
        let (nodes, bytes) = size(node);
        self.grow(nodes, span)?;
        self.copied = self.copied.saturating_add(bytes);
        if self.copied > MAX_COPIED {
            let mib = MAX_COPIED >> 20;
            return Err(at(span, format!("more than {mib} MiB of text in anchors and aliases")));
        }
        Ok(node.clone())
    }

    fn grow(&mut self, nodes: usize, span: Span) -> Result<(), SyntaxError> {
        self.nodes = self.nodes.saturating_add(nodes);
        let max = self.max_nodes;
        if self.nodes > max {
            return Err(at(span, format!("more than {max} values, aliases expanded")));
        }
        Ok(())
    }
}

/// A plain scalar by the core schema (YAML 1.2.2, section 10.3.2): `yes` and `on` are strings.
fn plain(text: String) -> Value {
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Boolean(true),
        "false" | "False" | "FALSE" => Value::Boolean(false),
        number if is_number(number) => Value::Number(text),
        _ => Value::String(text),
    }
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str, radix| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
        || text.strip_prefix("0x").is_some_and(|hex| digits(hex, 16))
        || text.strip_prefix("0o").is_some_and(|octal| digits(octal, 8))
        || unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && text.parse::<f64>().is_ok()
}

/// Whether the tag makes its scalar a string; any other tag is refused.
fn is_string_tag(tag: Option<&Tag>, span: Span) -> Result<bool, SyntaxError> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema_tag("str") => Ok(true),
        tag => refuse(tag, span).map(|()| false),
    }
}

fn refuse(tag: Option<&Tag>, span: Span) -> Result<(), SyntaxError> {
    match tag {
        None => Ok(()),
        Some(tag) => Err(SyntaxError {
            quotes: true,
            ..at(span, format!("the tag {} is not supported", tag.original()))
        }),
    }
}

/// The nodes of a tree, and the bytes of their text; its depth is bounded.
fn size(node: &Node) -> (usize, usize) {
    let add = |(nodes, bytes), (more_nodes, more_bytes)| (nodes + more_nodes, bytes + more_bytes);
    match &node.value {
        Value::Null | Value::Boolean(_) => (1, 0),
        Value::Number(text) | Value::String(text) => (1, text.len()),
        Value::List(items) => items.iter().map(size).fold((1, 0), add),
        Value::Object(fields) => {
            let of = |field: &Field| add((0, field.key.len()), size(&field.node));
            fields.iter().map(of).fold((1, 0), add)
        }
    }
}

fn position(span: Span) -> Position {
    Position { offset: span.start.index(), line: span.start.line() }
}

fn at(span: Span, text: impl Into<String>) -> SyntaxError {
    SyntaxError { line: Some(span.start.line()), text: text.into(), quotes: false }
}

fn whole(text: impl Into<String>) -> SyntaxError {
    SyntaxError { line: None, text: text.into(), quotes: false }
}
