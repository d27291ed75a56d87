//! What Kubernetes lets objects be called (RFC 1123).
//!
//! Neither form has a colon or a slash, so that `system:serviceaccount:namespace:name` can be read in
//! one way only.

/// What is wrong with a namespace that [`is_label`] refuses, in upstream's words.
pub const NOT_A_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
     characters or '-', and must start and end with an alphanumeric character";

/// What is wrong with a name that [`is_subdomain`] refuses, in upstream's words.
pub const NOT_A_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
     alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

/// Whether a namespace may be called so.
pub fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

/// Whether a service account, pod, secret or node may be called so. As upstream, which bounds the
/// whole and not its parts.
pub fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part)
}

fn is_part(text: &str) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (first, last) = (text.as_bytes().first(), text.as_bytes().last());
    first.is_some_and(is_letter)
        && last.is_some_and(is_letter)
        && text.bytes().all(|byte| is_letter(&byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_rfc_1123() {
        let long = |length| "a".repeat(length);
        for (text, label, subdomain) in [
            ("a", true, true),
            ("build-1", true, true),
            ("0", true, true),
            ("a.b-c.d", false, true),
            (&long(63), true, true),
            (&long(64), false, true),
            (&long(254), false, false),
            ("", false, false),
            ("-a", false, false),
            ("a-", false, false),
            ("a.", false, false),
            (".a", false, false),
            ("a..b", false, false),
            ("A", false, false),
            ("a_b", false, false),
            ("a:b", false, false),
            ("a/b", false, false),
            ("*", false, false),
            ("é", false, false),
            ("a\n", false, false),
        ] {
            assert_eq!((is_label(text), is_subdomain(text)), (label, subdomain), "{text:?}");
        }
    }
}
