//! Characters, and classes of them, in a Go pattern: `\d`, `\pL`, `[^a-z[:digit:]]`, `\x{41}`.
//!
//! What comes out says the same to the regex crate, whatever its flags but `i` are.

use super::PatternError;
use super::names::{CATEGORIES, SCRIPTS};
use super::syntax::counted_part;

/// Matches no character.
const NOTHING: &str = r"[^\x{0}-\x{10FFFF}]";

/// `\d`, `\pL` and their kin, at the beginning of `rest`.
pub(super) fn named_class(rest: &str) -> Result<Option<(String, &str)>, PatternError> {
    let behind = rest.get(2..).unwrap_or_default();
    let class = match rest.as_bytes().get(..2) {
        Some(br"\d") => "[0-9]",
        Some(br"\D") => "[^0-9]",
        Some(br"\s") => r"[\t\n\f\r\x20]",
        Some(br"\S") => r"[^\t\n\f\r\x20]",
        Some(br"\w") => "[0-9A-Za-z_]",
        Some(br"\W") => "[^0-9A-Za-z_]",
        Some(br"\p") => return unicode_class(rest, behind, false).map(Some),
        Some(br"\P") => return unicode_class(rest, behind, true).map(Some),
        _ => return Ok(None),
    };
    Ok(Some((class.to_owned(), behind)))
}

/// `\p…` or, `negated`, `\P…`, at the beginning of `rest`, of which `behind` is without these two.
fn unicode_class<'a>(
    rest: &str,
    behind: &'a str,
    negated: bool,
) -> Result<(String, &'a str), PatternError> {
    let wrong = |part| PatternError::new("invalid character class range", part);
    let (name, after) = match behind.strip_prefix('{') {
        Some(behind) => behind.split_once('}').ok_or_else(|| wrong(rest))?,
        None => {
            let length = behind.chars().next().map_or(0, char::len_utf8);
            behind.split_at_checked(length).unwrap_or_default()
        }
    };
    let part = counted_part(rest, after);
    let bare = name.strip_prefix('^');
    let negated = negated != bare.is_some();
    let name = bare.unwrap_or(name);
    let canonical = name.replace(['_', '-', ' '], "").to_ascii_lowercase();
    let class = match canonical.as_str() {
        "any" => r"[\x{0}-\x{10FFFF}]".to_owned(),
        "ascii" => r"[\x{0}-\x{7F}]".to_owned(),
        // Characters are never halves of pairs.
        "cs" | "surrogate" => NOTHING.to_owned(),
        "assigned" => r"\P{gc=Cn}".to_owned(),
        category if CATEGORIES.contains(&category) => format!(r"\p{{gc={canonical}}}"),
        script if SCRIPTS.contains(&script) => format!(r"\p{{sc={canonical}}}"),
        _ => return Err(wrong(part)),
    };
    Ok((if negated { format!("[^{class}]") } else { class }, after))
}

/// `[…]`, with which `rest` begins.
pub(super) fn class(rest: &str) -> Result<(String, &str), PatternError> {
    let mut inside = rest.strip_prefix('[').unwrap_or(rest);
    let negated = inside.strip_prefix('^');
    inside = negated.unwrap_or(inside);
    let mut out = String::from(if negated.is_some() { "[^" } else { "[" });
    let start = out.len();
    let mut first = true;
    while first || !inside.starts_with(']') {
        first = false;
        if let Some((class, after)) = posix_class(inside)? {
            out.push_str(&class);
            inside = after;
            continue;
        }
        if let Some((class, after)) = named_class(inside)? {
            out.push_str(&class);
            inside = after;
            continue;
        }
        let from = inside;
        let (low, after) = class_letter(inside, rest)?;
        inside = after;
        let mut high = low;
        if let Some(behind) = inside.strip_prefix('-').filter(|behind| !behind.is_empty())
            && !behind.starts_with(']')
        {
            (high, inside) = class_letter(behind, rest)?;
            if high < low {
                let part = counted_part(from, inside);
                return Err(PatternError::new("invalid character class range", part));
            }
        }
        out.push_str(&range(low, high));
    }
    // An empty class, of surrogates only, is none to the regex crate.
    if out.len() == start {
        out.push_str(NOTHING);
    }
    out.push(']');
    Ok((out, inside.strip_prefix(']').unwrap_or(inside)))
}

