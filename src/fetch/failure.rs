//! Why a document could not be had, and what to do about it.

use std::borrow::Cow;
use std::error::Error;
use std::io;

use http::StatusCode;
use hyper_util::client::legacy;
use rustls::CertificateError;

/// Why a document could not be had.
///
/// Its text names the remedy, and nothing that the other end wrote but a host and a status code.
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
    #[error("the name {host} was not found in DNS")]
    Dns {
        /// The name.
        host: String,
        /// As it was found out.
        source: legacy::Error,
    },
    /// Nobody answers there.
    #[error("no connection to {host} (refused, unreachable or too slow)")]
    Connect {
        /// The host of the address.
        host: String,
        /// As it was found out.
        source: legacy::Error,
    },
    /// Nobody listens there, on this machine.
    #[error("no connection: {0}")]
    NobodyListens(#[source] io::Error),
    /// The proxy of the environment did not lead there.
    #[error("no connection to {host} through the proxy that HTTPS_PROXY names")]
    Proxy {
        /// The host of the address.
        host: String,
        /// As it was found out.
        source: legacy::Error,
    },
    /// The proxy of the environment is of a kind not spoken here.
    #[error("the proxy that HTTPS_PROXY names is not an http:// one")]
    ProxyScheme,
    /// The server's certificate was signed by a stranger.
    #[error(
        "the certificate of {host} is signed by an unknown authority: configure certificateAuthority"
    )]
    UnknownAuthority {
        /// The host of the address.
        host: String,
        /// As it was found out.
        source: rustls::Error,
    },
    /// The server's certificate is over, or not begun.
    #[error(
        "the certificate of {host} has expired or is not valid yet: renew it, and check the clocks"
    )]
    CertificateTime {
        /// The host of the address.
        host: String,
        /// As it was found out.
        source: rustls::Error,
    },
    /// The server's certificate is another's.
    #[error("the certificate of {host} is not valid for that name")]
    CertificateName {
        /// The host of the address.
        host: String,
        /// As it was found out.
        source: rustls::Error,
    },
    /// TLS failed in another way.
    #[error("no TLS connection to {host}")]
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

    pub(super) fn of_client(source: legacy::Error, host: &str, proxied: bool) -> Self {
        if let Some(tls) = cause::<rustls::Error>(&source) {
            return Self::of_tls(tls.clone(), host.to_owned());
        }
        let host = host.to_owned();
        match source {
            _ if !source.is_connect() => Self::NoAnswer(source),
            _ if proxied => Self::Proxy { host, source },
            _ if is_dns(&source) => Self::Dns { host, source },
            _ => Self::Connect { host, source },
        }
    }

    fn of_tls(source: rustls::Error, host: String) -> Self {
        let rustls::Error::InvalidCertificate(problem) = &source else {
            return Self::Tls { host, source };
        };
        match problem {
            // A bad signature is an authority made anew under its old name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::UnknownAuthority { host, source }
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::CertificateTime { host, source },
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::CertificateName { host, source }
            }
            _ => Self::Tls { host, source },
        }
    }
}

/// hyper-util names its lookups only in words.
fn is_dns(error: &legacy::Error) -> bool {
    chain(error).any(|error| error.to_string() == "dns error")
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
