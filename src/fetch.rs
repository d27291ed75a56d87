//! A cautious HTTPS client for small public documents of strangers.
//!
//! A [`Fetcher`] gets one document, whole, or says in words what to do about it. Whatever the other
//! end does, it costs at most [`MAX_BODY_BYTES`] and the time until a deadline that covers everything
//! from the name's lookup to the last byte. It speaks HTTPS only, follows redirects only within the
//! origin that was asked for, and keeps neither cookies nor connections: a fetch is rare, and a
//! connection kept since the last one would be the first thing to be dead after an outage.
//!
//! Proxies of the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) are used through CONNECT.
//! What an answer's body says never gets into an error, nor does what was shown to get it. The names
//! in a refused certificate do, quoted and cut: they are what an operator needs to know.
//!
//! A [`Caller`] is the other client here: it asks a service that one runs oneself.

mod caller;
mod failure;
mod itself;
#[cfg(test)]
pub(crate) mod origin;
mod presented;
mod trust;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::{Scheme, Uri};
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_rustls::{DefaultServerNameResolver, HttpsConnector};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

pub use caller::{Caller, Identity, IdentityError, Plain};
pub use failure::{FetchError, NoConnection};
pub use presented::Presented;
pub use trust::{CertificateAuthority, CertificateAuthorityError, Network};

use trust::Trust;

/// The largest body that is taken.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// Hops after the first request.
const MAX_REDIRECTS: usize = 5;

/// The largest head of an answer.
const MAX_HEAD_BYTES: u16 = 32 << 10;

/// How long all addresses of a name may take together to accept a connection, so that a name with
/// a dead address still has time for its others.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A document, whole.
#[derive(Debug)]
pub struct Fetched {
    /// Its bytes, at most [`MAX_BODY_BYTES`].
    pub body: Bytes,
    /// How long it may be taken as fresh, by its `Cache-Control` (RFC 9111, section 5.2.2); absent
    /// if that says nothing.
    pub fresh_for: Option<Duration>,
}

/// Gets documents, trusting one set of certificate authorities. Clones share it.
#[derive(Clone)]
pub struct Fetcher {
    trust: Arc<Trust>,
    proxies: Arc<Matcher>,
}

/// What is asked for.
struct Question {
    url: Uri,
    accept: HeaderValue,
    authorization: Option<HeaderValue>,
    /// Whether any of 200 to 226 will do, or only 200.
    any_success: bool,
}

impl Fetcher {
    /// Gets the document at `url`, until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// Anything but a whole body of at most [`MAX_BODY_BYTES`] under a 200 is an error.
    pub async fn get(&self, url: &str, deadline: Instant) -> Result<Fetched, FetchError> {
        const ACCEPT: HeaderValue =
            HeaderValue::from_static("application/json, application/jwk-set+json");
        let url = parse(url)?;
        let question = Question { url, accept: ACCEPT, authorization: None, any_success: false };
        self.ask(question, deadline).await
    }

    /// Gets the JWT at `url` from one who wants to be shown `authorization`, until `deadline` at the
    /// latest. It is shown within the origin of `url` only.
    ///
    /// # Errors
    ///
    /// Anything but a whole body of at most [`MAX_BODY_BYTES`] under a code of 200 to 226 is an
    /// error.
    pub async fn get_jwt(
        &self,
        url: &str,
        authorization: Option<HeaderValue>,
        deadline: Instant,
    ) -> Result<Bytes, FetchError> {
        const ACCEPT: HeaderValue = HeaderValue::from_static("application/jwt, */*;q=0.1");
        let question =
            Question { url: parse(url)?, accept: ACCEPT, authorization, any_success: true };
        Ok(self.ask(question, deadline).await?.body)
    }

    async fn ask(&self, question: Question, deadline: Instant) -> Result<Fetched, FetchError> {
        let fetched = timeout_at(deadline, self.fetch(question)).await;
        fetched.unwrap_or(Err(FetchError::TimedOut))
    }

    async fn fetch(&self, question: Question) -> Result<Fetched, FetchError> {
        let tls = LazyLock::force(&self.trust).as_ref().ok_or(FetchError::NoSystemRoots)?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        match self.proxy_for(&question.url)? {
            None => follow(https(tls, tcp), question, None).await,
            Some(proxy) => {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), tcp);
                if let Some(credentials) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(credentials.clone());
                }
                // Not its user and password.
                let shown =
                    format!("{}:{}", host(proxy.uri()), proxy.uri().port_u16().unwrap_or(80));
                follow(https(tls, tunnel), question, Some(&shown)).await
            }
        }
    }

    /// The proxy to `url`; never one to this machine itself.
    fn proxy_for(&self, url: &Uri) -> Result<Option<Intercept>, FetchError> {
        match self.proxies.intercept(url) {
            Some(_) if is_loopback(host(url)) => Ok(None),
            Some(proxy) if proxy.uri().scheme() != Some(&Scheme::HTTP) => {
                Err(FetchError::ProxyScheme)
            }
            proxy => Ok(proxy),
        }
    }
}

fn https<T>(tls: &Arc<ClientConfig>, tcp: T) -> HttpsConnector<T> {
    HttpsConnector::new(tcp, tls.clone(), true, Arc::new(DefaultServerNameResolver::default()))
}

