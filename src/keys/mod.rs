//! Public keys of configured issuers, from the network and from files.
//!
//! [`open`] gives a handle on one issuer's keys. Behind it one task keeps them fresh, until the last
//! handle is dropped. Keys are replaced whole, and only by a set with a usable key in it; while no
//! better are to be had, the last good ones stay. A review that needs newer keys waits with all
//! others for one fetch, briefly; nobody's reviews wait for another issuer.
//!
//! The last good keys from the network may lie on disk for the next start (`cache_dir`), and may be
//! too old to be used ([`Settings`]).
//!
//! [`ForeignKeys`] are those of issuers that nobody configured and a configured one refers to: few,
//! and forgotten when they are not used.

mod cache_dir;
pub mod discovery;
mod failure;
mod file;
mod foreign;
mod holdings;
mod pace;
mod progress;
mod remote;
mod settings;
mod source;
#[cfg(test)]
mod specimen;

use std::sync::Arc;
use std::time::SystemTime;

use crate::fetch::Fetcher;
use crate::metrics::Metrics;
use crate::token::{BoxFuture, KeySet};

use cache_dir::CacheFile;
use file::FileKeySet;
use remote::RemoteKeySet;

pub use cache_dir::forget_departed;
pub use file::KeyFiles;
pub use foreign::{ForeignKeys, NotAnIssuer};
pub use pace::Pace;
pub use settings::{Settings, Shared};
pub use source::{Location, Source};

/// The keys of one issuer, and how they are.
pub trait IssuerKeys: KeySet {
    /// Waits until the first attempt to get them has ended, well or badly.
    fn tried(&self) -> BoxFuture<'_, ()>;

    /// Waits until there are any.
    fn had(&self) -> BoxFuture<'_, ()>;

    /// How they are now.
    fn health(&self) -> Health;
}

/// How one issuer's keys are, for those who operate this process.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Usable keys held, be they fresh or not.
    pub keys: usize,
    /// Whether the first attempt to get them has ended.
    pub tried: bool,
    /// When they were last got, be they held still or too old for `keys.maxStale`.
    pub last_success: Option<SystemTime>,
    /// Whether they come from `keys.cacheDir`, and nothing was got since the start.
    pub from_disk: bool,
    /// When the next attempt is due; absent for a file, and while one is under way.
    pub next_attempt: Option<SystemTime>,
    /// Why the last attempt failed, and what to do about it; absent if it did not.
    pub error: Option<Arc<str>>,
}

/// Opens `source`, on the runtime of the caller; from the network by `fetcher`, at this `pace`, from a
/// file among `files`. At most `max_waiters` reviews may wait for its keys at a time.
///
/// A file has been read when this returns; from the network nothing has arrived yet, nor from
/// `keys.cacheDir`.
pub fn open(
    source: &Source,
    fetcher: Fetcher,
    pace: Pace,
    files: &KeyFiles,
    shared: Shared,
    max_waiters: usize,
    metrics: Arc<Metrics>,
) -> Arc<dyn IssuerKeys> {
    let issuer = source.issuer.as_str();
    let (url, discovers) = match &source.location {
        Location::File { path } => {
            return Arc::new(FileKeySet::open(issuer, path, files, metrics));
        }
        Location::Discovery { url } => (url.clone(), true),
        Location::Jwks { url } => (url.clone(), false),
    };
    let address = remote::Address { url, discovers, cache_file: CacheFile::of(source) };
    let way = remote::Way { address, fetcher, pace, shared };
    Arc::new(RemoteKeySet::open(issuer, way, max_waiters, Some(metrics)))
}
