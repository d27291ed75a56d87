//! Who has to go when there are too many connections.
//!
//! Whoever floods the port has no certificate of the client CA, or he would be known. So a connection
//! for which no certificate stands gives way to the next one, the oldest first: a flood drives out
//! itself, and an API server, once its handshake is done, stays.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::AbortHandle;

/// The connections that may have to go, oldest first.
#[derive(Default)]
pub(super) struct Guests(VecDeque<Guest>);

struct Guest {
    connection: AbortHandle,
    stays: Stays,
}

/// Whether one connection stays, whoever else comes.
#[derive(Clone, Default)]
pub(super) struct Stays(Arc<AtomicBool>);

impl Stays {
    /// It does, from now on.
    pub(super) fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Guests {
    /// Notes one more.
    pub(super) fn add(&mut self, connection: AbortHandle, stays: Stays) {
        // Those who have gone by themselves are noticed here at the latest.
        if self.0.len() == self.0.capacity() {
            self.0.retain(Guest::may_go);
        }
        self.0.push_back(Guest { connection, stays });
    }

    /// Ends the oldest that may go, and says whether there was one.
    pub(super) fn one_goes(&mut self) -> bool {
        while let Some(guest) = self.0.pop_front() {
            if guest.may_go() {
                guest.connection.abort();
                return true;
            }
        }
        false
    }
}

impl Guest {
    fn may_go(&self) -> bool {
        !self.connection.is_finished() && !self.stays.0.load(Ordering::Relaxed)
    }
}
