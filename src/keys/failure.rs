//! Why an attempt to get keys has failed.

use std::error::Error;
use std::fmt::Display;

use crate::fetch::FetchError;
use crate::filewatch::FileError;
use crate::token::{JwksError, KeyFlaw, SkippedKey};

use super::discovery::DiscoveryError;

/// Why an attempt to get keys has failed, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {cause}{}", cause.remedy())]
pub struct Failure {
    /// The address or path.
    pub place: String,
    /// Why.
    pub cause: Cause,
}

/// What can go wrong with keys.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// A document could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Somebody answered for people.
    #[error("the answer is a web page, and no JSON")]
    WebPage,
    /// The discovery document does not lead to keys.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The key set is none.
    #[error(transparent)]
    Jwks(#[from] JwksError),
    /// The key set is one, but nothing in it verifies anything.
    #[error("the key set has no usable key: {}", reasons(skipped))]
    NoUsableKey {
        /// Why each of its keys was left out.
        skipped: Vec<SkippedKey>,
    },
    /// A bug of ours.
    #[error("the key set made its parser panic: please report this")]
    Panic,
}

impl Cause {
    /// What to do about it, after a colon; empty where the cause says so, or nobody knows.
    fn remedy(&self) -> &'static str {
        const ADDRESS: &str = ": is the address right? See issuer.url, discoveryURL and jwksURL";
        match self {
            Self::Fetch(FetchError::Status(status)) => match status.as_u16() {
                401 | 403 => {
                    ": it has to be readable without credentials (at an API server: bind the \
                     ClusterRole system:service-account-issuer-discovery to system:unauthenticated)"
                }
                404 | 410 => ADDRESS,
                429 => ": it is asked too often, perhaps by others from the same address",
                500.. => ": the provider, or a gateway before it, is in trouble",
                _ => "",
            },
            Self::Fetch(FetchError::TimedOut) => {
                ": the resolver, the provider, or what lies between is too slow"
            }
            Self::Fetch(FetchError::NoAnswer(_) | FetchError::Broken(_)) => {
                ": the provider, or something before it, ends connections early"
            }
            Self::Fetch(FetchError::TooLarge) | Self::Discovery(DiscoveryError::NoDocument) => {
                ADDRESS
            }
            Self::WebPage => {
                ": is the address right (issuer.url, discoveryURL, jwksURL), or does a login page or a \
                 proxy answer in its place?"
            }
            Self::Discovery(DiscoveryError::OtherIssuer { expected, found }) => {
                if expected.trim_end_matches('/') == found.trim_end_matches('/') {
                    ": they differ in a slash at the end; write issuer.url as the provider does"
                } else {
                    ": write issuer.url as the provider does, and if it is reached at another address \
                     from here, that as issuer.discoveryURL"
                }
            }
            Self::Discovery(DiscoveryError::BadJwksUri) => {
                ": the provider has to be told its public https:// address, or issuer.jwksURL be set"
            }
            _ => "",
        }
    }
}

/// Whether that is a page for people, in HTML or XML.
pub(super) fn is_web_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Why the first few keys are not used, in words of ours only.
fn reasons(skipped: &[SkippedKey]) -> String {
    const SHOWN: usize = 3;
    let Some(more) = skipped.len().checked_sub(1) else {
        return "it has no key to verify signatures with".to_owned();
    };
    let reason = |key: &SkippedKey| match &key.flaw {
        // The parser's words may quote it.
        KeyFlaw::NotAKey(_) => format!("keys[{}]: it is not a JSON Web Key", key.index),
        flaw => format!("keys[{}]: {flaw}", key.index),
    };
    let mut shown: Vec<_> = skipped.iter().take(SHOWN).map(reason).collect();
    if more >= SHOWN {
        shown.push(format!("and {} more", more + 1 - SHOWN));
    }
    shown.join("; ")
}

impl Failure {
    /// For the log: with what the network's libraries say. Those that read documents quote them, and
    /// a path given by mistake may lead to a secret.
    pub(super) fn in_full(&self) -> String {
        let mut bottom = None;
        if let Cause::Fetch(error) = &self.cause {
            bottom = error.source();
            while let Some(deeper) = bottom.and_then(Error::source) {
                bottom = Some(deeper);
            }
        }
        match bottom {
            Some(bottom) => cut(format_args!("{self}: {bottom}"), 512),
            None => cut(self, 512),
        }
    }
}

/// What others wrote, no longer than a log line should be.
pub(super) fn cut(text: impl Display, characters: usize) -> String {
    text.to_string().chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use crate::keys::specimen::{broken_key, key_set};
    use crate::token::Jwks;

    use super::*;

    fn text(cause: Cause) -> String {
        Failure { place: "https://k/".to_owned(), cause }.to_string()
    }

    #[test]
    fn a_failure_names_the_remedy() {
        let other = |found: &str| {
            let expected = "https://issuer.example".to_owned();
            Cause::Discovery(DiscoveryError::OtherIssuer { expected, found: found.to_owned() })
        };
        for (cause, wanted) in [
            (Cause::Fetch(FetchError::Status(StatusCode::NOT_FOUND)), "is the address right?"),
            (Cause::Fetch(FetchError::Status(StatusCode::FORBIDDEN)), "without credentials"),
            (
                Cause::Fetch(FetchError::Status(StatusCode::BAD_GATEWAY)),
                "the provider, or a gateway",
            ),
            (Cause::WebPage, "a login page"),
            (other("https://issuer.example/"), "they differ in a slash at the end"),
            (other("https://issuer.internal"), "issuer.discoveryURL"),
        ] {
            let told = text(cause);
            assert!(told.starts_with("https://k/: ") && told.contains(wanted), "{told}");
        }
    }

    #[test]
    fn keys_that_cannot_be_used_are_told_without_what_they_say() {
        let skipped = |keys: &str| Jwks::parse(keys.as_bytes()).unwrap().1;
        let keys = [
            broken_key("kid-secret"),
            serde_json::json!({"kty": "oct", "k": "k-secret"}),
            serde_json::json!({"kty": ["kty-secret"], "n": "n-secret"}),
            serde_json::json!("secret"),
            serde_json::json!({"kty": "XYZ-secret"}),
        ];
        let told = text(Cause::NoUsableKey { skipped: skipped(&key_set(&keys)) });
        assert_eq!(
            told,
            "https://k/: the key set has no usable key: keys[0]: it is not a JSON Web Key; keys[1]: it \
             is a symmetric key, which verifies nothing here; keys[2]: it is not a JSON Web Key; and 2 \
             more"
        );
        let none = Cause::NoUsableKey { skipped: skipped(&key_set(&[])) };
        assert!(none.to_string().ends_with("it has no key to verify signatures with"), "{none}");
        for body in [r#"{"keys":"secret"}"#, r#"{"keys":[1],"keys":"secret"}"#, r#"{"secret"}"#] {
            let told = text(Jwks::parse(body.as_bytes()).unwrap_err().into());
            assert!(!told.contains("secret") && told.contains("line 1"), "{told}");
        }
    }
}
