//! From text to [`Node`]s.
//!
//! The `cel` crate parses, and nothing else of it is used. Its parser recurses, also along chains
//! like `a.b.c` and `1 + 2 + 3`, which have no limit of their own: so what it is given is bounded,
//! and it runs on a thread whose stack is large enough for all that. What comes out is bounded
//! again, so that it can be evaluated on any stack.

use std::thread;

use cel::Env;
use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue, SourceInfo};

use super::limits::{LOOP_DEPTH, MAX_CHAIN, MAX_DEPTH, MAX_LENGTH, MAX_NESTING, PARSER_STACK};
use super::macros;
use super::source::{Mistake, Offset};
use super::syntax::{Element, Entry, Kind, Node};
use super::val::Val;

/// Refuses an expression that is longer than [`on_large_stack`] can take.
pub fn check_length(source: &str) -> Result<(), Vec<Mistake>> {
    let mistake = |text: String| vec![Mistake::at(source, 0, text)];
    let length = source.chars().count();
    if length > MAX_LENGTH {
        return Err(mistake(format!(
            "expression code point size exceeds limit: size: {length}, limit {MAX_LENGTH}"
        )));
    }
    // Letters in texts count as well: too many is all that this says.
    let links = source.bytes().filter(|byte| b".?[(+-*/%<>=!".contains(byte)).count();
    if links > MAX_CHAIN {
        return Err(mistake(format!("expression has more than {MAX_CHAIN} operators")));
    }
    Ok(())
}

/// Does something on a thread whose stack is large enough for all that is not too long. Absent if
/// there can be no thread, or it panicked, which it never should.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("expression".to_owned()).stack_size(PARSER_STACK);
        thread.spawn_scoped(scope, work).ok()?.join().ok()
    })
}

/// Parses an expression that is not too long, and expands its macros. On a large stack only.
pub fn parse(source: &str) -> Result<Node, Vec<Mistake>> {
    // An environment without macros leaves their calls as they are.
    let parser = Env::default().parser().max_recursion_depth(MAX_NESTING);
    let parser = parser.enable_ident_escape_syntax(true);
    let (expression, places) = parser.parse_with_source_info(source).map_err(|errors| {
        let mut errors = errors.errors;
        // After a syntax error it also complains of the parts that it could not make up.
        if errors.iter().any(|error| error.msg.starts_with("Syntax error")) {
            errors.retain(|error| {
                !error.msg.contains("Incomplete") && !error.msg.starts_with("No `")
            });
        }
        let mistakes = errors.into_iter().map(|error| {
            let place = |at: isize| usize::try_from(at).unwrap_or_default();
            // Its error for what is nested too deeply is a type in debug format.
            let text = if error.msg.contains("Recursion limit") {
                format!("expression recursion limit exceeded: {MAX_NESTING}")
            } else {
                error.msg
            };
            Mistake::in_line(place(error.pos.0), place(error.pos.1), text)
        });
        mistakes.collect::<Vec<_>>()
    })?;
    let mut builder = Builder { source, places, next_id: 0, mistakes: Vec::new() };
    let node = builder.node(expression, 0);
    if builder.mistakes.is_empty() { Ok(node) } else { Err(builder.mistakes) }
}

/// Turns the crate's tree into ours.
pub struct Builder<'a> {
    source: &'a str,
    places: SourceInfo,
    next_id: usize,
    mistakes: Vec<Mistake>,
}

impl Builder<'_> {
    /// A node at that place.
    pub fn at(&mut self, at: Offset, kind: Kind) -> Node {
        let id = self.next_id;
        self.next_id += 1;
        Node { id, at, kind }
    }

    /// Notes a mistake; what is returned stands in its place.
    pub fn mistake(&mut self, at: Offset, text: impl Into<String>) -> Node {
        self.mistakes.push(Mistake::at(self.source, at, text));
        self.at(at, Kind::Literal(Val::Null))
    }

    fn place(&self, id: u64) -> Offset {
        self.places.offset_for(id).map_or(0, |(start, _)| start as usize)
    }

    fn node(&mut self, expression: IdedExpr, depth: usize) -> Node {
        let at = self.place(expression.id);
        if depth > MAX_DEPTH {
            // Once is enough.
            if self.mistakes.is_empty() {
                let text = format!("expression is nested more than {MAX_DEPTH} deep");
                return self.mistake(at, text);
            }
            return self.at(at, Kind::Literal(Val::Null));
        }
        let depth = depth + 1;
        let kind = match expression.expr {
            Expr::Literal(value) => {
                let value = literal(value);
                let at = if is_negative(&value) { self.sign_before(at) } else { at };
                return self.at(at, Kind::Literal(value));
            }
            Expr::Ident(name) => Kind::Name(name),
            Expr::Select(select) => {
                let operand = Box::new(self.node(*select.operand, depth));
                Kind::Select { operand, field: select.field, test: select.test }
            }
            Expr::Call(call) => {
                // Loops take more of the stack when they are evaluated.
                let is_loop = call.target.is_some() && (2..=4).contains(&call.args.len());
                let depth = if is_loop { depth + LOOP_DEPTH } else { depth };
                let target = call.target.map(|target| self.node(*target, depth));
                let arguments = self.nodes(call.args, depth);
                return macros::expand(self, at, call.func_name, target, arguments);
            }
            Expr::List(list) => {
                let optional = list.optional_indices;
                let values = self.nodes(list.elements, depth).into_iter().enumerate();
                let element = |(at, value)| Element { optional: optional.contains(&at), value };
                Kind::List(values.map(element).collect())
            }
            Expr::Map(map) => {
                Kind::Map(map.entries.into_iter().filter_map(|e| self.entry(e, depth)).collect())
            }
            Expr::Struct(message) => Kind::Message(message.type_name),
            // The parser was told of no macro that would make one.
            Expr::Comprehension(_) | Expr::Unspecified => {
                return self.mistake(at, "unsupported expression");
            }
        };
        self.at(at, kind)
    }

    /// Where the minus of a number stands, which the parser takes for no part of it.
    fn sign_before(&self, at: Offset) -> Offset {
        self.source.get(..at).and_then(|before| before.rfind('-')).unwrap_or(at)
    }

    fn nodes(&mut self, expressions: Vec<IdedExpr>, depth: usize) -> Vec<Node> {
        expressions.into_iter().map(|expression| self.node(expression, depth)).collect()
    }

    fn entry(&mut self, entry: IdedEntryExpr, depth: usize) -> Option<Entry> {
        let EntryExpr::MapEntry(entry) = entry.expr else { return None };
        let key = self.node(entry.key, depth);
        let value = self.node(entry.value, depth);
        Some(Entry { optional: entry.optional, key, value })
    }
}

fn is_negative(value: &Val<'_>) -> bool {
    match value {
        Val::Int(value) => *value < 0,
        Val::Double(value) => value.is_sign_negative(),
        _ => false,
    }
}

fn literal(value: LiteralValue) -> Val<'static> {
    match value {
        LiteralValue::Boolean(value) => Val::Bool(*value),
        LiteralValue::Bytes(value) => Val::Bytes(value.into_inner().into()),
        LiteralValue::Double(value) => Val::Double(*value),
        LiteralValue::Int(value) => Val::Int(*value),
        LiteralValue::Null => Val::Null,
        LiteralValue::String(value) => Val::String(value.into_inner().into()),
        LiteralValue::UInt(value) => Val::Uint(*value),
    }
}
