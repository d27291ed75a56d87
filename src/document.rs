//! A JSON or YAML document as it was written: duplicates kept, every place known.
//!
//! [`Document::parse`] builds one tree for both formats, because JSON is YAML; a [`Cursor`] walks
//! it and asks each place for what it should hold. Nothing that is written is passed over in
//! silence: what is unknown, comes twice or has the wrong type goes into a [`Report`] with its path
//! (`jwt[1].issuer.url`) and line, and the walk goes on, so that one reading finds every mistake.

mod cursor;
mod parse;

use std::cell::RefCell;
use std::fmt;

pub use cursor::{Cursor, Entry, Fields, Scalar};
pub use parse::SyntaxError;

/// The tree of one document.
#[derive(Clone, Debug)]
pub struct Document {
    root: Node,
}

impl Document {
    /// Reads one document of JSON or YAML 1.2 (core schema).
    ///
    /// Aliases are followed within a bound; tags other than `!!str` and merge keys are refused.
    ///
    /// # Errors
    /// If the bytes are not UTF-8, not YAML, empty, several documents, or nested or expanded beyond
    /// reason.
    pub fn parse(bytes: &[u8]) -> Result<Self, SyntaxError> {
        parse::document(bytes).map(|root| Self { root })
    }

    /// Reads every document of a file, in the order written; one that is empty, as between two `---`,
    /// is none.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), but for the number of documents.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, SyntaxError> {
        Ok(parse::documents(bytes)?.into_iter().map(|root| Self { root }).collect())
    }

    /// The cursor at the root. What it and its descendants object to goes into `report`.
    pub fn cursor<'a>(&'a self, report: &'a Report) -> Cursor<'a> {
        Cursor::root(&self.root, report)
    }
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
struct Node {
    position: Position,
    value: Value,
}

/// What a node holds. A number stays as it was written.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Boolean(bool),
    Number(String),
    String(String),
    List(Vec<Node>),
    Object(Vec<Field>),
}

/// One entry of an object. The same key may come again.
#[derive(Clone, Debug, PartialEq)]
struct Field {
    position: Position,
    key: String,
    node: Node,
}

/// A position in the source, in the order of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    /// In characters from the beginning.
    offset: usize,
    /// From one.
    line: usize,
}

/// Where something is written, or is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    position: Position,
    path: String,
}

impl Place {
    /// As `jwt[1].issuer.url`; empty for the document itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// From one. For what is missing: where the object stands that misses it.
    pub fn line(&self) -> usize {
        self.position.line
    }

    /// The place of a field that is not written, in the object that is here.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self { position: self.position, path: format!("{}{dot}{name}", self.path) }
    }
}

/// A remark about a place: a problem or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// What it is about.
    pub place: Place,
    /// One line for the person who wrote the document.
    pub text: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.place.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.place.path, self.text)
    }
}

/// Collects what is wrong, and what is merely odd, while a document is read and checked.
#[derive(Debug, Default)]
pub struct Report {
    problems: RefCell<Vec<Remark>>,
    warnings: RefCell<Vec<Remark>>,
    discreet: bool,
}

impl Report {
    /// A report on what must not be seen: it says of what type a value is, and not which.
    pub fn discreet() -> Self {
        Self { discreet: true, ..Self::default() }
    }

    /// Something that must be mended.
    pub fn problem(&self, place: &Place, text: impl Into<String>) {
        let remark = Remark { place: place.clone(), text: text.into() };
        self.problems.borrow_mut().push(remark);
    }

    /// Something that works, but perhaps not as meant.
    pub fn warning(&self, place: &Place, text: impl Into<String>) {
        let remark = Remark { place: place.clone(), text: text.into() };
        self.warnings.borrow_mut().push(remark);
    }

    /// Problems and warnings, each in the order of the document and, at one place, as they came.
    pub fn finish(self) -> (Vec<Remark>, Vec<Remark>) {
        let [mut problems, mut warnings] = [self.problems, self.warnings].map(RefCell::into_inner);
        problems.sort_by_key(|remark| remark.place.position);
        warnings.sort_by_key(|remark| remark.place.position);
        (problems, warnings)
    }
}

/// The candidate that `word` was probably meant to be: `jwksUrl` is `jwksURL`.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests;
