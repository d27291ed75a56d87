//! The header of a JWS (RFC 7515, section 4).

use crate::claims::{Flaw, JsonObject};

use super::base64url;

/// What a verifier needs of a header. Keys and certificates that a token brings along (`jwk`, `jku`,
/// `x5u`, `x5c`) are never looked at, and neither is `typ`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// `alg`; empty if it is not there.
    pub(super) algorithm: String,
    /// `kid`; absent also if it is empty or null, as upstream has it.
    pub(super) key_id: Option<String>,
}

impl Header {
    /// Reads a header from its base64url form.
    pub(super) fn parse(header: &str) -> Result<Self, HeaderError> {
        let bytes = base64url::decode(header).ok_or(HeaderError::NotBase64)?;
        let header = JsonObject::parse(bytes).ok_or(HeaderError::NotAnObject)?;
        if let Some(flaw) = header.flaw() {
            return Err(HeaderError::Flawed(flaw));
        }
        // An extension that must be understood, and none is: `crit` may not be empty either
        // (RFC 7515, section 4.1.11), and `b64` may not be used without it (RFC 7797, section 6).
        if header.get("crit").is_some() {
            return Err(HeaderError::Critical);
        }
        if header.get("b64").is_some_and(|value| value.json() != "true") {
            return Err(HeaderError::Unencoded);
        }
        let string = |name, error| match header.get(name) {
            Some(value) => value.string().map(|text| text.into_owned()).ok_or(error),
            None => Ok(String::new()),
        };
        let algorithm = string("alg", HeaderError::Algorithm)?;
        let key_id = string("kid", HeaderError::KeyId)?;
        Ok(Self { algorithm, key_id: Some(key_id).filter(|id| !id.is_empty()) })
    }
}

/// Why a header cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is not base64url without padding.
    #[error("its header is not base64url")]
    NotBase64,
    /// It is not a JSON object.
    #[error("its header is not a JSON object")]
    NotAnObject,
    /// It cannot be relied on.
    #[error("its header {0}")]
    Flawed(Flaw),
    /// It has `crit`.
    #[error("its header has crit, and no extension is understood here")]
    Critical,
    /// It has a `b64` other than true.
    #[error("its header has b64, and payloads are always encoded here")]
    Unencoded,
    /// `alg` is not a string.
    #[error("its header's alg is not a string")]
    Algorithm,
    /// `kid` is not a string.
    #[error("its header's kid is not a string")]
    KeyId,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: impl AsRef<[u8]>) -> Result<(String, Option<String>), HeaderError> {
        let header = base64_simd::URL_SAFE_NO_PAD.encode_to_string(json);
        Header::parse(&header).map(|header| (header.algorithm, header.key_id))
    }

    #[test]
    fn alg_and_kid_are_read() {
        for (json, algorithm, key_id) in [
            (r#"{"alg":"RS256","kid":"a"}"#, "RS256", Some("a")),
            (
                r#"{"kid":"\u0061","alg":"x\"","typ":5,"cty":"JWT","jwk":{"kid":"b"}}"#,
                "x\"",
                Some("a"),
            ),
            (r#"{"alg":"RS256","kid":null,"Kid":"b","KID":5}"#, "RS256", None),
            (r#"{"alg":"RS256","kid":""}"#, "RS256", None),
            (r#"{"alg":null}"#, "", None),
            (r#"{"ALG":"RS256","b64":true}"#, "", None),
        ] {
            let expected = (algorithm.to_owned(), key_id.map(str::to_owned));
            assert_eq!(parse(json), Ok(expected), "{json}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for (json, error) in [
            ("", HeaderError::NotAnObject),
            ("[]", HeaderError::NotAnObject),
            (r#"{"alg":"RS256"}}"#, HeaderError::NotAnObject),
            (r#"{"alg":"none","alg":"RS256"}"#, HeaderError::Flawed(Flaw::MemberTwice)),
            (r#"{"alg":"RS256","x":1,"x":1}"#, HeaderError::Flawed(Flaw::MemberTwice)),
            (r#"{"alg":"RS256","\u0061lg":"none"}"#, HeaderError::Flawed(Flaw::MemberTwice)),
            (r#"{"alg":"RS256","crit":["exp"],"exp":1}"#, HeaderError::Critical),
            (r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, HeaderError::Critical),
            (r#"{"alg":"RS256","crit":[]}"#, HeaderError::Critical),
            (r#"{"alg":"RS256","crit":null}"#, HeaderError::Critical),
            (r#"{"alg":"RS256","b64":false}"#, HeaderError::Unencoded),
            (r#"{"alg":["RS256"]}"#, HeaderError::Algorithm),
            (r#"{"alg":"RS256","kid":5}"#, HeaderError::KeyId),
            (r#"{"alg":"RS256","kid":["a"]}"#, HeaderError::KeyId),
        ] {
            assert_eq!(parse(json), Err(error), "{json}");
        }
        assert_eq!(parse(b"{\"alg\":\"\xff\"}"), Err(HeaderError::Flawed(Flaw::NotUtf8)));
        assert_eq!(Header::parse("e30="), Err(HeaderError::NotBase64));
        assert_eq!(Header::parse("e31"), Err(HeaderError::NotBase64), "bits left over");
    }
}
