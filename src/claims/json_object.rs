//! A JSON object, member by member.
//!
//! One pass over the text finds where the names and values stand; a value is decoded when somebody
//! asks for it, so that the claims nobody maps cost nothing. A member that comes twice, or a text
//! that is not UTF-8, is kept as a [`Flaw`] instead of refused at once: whose token it is must be
//! known before it can be refused in their name.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Deeper values than this are a [`Flaw`]: serde_json's own limit, for those who decode them whole.
const MAX_DEPTH: usize = 128;

/// How many members there is room for at once. Few tokens have more; and from a kilobyte on, an
/// allocator has no short way.
const MOSTLY_ENOUGH: usize = 24;

/// The members of a JSON object and the text they stand in.
pub struct JsonObject {
    /// The object, and behind it the names that were written with escapes.
    text: String,
    /// Sorted by name; those of one name in the order written.
    members: Vec<Member>,
    flaw: Option<Flaw>,
}

impl JsonObject {
    /// Reads an object; absent if it is anything else.
    ///
    /// Bytes that are not UTF-8 are replaced, as Go does, and noted as a flaw.
    pub fn parse(json: Vec<u8>) -> Option<Self> {
        let (mut text, not_utf8) = match String::from_utf8(json) {
            Ok(text) => (text, false),
            Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
        };
        let members = Vec::with_capacity(MOSTLY_ENOUGH);
        let mut scan = Scan { text: &text, members, escaped: String::new() };
        let mut json = serde_json::Deserializer::from_str(&text);
        json.deserialize_map(&mut scan).ok()?;
        json.end().ok()?;
        let Scan { mut members, escaped, .. } = scan;
        let too_deep = is_too_deep(&text);
        text.push_str(&escaped);

        let name = |member: &Member| member.name.of(&text);
        members.sort_by(|a, b| a.prefix.cmp(&b.prefix).then_with(|| name(a).cmp(name(b))));
        let mut neighbours = members.iter().zip(members.iter().skip(1));
        let twice = neighbours.any(|(a, b)| a.prefix == b.prefix && name(a) == name(b));
        let flaw = match (not_utf8, twice, too_deep) {
            (true, ..) => Some(Flaw::NotUtf8),
            (_, true, _) => Some(Flaw::MemberTwice),
            (.., true) => Some(Flaw::TooDeep),
            _ => None,
        };
        Some(Self { text, members, flaw })
    }

    /// Why the object must not be relied on, if so.
    pub fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// The value of the member with exactly this name.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        let prefix = prefix(name);
        let first = self.members.partition_point(|member| member.prefix < prefix);
        let alike = self.members.get(first..)?.iter().take_while(|member| member.prefix == prefix);
        let mut found = alike.filter(|member| member.name.of(&self.text) == name);
        found.next().map(|member| Value(member.value.of(&self.text)))
    }

    /// All members, sorted by name.
    pub fn members(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.members
            .iter()
            .map(|member| (member.name.of(&self.text), Value(member.value.of(&self.text))))
    }
}

impl fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonObject").finish_non_exhaustive()
    }
}

/// What is wrong with an object that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Some bytes were not UTF-8 (RFC 8259, section 8.1).
    #[error("is not UTF-8")]
    NotUtf8,
    /// Two members have one name: nobody may choose which of them counts.
    #[error("names a member twice")]
    MemberTwice,
    /// Arrays and objects stand in each other more than 128 deep.
    #[error("is nested too deeply")]
    TooDeep,
}

