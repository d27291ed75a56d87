//! Base64 as JOSE writes it (RFC 7515, section 2; RFC 4648, section 5).

/// Decodes base64url strictly: no padding, no white space, and no bits left over. So there is one
/// way only to write a token, and nobody can make a second one of a token they have seen.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

/// Encodes base64url, as [`decode`] wants it.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_decoded() {
        for (text, bytes) in
            [("", &b""[..]), ("AA", b"\0"), ("AAA", b"\0\0"), ("-_-_", b"\xfb\xff\xbf")]
        {
            assert_eq!(decode(text).as_deref(), Some(bytes), "{text}");
        }
        for text in [
            "A", "AAAAA", "AB", "AAB", "AA==", "AAA=", "A+AA", "A/AA", "AA\n", "A A", " AA", "AA.",
            "ÄÄ", "AAAA\0",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
        let long = "A".repeat(1001);
        assert_eq!(decode(&long), None);
    }
}
