//! The strings library: text by code points, as cel-go's extension has it in its second version.
//!
//! Indices are ints from the outside, and anything may come. Nothing here bounds the length of what
//! comes out: [`replaced_length`] says it beforehand.

/// Why a function has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// There is no such index.
    #[error("index out of range: {0}")]
    Index(i64),
    /// The beginning of a range is behind its end.
    #[error("invalid substring range. start: {start}, end: {end}")]
    Range {
        /// The beginning.
        start: i64,
        /// The end.
        end: i64,
    },
    /// The bytes are no text: `string(bytes)`.
    #[error("invalid UTF-8 in bytes, cannot convert to string")]
    Utf8,
}

/// `size()`: in code points.
pub fn size(text: &str) -> usize {
    text.chars().count()
}

/// `string(bytes)`.
pub fn of_bytes(bytes: &[u8]) -> Result<&str, TextError> {
    std::str::from_utf8(bytes).map_err(|_| TextError::Utf8)
}

/// `charAt()`: nothing at the end, and an error behind it.
pub fn char_at(text: &str, index: i64) -> Result<&str, TextError> {
    let rest = substring_from(text, index)?;
    let length = rest.chars().next().map_or(0, char::len_utf8);
    Ok(rest.get(..length).unwrap_or_default())
}

/// `substring(start)`.
pub fn substring_from(text: &str, start: i64) -> Result<&str, TextError> {
    let start = byte_at(text, start).ok_or(TextError::Index(start))?;
    Ok(text.get(start..).unwrap_or_default())
}

/// `substring(start, end)`.
pub fn substring(text: &str, start: i64, end: i64) -> Result<&str, TextError> {
    if start > end {
        return Err(TextError::Range { start, end });
    }
    let from = byte_at(text, start).ok_or(TextError::Index(start))?;
    let to = byte_at(text, end).ok_or(TextError::Index(end))?;
    Ok(text.get(from..to).unwrap_or_default())
}

/// `indexOf(part, offset)`, where `offset` is 0 if there is none: -1 if it is not there.
pub fn index_of(text: &str, part: &str, offset: i64) -> Result<i64, TextError> {
    if offset < 0 {
        return Err(TextError::Index(offset));
    }
    if part.is_empty() {
        return Ok(offset.min(count(text)));
    }
    let found = byte_at(text, offset).and_then(|start| {
        let (before, rest) = text.split_at_checked(start)?;
        let found = rest.get(..rest.find(part)?)?;
        Some(count(before) + count(found))
    });
    Ok(found.unwrap_or(-1))
}

/// `lastIndexOf(part)`: -1 if it is not there.
pub fn last_index_of(text: &str, part: &str) -> i64 {
    text.rfind(part).and_then(|found| text.get(..found)).map_or(-1, count)
}

/// `lastIndexOf(part, offset)`: of those that begin no later than at `offset`. Behind the end there
/// are none, upstream thinks.
pub fn last_index_of_until(text: &str, part: &str, offset: i64) -> Result<i64, TextError> {
    if offset < 0 {
        return Err(TextError::Index(offset));
    }
    let length = count(text);
    if part.is_empty() {
        return Ok(offset.min(length));
    }
    if offset >= length {
        return Ok(-1);
    }
    let end = byte_at(text, offset.saturating_add(count(part)).min(length));
    Ok(end.and_then(|end| text.get(..end)).map_or(-1, |text| last_index_of(text, part)))
}

/// `lowerAscii()`.
pub fn lower_ascii(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// `upperAscii()`.
pub fn upper_ascii(text: &str) -> String {
    text.to_ascii_uppercase()
}

/// `trim()`: without white space, in Unicode's sense, at either end.
pub fn trim(text: &str) -> &str {
    text.trim()
}

/// `replace(old, new, limit)`, where a negative `limit` is none. An empty `old` stands before each
/// code point and at the end.
pub fn replace(text: &str, old: &str, new: &str, limit: i64) -> String {
    match usize::try_from(limit) {
        Ok(limit) => text.replacen(old, new, limit),
        Err(_) => text.replace(old, new),
    }
}

/// The length in bytes of what [`replace`] would answer.
pub fn replaced_length(text: &str, old: &str, new: &str, limit: i64) -> usize {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = text.matches(old).take(limit).count();
    let kept = text.len().saturating_sub(found.saturating_mul(old.len()));
    kept.saturating_add(found.saturating_mul(new.len()))
}

/// `split(separator, limit)`, where a negative `limit` is none. An empty separator stands between any
/// two code points, and a limit of 0 leaves nothing.
pub fn split<'a>(text: &'a str, separator: &str, limit: i64) -> Vec<&'a str> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if !separator.is_empty() {
        return text.splitn(limit, separator).collect();
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next().filter(|_| parts.len() < limit) {
        let last = parts.len() + 1 == limit;
        let end = if last { rest.len() } else { first.len_utf8() };
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        parts.push(part);
        rest = after;
    }
    parts
}

/// `strings.quote()`: in double quotes, with what CEL has an escape for escaped.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            '\\' | '"' => out.extend(['\\', letter]),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// Where the code point at `index` begins, or the text ends; none behind that.
fn byte_at(text: &str, index: i64) -> Option<usize> {
    let index = usize::try_from(index).ok()?;
    let ends = std::iter::once(text.len());
    text.char_indices().map(|(at, _)| at).chain(ends).nth(index)
}

fn count(text: &str) -> i64 {
    i64::try_from(size(text)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::golden::{self, Arguments, check, int, shown, texts};
    use super::*;

    fn answer(expression: &str, args: &Arguments) -> String {
        let text = args.text(0);
        match expression {
            "a.lowerAscii()" => golden::text(lower_ascii(text)),
            "a.upperAscii()" => golden::text(upper_ascii(text)),
            "a.trim()" => golden::text(trim(text)),
            "strings.quote(a)" => golden::text(quote(text)),
            "size(a)" => int(count(text)),
            "a.charAt(b)" => shown(char_at(text, args.int(1)), golden::text),
            "a.substring(b)" => shown(substring_from(text, args.int(1)), golden::text),
            "a.substring(b, c)" => shown(substring(text, args.int(1), args.int(2)), golden::text),
            "a.indexOf(b)" => shown(index_of(text, args.text(1), 0), int),
            "a.indexOf(b, c)" => shown(index_of(text, args.text(1), args.int(2)), int),
            "a.lastIndexOf(b)" => int(last_index_of(text, args.text(1))),
            "a.lastIndexOf(b, c)" => {
                shown(last_index_of_until(text, args.text(1), args.int(2)), int)
            }
            "a.split(b)" => texts(split(text, args.text(1), -1)),
            "a.split(b, c)" => texts(split(text, args.text(1), args.int(2))),
            "a.replace(b, c)" => replaced(text, args.text(1), args.text(2), -1),
            "a.replace(b, c, d)" => replaced(text, args.text(1), args.text(2), args.int(3)),
            other => panic!("{other}"),
        }
    }

    fn replaced(text: &str, old: &str, new: &str, limit: i64) -> String {
        let replaced = replace(text, old, new, limit);
        assert_eq!(replaced.len(), replaced_length(text, old, new, limit));
        golden::text(replaced)
    }

    #[test]
    fn it_answers_as_kubernetes_does() {
        check(include_str!("golden/text.jsonl"), answer);
    }

    #[test]
    fn bytes_are_text_or_not() {
        assert_eq!(of_bytes("é".as_bytes()), Ok("é"));
        assert_eq!(of_bytes(&[0xff]), Err(TextError::Utf8));
    }
}