/// A JSON value, not decoded yet.
///
/// Decoding follows Go, where `null` is the zero value of every type.
#[derive(Clone, Copy)]
pub struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// The value as it was written.
    pub fn json(self) -> &'a str {
        self.0
    }

    /// What it is, for people.
    pub fn kind(self) -> &'static str {
        match self.0.as_bytes().first() {
            Some(b'"') => "string",
            Some(b'[') => "list",
            Some(b'{') => "object",
            Some(b't' | b'f') => "boolean",
            Some(b'n') => "null",
            _ => "number",
        }
    }

    /// Whether this is `null`.
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// A string; `null` is the empty one.
    pub fn string(self) -> Option<Cow<'a, str>> {
        if self.is_null() {
            return Some(Cow::Borrowed(""));
        }
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            serde_json::from_str(self.0).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        }
    }

    /// A string, or a list of strings in which `null` is the empty one; `null` is the empty list.
    pub fn strings(self) -> Option<Vec<String>> {
        if self.is_null() {
            Some(Vec::new())
        } else if self.0.starts_with('[') {
            let list: Vec<Option<String>> = serde_json::from_str(self.0).ok()?;
            Some(list.into_iter().map(Option::unwrap_or_default).collect())
        } else {
            self.string().map(|text| vec![text.into_owned()])
        }
    }

    /// A boolean; `null` is false.
    pub fn boolean(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" | "null" => Some(false),
            _ => None,
        }
    }
}

struct Member {
    name: Span,
    value: Span,
    /// The beginning of the name, which mostly tells it from others.
    prefix: u64,
}

/// The first eight bytes, such that they compare as names do; a shorter name ends in zeros.
fn prefix(name: &str) -> u64 {
    match name.as_bytes().first_chunk() {
        Some(eight) => u64::from_be_bytes(*eight),
        // Not by way of an array: to read at once what was written byte by byte holds a processor up.
        None => name.bytes().rfold(0, |prefix, byte| prefix >> 8 | u64::from(byte) << 56),
    }
}

/// A place in the text.
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Where `part`, which was borrowed from `text`, stands in it.
    fn locate(part: &str, text: &str) -> Self {
        let start = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
        Self { start, end: start.wrapping_add(part.len()) }
    }
}

struct Scan<'a> {
    text: &'a str,
    members: Vec<Member>,
    escaped: String,
}

impl<'de> Visitor<'de> for &mut Scan<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            let prefix = prefix(&name.0);
            let name = match name.0 {
                Cow::Borrowed(name) => Span::locate(name, self.text),
                Cow::Owned(name) => {
                    let start = self.text.len() + self.escaped.len();
                    self.escaped.push_str(&name);
                    Span { start, end: start + name.len() }
                }
            };
            let value = Span::locate(value.get(), self.text);
            self.members.push(Member { name, value, prefix });
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Whether valid JSON is deeper than [`MAX_DEPTH`]. Skipping a value, as the scan does, has no limit
/// of its own; few texts have enough brackets to need the second look.
fn is_too_deep(json: &str) -> bool {
    // `[` and `{` differ in one bit only; few enough at a time for a byte to count them.
    let opens = |byte: &u8| u8::from(byte | 0x20 == b'{');
    let opening = |part: &[u8]| usize::from(part.iter().map(opens).sum::<u8>());
    let brackets: usize = json.as_bytes().chunks(128).map(opening).sum();
    brackets >= MAX_DEPTH && depth(json) >= MAX_DEPTH
}

