//! What is held for a client, from the heads of its requests to the last byte of its answers.
//!
//! Everybody whom a certificate names has room of his own, and all who show none share one: whoever
//! has much held has it held at his own expense, and a crowd of strangers takes nothing from an API
//! server. The number of rooms is that of the names to which the client CA gives certificates.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use http::Request;

use super::budget::{Budget, Taken};
use super::{ClientCertificate, Limits};

/// Room for bodies that come in pieces, and for large answers, for each request that may be in
/// flight: the longest token.
const BODY: usize = 64 * 1024;
/// Requests that may be at hand for each that may be in flight: that one, and those that are still
/// coming or whose answers are still going.
const AT_HAND: usize = 4;
/// Requests that may be at hand in any case: all the streams of one connection.
const FEWEST: usize = 256;
/// What a request at hand costs, with a head of usual size: stream, task, future.
const REQUEST: usize = 16 * 1024;
/// What a field of its head costs, beside its bytes. HPACK names one again with a single byte.
const FIELD: usize = 128;
/// An answer of as many bytes is not counted beside its request.
const SMALL: usize = 16 * 1024;

/// The room of everybody.
pub(super) struct Rooms {
    /// Connections that one name may have.
    connections: usize,
    /// Bytes for bodies, and as many for answers.
    bodies: usize,
    /// Bytes for requests at hand.
    requests: usize,
    strangers: Arc<Room>,
    /// By common name. As long as there is a connection.
    named: Mutex<HashMap<String, Weak<Room>>>,
}

/// The room of one.
pub(super) struct Room {
    connections: Arc<Budget>,
    requests: Arc<Budget>,
    answers: Arc<Budget>,
    /// For bodies that come in pieces.
    pub(super) bodies: Budget,
}

/// A place, as long as it is kept: that of a request until its answer is sent.
pub(super) type Place = Taken<Arc<Budget>>;

impl Rooms {
    /// Under these `limits`, which let `max_open` connections be open.
    pub(super) fn new(limits: &Limits, max_open: usize) -> Self {
        let in_flight = limits.max_requests_in_flight;
        // Not in flight × max_body_bytes, which is gigabytes. Never less than a few of the largest.
        let bodies = in_flight.saturating_mul(BODY).max(limits.max_body_bytes.saturating_mul(4));
        let requests = in_flight.saturating_mul(AT_HAND).max(FEWEST).saturating_mul(REQUEST);
        // Strangers may have all: they go when others come.
        let strangers = Room::new(usize::MAX, bodies, requests);
        let connections = max_open - max_open / 4;
        Self { connections, bodies, requests, strangers, named: Mutex::default() }
    }

    /// The room of whoever has shown this.
    pub(super) fn of(&self, certificate: Option<&ClientCertificate>) -> Arc<Room> {
        let Some(certificate) = certificate else {
            return self.strangers.clone();
        };
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = named.get(&certificate.common_name).and_then(Weak::upgrade) {
            return room;
        }
        named.retain(|_, room| room.strong_count() > 0);
        let room = Room::new(self.connections, self.bodies, self.requests);
        named.insert(certificate.common_name.clone(), Arc::downgrade(&room));
        room
    }
}

impl Room {
    fn new(connections: usize, bodies: usize, requests: usize) -> Arc<Self> {
        let budget = |limit| Arc::new(Budget::new(limit));
        let (connections, requests, answers) =
            (budget(connections), budget(requests), budget(bodies));
        Arc::new(Self { connections, requests, answers, bodies: Budget::new(bodies) })
    }

    /// A place for one more connection, if there is one: a name may have three quarters of them, or
    /// one that has a certificate and means no good could keep everybody else out.
    pub(super) fn connection(&self) -> Option<Place> {
        self.connections.take_owned(1)
    }

    /// A place for this request, if there is one.
    pub(super) fn place<B>(&self, request: &Request<B>) -> Option<Place> {
        let fields = request.headers().iter();
        let head: usize =
            fields.map(|(name, value)| FIELD + name.as_str().len() + value.len()).sum();
        self.requests.take_owned(REQUEST + head)
    }

    /// A place for what is still coming of a request that has its answer.
    pub(super) fn place_of_rest(&self) -> Option<Place> {
        self.requests.take_owned(REQUEST)
    }

    /// The body of an answer, which keeps the place of its request, and room of its own if it is
    /// large, until its last byte is sent: a client that asks and does not read has it held.
    pub(super) fn held(&self, body: Bytes, place: Place) -> Option<Bytes> {
        struct Held(Bytes, #[expect(dead_code, reason = "given back when dropped")] [Place; 2]);
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        let large = if body.len() > SMALL { body.len() } else { 0 };
        let room = self.answers.take_owned(large)?;
        Some(Bytes::from_owner(Held(body, [place, room])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_its_own_room_and_all_strangers_share_one() {
        let rooms = Rooms::new(&super::super::tests::limits(), 100);
        let named = |name: &str| {
            let common_name = name.to_owned();
            rooms.of(Some(&ClientCertificate { common_name, ..ClientCertificate::default() }))
        };
        let (first, again, other) = (named("a"), named("a"), named("b"));
        assert!(Arc::ptr_eq(&first, &again) && !Arc::ptr_eq(&first, &other));
        assert!(Arc::ptr_eq(&rooms.of(None), &rooms.of(None)));
        assert!(!Arc::ptr_eq(&rooms.of(None), &first));
        drop((first, again));
        let _third = named("c");
        assert_eq!(rooms.named.lock().unwrap().len(), 2, "who has gone has no room");
    }
}
