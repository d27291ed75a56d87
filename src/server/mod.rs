//! Sockets, TLS, HTTP and limits: bytes in, bytes out.
//!
//! The server accepts, shakes hands, reads whole bodies within their limits and drains what is too
//! large, so that a [`Handler`] can never answer before the request was read. It knows paths,
//! tokens and reviews as little as a socket does.
//!
//! [`serve`] is the HTTPS listener, [`serve_plain`] the admin listener. Both end by themselves once a
//! [`Drain`](crate::lifecycle::Drain) has begun.

mod accept;
mod body;
mod budget;
mod connection;
mod guests;
mod linger;
mod listener;
mod room;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use rustix::process::{Resource, getrlimit};

pub use accept::{serve, serve_plain};
pub use listener::{Bound, Listener};
pub use tls::{Tls, TlsError};

/// Answers whole requests. One for each listener.
pub trait Handler: Send + Sync + 'static {
    /// Answers `request`, whose body has arrived whole. Must not be slow to return a future that is
    /// ready: a cached answer takes no box and no task.
    fn handle(
        &self,
        request: &Request<Bytes>,
        peer: &Peer,
    ) -> impl Future<Output = Response<Bytes>> + Send;
}

impl<H: Handler> Handler for Arc<H> {
    fn handle(
        &self,
        request: &Request<Bytes>,
        peer: &Peer,
    ) -> impl Future<Output = Response<Bytes>> + Send {
        H::handle(self, request, peer)
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where it is.
    pub address: PeerAddress,
    /// The client certificate, verified against `listen.clientCAFile`; absent if none was shown.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// The remote end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerAddress {
    /// Of a TCP connection.
    Tcp(SocketAddr),
    /// A process of this machine, at the other end of a unix socket: it has no address.
    Unix,
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

/// The names in a verified client certificate, as kube-apiserver reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The subject's common name: the user. Empty if it has none, or cannot be read.
    pub common_name: String,
    /// The subject's organizations: the groups.
    pub organizations: Vec<String>,
    /// SHA-256 of the whole certificate, in hexadecimal: tells one of a name from another.
    pub sha256: String,
}

/// Where and how the HTTPS listener serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `listen.address`; port 0 lets the system choose.
    pub address: SocketAddr,
    /// `listen.certificateFile`: the serving certificate and its intermediates, PEM.
    pub certificate_file: PathBuf,
    /// `listen.privateKeyFile`, PEM.
    pub private_key_file: PathBuf,
    /// `listen.clientCAFile`: client certificates are asked for and verified against these.
    pub client_ca_file: Option<PathBuf>,
    /// `limits`.
    pub limits: Limits,
}

/// What one listener takes on, at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Open connections; one more is closed at once.
    pub max_connections: usize,
    /// After this long (jittered by a tenth) a connection gets GOAWAY and finishes what it has.
    pub max_connection_age: Duration,
    /// Requests being answered; one more gets 503 at once.
    pub max_requests_in_flight: usize,
    /// Bytes of a request body; a larger one gets 413.
    pub max_body_bytes: usize,
    /// From the request's head to the end of its body, and from there to its answer.
    pub request_timeout: Duration,
    /// From accept to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// From the signal to the end of the process, at most.
    pub shutdown_timeout: Duration,
}

/// Open files that are kept for everything but connections: listeners, watched files, fetched keys.
const OTHER_FILES: u64 = 128;

impl Limits {
    /// How many connections may really be open: each is a file, and without any left no keys can be
    /// fetched either.
    fn connections(&self) -> usize {
        let Some(files) = getrlimit(Resource::Nofile).current else { return self.max_connections };
        let most = files.saturating_sub(OTHER_FILES).max(files / 2);
        self.max_connections.min(usize::try_from(most).unwrap_or(usize::MAX))
    }
}
