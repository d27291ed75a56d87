//! From JSON to a tree.
//!
//! YAML is a superset of JSON; what promises to be JSON is held to it here. Duplicate members are
//! kept, and what could grow (nesting, values) is bounded before it does.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::parse::SyntaxError;
use super::{Field, Node, Position, Value};

/// Parses the one value in `bytes`.
pub(super) fn document(bytes: &[u8], max_values: usize) -> Result<Node, SyntaxError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let values = Values { seen: &Cell::new(0), max: max_values };
    let node = values.deserialize(&mut json);
    node.and_then(|node| json.end().map(|()| node)).map_err(|error| {
        // Its own words hold nothing of the text, ours neither.
        SyntaxError { line: Some(error.line()), text: error.to_string(), quotes: false }
    })
}

/// Makes a node of the next value. The values are numbered, since nobody says where they stand.
#[derive(Clone, Copy)]
struct Values<'c> {
    seen: &'c Cell<usize>,
    max: usize,
}

impl Values<'_> {
    fn next(self) -> Position {
        let offset = self.seen.get() + 1;
        self.seen.set(offset);
        Position { offset, line: 0 }
    }
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Node, D::Error> {
        let position = self.next();
        if position.offset > self.max {
            return Err(D::Error::custom(format!("more than {} values", self.max)));
        }
        Ok(Node { position, value: json.deserialize_any(self)? })
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // With its point, so that 1e3 stays something else than a whole number.
        Ok(Value::Number(format!("{value:?}")))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = object.next_key()? {
            let position = self.next();
            fields.push(Field { position, key, node: object.next_value_seed(self)? });
        }
        Ok(Value::Object(fields))
    }
}
