//! Percent-encoding as Go's `net/url` has it, which depends on the part of the URL.

use crate::api::quote::quoted;

/// A part of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Host,
    /// The zone of an IPv6 address.
    Zone,
    User,
    Query,
    Fragment,
}

/// Why a part cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EscapeError {
    /// A `%` has not two hexadecimal digits behind it, or stands for what the part may not have.
    #[error("invalid URL escape {}", quoted_bytes(.0))]
    Escape(Vec<u8>),
    /// A character may not be in a host.
    #[error("invalid character {} in host name", quoted(.0))]
    Host(String),
}

impl Part {
    /// Whether `byte` stands for itself in this part.
    fn keeps(self, byte: u8) -> bool {
        let marks = match self {
            Self::Path => "$&+,-./:;=@_~",
            Self::Host | Self::Zone => "!\"$&'()*+,-.:;<=>[]_~",
            Self::User => "$&+,-.;=_~",
            Self::Query => "-._~",
            Self::Fragment => "!$&()*+,-./:;=?@_~",
        };
        byte.is_ascii_alphanumeric() || marks.as_bytes().contains(&byte)
    }

    /// Whether a `%` may stand for `byte`.
    fn may_escape(self, byte: u8) -> bool {
        match self {
            // RFC 3986 has no other use for it in hosts, and RFC 6874 that of the percent sign.
            Self::Host => byte >= 0x80 || byte == b'%',
            Self::Zone => byte == b'%' || byte == b' ' || Self::Host.keeps(byte),
            Self::Path | Self::User | Self::Query | Self::Fragment => true,
        }
    }
}

/// What `text` says when its escapes are read.
pub(super) fn unescape(text: &str, part: Part) -> Result<Vec<u8>, EscapeError> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let hosted = matches!(part, Part::Host | Part::Zone);
        match byte {
            b'%' => {
                let read = escaped(after).filter(|&(byte, _)| part.may_escape(byte));
                let Some((byte, after)) = read else {
                    let shown = [b'%'].into_iter().chain(after.iter().copied().take(2));
                    return Err(EscapeError::Escape(shown.collect()));
                };
                out.push(byte);
                rest = after;
            }
            b'+' if part == Part::Query => out.push(b' '),
            byte if hosted && byte.is_ascii() && !part.keeps(byte) => {
                return Err(EscapeError::Host(char::from(byte).to_string()));
            }
            byte => out.push(byte),
        }
    }
    Ok(out)
}

/// The byte of which `after`, behind a `%`, has the two digits.
fn escaped(after: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], after) = after.split_first_chunk()?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((u8::try_from(digit(high)? << 4 | digit(low)?).ok()?, after))
}

/// `bytes` with everything escaped that does not stand for itself in `part`.
pub(super) fn escape(bytes: &[u8], part: Part) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if part.keeps(byte) {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `text`, whose escapes are right, as it was if that could be, and otherwise escaped anew.
pub(super) fn normalized(text: &str, bytes: &[u8], part: Part) -> String {
    let as_written = |byte| part.keeps(byte) || b"!$&'()*+,;=:@[]%".contains(&byte);
    if text.bytes().all(as_written) { text.to_owned() } else { escape(bytes, part) }
}

/// As [`quoted`], of what may end in the middle of a character.
fn quoted_bytes(bytes: &[u8]) -> String {
    let mut out = String::from('"');
    for chunk in bytes.utf8_chunks() {
        let valid = quoted(chunk.valid());
        let valid = valid.strip_prefix('"').and_then(|valid| valid.strip_suffix('"'));
        out.push_str(valid.unwrap_or_default());
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out.push('"');
    out
}
