//! Claims as values, as Go decodes them: numbers are doubles, of two members the last counts, and
//! half a surrogate pair is U+FFFD.
//!
//! The text was found to be valid JSON, and nested at most 128 deep, when the token was read. What
//! is not is refused all the same.

use super::val::{List, Map, Text, Val};

const MAX_DEPTH: usize = 130;

/// Decodes a value; absent if it is none, or has a number that is too large for a double.
pub fn decode(json: &str) -> Option<Val<'_>> {
    let mut reader = Reader { json, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    (reader.at == json.len()).then_some(value)
}

struct Reader<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.json.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.at += rest.len() - trimmed.len();
    }

    fn take(&mut self, text: &str) -> Option<()> {
        self.rest().starts_with(text).then(|| self.at += text.len())
    }

    fn value(&mut self, depth: usize) -> Option<Val<'a>> {
        self.space();
        match self.rest().bytes().next()? {
            _ if depth > MAX_DEPTH => None,
            b'"' => self.string().map(Val::String),
            b'[' => self.list(depth),
            b'{' => self.map(depth),
            b't' => self.take("true").map(|()| Val::Bool(true)),
            b'f' => self.take("false").map(|()| Val::Bool(false)),
            b'n' => self.take("null").map(|()| Val::Null),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Option<Val<'a>> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c));
        let number = rest.get(..end.unwrap_or(rest.len()))?;
        self.at += number.len();
        number.parse().ok().filter(|number: &f64| number.is_finite()).map(Val::Double)
    }

    fn list(&mut self, depth: usize) -> Option<Val<'a>> {
        self.take("[")?;
        let mut items = Vec::new();
        self.space();
        while self.take("]").is_none() {
            if !items.is_empty() {
                self.take(",")?;
            }
            items.push(self.value(depth + 1)?);
            self.space();
        }
        Some(Val::List(List::new(items, true)))
    }

    fn map(&mut self, depth: usize) -> Option<Val<'a>> {
        self.take("{")?;
        let mut entries = Vec::new();
        self.space();
        while self.take("}").is_none() {
            if !entries.is_empty() {
                self.take(",")?;
                self.space();
            }
            let key = Val::String(self.string()?);
            self.space();
            self.take(":")?;
            entries.push((key, self.value(depth + 1)?));
            self.space();
        }
        Map::new(entries, true).map(Val::Map)
    }

    fn string(&mut self) -> Option<Text<'a>> {
        self.take("\"")?;
        let rest = self.rest();
        let end = rest.find(['"', '\\'])?;
        let plain = rest.get(..end)?;
        self.at += end;
        if self.take("\"").is_some() {
            return Some(Text::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        loop {
            let rest = self.rest();
            let end = rest.find(['"', '\\'])?;
            text.push_str(rest.get(..end)?);
            self.at += end;
            if self.take("\"").is_some() {
                return Some(text.into());
            }
            self.take("\\")?;
            let letter = self.rest().chars().next()?;
            self.at += letter.len_utf8();
            text.push(match letter {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.escaped()?,
                '"' | '\\' | '/' => letter,
                _ => return None,
            });
        }
    }

    /// What follows `\u`.
    fn escaped(&mut self) -> Option<char> {
        let high = self.hex()?;
        if (0xd800..0xdc00).contains(&high) {
            let before = self.at;
            if self.take("\\u").is_some()
                && let Some(low) = self.hex().filter(|low| (0xdc00..0xe000).contains(low))
            {
                return char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            // Only half a pair; what follows stands for itself.
            self.at = before;
        }
        Some(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_as_go_does() {
        for (json, shown) in [
            (
                r#" [ "a", true , null,{"b":-1.5e3,"a":{},"b":[]} ] "#,
                r#"["a", true, null, {"a": {}, "b": []}]"#,
            ),
            ("12345678901234567890", "1.2345678901234567e19"),
            ("9007199254740993", "9007199254740992.0"),
            ("123456789012345678901234567890", "1.2345678901234568e29"),
            (r#""\u00e9\ud83d\ude00\n\/\"""#, r#""é😀\n/\"""#),
            (r#""\ud800x\ud800\ud83d\ude00\udc00""#, "\"\u{fffd}x\u{fffd}😀\u{fffd}\""),
        ] {
            assert_eq!(decode(json).map(|value| show(&value)).as_deref(), Some(shown), "{json}");
        }
        let deep = "[".repeat(100_000);
        for json in
            ["", "[", "[1,]", "{\"a\"}", "1e400", "-", "tru", "\"", "\"\\", "\"\\u12", &deep]
        {
            assert!(decode(json).is_none(), "{json:.20}");
        }
    }

    fn show(value: &Val<'_>) -> String {
        match value {
            Val::List(list) => {
                format!("[{}]", list.iter().map(show).collect::<Vec<_>>().join(", "))
            }
            Val::Map(map) => {
                let entries =
                    map.entries().iter().map(|(k, v)| format!("{}: {}", show(k), show(v)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
            Val::String(text) => format!("{:?}", &**text),
            Val::Bool(value) => value.to_string(),
            Val::Double(value) => format!("{value:?}"),
            _ => "null".to_owned(),
        }
    }
}
