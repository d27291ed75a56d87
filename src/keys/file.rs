//! Public keys in a file.
//!
//! A [`FileKeySet`] is read before it is opened, and again when the file changes. A file that cannot
//! be read, or holds no usable key, leaves the last good keys in force.

use std::future::ready;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::task::JoinSet;

use crate::filewatch::{FileWatch, Rhythm};
use crate::live::Mark;
use crate::metrics::Metrics;
use crate::token::{BoxFuture, Jwks, KeySet, KeysUnavailable, Refreshed};

use super::failure::{Cause, Failure};
use super::holdings::{Holdings, Parsed, parse, parse_here};
use super::{Health, IssuerKeys};

/// The keys of an issuer in a file.
pub struct FileKeySet {
    holdings: Arc<Holdings>,
    rhythm: Rhythm,
    /// Ends with the set: dropping it aborts what is in it.
    _watching: JoinSet<()>,
}

impl FileKeySet {
    pub(super) fn open(issuer: &str, path: &Path, rhythm: Rhythm, metrics: Arc<Metrics>) -> Self {
        let holdings = Arc::new(Holdings::new(issuer, Some(metrics)));
        let place = path.display().to_string();
        let (mut watch, content) = FileWatch::open(path);
        let parsed = content.map_err(Cause::File).and_then(|content| parse_here(&content));
        holdings.end(at(&place, parsed), None);
        let mut watching = JoinSet::new();
        watching.spawn({
            let (holdings, rhythm) = (holdings.clone(), rhythm.clone());
            async move {
                loop {
                    let content = watch.changed(&rhythm).await;
                    holdings.begin();
                    let parsed = match content {
                        Ok(content) => parse(content).await,
                        Err(error) => Err(error.into()),
                    };
                    holdings.end(at(&place, parsed), None);
                }
            }
        });
        Self { holdings, rhythm, _watching: watching }
    }
}

fn at(place: &str, parsed: Result<Parsed, Cause>) -> Result<Parsed, Failure> {
    parsed.map_err(|cause| Failure { place: place.to_owned(), cause })
}

impl KeySet for FileKeySet {
    fn current(&self) -> (Mark, Arc<Jwks>) {
        self.holdings.current()
    }

    /// Nobody waits: the file is looked at again very soon, whoever asks.
    fn refresh<'a>(&'a self, seen: &'a Mark) -> BoxFuture<'a, Result<Refreshed, KeysUnavailable>> {
        let failed = self.holdings.progress.borrow().failure.is_some();
        let refreshed = Refreshed { retry_at: SystemTime::now() + self.rhythm.interval() };
        Box::pin(ready(if failed && seen.holds() {
            Err(KeysUnavailable::Unreachable)
        } else {
            Ok(refreshed)
        }))
    }
}

impl IssuerKeys for FileKeySet {
    fn tried(&self) -> BoxFuture<'_, ()> {
        self.holdings.tried()
    }

    fn had(&self) -> BoxFuture<'_, ()> {
        self.holdings.had()
    }

    fn health(&self) -> Health {
        self.holdings.health()
    }
}

#[cfg(test)]
mod tests;
