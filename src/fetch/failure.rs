//! Why a document could not be had, and what to do about it.

use std::borrow::Cow;
use std::error::Error;
use std::io;

use http::StatusCode;
use hyper_util::client::legacy;
use rustls::{CertificateError, OtherError};

use super::presented::Presented;

/// Why a document could not be had.
///
/// Its text names the remedy, and nothing that the other end wrote but a host, a status code, and
/// the names in its certificate.
/// The libraries' own words are in [`source`](Error::source), for the log.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address cannot be used.
    #[error("the address is not an absolute URL, or names a user")]
    BadUrl,
    /// Its scheme is another.
    #[error("the address does not begin with https://")]
    NotHttps,
    /// What should be shown is nothing that a header may have.
    #[error("the access token has characters that HTTP cannot send")]
    BadAuthorization,
    /// No `certificateAuthority` is configured and the system has none.
    #[error(
        "this machine has no root certificates: install ca-certificates, or configure certificateAuthority"
    )]
    NoSystemRoots,
    /// The name has no address.
    #[error(
        "the name {host} was not found in DNS: is it written right, and does the resolver of this \
         machine or pod know it?"
    )]
    Dns {
        /// The name.
        host: String,
        /// As it was found out.
        source: legacy::Error,
    },
    /// Nobody answers there.
    #[error("no connection to {host}: {why}")]
    Connect {
        /// The host of the address.
        host: String,
        /// Why not.
        why: NoConnection,
        /// As it was found out.
        source: legacy::Error,
    },
    /// Nobody listens there, on this machine.
    #[error("no connection: {0}")]
    NobodyListens(#[source] io::Error),
    /// The proxy of the environment did not lead there.
    #[error(
        "no connection to {host} through the proxy {proxy}, which HTTPS_PROXY names: {why}; if \
         {host} can be reached without it, add that to NO_PROXY"
    )]
    Proxy {
        /// The host of the address.
        host: String,
        /// Host and port of the proxy.
        proxy: String,
        /// Why not.
        why: NoConnection,
        /// As it was found out.
        source: Box<legacy::Error>,
    },
    /// The proxy of the environment is of a kind not spoken here.
    #[error("the proxy that HTTPS_PROXY names is not an http:// one")]
    ProxyScheme,
    /// The server's certificate was signed by a stranger.
    #[error("the certificate of {host} {}", presented.words)]
    UnknownAuthority {
        /// The host of the address.
        host: String,
        /// What it showed.
        #[source]
        presented: Box<Presented>,
    },
    /// The server's certificate is over, or not begun.
    #[error("the certificate of {host} {}", presented.words)]
    CertificateTime {
        /// The host of the address.
        host: String,
        /// What it showed.
        #[source]
        presented: Box<Presented>,
    },
    /// The server's certificate is another's.
    #[error("the certificate of {host} {}", presented.words)]
    CertificateName {
        /// The host of the address.
        host: String,
        /// What it showed.
        #[source]
        presented: Box<Presented>,
    },
    /// TLS failed in another way.
    #[error("no TLS connection to {host}: {}", tls_words(source))]
    Tls {
        /// The host of the address.
        host: String,
        /// As it was found out.
        source: rustls::Error,
    },
    /// The answer is not a document.
    #[error("the answer was HTTP {0}")]
    Status(StatusCode),
    /// The answer sends the asker to another origin.
    #[error("the answer redirects to another origin, {host}: configure the final address")]
    RedirectedElsewhere {
        /// Where to.
        host: String,
    },
    /// The answer sends the asker nowhere.
    #[error("the answer redirects without a usable Location")]
    BadRedirect,
    /// The answers send the asker in circles.
    #[error("the answer redirects more than 5 times")]
    TooManyRedirects,
    /// The body is too large.
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    /// The deadline passed before the document was there.
    #[error("no complete answer in time")]
    TimedOut,
    /// The connection broke before there was an answer.
    #[error("the connection broke before an answer")]
    NoAnswer(#[source] legacy::Error),
    /// The connection broke within the body.
    #[error("the answer broke off")]
    Broken(#[source] hyper::Error),
}

/// Why nobody could be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoConnection {
    /// Nobody listens.
    #[error("it was refused: nobody listens on that port")]
    Refused,
    /// Nothing came back.
    #[error("no answer in time: is a firewall or a network policy between?")]
    TimedOut,
    /// There is no way.
    #[error("there is no route to it from here")]
    Unreachable,
    /// The proxy wants to know who asks.
    #[error("it wants a user and password, as in http://user:password@host:port")]
    ProxyCredentials,
    /// The proxy did not connect.
    #[error("the proxy would not connect to it")]
    ProxyRefused,
    /// Something else.
    #[error("it broke off")]
    Other,
}

