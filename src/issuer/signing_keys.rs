//! The keys of the embedded issuer: one signs, all verify.
//!
//! A rotation is three steps (the new key after the old one, before it, alone), and none of them ends
//! a token before its time.

use std::path::{Path, PathBuf};

use crate::filewatch::{FileError, FileWatch};
use crate::token::{Jwks, SigningKey, SigningKeyError};

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

    /// Reads the keys in `files`, blocking.
    ///
    /// # Errors
    /// The first mistake.
    pub fn load(files: &[PathBuf]) -> Result<Self, SigningKeysLoadError> {
        let key = |file: &PathBuf| {
            let pem = FileWatch::open(file)
                .1
                .map_err(|source| SigningKeysLoadError::File { file: file.clone(), source })?;
            SigningKey::from_pem(&pem)
                .map_err(|source| SigningKeysLoadError::Key { file: file.clone(), source })
        };
        let keys = files.iter().map(key).collect::<Result<_, _>>()?;
        Self::new(keys).map_err(|mistakes| {
            let mistake = mistakes.into_iter().next().unwrap_or(SigningKeysError::None);
            let file = files.get(mistake.index()).map(PathBuf::as_path).unwrap_or(Path::new(""));
            SigningKeysLoadError::Set { file: file.to_owned(), mistake }
        })
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

impl SigningKeysError {
    /// Which key is to blame, by its place in the list.
    pub fn index(&self) -> usize {
        match self {
            Self::None | Self::FirstIsPublic => 0,
            Self::Duplicate { index, .. } => *index,
        }
    }
}

/// Why the keys cannot be had from their files.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeysLoadError {
    /// A file cannot be read.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: FileError,
    },
    /// A file holds no key, or one that cannot be used.
    #[error("{} {source}", file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: SigningKeyError,
    },
    /// Each is a key; together they are no set.
    #[error("{} {mistake}", file.display())]
    Set {
        /// The file to mend.
        file: PathBuf,
        /// What is wrong with it.
        mistake: SigningKeysError,
    },
}
