//! The keys of the embedded issuer: one signs, all verify.
//!
//! A rotation is three steps (the new key after the old one, before it, alone), and none of them ends
//! a token before its time.

use crate::token::{Jwks, SigningKey};

/// Every key, ready to sign and to verify with.
#[derive(Debug)]
pub struct SigningKeys {
    first: SigningKey,
    others: Vec<SigningKey>,
    jwks: Jwks,
}

impl SigningKeys {
    /// The keys in the order written.
    ///
    /// # Errors
    /// Every mistake of the set as a whole.
    pub fn new(keys: Vec<SigningKey>) -> Result<Self, Vec<SigningKeysError>> {
        let mut mistakes = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            if index == 0 && !key.signs() {
                mistakes.push(SigningKeysError::FirstIsPublic);
            }
            if let Some(first) = keys.iter().take(index).position(|k| k.id() == key.id()) {
                mistakes.push(SigningKeysError::Duplicate { index, first });
            }
        }
        let jwks = Jwks::of(&keys);
        let mut keys = keys.into_iter();
        match keys.next() {
            Some(first) if mistakes.is_empty() => Ok(Self { first, others: keys.collect(), jwks }),
            Some(_) => Err(mistakes),
            None => Err(vec![SigningKeysError::None]),
        }
    }

    /// The one that signs.
    pub fn signer(&self) -> &SigningKey {
        &self.first
    }

    /// All of them, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// All of them, to verify with.
    pub fn jwks(&self) -> &Jwks {
        &self.jwks
    }
}

impl PartialEq for SigningKeys {
    fn eq(&self, other: &Self) -> bool {
        self.first == other.first && self.others == other.others
    }
}

/// What is wrong with a set of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeysError {
    /// There is none.
    #[error("Required value: at least one, which signs")]
    None,
    /// Nothing could be signed.
    #[error("is a public key; the first file signs, and so needs a private key")]
    FirstIsPublic,
    /// Removing one of the two would withdraw nothing.
    #[error("is the same key as signingKeyFiles[{first}]; remove one of the two")]
    Duplicate {
        /// Its place in the list, from 0.
        index: usize,
        /// The place of the other one.
        first: usize,
    },
}
