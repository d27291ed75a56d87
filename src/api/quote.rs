//! Text as Go's `%q` shows it, so that messages read as upstream's do: what is quoted can end neither
//! the quotes nor the line.

use std::fmt::Write;

/// `text` in double quotes, with everything escaped that does not print.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        // Writing to a String cannot fail.
        let _ = match letter {
            '"' | '\\' => write!(out, "\\{letter}"),
            '\x07' => out.write_str("\\a"),
            '\x08' => out.write_str("\\b"),
            '\x0c' => out.write_str("\\f"),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            '\x0b' => out.write_str("\\v"),
            letter if is_printable(letter) => out.write_char(letter),
            letter @ ..='\x7f' => write!(out, "\\x{:02x}", u32::from(letter)),
            letter @ ..='\u{ffff}' => write!(out, "\\u{:04x}", u32::from(letter)),
            letter => write!(out, "\\U{:08x}", u32::from(letter)),
        };
    }
    out.push('"');
    out
}

/// Go's `unicode.IsPrint`, as near as the standard library comes: of white space only the space.
pub fn is_printable(letter: char) -> bool {
    letter == ' ' || !(letter.is_control() || letter.is_whitespace() || is_invisible(letter))
}

/// Format characters, private use and what is assigned to nobody, in the blocks that matter: marks
/// that order text from right to left, joiners, tags.
fn is_invisible(letter: char) -> bool {
    matches!(u32::from(letter),
        0xad | 0x600..=0x605 | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
        | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xe0000..=0x0010_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_go_quotes_it() {
        for (text, shown) in [
            ("", r#""""#),
            ("a \"b\" \\ é 😀 '", r#""a \"b\" \\ é 😀 '""#),
            ("\x07\x08\x0c\n\r\t\x0b\0\x1b\x7f", r#""\a\b\f\n\r\t\v\x00\x1b\x7f""#),
            ("\u{80}\u{a0}\u{200b}\u{e0001}", r#""\u0080\u00a0\u200b\U000e0001""#),
        ] {
            assert_eq!(quoted(text), shown);
        }
    }
}