/// Asks, and asks again where it is sent within the same origin.
async fn follow<C>(
    connector: C,
    mut question: Question,
    proxy: Option<&str>,
) -> Result<Fetched, FetchError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = Client::builder(TokioExecutor::new())
        .http1_max_buf_size(MAX_HEAD_BYTES.into())
        .http2_max_header_list_size(MAX_HEAD_BYTES.into())
        .build::<_, Empty<Bytes>>(connector);
    for _ in 0..=MAX_REDIRECTS {
        let url = &question.url;
        let answer = client.request(request(&question)).await;
        let answer = answer.map_err(|error| FetchError::of_client(error, host(url), proxy))?;
        match answer.status() {
            StatusCode::OK => return whole(answer).await,
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => question.url = redirected(url, answer.headers())?,
            status if question.any_success && status <= StatusCode::IM_USED => {
                return whole(answer).await;
            }
            status => return Err(FetchError::Status(status)),
        }
    }
    Err(FetchError::TooManyRedirects)
}

fn request(question: &Question) -> Request<Empty<Bytes>> {
    const USER_AGENT: HeaderValue =
        HeaderValue::from_static(concat!("countersign/", env!("CARGO_PKG_VERSION")));
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = question.url.clone();
    request.headers_mut().insert(header::ACCEPT, question.accept.clone());
    request.headers_mut().insert(header::USER_AGENT, USER_AGENT);
    if let Some(authorization) = &question.authorization {
        request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
    }
    request
}

async fn whole(answer: Response<Incoming>) -> Result<Fetched, FetchError> {
    let fresh_for = freshness(answer.headers());
    Ok(Fetched { body: body(answer.into_body()).await?, fresh_for })
}

/// Reads the body. Its bytes are copied together: a stranger who sends them one by one would
/// otherwise make each of them cost forty.
async fn body(mut body: Incoming) -> Result<Bytes, FetchError> {
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(FetchError::TooLarge);
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(FetchError::Broken)?.into_data() else { continue };
        if bytes.len() + data.len() > MAX_BODY_BYTES {
            return Err(FetchError::TooLarge);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// What is left of `s-maxage` or `max-age` after `Age`. What must not be kept, or not be used
/// without asking again, is fresh for no time at all.
fn freshness(headers: &HeaderMap) -> Option<Duration> {
    let seconds = |text: &str| text.trim().trim_matches('"').parse::<u64>().ok();
    let (mut shared, mut private, mut never) = (None, None, false);
    let lines = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    for directive in lines.flat_map(|line| line.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "s-maxage" => shared = seconds(value),
            "max-age" => private = seconds(value),
            "no-store" | "no-cache" => never = true,
            _ => {}
        }
    }
    let lifetime = if never { Some(0) } else { shared.or(private) }?;
    let age = headers.get(header::AGE).and_then(|age| seconds(age.to_str().ok()?)).unwrap_or(0);
    Some(Duration::from_secs(lifetime.saturating_sub(age)))
}

/// The origin of an address that could be [fetched](Fetcher): host and port.
///
/// # Errors
///
/// Fails as fetching it would.
pub fn origin_of(url: &str) -> Result<String, FetchError> {
    let url = parse(url)?;
    Ok(format!("{}:{}", host(&url).to_ascii_lowercase(), port(&url)))
}

/// An `https` address without user and password.
fn parse(url: &str) -> Result<Uri, FetchError> {
    let url = Uri::try_from(url).map_err(|_| FetchError::BadUrl)?;
    let Some(authority) = url.authority() else { return Err(FetchError::BadUrl) };
    if url.scheme() != Some(&Scheme::HTTPS) {
        return Err(FetchError::NotHttps);
    }
    if authority.as_str().contains('@') {
        return Err(FetchError::BadUrl);
    }
    Ok(url)
}

/// Where `Location` leads from `url`, if it stays within its origin (RFC 3986, section 4.2: a whole
/// address, or one that begins with its authority or path).
fn redirected(url: &Uri, headers: &HeaderMap) -> Result<Uri, FetchError> {
    let location = headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
    let location = location.ok_or(FetchError::BadRedirect)?;
    let origin = url.authority().map_or("", |authority| authority.as_str());
    let absolute = match location {
        _ if location.starts_with("//") => format!("https:{location}"),
        _ if location.starts_with('/') => format!("https://{origin}{location}"),
        _ => location.to_owned(),
    };
    let next = Uri::try_from(absolute).map_err(|_| FetchError::BadRedirect)?;
    let (Some(scheme), Some(authority)) = (next.scheme(), next.authority()) else {
        return Err(FetchError::BadRedirect);
    };
    let same = url.scheme() == Some(scheme)
        && host(&next).eq_ignore_ascii_case(host(url))
        && port(&next) == port(url)
        && !authority.as_str().contains('@');
    if same {
        Ok(next)
    } else {
        // Its host only: the rest of a redirect can carry anything.
        Err(FetchError::RedirectedElsewhere { host: host(&next).chars().take(255).collect() })
    }
}

fn host(url: &Uri) -> &str {
    url.host().unwrap_or_default()
}

fn port(url: &Uri) -> u16 {
    url.port_u16().unwrap_or(443)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
