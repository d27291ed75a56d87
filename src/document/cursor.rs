//! The walk over a document.
//!
//! A [`Cursor`] stands at a place that is written, missing, or already complained about, and is asked
//! once for what the place should hold. Only what is written and wrong is reported: whether something
//! may be missing is for the reader of the [`Entry`] to say.

use super::{Field, Node, Place, Report, Value, nearest};

/// A place in the document, about to be read.
#[derive(Debug)]
pub struct Cursor<'a> {
    place: Place,
    state: State<&'a Node>,
    report: &'a Report,
}

/// What is known of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State<T> {
    /// Not written, or null.
    Absent,
    /// Written and wrong; the report says so already.
    Faulty,
    Written(T),
}

impl<'a> Cursor<'a> {
    pub(super) fn root(node: &'a Node, report: &'a Report) -> Self {
        let place = Place { position: node.position, path: String::new() };
        Self { place, state: State::Written(node), report }
    }

    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Wants a string.
    pub fn string(self) -> Entry<String> {
        self.read("a string", |value| match value {
            Value::String(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// Wants `true` or `false`.
    pub fn boolean(self) -> Entry<bool> {
        self.read("true or false", |value| match value {
            Value::Boolean(value) => Some(*value),
            _ => None,
        })
    }

    /// Wants a string or number that `parse` accepts; its error says what would be right.
    pub fn scalar<T>(
        self,
        wanted: &str,
        parse: impl FnOnce(Scalar<'_>) -> Result<T, String>,
    ) -> Entry<T> {
        let report = self.report;
        let entry = self.read(wanted, |value| match value {
            Value::String(text) => Some(parse(Scalar::String(text))),
            Value::Number(text) => Some(parse(Scalar::Number(text))),
            _ => None,
        });
        entry.and_then(report, |parsed| parsed)
    }

    /// Wants a list, and gives a cursor for each of its items.
    pub fn list(self) -> Entry<Vec<Cursor<'a>>> {
        let (place, report) = (self.place.clone(), self.report);
        self.read("a list", |value| match value {
            Value::List(items) => Some(items),
            _ => None,
        })
        .map(|items| {
            let cursor = |(index, node): (usize, &'a Node)| {
                let path = format!("{}[{index}]", place.path);
                let place = Place { position: node.position, path };
                // An empty item is not a missing one.
                let state = State::Written(node);
                Cursor { place, state, report }
            };
            items.iter().enumerate().map(cursor).collect()
        })
    }

    /// Wants an object; what is missing is an object without fields.
    pub fn object(self) -> Fields<'a> {
        let (place, report) = (self.place.clone(), self.report);
        let entry = self.read("an object", |value| match value {
            Value::Object(fields) => Some(fields),
            _ => None,
        });
        let mut fields =
            Fields { place, state: entry.state, known: Vec::new(), refused: Vec::new(), report };
        fields.report_duplicates();
        fields
    }

    fn read<T>(self, wanted: &str, take: impl FnOnce(&'a Value) -> Option<T>) -> Entry<T> {
        let state = match self.state {
            State::Absent => State::Absent,
            State::Faulty => State::Faulty,
            State::Written(node) => match take(&node.value) {
                Some(value) => State::Written(value),
                None => {
                    let found = describe(&node.value, wanted, self.report.discreet);
                    self.report.problem(&self.place, format!("wanted {wanted}, found {found}"));
                    State::Faulty
                }
            },
        };
        Entry { place: self.place, state }
    }
}

/// A string or a number, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Scalar<'a> {
    String(&'a str),
    Number(&'a str),
}

/// The fields of an object, taken one by one; [`finish`](Self::finish) reports what is left.
#[derive(Debug)]
#[must_use = "finish() reports the unknown fields"]
pub struct Fields<'a> {
    place: Place,
    state: State<&'a Vec<Field>>,
    known: Vec<&'static str>,
    refused: Vec<&'static str>,
    report: &'a Report,
}

impl<'a> Fields<'a> {
    /// Where the object is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The cursor at the field `name`, the first if there are several.
    pub fn take(&mut self, name: &'static str) -> Cursor<'a> {
        self.known.push(name);
        let (position, state) = match self.state {
            State::Absent => (self.place.position, State::Absent),
            State::Faulty => (self.place.position, State::Faulty),
            State::Written(fields) => match fields.iter().find(|field| field.key == name) {
                Some(Field { position, node, .. }) if node.value == Value::Null => {
                    (*position, State::Absent)
                }
                Some(Field { position, node, .. }) => (*position, State::Written(node)),
                None => (self.place.position, State::Absent),
            },
        };
        let place = Place { position, ..self.place.field(name) };
        Cursor { place, state, report: self.report }
    }

    /// A field that belongs elsewhere: a problem that says `why` if it is written, and to be read as
    /// if it were not.
    pub fn refuse(&mut self, name: &'static str, why: &str) -> Cursor<'a> {
        self.refused.push(name);
        if let State::Written(fields) = self.state {
            for field in fields.iter().filter(|field| field.key == name) {
                self.report.problem(&self.place_of(field), why);
            }
        }
        Cursor { place: self.place.field(name), state: State::Absent, report: self.report }
    }

    /// Whether the object is not written at all.
    pub fn is_absent(&self) -> bool {
        matches!(self.state, State::Absent)
    }

    /// Reports every field that nobody took: as not known yet if it is one of `later`, else with
    /// the nearest known name.
    pub fn finish(self, later: &[&str]) {
        let State::Written(fields) = self.state else { return };
        let named = |key| self.known.contains(&key) || self.refused.contains(&key);
        for field in fields.iter().filter(|field| !named(field.key.as_str())) {
            let key = field.key.as_str();
            let text = if later.contains(&key) {
                "not known to this version of countersign".to_owned()
            } else {
                match nearest(key, self.known.iter().copied()) {
                    Some(name) => format!("unknown field; did you mean {name}?"),
                    None => format!("unknown field; known here: {}", self.known.join(", ")),
                }
            };
            self.report.problem(&self.place_of(field), text);
        }
    }

    fn report_duplicates(&mut self) {
        let State::Written(fields) = self.state else { return };
        let mut first = std::collections::HashMap::new();
        for field in fields {
            if let Some(line) = first.get(field.key.as_str()) {
                let text = format!("duplicate field; it stands on line {line} already");
                self.report.problem(&self.place_of(field), text);
            } else {
                first.insert(field.key.as_str(), field.position.line);
            }
        }
    }

    fn place_of(&self, field: &Field) -> Place {
        Place { position: field.position, ..self.place.field(&field.key) }
    }
}

/// What was read at a place: a value, nothing, or something wrong that has been reported.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// Where it is written, or missing.
    pub place: Place,
    state: State<T>,
}

impl<T> Entry<T> {
    /// The value, if one was written and read.
    pub fn value(&self) -> Option<&T> {
        match &self.state {
            State::Written(value) => Some(value),
            State::Absent | State::Faulty => None,
        }
    }

    /// Whether nothing was written.
    pub fn is_absent(&self) -> bool {
        matches!(self.state, State::Absent)
    }

    /// The value, or `default` if nothing was written; `None` after a problem.
    pub fn or(self, default: T) -> Option<T> {
        match self.state {
            State::Absent => Some(default),
            State::Faulty => None,
            State::Written(value) => Some(value),
        }
    }

    /// With `default` in the place of nothing.
    #[must_use]
    pub fn with_default(self, default: impl Into<T>) -> Self {
        match self.state {
            State::Absent => Self { state: State::Written(default.into()), ..self },
            _ => self,
        }
    }

    /// The value made into another.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Entry<U> {
        let state = match self.state {
            State::Absent => State::Absent,
            State::Faulty => State::Faulty,
            State::Written(value) => State::Written(make(value)),
        };
        Entry { place: self.place, state }
    }

    /// The value made into another, or a problem.
    pub fn and_then<U>(
        self,
        report: &Report,
        make: impl FnOnce(T) -> Result<U, String>,
    ) -> Entry<U> {
        let state = match self.state {
            State::Absent => State::Absent,
            State::Faulty => State::Faulty,
            State::Written(value) => match make(value) {
                Ok(value) => State::Written(value),
                Err(text) => {
                    report.problem(&self.place, text);
                    State::Faulty
                }
            },
        };
        Entry { place: self.place, state }
    }
}

/// A value in words, short enough for one line.
fn describe(value: &Value, wanted: &str, discreet: bool) -> String {
    match value {
        Value::Boolean(_) if discreet => "true or false".to_owned(),
        Value::Number(_) if discreet => "a number: put it in quotes if it is a text".to_owned(),
        Value::String(_) if discreet => "a string".to_owned(),
        Value::Null => "nothing".to_owned(),
        Value::Boolean(value) if wanted == "a string" => format!("{value}: put it in quotes"),
        Value::Boolean(value) => value.to_string(),
        Value::Number(text) if wanted == "a string" => {
            format!("the number {text}: put it in quotes")
        }
        Value::Number(text) => format!("the number {text}"),
        Value::String(text) if text.len() > 40 || text.contains('\n') => "a long string".to_owned(),
        Value::String(text) => format!("the string {text:?}"),
        Value::List(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