impl FetchError {
    /// What failed, without the name of a host: for those who must not learn what was fetched.
    pub fn without_names(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Dns { .. } => "its name was not found in DNS",
            Self::Connect { .. } => "no connection (refused, unreachable or too slow)",
            Self::Proxy { .. } => "no connection through the proxy that HTTPS_PROXY names",
            Self::UnknownAuthority { .. } => {
                "its certificate is signed by an unknown authority: see certificateAuthority"
            }
            Self::CertificateTime { .. } => "its certificate has expired or is not valid yet",
            Self::CertificateName { .. } => "its certificate is not valid for its name",
            Self::Tls { .. } => "no TLS connection",
            Self::RedirectedElsewhere { .. } => "the answer redirects to another origin",
            nameless => return Cow::Owned(nameless.to_string()),
        })
    }

    pub(super) fn of_client(source: legacy::Error, host: &str, proxy: Option<&str>) -> Self {
        if let Some(tls) = cause::<rustls::Error>(&source) {
            return Self::of_tls(tls.clone(), host.to_owned());
        }
        let host = host.to_owned();
        let why = NoConnection::of(&source);
        match proxy {
            _ if !source.is_connect() => Self::NoAnswer(source),
            Some(proxy) => {
                Self::Proxy { host, proxy: proxy.to_owned(), why, source: Box::new(source) }
            }
            None if says(&source, "dns error") => Self::Dns { host, source },
            None => Self::Connect { host, why, source },
        }
    }

    fn of_tls(source: rustls::Error, host: String) -> Self {
        let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) = &source
        else {
            return Self::Tls { host, source };
        };
        let Some(presented) = other.downcast_ref::<Presented>().cloned().map(Box::new) else {
            return Self::Tls { host, source };
        };
        match presented.problem {
            // A bad signature is an authority made anew under its old name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::UnknownAuthority { host, presented }
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::CertificateName { host, presented }
            }
            _ => Self::CertificateTime { host, presented },
        }
    }
}

impl NoConnection {
    fn of(error: &legacy::Error) -> Self {
        match cause::<io::Error>(error).map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => Self::Refused,
            Some(io::ErrorKind::TimedOut) => Self::TimedOut,
            Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
                Self::Unreachable
            }
            _ if says(error, "tunnel error: proxy authorization required") => {
                Self::ProxyCredentials
            }
            _ if says(error, "tunnel error: unsuccessful") => Self::ProxyRefused,
            _ => Self::Other,
        }
    }
}

/// The kinds of failures that an operator can tell apart; the library's words are for the log.
fn tls_words(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(_) => "its certificate cannot be used",
        rustls::Error::InvalidMessage(_) => "what answers on that port does not speak TLS",
        rustls::Error::PeerIncompatible(_) => "it has no version or cipher of TLS 1.2 or 1.3",
        rustls::Error::AlertReceived(_) => "it refused the handshake",
        _ => "the handshake failed",
    }
}

/// hyper-util names some of its errors only in words.
fn says(error: &legacy::Error, words: &str) -> bool {
    chain(error).any(|error| error.to_string() == words)
}

/// The first `E` under `error`.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// `error` and all under it. An [`io::Error`] hides what it wraps from [`Error::source`].
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
