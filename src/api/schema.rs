//! What members an object has, and how Kubernetes reads them.
//!
//! As upstream's JSON decoder does: names match exactly; `null` is nothing; of a member that comes
//! twice the last one counts; what is unknown is passed over. Both are noted as [`Violations`], for
//! `fieldValidation`. A value of the wrong type is an error, worded as Go's.

use serde_json::{Map, Value as Json};

use crate::document::{Field, Node, Position, Value};

use super::meta::Time;
use super::quote::quoted;

/// An object's members and their types.
pub struct Schema {
    /// The name of upstream's struct, which its errors begin with.
    pub go: &'static str,
    /// Each by its name.
    pub members: &'static [(&'static str, Type)],
}

/// The type of a member.
#[allow(missing_docs, reason = "the names say it")]
pub enum Type {
    Boolean,
    Int64,
    String,
    /// RFC 3339.
    Time,
    Strings,
    /// Of strings.
    StringMap,
    /// Of lists of strings.
    StringsMap,
    /// Whatever it is.
    Any,
    Object(&'static Schema),
    List(&'static Schema),
}

/// The members that an object should not have.
#[derive(Debug, Default, PartialEq)]
pub struct Violations {
    of_yaml: Vec<String>,
    of_members: Vec<String>,
}

/// How many violations are told of.
const MAX_VIOLATIONS: usize = 100;
/// How much of a name that somebody made up is shown, in bytes. An answer must not be three times as
/// long as the body, however much of that is one name.
const SHOWN: usize = 256;

impl Violations {
    /// Each as a text of its own, for `Warn`.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        self.of_yaml.iter().chain(&self.of_members).map(String::as_str)
    }

    /// All in one text, for `Strict`, if there are any.
    pub fn error(&self) -> Option<String> {
        let yaml = (!self.of_yaml.is_empty())
            .then(|| format!("yaml: unmarshal errors:\n  {}", self.of_yaml.join("\n  ")));
        let parts: Vec<_> = yaml.iter().chain(&self.of_members).map(String::as_str).collect();
        (!parts.is_empty()).then(|| format!("strict decoding error: {}", parts.join(", ")))
    }

    /// Notes every key of a YAML document that comes twice in its map, wherever that is.
    pub fn note_yaml_duplicates(&mut self, node: &Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.note_yaml_duplicates(item)),
            Value::Object(fields) => {
                let mut seen = std::collections::HashSet::new();
                for Field { position, key, node } in fields {
                    if !seen.insert(key.as_str()) && self.of_yaml.len() < MAX_VIOLATIONS {
                        let line = position.line();
                        let key = quoted(excerpt(key));
                        self.of_yaml.push(format!("line {line}: key {key} already set in map"));
                    }
                    self.note_yaml_duplicates(node);
                }
            }
            _ => {}
        }
    }
}

impl Schema {
    /// What `fields` say, with the types that this wants and nothing else, as serde can take it.
    /// What is unknown is noted, and, if they are wanted, `duplicates`.
    ///
    /// # Errors
    ///
    /// The first value of a wrong type: where it is and what it should be, and not the value.
    pub fn read(
        &self,
        fields: &[Field],
        duplicates: bool,
        violations: &mut Violations,
    ) -> Result<Json, String> {
        let mut reading = Reading { duplicates, violations: Vec::new(), error: None };
        let object = reading.object(self, fields, &Path::default());
        let Reading { violations: mut noted, error, .. } = reading;
        if let Some((_, error)) = error {
            return Err(error);
        }
        noted.sort_by_key(|(position, _)| *position);
        for (_, text) in noted {
            if violations.of_members.len() < MAX_VIOLATIONS
                && !violations.of_members.contains(&text)
            {
                violations.of_members.push(text);
            }
        }
        Ok(Json::Object(object))
    }
}

/// Where a value is: the struct that it is a member of, and the path from the document's root.
#[derive(Clone, Default)]
struct Path {
    go: &'static str,
    text: String,
}

impl Path {
    fn member(&self, go: &'static str, name: &str) -> Self {
        let name = excerpt(name);
        let dot = if self.text.is_empty() { "" } else { "." };
        Self { go, text: format!("{}{dot}{name}", self.text) }
    }

    fn item(&self, index: usize) -> Self {
        Self { go: self.go, text: format!("{}[{index}]", self.text) }
    }
}

struct Reading {
    duplicates: bool,
    violations: Vec<(Position, String)>,
    /// The first in the document.
    error: Option<(Position, String)>,
}

impl Reading {
    fn object(&mut self, schema: &Schema, fields: &[Field], path: &Path) -> Map<String, Json> {
        let mut object = Map::new();
        let mut seen = Vec::with_capacity(schema.members.len());
        for Field { position, key, node } in fields {
            let path = path.member(schema.go, key);
            let Some((name, wanted)) = schema.members.iter().find(|(name, _)| name == key) else {
                self.note(*position, format!("unknown field {}", quoted(&path.text)));
                continue;
            };
            // Each name once: a body may repeat one thousands of times.
            match seen.contains(name) {
                true if self.duplicates => {
                    self.note(*position, format!("duplicate field {}", quoted(&path.text)));
                }
                true => {}
                false => seen.push(name),
            }
            match self.value(wanted, node, &path) {
                Json::Null => object.remove(*name),
                value => object.insert((*name).to_owned(), value),
            };
        }
        object
    }

