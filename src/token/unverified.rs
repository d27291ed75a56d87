//! A token as it came, before anything about it is proven.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::claims::{JsonObject, unverified_issuer};

use super::base64url;

/// A token in JWS compact form (RFC 7515, section 3.1) whose payload is a JSON object with an
/// issuer: enough to know whose it claims to be, and nothing more.
#[derive(Clone)]
pub struct UnverifiedJwt<'a> {
    /// What is signed: header and payload as they came, with the dot between.
    pub(super) signing_input: &'a str,
    /// The header, base64url.
    pub(super) header: &'a str,
    /// The signature, base64url.
    pub(super) signature: &'a str,
    pub(super) payload: Arc<JsonObject>,
    issuer: String,
}

impl<'a> UnverifiedJwt<'a> {
    /// Takes a token apart. Absent if it is nobody's: not three parts, no JSON object, no issuer.
    ///
    /// Header and signature are not looked at, and a payload with a [flaw](JsonObject::flaw) passes:
    /// a broken token of an issuer that we know is to be refused in that issuer's name.
    pub fn parse(token: &'a str) -> Option<Self> {
        Self::read(token).ok()
    }

    /// As [`parse`](Self::parse), for those who want to know why it is nobody's.
    pub fn read(token: &'a str) -> Result<Self, NotAJwt> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(NotAJwt::Parts)?;
        let (header, payload) = signing_input.split_once('.').ok_or(NotAJwt::Parts)?;
        // A further dot is not base64url, and so needs no search of its own.
        let payload = base64url::decode(payload).ok_or(NotAJwt::Base64)?;
        let payload = JsonObject::parse(payload).ok_or(NotAJwt::Object)?;
        let issuer = match unverified_issuer(&payload).ok_or(NotAJwt::Issuer)? {
            // OpenID Connect Core 1.0, section 15.6.2: what Google once wrote. Upstream takes it so.
            Cow::Borrowed(GOOGLE_WITHOUT_SCHEME) => GOOGLE.to_owned(),
            issuer => issuer.into_owned(),
        };
        Ok(Self { signing_input, header, signature, payload: Arc::new(payload), issuer })
    }

    /// Whose token it says it is: `iss`. Not proven.
    ///
    /// The name by which the issuer would be configured: `accounts.google.com` is given as
    /// `https://accounts.google.com`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What its header says. Absent if that is no JSON object.
    pub fn unverified_header(&self) -> Option<JsonObject> {
        JsonObject::parse(base64url::decode(self.header)?)
    }

    /// What its payload says.
    pub fn unverified_claims(&self) -> &Arc<JsonObject> {
        &self.payload
    }
}

/// Why a token is no JWT of anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAJwt {
    /// It has fewer than two dots.
    #[error("it does not have three parts with dots between")]
    Parts,
    /// What stands between the first and the last dot is not base64url.
    #[error("what stands between its dots is not base64url without padding")]
    Base64,
    /// The payload is something else.
    #[error("its payload is not a JSON object")]
    Object,
    /// The payload does not say whose it is.
    #[error("its payload has no iss that is a string")]
    Issuer,
}

impl fmt::Debug for UnverifiedJwt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedJwt").finish_non_exhaustive()
    }
}

/// Google's issuer URL.
pub(super) const GOOGLE: &str = "https://accounts.google.com";
/// Google's issuer URL as its older tokens have it.
pub(super) const GOOGLE_WITHOUT_SCHEME: &str = "accounts.google.com";

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        let payload = base64_simd::URL_SAFE_NO_PAD.encode_to_string(payload);
        format!("anything at all.{payload}.")
    }

    #[test]
    fn the_issuer_is_read_as_upstream_reads_it() {
        for (payload, issuer) in [
            (r#"{"iss":"https://x"}"#, "https://x"),
            (r#" {"sub":"y","iss":"https:\/\/x"} "#, "https://x"),
            (r#"{"ISS":"https://x"}"#, "https://x"),
            (r#"{"iss":"a","Iss":"b"}"#, "b"),
            (r#"{"Iss":"a","iss":"b","ISS":null,"iss":5}"#, "b"),
            (r#"{"iss":"accounts.google.com"}"#, "https://accounts.google.com"),
            (r#"{"iss":"https://accounts.google.com"}"#, "https://accounts.google.com"),
            (r#"{"iss":""}"#, ""),
        ] {
            let token = token(payload);
            assert_eq!(UnverifiedJwt::parse(&token).unwrap().issuer(), issuer, "{payload}");
        }
    }

    #[test]
    fn what_has_no_issuer_is_nobodys() {
        for payload in [
            "",
            "null",
            "[]",
            r#"["iss"]"#,
            r#""iss""#,
            "{}",
            r#"{"iss":null}"#,
            r#"{"iss":5}"#,
            r#"{"iss":["https://x"]}"#,
            r#"{"iss":"x"} {}"#,
            r#"{"iss":"x""#,
            r#"{"is":"x"}"#,
            r#"{"sub":{"iss":"x"}}"#,
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.",
        ] {
            assert!(UnverifiedJwt::parse(&token(payload)).is_none(), "{payload}");
        }
        let good = base64_simd::URL_SAFE_NO_PAD.encode_to_string(r#"{"iss":"x"}"#);
        assert!(UnverifiedJwt::parse(&format!("h.{good}.s")).is_some());
        assert!(UnverifiedJwt::parse(&format!(".{good}.")).is_some());
        for token in [
            String::new(),
            ".".into(),
            "..".into(),
            "...".into(),
            "....".into(),
            good.clone(),
            format!("h.{good}"),
            format!("h.{good}.s.t"),
            format!("h..{good}.s"),
            format!("{good}.s"),
            format!("h.h.{good}.s"),
            format!("h.{good}=.s"),
            format!("h. {good}.s"),
            format!("h.{good}\n.s"),
            format!("h.{good}"),
            ".".repeat(1 << 20),
            "a.".repeat(1 << 20),
            format!(r#"{{"payload":"{good}"}}"#),
            "bearer".into(),
        ] {
            assert!(UnverifiedJwt::parse(&token).is_none(), "{:.40}", token);
        }
    }

    #[test]
    fn why_a_token_is_nobodys_is_known() {
        for (text, why) in [
            ("opaque", NotAJwt::Parts),
            ("a.b", NotAJwt::Parts),
            ("a.b c.d", NotAJwt::Base64),
            ("a.b.c.d.e", NotAJwt::Base64),
            (&token("[1]"), NotAJwt::Object),
            (&token(r#"{"sub":"x"}"#), NotAJwt::Issuer),
        ] {
            assert_eq!(UnverifiedJwt::read(text).unwrap_err(), why, "{text}");
        }
    }
}
