//! Values while an expression is evaluated.
//!
//! Texts are borrowed from the token where they can be; lists and maps are shared, so that passing
//! them on costs nothing.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::ops::Deref;
use std::sync::Arc;

use super::library::opaque::Opaque;
use super::library::time::{Duration, Timestamp};

/// A value.
#[derive(Clone, Debug)]
pub enum Val<'a> {
    /// `null`.
    Null,
    /// `bool`.
    Bool(bool),
    /// `int`.
    Int(i64),
    /// `uint`.
    Uint(u64),
    /// `double`.
    Double(f64),
    /// `string`.
    String(Text<'a>),
    /// `bytes`.
    Bytes(Arc<[u8]>),
    /// `list`.
    List(List<'a>),
    /// `map`.
    Map(Map<'a>),
    /// `google.protobuf.Duration`.
    Duration(Duration),
    /// `google.protobuf.Timestamp`.
    Timestamp(Timestamp),
    /// A type, by its name.
    Type(&'static str),
    /// `optional_type`.
    Optional(Option<Present<'a>>),
    /// A library's own.
    Opaque(Arc<Opaque>),
    /// `claims` or `user` itself, which is no map: it only has fields.
    Root(&'static str),
}

/// A string.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// As it stands in the token, or in the expression.
    Borrowed(&'a str),
    /// Made on the way.
    Shared(Arc<str>),
}

/// A list.
#[derive(Clone, Debug)]
pub struct List<'a> {
    items: Arc<Vec<Val<'a>>>,
    depth: u16,
    /// Whether names that are looked up below are unescaped: see [`Map`].
    pub is_input: bool,
}

/// The value of an optional that has one.
#[derive(Clone, Debug)]
pub struct Present<'a> {
    value: Arc<Val<'a>>,
    depth: u16,
}

/// A map.
#[derive(Clone, Debug)]
pub struct Map<'a> {
    /// Sorted by key.
    entries: Arc<Vec<(Val<'a>, Val<'a>)>>,
    depth: u16,
    /// Whether this comes straight from the token, so that `a__dot__b` finds `a.b` in it. As
    /// upstream, elements of a list that a loop goes through have lost that.
    pub is_input: bool,
}

impl<'a> Val<'a> {
    /// A string that was made.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(Text::Shared(text.into()))
    }

    /// A list that was made.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(items, false))
    }

    /// An optional with a value.
    pub fn some(value: Self) -> Self {
        let depth = value.depth().saturating_add(1);
        Self::Optional(Some(Present { value: Arc::new(value), depth }))
    }

    /// An optional.
    pub fn optional(value: Option<Self>) -> Self {
        value.map_or(Self::Optional(None), Self::some)
    }

    /// How deep values stand in each other here.
    pub fn depth(&self) -> u16 {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            Self::Optional(Some(value)) => value.depth,
            _ => 0,
        }
    }

    /// A value of a library's own type.
    pub fn opaque(value: impl Into<Opaque>) -> Self {
        Self::Opaque(Arc::new(value.into()))
    }

    /// The name of its type, as `type()` has it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::Opaque(value) => value.type_name(),
            Self::Root(name) => name,
        }
    }

    /// The value, if it is not looked up as a part of the token any more.
    pub fn made(mut self) -> Self {
        match &mut self {
            Self::List(list) => list.is_input = false,
            Self::Map(map) => map.is_input = false,
            _ => {}
        }
        self
    }

    /// The value as a part of the token, or not.
    pub fn input(mut self, is_input: bool) -> Self {
        match &mut self {
            Self::List(list) => list.is_input = is_input,
            Self::Map(map) => map.is_input = is_input,
            _ => {}
        }
        self
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Shared(text.into())
    }
}

impl<'a> List<'a> {
    /// A list of these.
    pub fn new(items: Vec<Val<'a>>, is_input: bool) -> Self {
        let depth = items.iter().map(Val::depth).max().unwrap_or_default().saturating_add(1);
        Self { items: Arc::new(items), depth, is_input }
    }
}

impl<'a> Deref for Present<'a> {
    type Target = Val<'a>;

    fn deref(&self) -> &Val<'a> {
        &self.value
    }
}

