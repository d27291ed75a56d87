//! The loop that accepts, and its end.
//!
//! The loop only accepts: each connection, its handshake included, is a task of its own. For one too
//! many somebody has to go at once, and an accept that fails for want of descriptors is tried again later.
//!
//! At the end, what the system has queued is accepted too before anybody is told to go: a client
//! whose connection is reset does not ask again.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::connection::{self, Shared};
use super::guests::{Guests, Stays};
use super::listener::{Listener, PAUSE, Stream};
use super::{Handler, Limits, PeerAddress, Tls};
use crate::lifecycle::Drain;
use crate::live::Live;
use crate::metrics::Metrics;

/// Serves HTTPS until the drain has begun and every connection has ended, or `shutdown_timeout`
/// after it. Each connection gets the `tls` and the `limits` that are published when it is accepted,
/// and GOAWAY when another client CA is.
pub async fn serve<H: Handler + Clone>(
    listener: Listener,
    tls: Live<Tls>,
    limits: Live<Limits>,
    handler: H,
    metrics: Arc<Metrics>,
    drain: Drain,
) {
    accept(listener, Some(tls), limits, handler, Some(metrics), drain).await;
}

/// Serves HTTP/1.1 without TLS, and counts nothing: the admin listener.
pub async fn serve_plain<H: Handler + Clone>(
    listener: Listener,
    limits: Live<Limits>,
    handler: H,
    drain: Drain,
) {
    accept(listener, None, limits, handler, None, drain).await;
}

async fn accept<H: Handler + Clone>(
    listener: Listener,
    tls: Option<Live<Tls>>,
    limits: Live<Limits>,
    handler: H,
    metrics: Option<Arc<Metrics>>,
    drain: Drain,
) {
    let told_to_go = Drain::default();
    let under = |limits: &Limits| {
        Shared::new(handler.clone(), limits.clone(), metrics.clone(), told_to_go.clone())
    };
    let mut shared = under(&limits.get());
    let mut connections = Connections::default();
    let mut draining = pin!(drain.begun());
    loop {
        shared.connections(connections.open.len());
        let accepted = tokio::select! {
            biased;
            () = draining.as_mut() => break,
            Some(_) = connections.open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(accepted) => {
                // Who came under other limits goes on under those.
                let published = limits.get();
                if *published != shared.limits {
                    shared = under(&published);
                }
                connections.begin(&shared, &tls, accepted);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                warn!(%error, "no connection can be accepted; trying again");
                sleep(PAUSE).await;
            }
        }
    }
    match listener.close().await {
        Ok(queued) => {
            for accepted in queued {
                connections.begin(&shared, &tls, accepted);
            }
        }
        Err(error) => warn!(%error, "connections that were queued are lost"),
    }
    told_to_go.begin();
    let mut connections = connections.open;
    let all_ended = async {
        while connections.join_next().await.is_some() {
            shared.connections(connections.len());
        }
    };
    if timeout(limits.get().shutdown_timeout, all_ended).await.is_err() {
        warn!(connections = connections.len(), "connections were cut at the end");
        connections.shutdown().await;
        shared.connections(0);
    }
}

/// The connections of one listener.
#[derive(Default)]
struct Connections {
    open: JoinSet<()>,
    guests: Guests,
}

impl Connections {
    /// Makes a task of what was accepted. If it is one too many, somebody has to go: an older one
    /// that is nobody's in particular, or else this one.
    fn begin<H: Handler>(
        &mut self,
        shared: &Arc<Shared<H>>,
        tls: &Option<Live<Tls>>,
        (stream, address): (Stream, PeerAddress),
    ) {
        if self.open.len() >= shared.max_open {
            shared.shed();
            if !self.guests.one_goes() {
                return;
            }
        }
        let stays = Stays::default();
        let connection =
            connection::run(shared.clone(), tls.clone(), stream, address, stays.clone());
        self.guests.add(self.open.spawn(connection), stays);
    }
}

/// Whether an accept failed through its client's doing, so that the next may well succeed.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_client_did_is_tried_again_at_once() {
        for (errno, at_once) in [(103, true), (104, true), (24, false), (23, false), (12, false)] {
            let error = io::Error::from_raw_os_error(errno);
            assert_eq!(is_of_one_connection(&error), at_once, "{error}");
        }
    }
}
