//! A real HTTPS server on this machine for tests: whatever a stranger might answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Interval, interval};
use tokio_rustls::TlsAcceptor;

use super::CertificateAuthority;

/// What a test answers with.
pub(crate) type Answer = Response<BoxBody<Bytes, Infallible>>;

/// The server, until it is dropped.
pub(crate) struct Origin {
    /// `https://localhost:<port>`.
    pub(crate) url: String,
    pub(crate) port: u16,
    /// The certificate that its own is signed by.
    pub(crate) certificate_authority: CertificateAuthority,
    requests: Arc<AtomicUsize>,
    _connections: JoinSet<()>,
}

/// How a test's server presents itself.
pub(crate) struct Certificate {
    pub(crate) name: &'static str,
    pub(crate) authority: &'static str,
    pub(crate) expired: bool,
    /// An authority's certificate that the server shows as its own.
    pub(crate) self_signed: bool,
    pub(crate) alpn: &'static [&'static str],
}

impl Default for Certificate {
    fn default() -> Self {
        let alpn = &["h2", "http/1.1"];
        Self { name: "localhost", authority: "A", expired: false, self_signed: false, alpn }
    }
}

impl Origin {
    /// Serves `answer`, which is told the path.
    pub(crate) async fn serve<F, A>(answer: F) -> Self
    where
        F: Fn(String) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Answer> + Send,
    {
        Self::serve_as(Certificate::default(), answer).await
    }

    pub(crate) async fn serve_as<F, A>(certificate: Certificate, answer: F) -> Self
    where
        F: Fn(String) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Answer> + Send,
    {
        let (tls, certificate_authority) = tls(&certificate);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let service = move |request: Request<Incoming>| {
            counted.fetch_add(1, Ordering::SeqCst);
            let (answer, path) = (answer.clone(), request.uri().path().to_owned());
            async move { Ok::<_, Infallible>(answer(path).await) }
        };
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (tls, service) = (tls.clone(), service.clone());
                connections.spawn(async move {
                    let Ok(socket) = tls.accept(socket).await else { return };
                    let server = auto::Builder::new(TokioExecutor::new());
                    let io = TokioIo::new(socket);
                    // A client that hangs up is one of the tests.
                    let _ = server.serve_connection(io, service_fn(service)).await;
                });
            }
        });
        let url = format!("https://localhost:{port}");
        Self { url, port, certificate_authority, requests, _connections: accepting }
    }

    /// How often it was asked.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// An answer of 200 with a length.
pub(crate) fn ok(body: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(body.into()).boxed())
}

/// An answer of 200 without a length, that never ends: a chunk after every `pause`.
pub(crate) fn endless(chunk: impl Into<Bytes>, pause: Option<Duration>) -> Answer {
    Response::new(BoxBody::new(Endless { chunk: chunk.into(), ticks: pause.map(interval) }))
}

struct Endless {
    chunk: Bytes,
    ticks: Option<Interval>,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.ticks.as_mut().is_some_and(|ticks| ticks.poll_tick(context).is_pending()) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(self.chunk.clone()))))
    }
}

/// What presents `certificate`, and the PEM certificate that it is signed by.
pub(crate) fn tls(certificate: &Certificate) -> (TlsAcceptor, CertificateAuthority) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, certificate.authority);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let mut leaf = CertificateParams::new([certificate.name.to_owned()]).unwrap();
    if certificate.expired {
        leaf.not_after = OffsetDateTime::now_utc() - time::Duration::days(1);
    }
    let key = KeyPair::generate().unwrap();
    let (leaf, authority) = if certificate.self_signed {
        leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let leaf = leaf.self_signed(&key).unwrap();
        (leaf.clone(), leaf.pem())
    } else {
        (leaf.signed_by(&key, &authority).unwrap(), authority.pem())
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    config.alpn_protocols = certificate.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let authority = CertificateAuthority::parse(&authority).unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority)
}