/// How deep valid JSON is: brackets that are open at once, outside of strings.
fn depth(json: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                open += 1;
                most = most.max(open);
            }
            b']' | b'}' => open = open.saturating_sub(1),
            b'"' => {
                while bytes.next().is_some_and(|byte| match byte {
                    b'\\' => bytes.next().is_some(),
                    byte => byte != b'"',
                }) {}
            }
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> JsonObject {
        JsonObject::parse(json.into()).expect(json)
    }

    #[test]
    fn members_are_found_by_exact_name() {
        let object = object(r#" { "b" : [1, {"a": 2}], "a":"x", "A":null,"é\u0041":-1.5e3 } "#);
        assert_eq!(object.flaw(), None);
        for (name, value) in
            [("a", Some(r#""x""#)), ("A", Some("null")), ("b", Some(r#"[1, {"a": 2}]"#))]
        {
            assert_eq!(object.get(name).map(Value::json), value, "{name}");
        }
        assert_eq!(object.get("éA").map(Value::json), Some("-1.5e3"), "an escaped name");
        assert_eq!(object.get("c").map(Value::json), None);
        let long = self::object(r#"{"email_verified":1,"email_verify":2,"email_ve":3}"#);
        assert_eq!(long.flaw(), None, "names may begin alike");
        assert_eq!(long.get("email_verify").map(Value::json), Some("2"));
        assert_eq!(long.get("email_verifying").map(Value::json), None);
        let names: Vec<_> = object.members().map(|(name, _)| name).collect();
        assert_eq!(names, ["A", "a", "b", "éA"]);
        let short = self::object(r#"{"":1,"\u0000":2,"a":3,"a\u0000":4,"seven77":5,"eight888":6}"#);
        assert_eq!(short.flaw(), None, "a short name is not one that ends in zeros");
        let names: Vec<_> = short.members().map(|(name, _)| name).collect();
        assert_eq!(names, ["", "\0", "a", "a\0", "eight888", "seven77"]);
        for (name, value) in [("", "1"), ("\0", "2"), ("a", "3"), ("a\0", "4"), ("eight888", "6")] {
            assert_eq!(short.get(name).map(Value::json), Some(value), "{name:?}");
        }
    }

    #[test]
    fn anything_but_one_object_is_none() {
        for json in [
            "",
            " ",
            "null",
            "[]",
            "1",
            "\"{}\"",
            "{",
            "{}{}",
            "{} x",
            "{,}",
            "{\"a\":1,}",
            "{'a':1}",
            "{a:1}",
            "{\"a\"}",
            "{\"a\":01}",
            "{\"a\":\"\n\"}",
            "{\"a\":tru}",
            "\u{feff}{}",
        ] {
            assert!(JsonObject::parse(json.into()).is_none(), "{json:?}");
        }
    }

    #[test]
    fn flaws_are_noted_and_the_rest_stays_readable() {
        let nested =
            |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(object(r#"{"a":1,"\u0061":2}"#).flaw(), Some(Flaw::MemberTwice));
        assert_eq!(object(&nested(126)).flaw(), None);
        assert_eq!(object(&nested(127)).flaw(), Some(Flaw::TooDeep));
        assert_eq!(object(&nested(40_000)).flaw(), Some(Flaw::TooDeep));
        let wide = format!(r#"{{"a":[{}[]]}}"#, "[],".repeat(500));
        assert_eq!(object(&wide).flaw(), None, "wide is not deep");
        let odd = wide.replace(r#"{"a":"#, r#"{"s":"\ud800","n":1e400,"t":"\"]}\\","a":"#);
        assert_ne!(odd, wide);
        assert_eq!(object(&odd).flaw(), None, "nor is what no number or text can hold");
        let latin1 = JsonObject::parse(b"{\"iss\":\"x\",\"name\":\"\xe9\"}".to_vec()).unwrap();
        assert_eq!(latin1.flaw(), Some(Flaw::NotUtf8));
        assert_eq!(latin1.get("iss").unwrap().string().unwrap(), "x");
    }

    #[test]
    fn values_are_decoded_as_go_does() {
        let object = object(
            r#"{"string":"a\"\u00e9","plain":"é","null":null,"empty":"","list":["a",null,"\n"],
                "none":[],"mixed":["a",1],"number":5,"true":true,"object":{},"surrogate":"\ud800"}"#,
        );
        let strings = |name| object.get(name).unwrap().strings();
        let text = |name| object.get(name).unwrap().string().map(Cow::into_owned);
        let owned = |list: &[&str]| Some(list.iter().map(|&text| text.to_owned()).collect());
        for (name, string, list, boolean) in [
            ("string", Some("a\"é"), owned(&["a\"é"]), None),
            ("plain", Some("é"), owned(&["é"]), None),
            ("null", Some(""), owned(&[]), Some(false)),
            ("empty", Some(""), owned(&[""]), None),
            ("list", None, owned(&["a", "", "\n"]), None),
            ("none", None, owned(&[]), None),
            ("mixed", None, None, None),
            ("number", None, None, None),
            ("true", None, None, Some(true)),
            ("object", None, None, None),
            ("surrogate", None, None, None),
        ] {
            assert_eq!(text(name).as_deref(), string, "{name}");
            assert_eq!(strings(name), list, "{name}");
            assert_eq!(object.get(name).unwrap().boolean(), boolean, "{name}");
        }
    }
}
