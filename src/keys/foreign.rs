//! Public keys of issuers that nobody configured.
//!
//! A distributed claim comes in a token of whichever issuer its source likes. [`ForeignKeys`] gets
//! the keys of those, for one configured issuer and with its trust, as any remote issuer's are got.
//! But their names come from strangers: so few are held at a time, each origin that brings them has
//! only some of the places, what nobody asks for any more is forgotten, and none has metrics. When
//! keys are forgotten, the marks of all that rested on them cease to hold, since nobody would notice
//! that they were withdrawn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::fetch::{Fetcher, origin_of};
use crate::live::{Live, Mark};
use crate::token::KeySet;

use super::remote::{Address, RemoteKeySet, Way};
use super::{Pace, Shared};

/// How many issuers' keys are held at a time.
const MAX_ISSUERS: usize = 16;
/// How many of them one origin may bring.
const MAX_ISSUERS_OF_ORIGIN: usize = 4;
/// The longest issuer URL.
const MAX_URL_BYTES: usize = 2048;

/// The keys of the issuers that one configured issuer refers to.
pub struct ForeignKeys {
    fetcher: Fetcher,
    pace: Pace,
    shared: Shared,
    max_waiters: usize,
    held: Arc<Mutex<Held>>,
}

/// An issuer's name is not an `https://` URL that has neither user, query nor fragment, and so
/// leads to no discovery document (OpenID Connect Discovery 1.0, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the issuer is not an https:// URL")]
pub struct NotAnIssuer;

impl ForeignKeys {
    /// None yet. They will be got by `fetcher`, and at most `max_waiters` reviews may wait for those
    /// of one issuer at a time.
    pub fn new(fetcher: Fetcher, pace: Pace, shared: Shared, max_waiters: usize) -> Self {
        Self { fetcher, pace, shared, max_waiters, held: Arc::default() }
    }

    /// The keys of `issuer`, whose name was brought by `origin`; and a mark that holds until they
    /// are forgotten. If they are not held yet they are being fetched when this returns.
    ///
    /// # Errors
    ///
    /// Fails if `issuer` can have none.
    pub fn of(&self, issuer: &str, origin: &str) -> Result<(Mark, Arc<dyn KeySet>), NotAnIssuer> {
        let is_plain =
            issuer.len() <= MAX_URL_BYTES && issuer.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain || issuer.contains(['?', '#']) || origin_of(issuer).is_err() {
            return Err(NotAnIssuer);
        }
        let now = Instant::now();
        let mut held = lock(&self.held);
        if let Some(known) = held.issuers.get_mut(issuer) {
            known.asked_for = now;
            return Ok((known.kept.read().0, known.keys.clone()));
        }
        held.make_room(origin);
        let keys = Arc::new(self.open(issuer));
        let kept = Live::new(true);
        let mark = kept.read().0;
        let known = Known { keys: keys.clone(), kept, origin: origin.to_owned(), asked_for: now };
        held.issuers.insert(issuer.to_owned(), known);
        if held.forgetting.try_join_next().is_some() || held.forgetting.is_empty() {
            let (held_by_us, idle) = (Arc::downgrade(&self.held), self.pace.foreign_idle);
            held.forgetting.spawn(forget_the_idle(held_by_us, idle));
        }
        Ok((mark, keys))
    }

    fn open(&self, issuer: &str) -> RemoteKeySet {
        // As go-oidc: one slash is trimmed, not all.
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let url = format!("{base}/.well-known/openid-configuration");
        let way = Way {
            // The names of strangers are not for the disk.
            address: Address { url, discovers: true, cache_file: None },
            fetcher: self.fetcher.clone(),
            pace: self.pace,
            shared: self.shared.clone(),
        };
        RemoteKeySet::open(issuer, way, self.max_waiters, None)
    }
}

#[derive(Default)]
struct Held {
    issuers: HashMap<String, Known>,
    /// The one task that forgets, while there is anything to forget.
    forgetting: JoinSet<()>,
}

struct Known {
    keys: Arc<RemoteKeySet>,
    kept: Live<bool>,
    /// Who brought it first.
    origin: String,
    asked_for: Instant,
}

impl Held {
    /// Makes a place for one more that `origin` brings: at the cost of its own if it has its share,
    /// so that it cannot drive out those of others.
    fn make_room(&mut self, origin: &str) {
        let own = self.issuers.values().filter(|known| known.origin == origin).count();
        let full = own >= MAX_ISSUERS_OF_ORIGIN;
        if !full && self.issuers.len() < MAX_ISSUERS {
            return;
        }
        let candidates = self.issuers.iter().filter(|(_, known)| !full || known.origin == origin);
        // Who turned out to have no keys goes first.
        let last = candidates.min_by_key(|(_, known)| (known.keys.has_keys(), known.asked_for));
        if let Some(issuer) = last.map(|(issuer, _)| issuer.clone()) {
            self.forget(&issuer);
        }
    }

    fn forget(&mut self, issuer: &str) {
        if let Some(known) = self.issuers.remove(issuer) {
            known.kept.publish(false);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Whoever still holds an answer must not hold it for ever.
        for known in self.issuers.values() {
            known.kept.publish(false);
        }
    }
}

/// Forgets what nobody has asked for, until there is nothing left.
async fn forget_the_idle(held: Weak<Mutex<Held>>, idle: Duration) {
    loop {
        sleep(idle / 2).await;
        let Some(held) = held.upgrade() else { return };
        let mut held = lock(&held);
        let now = Instant::now();
        let is_idle = |known: &Known| now.saturating_duration_since(known.asked_for) >= idle;
        let forgotten: Vec<_> = held
            .issuers
            .iter()
            .filter(|(_, known)| is_idle(known))
            .map(|(issuer, _)| issuer.clone())
            .collect();
        forgotten.iter().for_each(|issuer| held.forget(issuer));
        if held.issuers.is_empty() {
            return;
        }
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