/// A letter of a class, which may be escaped. `whole` is the class.
fn class_letter<'a>(text: &'a str, whole: &str) -> Result<(u32, &'a str), PatternError> {
    if text.starts_with('\\') {
        return escaped(text);
    }
    let mut letters = text.chars();
    let letter = letters.next().ok_or_else(|| PatternError::new("missing closing ]", whole))?;
    Ok((letter.into(), letters.as_str()))
}

/// `[:alpha:]` and its kin.
fn posix_class(text: &str) -> Result<Option<(String, &str)>, PatternError> {
    const NAMES: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
        "space", "upper", "word", "xdigit",
    ];
    let Some((name, after)) = text.strip_prefix("[:").and_then(|text| text.split_once(":]")) else {
        return Ok(None);
    };
    if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
        let part = counted_part(text, after);
        return Err(PatternError::new("invalid character class range", part));
    }
    Ok(Some((format!("[:{name}:]"), after)))
}

/// The code point that is escaped at the beginning of `text`.
pub(super) fn escaped(text: &str) -> Result<(u32, &str), PatternError> {
    let mut letters = text.chars();
    letters.next();
    let Some(letter) = letters.next() else {
        return Err(PatternError::new("trailing backslash at end of expression", ""));
    };
    let octal = |letters: &std::str::Chars<'_>| letters.clone().next().and_then(|c| c.to_digit(8));
    let read = match letter {
        '0'..='7' if letter == '0' || octal(&letters).is_some() => {
            let mut value = letter.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                if let Some(digit) = octal(&letters) {
                    value = value * 8 + digit;
                    letters.next();
                }
            }
            Some(value)
        }
        'x' => hexadecimal(&mut letters),
        'a' => Some(7),
        'f' => Some(12),
        'n' => Some(10),
        'r' => Some(13),
        't' => Some(9),
        'v' => Some(11),
        mark if mark.is_ascii() && !mark.is_ascii_alphanumeric() => Some(mark.into()),
        _ => None,
    };
    match read {
        Some(value) => Ok((value, letters.as_str())),
        None => {
            let part = counted_part(text, letters.as_str());
            Err(PatternError::new("invalid escape sequence", part))
        }
    }
}

/// `41` or `{41}`, behind `\x`.
fn hexadecimal(letters: &mut std::str::Chars<'_>) -> Option<u32> {
    let first = letters.next()?;
    if first != '{' {
        let second = letters.next();
        return Some(first.to_digit(16)? * 16 + second?.to_digit(16)?);
    }
    let (mut value, mut count) = (0_u32, 0);
    for letter in letters.by_ref() {
        if letter == '}' {
            return (count > 0).then_some(value);
        }
        value = value * 16 + letter.to_digit(16)?;
        if value > u32::from(char::MAX) {
            return None;
        }
        count += 1;
    }
    None
}

/// A code point that stands for itself, or for nothing if it is half of a pair.
pub(super) fn code_point(value: u32) -> String {
    match char::from_u32(value) {
        Some(letter) if letter.is_ascii_alphanumeric() => letter.to_string(),
        Some(_) => format!(r"\x{{{value:X}}}"),
        None => NOTHING.to_owned(),
    }
}

/// A range in a class, without the halves of pairs at its ends.
fn range(low: u32, high: u32) -> String {
    let low = if (0xd800..0xe000).contains(&low) { 0xe000 } else { low };
    let high = if (0xd800..0xe000).contains(&high) { 0xd7ff } else { high };
    if low > high { String::new() } else { format!(r"\x{{{low:X}}}-\x{{{high:X}}}") }
}