    /// The value, or null if there is none or it is wrong.
    fn value(&mut self, wanted: &Type, node: &Node, path: &Path) -> Json {
        match (wanted, &node.value) {
            (_, Value::Null) => Json::Null,
            (Type::Boolean, Value::Boolean(value)) => Json::Bool(*value),
            (Type::String, Value::String(text)) => Json::String(text.clone()),
            (Type::Time, Value::String(text)) if Time::parse(text).is_some() => {
                Json::String(text.clone())
            }
            (Type::Int64, Value::Number(text)) if text.parse::<i64>().is_ok() => {
                text.parse::<i64>().map_or(Json::Null, Json::from)
            }
            (Type::Strings, Value::List(items)) => {
                // An item that is null is the empty string, as in Go.
                let item = |(index, item)| match self.value(&Type::String, item, &path.item(index))
                {
                    Json::Null => Json::String(String::new()),
                    item => item,
                };
                items.iter().enumerate().map(item).collect()
            }
            (Type::List(schema), Value::List(items)) => {
                let object = Type::Object(schema);
                let item = |(index, item)| match self.value(&object, item, &path.item(index)) {
                    Json::Null => Json::Object(Map::new()),
                    item => item,
                };
                items.iter().enumerate().map(item).collect()
            }
            (Type::Object(schema), Value::Object(fields)) => {
                Json::Object(self.object(schema, fields, path))
            }
            (Type::StringMap, Value::Object(fields)) => {
                self.map(fields, path, &Type::String, Json::String(String::new()))
            }
            (Type::StringsMap, Value::Object(fields)) => {
                self.map(fields, path, &Type::Strings, Json::Array(Vec::new()))
            }
            (Type::Any, value) => untyped(value),
            (wanted, found) => {
                self.refuse(node.position, wanted, found, path);
                Json::Null
            }
        }
    }

    fn map(&mut self, fields: &[Field], path: &Path, wanted: &Type, empty: Json) -> Json {
        let mut map = Map::new();
        for Field { position, key, node } in fields {
            // Go names the map where a value is wrong, and the key where it comes twice.
            let value = match self.value(wanted, node, path) {
                Json::Null => empty.clone(),
                value => value,
            };
            if map.insert(key.clone(), value).is_some() && self.duplicates {
                let path = path.member(path.go, key);
                self.note(*position, format!("duplicate field {}", quoted(&path.text)));
            }
        }
        Json::Object(map)
    }

    fn note(&mut self, position: Position, text: String) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push((position, text));
        }
    }

    fn refuse(&mut self, position: Position, wanted: &Type, found: &Value, path: &Path) {
        if self.error.as_ref().is_some_and(|(earlier, _)| *earlier < position) {
            return;
        }
        let found = match (found, wanted) {
            (Value::Null, _) => "null".to_owned(),
            (Value::Boolean(_), _) => "bool".to_owned(),
            // A number where a number is wanted is no secret.
            (Value::Number(text), Type::Int64) => format!("number {}", excerpt(text)),
            (Value::Number(_), _) => "number".to_owned(),
            (Value::String(_), _) => "string".to_owned(),
            (Value::List(_), _) => "array".to_owned(),
            (Value::Object(_), _) => "object".to_owned(),
        };
        let wanted = match wanted {
            Type::Boolean => "bool".to_owned(),
            Type::Int64 => "int64".to_owned(),
            Type::String => "string".to_owned(),
            Type::Time => "v1.Time (RFC 3339)".to_owned(),
            Type::Strings => "[]string".to_owned(),
            Type::StringMap => "map[string]string".to_owned(),
            Type::StringsMap => "map[string]v1.ExtraValue".to_owned(),
            Type::Any => "any".to_owned(),
            Type::Object(schema) => format!("v1.{}", schema.go),
            Type::List(schema) => format!("[]v1.{}", schema.go),
        };
        // Go names the members on the way, and no place in a list.
        let text: String = path.text.split('[').map(after_bracket).collect();
        let Path { go, .. } = path;
        let text = format!(
            "json: cannot unmarshal {found} into Go struct field {go}.{text} of type {wanted}"
        );
        self.error = Some((position, text));
    }
}

fn excerpt(text: &str) -> &str {
    text.get(..text.floor_char_boundary(SHOWN)).unwrap_or(text)
}

/// `0].name` is `.name`.
fn after_bracket(part: &str) -> &str {
    part.split_once(']').map_or(part, |(_, rest)| rest)
}

fn untyped(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Number(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::from(text.as_str()))
        }
        Value::String(text) => Json::from(text.as_str()),
        Value::List(items) => items.iter().map(|item| untyped(&item.value)).collect(),
        Value::Object(fields) => {
            let member = |field: &Field| (field.key.clone(), untyped(&field.node.value));
            Json::Object(fields.iter().map(member).collect())
        }
    }
}
