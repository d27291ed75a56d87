//! A JSON Web Key Set (RFC 7517).

use std::fmt;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::base64url;
use super::sign::SigningKey;
use super::signature::{Algorithm, Curve, KeyFlaw, PublicKey, VerifyingKey};

/// The public keys of an issuer, ready to verify with.
///
/// Equal to another one with the same keys under the same key IDs, in whatever order they came.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Jwks {
    /// Sorted, each once.
    keys: Vec<Key>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    id: Option<String>,
    /// `alg`: the one algorithm it is for, if its issuer says so.
    algorithm: Option<Algorithm>,
    key: Arc<VerifyingKey>,
}

impl Jwks {
    /// Reads a key set, each key by itself: one that cannot be used is skipped and does not harm the
    /// others. At most 100 keys are looked at.
    ///
    /// A document without `keys` is an empty set. A key with an `alg` is used with that algorithm
    /// only (RFC 7517, section 4.4; RFC 8725, section 3.1), which upstream does not look at; `use` and
    /// `key_ops` are not looked at, as upstream does.
    ///
    /// # Errors
    /// The document is not a JSON object whose `keys` is a list.
    pub fn parse(document: &[u8]) -> Result<(Self, Vec<SkippedKey>), JwksError> {
        #[derive(Deserialize)]
        struct Document<'a> {
            #[serde(borrow)]
            keys: Option<Vec<&'a RawValue>>,
        }
        // A derived type would also be read from a list of its members.
        if document.trim_ascii_start().first() != Some(&b'{') {
            return Err(JwksError("it is not an object".to_owned()));
        }
        let written: Document<'_> = serde_json::from_slice(document)?;
        let written = written.keys.unwrap_or_default();
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, key) in written.iter().take(MAX_KEYS).enumerate() {
            match WrittenKey::parse(key) {
                Ok(written) if written.encrypts() => {}
                Ok(written) => match written.usable() {
                    Ok((algorithm, key)) => {
                        keys.push(Key { id: written.id(), algorithm, key: key.into() });
                    }
                    Err(flaw) => skipped.push(SkippedKey { index, id: written.id(), flaw }),
                },
                Err(flaw) => skipped.push(SkippedKey { index, id: None, flaw }),
            }
        }
        if let Some(more @ 1..) = written.len().checked_sub(MAX_KEYS) {
            let flaw = KeyFlaw::TooMany(more);
            skipped.push(SkippedKey { index: MAX_KEYS, id: None, flaw });
        }
        Ok((Self::sorted(keys), skipped))
    }

    /// The keys of an issuer of our own, each with its one algorithm.
    pub fn of(keys: &[SigningKey]) -> Self {
        let key = |key: &SigningKey| Key {
            id: Some(key.id().to_owned()),
            algorithm: Some(key.algorithm()),
            key: key.verifying().clone(),
        };
        Self::sorted(keys.iter().map(key).collect())
    }

    fn sorted(mut keys: Vec<Key>) -> Self {
        keys.sort();
        keys.dedup();
        Self { keys }
    }

    /// The keys as they stand in a key set (RFC 7517, section 4), of which [`parse`](Self::parse)
    /// makes an equal set: public members only, whatever they were read with.
    pub fn public(&self) -> Vec<PublicJwk<'_>> {
        self.keys.iter().map(Key::public).collect()
    }

    /// How many keys there are to verify with.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key to verify with.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that could have signed: those with exactly this key ID, or any if the token has
    /// none, of a kind that `algorithm` is for.
    pub(super) fn candidates<'a>(
        &'a self,
        id: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a VerifyingKey> {
        self.keys
            .iter()
            .filter(move |key| id.is_none() || key.id.as_deref() == id)
            .filter(move |key| key.algorithm.is_none_or(|only| only == algorithm))
            .map(|key| &*key.key)
            .filter(move |key| key.fits(algorithm))
    }

    /// What a person looks for in it, those with the key ID `wanted` first: key IDs, and what each
    /// key is for.
    pub(super) fn told(&self, wanted: Option<&str>) -> String {
        let is_wanted = |key: &&Key| key.id.as_deref() == wanted;
        let first = self.keys.iter().filter(is_wanted);
        let rest = self.keys.iter().filter(|key| !is_wanted(key));
        let mut told: Vec<_> = first.chain(rest).take(TOLD).map(Key::told).collect();
        if let Some(more @ 1..) = self.keys.len().checked_sub(TOLD) {
            told.push(format!("{more} more"));
        }
        told.join(", ")
    }
}

impl Key {
    fn told(&self) -> String {
        let kind = self.algorithm.map_or_else(|| self.key.kind(), Algorithm::as_str);
        match &self.id {
            // Somebody else wrote it, at any length.
            Some(id) => format!("{:?} ({kind})", id.chars().take(64).collect::<String>()),
            None => format!("one without kid ({kind})"),
        }
    }

    fn public(&self) -> PublicJwk<'_> {
        let number = |bytes: &[u8]| Some(base64url::encode(bytes));
        let jwk = PublicJwk {
            kty: "OKP",
            kid: self.id.as_deref(),
            alg: self.algorithm.map(Algorithm::as_str),
            crv: None,
            n: None,
            e: None,
            x: None,
            y: None,
        };
        match self.key.public() {
            PublicKey::Rsa { n, e } => PublicJwk { kty: "RSA", n: number(n), e: number(e), ..jwk },
            PublicKey::Ec { curve, x, y } => {
                let crv = Some(curve.as_str());
                PublicJwk { kty: "EC", crv, x: number(x), y: number(y), ..jwk }
            }
            PublicKey::Ed25519(x) => PublicJwk { crv: Some("Ed25519"), x: number(x), ..jwk },
            PublicKey::Ed448(x) => PublicJwk { crv: Some("Ed448"), x: number(x), ..jwk },
        }
    }
}

