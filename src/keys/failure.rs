//! Why an attempt to get keys has failed.

use std::error::Error;
use std::fmt::Display;

use crate::fetch::FetchError;
use crate::filewatch::FileError;
use crate::token::{JwksError, SkippedKey};

use super::discovery::DiscoveryError;

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
