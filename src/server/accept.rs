//! Listening, and the loop that accepts.
//!
//! The loop only accepts: each connection, its handshake included, is a task of its own. What is one
//! too many is closed at once, and an accept that fails for want of descriptors is tried again later.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::connection::{self, Shared};
use super::{Handler, Limits, Tls};
use crate::lifecycle::Drain;
use crate::live::Live;
use crate::metrics::Metrics;

/// Connections that the system completes before they are accepted.
const BACKLOG: u32 = 1024;
/// How long to leave a listener alone that has run out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// A bound socket that already queues connections.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Listens on `address`, port 0 for any. With SO_REUSEPORT, so that the next process can listen
    /// there before this one has ended.
    ///
    /// # Errors
    ///
    /// Fails as socket, bind and listen do. Panics outside of a tokio runtime.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(true)?;
        socket.bind(address)?;
        let socket = socket.listen(BACKLOG)?;
        Ok(Self { address: socket.local_addr()?, socket })
    }

    /// Where it listens, with the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

/// Serves HTTPS until the drain has begun and every connection has ended, or `shutdown_timeout`
/// after it. Each connection gets the `tls` that is published when it is accepted.
pub async fn serve<H: Handler>(
    listener: Listener,
    tls: Live<Tls>,
    limits: Limits,
    handler: H,
    metrics: Arc<Metrics>,
    drain: Drain,
) {
    accept(listener, Some(tls), Shared::new(handler, limits, Some(metrics), drain)).await;
}

/// Serves HTTP/1.1 without TLS, and counts nothing: the admin listener.
pub async fn serve_plain<H: Handler>(listener: Listener, limits: Limits, handler: H, drain: Drain) {
    accept(listener, None, Shared::new(handler, limits, None, drain)).await;
}

async fn accept<H: Handler>(listener: Listener, tls: Option<Live<Tls>>, shared: Arc<Shared<H>>) {
    let mut connections = JoinSet::new();
    let mut draining = pin!(shared.drain.begun());
    loop {
        shared.connections(connections.len());
        let accepted = tokio::select! {
            biased;
            () = draining.as_mut() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) if connections.len() < shared.limits.max_connections => {
                let tls = tls.as_ref().map(Live::get);
                connections.spawn(connection::run(shared.clone(), tls, stream, address));
            }
            Ok(_) => shared.shed(),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                warn!(%error, "no connection can be accepted; trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all_ended = async {
        while connections.join_next().await.is_some() {
            shared.connections(connections.len());
        }
    };
    if timeout(shared.limits.shutdown_timeout, all_ended).await.is_err() {
        warn!(connections = connections.len(), "connections were cut at the end");
        connections.shutdown().await;
        shared.connections(0);
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

    #[tokio::test]
    async fn two_processes_can_share_an_address() {
        let first = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_ne!(first.local_addr().port(), 0);
        let second = Listener::bind(first.local_addr()).unwrap();
        assert_eq!(second.local_addr(), first.local_addr());
    }
}
