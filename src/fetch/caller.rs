//! A client with an identity: asks a service of one's own, as configured by hand.
//!
//! A [`Caller`] posts over TLS, trusts whom it is told to, shows its certificate, and gives any
//! answer back, whatever its code. [`Plain`] asks a listener of this machine without TLS. Both are
//! done at a deadline that covers everything.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response};
use http_body_util::{Empty, Full};
use hyper::client::conn::http1;
use hyper_rustls::{
    DefaultServerNameResolver, FixedServerNameResolver, HttpsConnector, ResolveServerName,
};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout_at};

use super::trust::{self, CertificateAuthorityError};
use super::{CONNECT_TIMEOUT, FetchError, body, host, parse};

/// Whom a [`Caller`] trusts and how it proves itself. All PEM.
#[derive(Clone, Copy, Default)]
pub struct Identity<'a> {
    /// Who signed the server's certificate; absent for the system's roots.
    pub certificate_authority: Option<&'a str>,
    /// The name that the server's certificate must be for; absent for the host of the address.
    pub server_name: Option<&'a str>,
    /// The certificate to show, its intermediates after it, and its key.
    pub client: Option<(&'a [u8], &'a [u8])>,
}

/// Why nobody can be called in this way.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Of the authority.
    #[error(transparent)]
    CertificateAuthority(#[from] CertificateAuthorityError),
    /// This machine has no certificate authorities of its own.
    #[error("no certificate authority is given, and this system has none")]
    NoSystemRoots,
    /// Of the name.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    ServerName(String),
    /// The certificate is none.
    #[error("the client certificate is not PEM with BEGIN CERTIFICATE")]
    Certificate,
    /// The key is none.
    #[error("the client key is not PEM in PKCS#8, PKCS#1 or SEC1, not encrypted")]
    Key,
    /// Certificate and key are not a pair, or cannot be used.
    #[error("client certificate and client key cannot be used together: {0}")]
    Pair(#[source] rustls::Error),
}

/// Posts to services over HTTPS, HTTP/2 or HTTP/1.1.
pub struct Caller {
    tls: Arc<ClientConfig>,
    names: Arc<dyn ResolveServerName + Send + Sync>,
}

impl Caller {
    /// Calls as `identity`.
    ///
    /// # Errors
    ///
    /// Says what of it cannot be used.
    pub fn new(identity: Identity<'_>) -> Result<Self, IdentityError> {
        let (roots, configured) = match identity.certificate_authority {
            Some(pem) => (trust::roots(pem)?, trust::certificates(pem)),
            None => (trust::system_roots().ok_or(IdentityError::NoSystemRoots)?, Vec::new()),
        };
        let client = identity.client.map(chain_and_key).transpose()?;
        let tls = trust::client(roots, configured, client).map_err(IdentityError::Pair)?;
        let names: Arc<dyn ResolveServerName + Send + Sync> = match identity.server_name {
            None => Arc::new(DefaultServerNameResolver::default()),
            Some(name) => Arc::new(FixedServerNameResolver::new(
                ServerName::try_from(name.to_owned())
                    .map_err(|_| IdentityError::ServerName(name.to_owned()))?,
            )),
        };
        Ok(Self { tls, names })
    }

    /// Posts JSON to `url`, until `deadline` at the latest. Uses no proxy.
    ///
    /// # Errors
    ///
    /// Fails if there is no whole answer; any code is one.
    pub async fn post(
        &self,
        url: &str,
        json: String,
        deadline: Instant,
    ) -> Result<Response<Bytes>, FetchError> {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        let url = parse(url)?;
        let host = host(&url).to_owned();
        let mut request = Request::new(Full::new(Bytes::from(json)));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = url;
        request.headers_mut().insert(header::ACCEPT, JSON);
        request.headers_mut().insert(header::CONTENT_TYPE, JSON);
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnector::new(tcp, self.tls.clone(), true, self.names.clone());
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let posted = timeout_at(deadline, async {
            let answer = client.request(request).await;
            let answer = answer.map_err(|error| FetchError::of_client(error, &host, None))?;
            let (head, incoming) = answer.into_parts();
            Ok(Response::from_parts(head, body(incoming).await?))
        });
        posted.await.unwrap_or(Err(FetchError::TimedOut))
    }
}

fn chain_and_key(
    (certificate, key): (&[u8], &[u8]),
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), IdentityError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(IdentityError::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| IdentityError::Key)?;
    Ok((chain, key))
}

/// A listener of this machine that speaks HTTP/1.1 without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plain {
    /// A unix socket.
    Socket(PathBuf),
    /// `HOST:PORT`.
    Address(String),
}

impl Plain {
    /// Gets `path`, until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// Fails if there is no whole answer; any code is one.
    pub async fn get(&self, path: &str, deadline: Instant) -> Result<Response<Bytes>, FetchError> {
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = path.parse().map_err(|_| FetchError::BadUrl)?;
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("localhost"));
        let asked = timeout_at(deadline, async {
            match self {
                Self::Socket(path) => {
                    let stream = UnixStream::connect(path).await;
                    exchange(stream.map_err(FetchError::NobodyListens)?, request).await
                }
                Self::Address(address) => {
                    let stream = TcpStream::connect(address).await;
                    exchange(stream.map_err(FetchError::NobodyListens)?, request).await
                }
            }
        });
        asked.await.unwrap_or(Err(FetchError::TimedOut))
    }
}

async fn exchange<S>(
    stream: S,
    request: Request<Empty<Bytes>>,
) -> Result<Response<Bytes>, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(FetchError::Broken)?;
    let answering = async {
        let answer = sender.send_request(request).await.map_err(FetchError::Broken)?;
        let (head, incoming) = answer.into_parts();
        Ok(Response::from_parts(head, body(incoming).await?))
    };
    tokio::pin!(answering);
    tokio::select! {
        answer = &mut answering => answer,
        // The connection may be over before its last answer has been read.
        _ = connection => answering.await,
    }
}
