//! What a verifier needs of a place where keys come from.
//!
//! The consumer owns the interface: [`crate::token`] says what it needs, the floor above has the
//! network and the files.

use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use crate::live::Mark;

use super::jwks::Jwks;

/// A future in a box, for the one place in this floor that waits.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The current keys of one issuer.
pub trait KeySet: Send + Sync {
    /// The keys as they are now, and the mark to cite them by. Empty while none were ever had.
    fn current(&self) -> (Mark, Arc<Jwks>);

    /// Asks for newer keys than those that `seen` was taken with.
    ///
    /// Bounded in every way: one fetch for all who wait, at most one per cooldown, a short wait and
    /// a limited number of waiters. An `Ok` means that [`current`](Self::current) is as new as it
    /// may be for the moment.
    fn refresh<'a>(&'a self, seen: &'a Mark) -> BoxFuture<'a, Result<Refreshed, KeysUnavailable>>;
}

/// The keys are as new as they may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// When asking again may bring something newer: a refusal for want of a key may be remembered
    /// until then, and no longer.
    pub retry_at: SystemTime,
}

/// No answer could be had about newer keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysUnavailable {
    /// The last fetch failed and the next one is not due.
    #[error("its keys could not be fetched")]
    Unreachable,
    /// A fetch is under way and takes too long to wait for.
    #[error("its keys are still being fetched")]
    Slow,
    /// Too many reviews already wait for this issuer's keys.
    #[error("too many reviews wait for its keys")]
    Crowded,
}