impl<'a> Deref for List<'a> {
    type Target = [Val<'a>];

    fn deref(&self) -> &[Val<'a>] {
        &self.items
    }
}

impl<'a> Map<'a> {
    /// A map of these; of entries with one key the last counts. Absent if something is a key that
    /// cannot be one.
    pub fn new(mut entries: Vec<(Val<'a>, Val<'a>)>, is_input: bool) -> Option<Self> {
        if !entries.iter().all(|(key, _)| is_key(key)) {
            return None;
        }
        // Stable: the last of equal keys stays the last.
        entries.sort_by(|(one, _), (other, _)| order(one, other));
        entries.dedup_by(|after, before| {
            let same = order(&after.0, &before.0).is_eq();
            if same {
                std::mem::swap(&mut after.1, &mut before.1);
            }
            same
        });
        let depth = entries.iter().map(|(_, value)| value.depth()).max().unwrap_or_default();
        Some(Self { entries: Arc::new(entries), depth: depth.saturating_add(1), is_input })
    }

    /// What finding a key costs beside a step: it is compared with some of the others, which may be
    /// the same for long.
    pub fn price(&self, key: &Val<'_>) -> usize {
        match key {
            Val::String(key) => (key.len() / 100).saturating_mul(levels(self.len())),
            _ => 0,
        }
    }

    /// What [`new`](Self::new) costs beside a step for each entry.
    pub fn price_of_making(entries: &[(Val<'a>, Val<'a>)]) -> usize {
        let bytes = entries.iter().map(|(key, _)| match key {
            Val::String(key) => key.len() / 100,
            _ => 0,
        });
        bytes.fold(0, usize::saturating_add).saturating_mul(levels(entries.len()))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries, by key.
    pub fn entries(&self) -> &[(Val<'a>, Val<'a>)] {
        &self.entries
    }

    /// The value of a key; a number finds an equal one of another type.
    pub fn get(&self, key: &Val<'_>) -> Option<&Val<'a>> {
        let exactly = |key: &Val<'_>| {
            let at = self.entries.binary_search_by(|(one, _)| order(one, key)).ok()?;
            self.entries.get(at).map(|(_, value)| value)
        };
        let whole = |key: f64| key.fract() == 0.0 && key.abs() < 9e18;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole")]
        exactly(key).or_else(|| match *key {
            Val::Int(key) => exactly(&Val::Uint(u64::try_from(key).ok()?)),
            Val::Uint(key) => exactly(&Val::Int(i64::try_from(key).ok()?)),
            Val::Double(key) if whole(key) => exactly(&Val::Int(key as i64))
                .or_else(|| if key >= 0.0 { exactly(&Val::Uint(key as u64)) } else { None }),
            _ => None,
        })
    }

    /// The value of a string key, without making one.
    pub fn get_str(&self, key: &str) -> Option<&Val<'a>> {
        let at = self.entries.binary_search_by(|(one, _)| match one {
            Val::String(one) => (**one).cmp(key),
            other => rank(other).cmp(&STRING_RANK),
        });
        self.entries.get(at.ok()?).map(|(_, value)| value)
    }
}

/// How often a list of that length can be halved.
fn levels(length: usize) -> usize {
    (usize::BITS - length.leading_zeros()) as usize
}

const STRING_RANK: u8 = 5;

const NO_KEY: u8 = 9;

fn rank(key: &Val<'_>) -> u8 {
    match key {
        Val::Null => 0,
        Val::Bool(_) => 1,
        Val::Int(_) => 2,
        Val::Uint(_) => 3,
        Val::Double(_) => 4,
        Val::String(_) => STRING_RANK,
        Val::Duration(_) => 6,
        Val::Timestamp(_) => 7,
        Val::Type(_) => 8,
        _ => NO_KEY,
    }
}

fn is_key(key: &Val<'_>) -> bool {
    rank(key) < NO_KEY && !matches!(key, Val::Double(key) if key.is_nan())
}

/// The order of keys: by type, then by value.
fn order(one: &Val<'_>, other: &Val<'_>) -> Ordering {
    match (one, other) {
        (Val::Bool(one), Val::Bool(other)) => one.cmp(other),
        (Val::Int(one), Val::Int(other)) => one.cmp(other),
        (Val::Uint(one), Val::Uint(other)) => one.cmp(other),
        (Val::Double(one), Val::Double(other)) => one.total_cmp(other),
        (Val::String(one), Val::String(other)) => {
            let (one, other): (&str, &str) = (one.borrow(), other.borrow());
            one.cmp(other)
        }
        (Val::Duration(one), Val::Duration(other)) => one.cmp(other),
        (Val::Timestamp(one), Val::Timestamp(other)) => one.cmp(other),
        (Val::Type(one), Val::Type(other)) => one.cmp(other),
        (one, other) => rank(one).cmp(&rank(other)),
    }
}

impl Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        self
    }
}
