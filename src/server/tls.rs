//! TLS as the configuration's files say, and what a client's certificate says.
//!
//! TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN. A client certificate is optional, so that its
//! absence can be answered in HTTP; one that is shown must verify. Sessions are not resumed: a
//! resumed one would carry an identity that nobody has checked again, and the API server, with one
//! long connection, has no use for it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rustls::crypto::aws_lc_rs;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::warn;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::AttributeTypeAndValue;

use super::linger::Lingering;
use super::{ClientCertificate, Settings};
use crate::filewatch::FileWatch;
use crate::live::Live;
use crate::token::sha256;

/// What the files held when they were read.
///
/// Equal is what holds the same certificates and key.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
    expiries: Vec<(PathBuf, SystemTime)>,
    /// Hash of the certificate, its intermediates and the key.
    serving: blake3::Hash,
    /// Hash of the authorities that clients are verified against, if they are.
    clients: Option<blake3::Hash>,
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        (self.serving, self.clients) == (other.serving, other.clients)
    }
}

/// Why the files cannot be served with.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file is not there, or not for us.
    #[error("{file}: cannot be read; it has to exist and be readable by this user")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that should hold certificates is damaged.
    #[error("{file}: is not valid PEM; copy it again, whole")]
    InvalidPem {
        /// The file.
        file: PathBuf,
        /// What the parser said.
        source: pem::Error,
    },
    /// A file holds something else than certificates.
    #[error("{file}: holds no certificate; expected PEM with BEGIN CERTIFICATE")]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
    /// One of the certificates is none.
    #[error("{file}: certificate {number} cannot be parsed; issue it anew")]
    InvalidCertificate {
        /// The file.
        file: PathBuf,
        /// Its place in the file, from 1.
        number: usize,
    },
    /// The key file holds no key.
    #[error("{file}: holds no private key; expected PEM in PKCS#8, PKCS#1 or SEC1, not encrypted")]
    NoKey {
        /// The file.
        file: PathBuf,
    },
    /// The key is of a kind that TLS does not use here.
    #[error(
        "{file}: the private key cannot be used; expected RSA of 2048 bits or more, ECDSA or Ed25519"
    )]
    UnusableKey {
        /// The file.
        file: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// Key and certificate are not a pair.
    #[error(
        "{key}: is not the key of the first certificate in {certificate}; \
         that must be the serving certificate, its intermediates after it"
    )]
    KeyMismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// No client could be verified against these.
    #[error("{file}: the certificates cannot be used to verify clients")]
    UnusableClientCa {
        /// The file.
        file: PathBuf,
        /// What rustls said.
        source: VerifierBuilderError,
    },
    /// TLS itself cannot be set up: a bug.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

impl TlsError {
    /// The file to mend, if it is one file's fault.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Unreadable { file, .. }
            | Self::InvalidPem { file, .. }
            | Self::NoCertificate { file }
            | Self::InvalidCertificate { file, .. }
            | Self::NoKey { file }
            | Self::UnusableKey { file, .. }
            | Self::KeyMismatch { key: file, .. }
            | Self::UnusableClientCa { file, .. } => Some(file),
            Self::Setup(_) => None,
        }
    }
}

impl Tls {
    /// Reads the files that `settings` names. Warns of certificates that have expired, but takes them:
    /// clients will say more clearly what they think of them than a listener that is not there.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read or does not hold what it should, or if they do not belong
    /// together.
    pub fn load(settings: &Settings) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut expiries = Vec::new();
        let mut clients = None;

