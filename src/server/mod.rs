//! Sockets, TLS, HTTP and limits: bytes in, bytes out.
//!
//! The server accepts, shakes hands, reads whole bodies within their limits and drains what is too
//! large, so that a [`Handler`] can never answer before the request was read. It knows paths,
//! tokens and reviews as little as a socket does.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};

/// Answers whole requests. One for each listener.
pub trait Handler: Send + Sync + 'static {
    /// Answers `request`, whose body has arrived whole. Must not be slow to return a future that is
    /// ready: a cached answer takes no box and no task.
    fn handle(
        &self,
        request: Request<Bytes>,
        peer: &Peer,
    ) -> impl Future<Output = Response<Bytes>> + Send;
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The remote address of the socket.
    pub address: SocketAddr,
    /// The client certificate, verified against `listen.clientCAFile`; absent if none was shown.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// The names in a verified client certificate, as kube-apiserver reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The subject's common name: the user.
    pub common_name: String,
    /// The subject's organizations: the groups.
    pub organizations: Vec<String>,
}
