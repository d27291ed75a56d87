//! Why an attempt to get keys has failed.

use std::error::Error;

use crate::fetch::FetchError;
use crate::filewatch::FileError;
use crate::token::{JwksError, SkippedKey};

use super::discovery::DiscoveryError;

/// How much of an error is kept: some libraries quote what they were given.
const MAX_CHARACTERS: usize = 512;

/// Why an attempt to get keys has failed, and where.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {cause}")]
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
    /// The discovery document does not lead to keys.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The key set is none.
    #[error(transparent)]
    Jwks(#[from] JwksError),
    /// The key set is one, but nothing in it verifies anything.
    #[error("the key set has no usable key")]
    NoUsableKey {
        /// Why each of its keys was left out.
        skipped: Vec<SkippedKey>,
    },
    /// A bug of ours.
    #[error("the key set made its parser panic: please report this")]
    Panic,
}

impl Failure {
    /// For the log: with the words of the library at the bottom of it.
    pub(super) fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut bottom = self.cause.source();
        while let Some(deeper) = bottom.and_then(Error::source) {
            bottom = Some(deeper);
        }
        if let Some(bottom) = bottom {
            text.push_str(&format!(": {bottom}"));
        }
        text.chars().take(MAX_CHARACTERS).collect()
    }
}