        let chain = certificates(&settings.certificate_file)?;
        expiries.push(expiry(&settings.certificate_file, &chain)?);
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(TlsError::Setup)?;
        let builder = match &settings.client_ca_file {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let authorities = certificates(file)?;
                expiries.push(expiry(file, &authorities)?);
                clients = Some(hash(&authorities, &[]));
                let mut roots = RootCertStore::empty();
                for (index, authority) in authorities.into_iter().enumerate() {
                    roots.add(authority).map_err(|_| TlsError::InvalidCertificate {
                        file: file.clone(),
                        number: index + 1,
                    })?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .allow_unauthenticated()
                        .build()
                        .map_err(|source| TlsError::UnusableClientCa {
                            file: file.clone(),
                            source,
                        })?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let key = private_key(&settings.private_key_file)?;
        let serving = hash(&chain, key.secret_der());
        let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch {
                certificate: settings.certificate_file.clone(),
                key: settings.private_key_file.clone(),
            },
            source => TlsError::UnusableKey { file: settings.private_key_file.clone(), source },
        })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { config: Arc::new(config), expiries, serving, clients })
    }

    /// When the first certificate in each file expires.
    pub fn expiries(&self) -> &[(PathBuf, SystemTime)] {
        &self.expiries
    }

    /// Whether clients are asked for certificates.
    pub(super) fn asks_for_certificates(&self) -> bool {
        self.clients.is_some()
    }

    /// Waits until clients are verified against other authorities than in `accepted`: then nobody
    /// vouches any more for those who were let in.
    pub(super) async fn other_clients(published: &Live<Self>, accepted: Arc<Self>) {
        let mut seen = accepted.clone();
        while seen.clients == accepted.clients {
            seen = published.changed_from(&seen).await;
        }
    }

    /// Shakes hands on `stream`.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<Accepted> {
        let accepting = TlsAcceptor::from(self.config.clone()).accept(stream).into_fallible();
        let stream = match accepting.await {
            Ok(stream) => stream,
            Err((error, stream)) => {
                // With TLS 1.3 the client sends its first request before it is told that its
                // certificate is refused: it must not meet a closed socket before it has read why.
                let _ = Lingering::new(stream).shutdown().await;
                return Err(error);
            }
        };
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        Ok(Accepted {
            certificate: certificate.map(|leaf| Arc::new(ClientCertificate::from_der(leaf))),
            http2: session.alpn_protocol() == Some(b"h2"),
            stream,
        })
    }
}

/// A handshake that went well.
pub(super) struct Accepted {
    pub(super) stream: TlsStream<TcpStream>,
    pub(super) certificate: Option<Arc<ClientCertificate>>,
    /// Whether HTTP/2 was agreed on.
    pub(super) http2: bool,
}

impl ClientCertificate {
    /// The names in a verified certificate, as Go reads them: the last common name, every
    /// organization. A certificate that cannot be read names nobody.
    fn from_der(der: &[u8]) -> Self {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Self::default() };
        let text = |name: &AttributeTypeAndValue<'_>| name.as_str().ok().map(str::to_owned);
        let subject = certificate.subject();
        Self {
            common_name: subject.iter_common_name().filter_map(text).last().unwrap_or_default(),
            organizations: subject.iter_organization().filter_map(text).collect(),
            sha256: sha256(der).iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// Regular files only: to open a pipe could block for ever, and the end of the process with it.
fn read(file: &Path) -> Result<Bytes, TlsError> {
    FileWatch::open(file)
        .1
        .map_err(|error| TlsError::Unreadable { file: file.to_owned(), source: error.into() })
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(&read(file)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::InvalidPem { file: file.to_owned(), source })?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { file: file.to_owned() });
    }
    Ok(certificates)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(file)?).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey { file: file.to_owned() },
        source => TlsError::InvalidPem { file: file.to_owned(), source },
    })
}

fn hash(certificates: &[CertificateDer<'_>], key: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for der in certificates.iter().map(AsRef::as_ref).chain([key]) {
        hasher.update(&(der.len() as u64).to_le_bytes());
        hasher.update(der);
    }
    hasher.finalize()
}

/// When the first of the `certificates` of a `file` expires. One outside of what a [`SystemTime`]
/// counts from the epoch has expired long ago.
fn expiry(
    file: &Path,
    certificates: &[CertificateDer<'_>],
) -> Result<(PathBuf, SystemTime), TlsError> {
    let mut first = i64::MAX;
    for (index, der) in certificates.iter().enumerate() {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| {
            TlsError::InvalidCertificate { file: file.to_owned(), number: index + 1 }
        })?;
        first = first.min(certificate.validity().not_after.timestamp());
    }
    let expires = UNIX_EPOCH + Duration::from_secs(u64::try_from(first).unwrap_or_default());
    if expires < SystemTime::now() {
        warn!(file = %file.display(), "a certificate in this file has expired");
    }
    Ok((file.to_owned(), expires))
}
