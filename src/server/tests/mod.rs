//! A served listener and clients of it, over real sockets; one file for each thing that is proved.

mod bodies;
mod clients;
mod ending;
mod files;
mod frames;
mod limits;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::lifecycle::Drain;
use crate::live::Live;
use crate::metrics::Metrics;

/// Limits that no test runs into unless it lowers them.
pub(super) fn limits() -> Limits {
    Limits {
        max_connections: 100,
        max_connection_age: Duration::from_secs(600),
        max_requests_in_flight: 1000,
        max_body_bytes: 64 * 1024,
        request_timeout: Duration::from_secs(30),
        handshake_timeout: Duration::from_secs(30),
        shutdown_timeout: Duration::from_secs(30),
    }
}

/// Waits for what must happen.
async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("it never happened")
}

/// A directory that is gone after the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-server-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, content).unwrap();
        file
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A certificate authority.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Certificate and key, PEM.
    fn issue(&self, params: CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn issue_serving(&self) -> (String, String) {
        self.issue(CertificateParams::new(vec!["localhost".to_owned()]).unwrap())
    }

    fn issue_client(&self, common_name: &str, organization: &str) -> (String, String) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::OrganizationName, organization);
        params.distinguished_name.push(DnType::CommonName, common_name);
        self.issue(params)
    }
}

/// What `/long` is answered with, in bytes: more than a socket holds.
const LONG: usize = 12 << 20;

/// Says whom it sees and how much it got; at `/wait` once it may, at `/panic` never; at `/long` for
/// long.
#[derive(Clone)]
struct Echo {
    /// How many waiting requests may be answered.
    gate: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Handler for Echo {
    async fn handle(&self, request: &Request<Bytes>, peer: &Peer) -> Response<Bytes> {
        match request.uri().path() {
            "/wait" => {
                self.waiting.add_permits(1);
                self.gate.acquire().await.unwrap().forget();
            }
            "/panic" => panic!("as asked"),
            "/long" => return Response::new(vec![b'x'; LONG].into()),
            _ => {}
        }
        let certificate = peer.certificate.as_deref();
        let names = certificate.map(|names| (&*names.common_name, &*names.organizations));
        Response::new(format!("{} {names:?}", request.body().len()).into())
    }
}

/// A listener being served.
struct Server {
    address: SocketAddr,
    authority: Authority,
    tls: Live<Tls>,
    limits: Live<Limits>,
    metrics: Arc<Metrics>,
    drain: Drain,
    gate: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    serving: JoinHandle<()>,
}

impl Server {
    fn start(limits: Limits) -> Self {
        let authority = Authority::new();
        let scratch = Scratch::new();
        let settings = settings(&scratch.0, &authority, limits.clone());
        let tls = Live::new(Tls::load(&settings).unwrap());
        let published = tls.clone();
        let bound = Bound::to(settings.address).unwrap();
        let address = bound.address();
        let listener = bound.listen().unwrap();
        let (metrics, drain) = (Arc::new(Metrics::new().unwrap()), Drain::default());
        let (gate, waiting) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let handler = Echo { gate: gate.clone(), waiting: waiting.clone() };
        let limits = Live::new(limits);
        let (under, counting, ending) = (limits.clone(), metrics.clone(), drain.clone());
        let serving = tokio::spawn(serve(listener, tls, under, handler, counting, ending));
        Self { address, authority, tls: published, limits, metrics, drain, gate, waiting, serving }
    }

    /// Waits until `requests` more wait at the gate.
    async fn waits(&self, requests: u32) {
        soon(self.waiting.acquire_many(requests)).await.unwrap().forget();
    }

    fn has_metric(&self, line: &str) -> bool {
        String::from_utf8(self.metrics.to_text()).unwrap().lines().any(|there| there == line)
    }

    fn client(&self) -> Client {
        Client::new(self, &[&TLS13, &TLS12], None)
    }

    async fn http2(&self) -> Http2 {
        Http2::new(self.client().connect(b"h2").await.unwrap()).await
    }

    /// The same, with a certificate.
    async fn known(&self) -> Http2 {
        let identity = self.authority.issue_client("kube-apiserver", "masters");
        let client = Client::new(self, &[&TLS13], Some(identity));
        Http2::new(client.connect(b"h2").await.unwrap()).await
    }