/// How many keys are told of.
const TOLD: usize = 8;

/// A public key of a set, to be written. It has no place for a private member.
#[derive(Serialize)]
pub struct PublicJwk<'a> {
    kty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
}

/// How many keys of one document are looked at.
const MAX_KEYS: usize = 100;

/// The document is no key set: why, and where, with nothing of what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document is not a JSON Web Key Set: {0}")]
pub struct JwksError(String);

impl From<serde_json::Error> for JwksError {
    fn from(error: serde_json::Error) -> Self {
        // A parser quotes what is JSON and of the wrong type: somebody else wrote that.
        Self(match error.is_data() {
            true => {
                format!("its keys are no list, at line {} column {}", error.line(), error.column())
            }
            false => error.to_string(),
        })
    }
}

/// A key of a key set that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in `keys`, from 0.
    pub index: usize,
    /// Its `kid`, if it could be read.
    pub id: Option<String>,
    /// Why it is not used.
    pub flaw: KeyFlaw,
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys[{}]", self.index)?;
        if let Some(id) = &self.id {
            // Somebody else wrote it, at any length.
            write!(f, " (kid {:?})", id.chars().take(64).collect::<String>())?;
        }
        write!(f, " is not used: {}", self.flaw)
    }
}

/// A JWK as written (RFC 7517, section 4; RFC 7518, section 6).
#[derive(Deserialize)]
struct WrittenKey {
    kid: Option<String>,
    kty: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// Only whether it is there.
    d: Option<IgnoredAny>,
}

impl WrittenKey {
    fn parse(key: &RawValue) -> Result<Self, KeyFlaw> {
        if !key.get().starts_with('{') {
            return Err(KeyFlaw::NotAKey("it is not an object".to_owned()));
        }
        serde_json::from_str(key.get()).map_err(|error| KeyFlaw::NotAKey(error.to_string()))
    }

    /// Its key ID; absent also if it is empty, as a token's.
    fn id(&self) -> Option<String> {
        self.kid.clone().filter(|id| !id.is_empty())
    }

    /// The key, and the one algorithm that it is for, if it says so.
    fn usable(&self) -> Result<(Option<Algorithm>, VerifyingKey), KeyFlaw> {
        let key = VerifyingKey::new(self.public_key()?)?;
        let algorithm = self.algorithm()?;
        if algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
            return Err(KeyFlaw::Algorithm);
        }
        Ok((algorithm, key))
    }

    /// The one algorithm that the key is for, if it says so.
    fn algorithm(&self) -> Result<Option<Algorithm>, KeyFlaw> {
        match self.alg.as_deref() {
            None | Some("") => Ok(None),
            // RFC 9864 has a name for each curve of EdDSA.
            Some("Ed25519" | "Ed448") => Ok(Some(Algorithm::EdDsa)),
            Some(name) => Algorithm::from_name(name).map(Some).ok_or(KeyFlaw::Algorithm),
        }
    }

    /// Whether it is to encrypt with (RFC 7518, section 4.1), which is no flaw.
    fn encrypts(&self) -> bool {
        self.alg
            .as_deref()
            .is_some_and(|alg| alg.starts_with("RSA-OAEP") || alg.starts_with("ECDH-ES"))
    }

    fn public_key(&self) -> Result<PublicKey, KeyFlaw> {
        let curve = self.crv.as_deref();
        let x = || bytes("x", self.x.as_deref());
        match self.kty.as_deref() {
            Some("oct") => Err(KeyFlaw::Symmetric),
            Some("RSA" | "EC" | "OKP") if self.d.is_some() => Err(KeyFlaw::Private),
            Some("RSA") => {
                let n = bytes("n", self.n.as_deref())?;
                Ok(PublicKey::Rsa { n, e: bytes("e", self.e.as_deref())? })
            }
            Some("EC") => {
                let curve = match curve {
                    Some("P-256") => Curve::P256,
                    Some("P-384") => Curve::P384,
                    Some("P-521") => Curve::P521,
                    _ => return Err(KeyFlaw::Curve),
                };
                Ok(PublicKey::Ec { curve, x: x()?, y: bytes("y", self.y.as_deref())? })
            }
            Some("OKP") => match curve {
                Some("Ed25519") => Ok(PublicKey::Ed25519(x()?)),
                Some("Ed448") => Ok(PublicKey::Ed448(x()?)),
                _ => Err(KeyFlaw::Curve),
            },
            _ => Err(KeyFlaw::KeyType),
        }
    }
}

/// A parameter's bytes. Some issuers pad what must not be padded, and upstream forgives it.
fn bytes(name: &'static str, value: Option<&str>) -> Result<Vec<u8>, KeyFlaw> {
    let value = value.ok_or(KeyFlaw::Missing(name))?;
    base64url::decode(value.trim_end_matches('=')).ok_or(KeyFlaw::NotBase64(name))
}

#[cfg(test)]
mod tests;