    async fn raw(&self) -> TlsStream<TcpStream> {
        self.client().connect(b"http/1.1").await.unwrap()
    }
}

/// Settings of which every file is there and right, in `directory`.
fn settings(directory: &Path, authority: &Authority, limits: Limits) -> Settings {
    let (certificate, key) = authority.issue_serving();
    let write = |name: &str, content: &str| {
        let file = directory.join(name);
        std::fs::write(&file, content).unwrap();
        file
    };
    Settings {
        address: "127.0.0.1:0".parse().unwrap(),
        certificate_file: write("tls.crt", &certificate),
        private_key_file: write("tls.key", &key),
        client_ca_file: Some(write("client-ca.crt", &authority.pem)),
        limits,
    }
}

/// Makes connections, with a session cache as browsers have one.
struct Client {
    address: SocketAddr,
    config: ClientConfig,
}

impl Client {
    fn new(
        server: &Server,
        versions: &[&'static SupportedProtocolVersion],
        identity: Option<(String, String)>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(server.authority.pem.as_bytes()).unwrap();
        roots.add(authority).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
        };
        Self { address: server.address, config }
    }

    async fn connect(&self, protocol: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_on(TcpStream::connect(self.address).await?, protocol).await
    }

    async fn connect_on(
        &self,
        stream: TcpStream,
        protocol: &[u8],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut config = self.config.clone();
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
    }
}

/// An HTTP/2 connection.
#[derive(Clone)]
struct Http2(http2::SendRequest<Sending>, Arc<JoinHandle<hyper::Result<()>>>);

impl Http2 {
    async fn new(stream: TlsStream<TcpStream>) -> Self {
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        Self(sender, Arc::new(tokio::spawn(connection)))
    }

    async fn try_post(&self, path: &str, body: Sending) -> hyper::Result<(StatusCode, String)> {
        let request = Request::post(format!("https://localhost{path}")).body(body).unwrap();
        answer(soon(self.0.clone().send_request(request)).await?).await
    }

    async fn post(&self, path: &str, body: Sending) -> (StatusCode, String) {
        self.try_post(path, body).await.unwrap()
    }

    /// Posts in a task.
    fn start_post(&self, path: &'static str, body: Sending) -> Answer {
        let this = self.clone();
        tokio::spawn(async move { this.post(path, body).await })
    }

    /// Waits until the server has ended the connection well.
    async fn ended(self) {
        let Ok(connection) = Arc::try_unwrap(self.1) else { panic!("requests are running") };
        soon(connection).await.unwrap().unwrap();
    }
}

/// An answer to come.
type Answer = JoinHandle<(StatusCode, String)>;

/// Reads an answer, and checks what every answer must keep to.
async fn answer(response: Response<Incoming>) -> hyper::Result<(StatusCode, String)> {
    assert!(!response.headers().contains_key("retry-after"));
    let (head, body) = response.into_parts();
    let body = soon(body.collect()).await?.to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    if !head.status.is_success() {
        assert_eq!(head.headers["content-type"], "application/json");
        assert_eq!(head.headers["cache-control"], "no-cache, private");
        assert!(text.starts_with(r#"{"kind":"Status","apiVersion":"v1""#), "{text}");
    }
    Ok((head.status, text))
}

/// A body of zeros, in pieces.
struct Sending {
    left: usize,
    piece: usize,
    /// Says how long it will be.
    announced: bool,
    /// Never ends, and says nothing more.
    stalls: bool,
    /// What was sent of it.
    sent: Arc<AtomicUsize>,
}

impl Sending {
    fn of(bytes: usize) -> Self {
        Self { left: bytes, piece: 16_000, announced: true, stalls: false, sent: Arc::default() }
    }

    fn unannounced(self) -> Self {
        Self { announced: false, ..self }
    }

    fn stalling_after(bytes: usize) -> Self {
        Self { stalls: true, ..Self::of(bytes).unannounced() }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let now = self.left.min(self.piece);
        match (now, self.stalls) {
            (0, true) => return Poll::Pending,
            (0, false) => return Poll::Ready(None),
            _ => {}
        }
        self.left -= now;
        self.sent.fetch_add(now, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(vec![0; now].into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 && !self.stalls
    }

    fn size_hint(&self) -> SizeHint {
        if self.announced { SizeHint::with_exact(self.left as u64) } else { SizeHint::default() }
    }
}
