//! `url()`: absolute URLs and paths, as Go's `net/url` takes them apart.
//!
//! *Differs*: upstream's strings hold bytes, and ours characters, so that an escaped byte that is no
//! UTF-8 (`http://h%ff/`) comes out of the getters as U+FFFD.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::ip::{Address, AddressError};
use super::percent::{EscapeError, Part, escape, normalized, unescape};
use crate::api::quote::quoted;

/// More parameters than this are none at all.
const MOST_PARAMETERS: usize = 10_000;

/// Why `url()` refuses a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("URL parse error during conversion from string: {0}")]
pub struct UrlError(UriError);

/// Why a text is no URL, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parse {}: {flaw}", quoted(.text))]
pub struct UriError {
    text: String,
    flaw: Flaw,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Flaw {
    #[error("net/url: invalid control character in URL")]
    Control,
    #[error("empty url")]
    Empty,
    #[error("missing protocol scheme")]
    NoScheme,
    #[error("invalid URI for request")]
    Relative,
    #[error("first path segment in URL cannot contain colon")]
    Colon,
    #[error("net/url: invalid userinfo")]
    User,
    #[error("invalid IP-literal")]
    Literal,
    #[error("missing ']' in host")]
    Bracket,
    #[error("invalid port {} after host", quoted(.0))]
    Port(String),
    #[error("invalid host: {0}")]
    Address(AddressError),
    #[error(transparent)]
    Escape(#[from] EscapeError),
}

/// A URL. Two are equal when they are written alike once their escapes are.
#[derive(Clone, Debug)]
pub struct Url {
    parts: Parts,
    fragment: Option<String>,
    length: usize,
}

#[derive(Clone, Debug, Default)]
struct Parts {
    scheme: String,
    /// What follows a scheme without a slash. There is no host or path then.
    opaque: Option<String>,
    /// Escaped.
    user: Option<String>,
    host: Vec<u8>,
    /// There were no two slashes for it.
    omits_host: bool,
    /// Escaped.
    path: String,
    query: String,
    /// There was a `?` with nothing behind.
    forces_query: bool,
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        check_uri(text).map_err(UrlError)?;
        let wrong = |text: &str, flaw| UrlError(UriError { text: text.to_owned(), flaw });
        let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
        let parts = Parts::read(address, false).map_err(|flaw| wrong(address, flaw))?;
        let bytes = unescape(fragment, Part::Fragment).map_err(|flaw| wrong(text, flaw.into()))?;
        let fragment = normalized(fragment, &bytes, Part::Fragment);
        let fragment = (!fragment.is_empty()).then_some(fragment);
        Ok(Self { parts, fragment, length: text.len() })
    }
}

/// `format.uri()`, and what `isURL()` asks: whether `text` could be in the first line of a request.
pub fn check_uri(text: &str) -> Result<(), UriError> {
    match Parts::read(text, true) {
        Ok(_) => Ok(()),
        Err(flaw) => Err(UriError { text: text.to_owned(), flaw }),
    }
}

impl Url {
    /// `isURL()`. A few are, and yet no `url()`: those with a fragment that does not decode.
    pub fn is_url(text: &str) -> bool {
        check_uri(text).is_ok()
    }

    /// `getScheme()`: in lower case.
    pub fn scheme(&self) -> &str {
        &self.parts.scheme
    }

    /// `getHost()`: with its port and brackets.
    pub fn host(&self) -> String {
        String::from_utf8_lossy(&self.parts.host).into_owned()
    }

    /// `getHostname()`: without them.
    pub fn hostname(&self) -> String {
        let host = self.host();
        let (name, _) = split_port(&host);
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        bare.unwrap_or(name).to_owned()
    }

    /// `getPort()`: empty if there is none.
    pub fn port(&self) -> String {
        split_port(&self.host()).1.to_owned()
    }

    /// `getEscapedPath()`.
    pub fn escaped_path(&self) -> &str {
        &self.parts.path
    }

    /// `getQuery()`: the values of each parameter in their order. What does not decode is left out.
    pub fn query(&self) -> BTreeMap<String, Vec<String>> {
        let mut found = BTreeMap::<_, Vec<_>>::new();
        let parameters = self.parts.query.split('&');
        if parameters.clone().count() > MOST_PARAMETERS {
            return found;
        }
        let decoded = |text| {
            let bytes = unescape(text, Part::Query).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        for parameter in parameters.filter(|text| !text.is_empty() && !text.contains(';')) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if let (Some(name), Some(value)) = (decoded(name), decoded(value)) {
                found.entry(name).or_default().push(value);
            }
        }
        found
    }

    /// The length of the text, in bytes, for what its use may cost.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl fmt::Display for Url {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Parts { scheme, opaque, user, host, path, query, .. } = &self.parts;
        if !scheme.is_empty() {
            write!(out, "{scheme}:")?;
        }
        let opaque = opaque.as_deref().unwrap_or_default();
        let bare = host.is_empty() && user.is_none();
        let addressed = !bare || !scheme.is_empty() && !self.parts.omits_host;
        if !opaque.is_empty() {
            out.write_str(opaque)?;
        } else {
            if addressed && !(bare && path.is_empty()) {
                out.write_str("//")?;
            }
            if let Some(user) = user {
                write!(out, "{user}@")?;
            }
            write!(out, "{}{path}", escape(host, Part::Host))?;
        }
        if self.parts.forces_query || !query.is_empty() {
            write!(out, "?{query}")?;
        }
        self.fragment.iter().try_for_each(|fragment| write!(out, "#{fragment}"))
    }
}

impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Url {}

impl Parts {
    /// Takes `text` apart. In a request it cannot be relative, and `#` means nothing.
    fn read(text: &str, request: bool) -> Result<Self, Flaw> {
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(Flaw::Control);
        }
        if text.is_empty() && request {
            return Err(Flaw::Empty);
        }
        let mut parts = Self::default();
        if text == "*" {
            parts.path = text.to_owned();
            return Ok(parts);
        }
        let (scheme, rest) = split_scheme(text)?;
        parts.scheme = scheme.to_ascii_lowercase();
        let mut rest = match rest.split_once('?') {
            Some((before, query)) => {
                parts.forces_query = query.is_empty();
                parts.query = query.to_owned();
                before
            }
            None => rest,
        };
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                parts.opaque = Some(rest.to_owned());
                return Ok(parts);
            }
            if request {
                return Err(Flaw::Relative);
            }
            if rest.split('/').next().is_some_and(|first| first.contains(':')) {
                return Err(Flaw::Colon);
            }
        }
        // Without a scheme, Go takes a third slash for the beginning of a path, and in a request
        // already the first.
        let local = scheme.is_empty() && (request || rest.starts_with("///"));
        if let Some(behind) = rest.strip_prefix("//").filter(|_| !local) {
            let end = behind.find('/').unwrap_or(behind.len());
            let (authority, path) = behind.split_at_checked(end).unwrap_or((behind, ""));
            (parts.user, parts.host) = read_authority(&parts.scheme, authority)?;
            rest = path;
        } else {
            parts.omits_host = !scheme.is_empty();
        }
        let bytes = unescape(rest, Part::Path)?;
        parts.path = normalized(rest, &bytes, Part::Path);
        Ok(parts)
    }
}

/// The scheme, if there is one, and what is behind its colon.
fn split_scheme(text: &str) -> Result<(&str, &str), Flaw> {
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let end = text.bytes().take_while(letter).count();
    match text.split_at_checked(end) {
        Some(("", rest)) if rest.starts_with(':') => Err(Flaw::NoScheme),
        Some((scheme, rest)) if scheme.starts_with(|first: char| first.is_ascii_alphabetic()) => {
            Ok(rest.strip_prefix(':').map_or(("", text), |rest| (scheme, rest)))
        }
        _ => Ok(("", text)),
    }
}

/// Who, and where.
fn read_authority(scheme: &str, text: &str) -> Result<(Option<String>, Vec<u8>), Flaw> {
    let Some((user, host)) = text.rsplit_once('@') else {
        return Ok((None, read_host(scheme, text)?));
    };
    let host = read_host(scheme, host)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(fits) {
        return Err(Flaw::User);
    }
    let again = |text| unescape(text, Part::User).map(|bytes| escape(&bytes, Part::User));
    let user = match user.split_once(':') {
        Some((name, password)) => format!("{}:{}", again(name)?, again(password)?),
        None => again(user)?,
    };
    Ok((Some(user), host))
}

/// A host with its port, decoded.
fn read_host(scheme: &str, text: &str) -> Result<Vec<u8>, Flaw> {
    match text.rfind('[') {
        Some(0) => return read_literal(text),
        Some(_) => return Err(Flaw::Literal),
        None => {}
    }
    // Some databases have several hosts, each with its port, but not so HTTP.
    let strict = matches!(scheme, "http" | "https");
    if let Some(colon) = if strict { text.find(':') } else { text.rfind(':') } {
        check_port(text.get(colon..).unwrap_or_default())?;
    }
    Ok(unescape(text, Part::Host)?)
}

/// An IPv6 address in brackets (RFC 3986, section 3.2.2), perhaps with a zone (RFC 6874).
fn read_literal(text: &str) -> Result<Vec<u8>, Flaw> {
    let (address, port) = text.rsplit_once(']').ok_or(Flaw::Bracket)?;
    check_port(port)?;
    let address = address.strip_prefix('[').unwrap_or(address);
    let (address, zone) =
        address.split_at_checked(address.find("%25").unwrap_or(address.len())).unwrap_or_default();
    let mut host = unescape(address, Part::Host)?;
    host.extend(unescape(zone, Part::Zone)?);
    let address = Address::read(&String::from_utf8_lossy(&host)).map_err(Flaw::Address)?;
    if address.ip.is_ipv4() {
        return Err(Flaw::Literal);
    }
    Ok([b"[", host.as_slice(), b"]", port.as_bytes()].concat())
}

/// Nothing, or a colon and digits if there are any.
fn check_port(text: &str) -> Result<(), Flaw> {
    if is_port(text) { Ok(()) } else { Err(Flaw::Port(text.to_owned())) }
}

fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':');
    text.is_empty() || digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A host without its port, and its port.
fn split_port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        _ => (host, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Arguments, bool, check, map, shown, text, texts};
    use super::*;

    fn answer(expression: &str, args: &Arguments) -> String {
        let read = |index| args.text(index).parse::<Url>();
        match expression {
            "isURL(a)" => bool(Url::is_url(args.text(0))),
            "url(a).getScheme()" => shown(read(0), |url| text(url.scheme())),
            "url(a).getHost()" => shown(read(0), |url| text(url.host())),
            "url(a).getHostname()" => shown(read(0), |url| text(url.hostname())),
            "url(a).getPort()" => shown(read(0), |url| text(url.port())),
            "url(a).getEscapedPath()" => shown(read(0), |url| text(url.escaped_path())),
            "url(a).getQuery()" => shown(read(0), |url| {
                map(url.query().into_iter().map(|(name, values)| (text(name), texts(values))))
            }),
            "url(a) == url(b)" => {
                shown(read(0).and_then(|a| Ok((a, read(1)?))), |(a, b)| bool(a == b))
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn it_answers_as_kubernetes_does() {
        check(include_str!("golden/url.jsonl"), answer);
    }

    #[test]
    fn a_query_of_too_many_parameters_is_none() {
        let of = |count| format!("http://h/?{}", vec!["a=1"; count].join("&"));
        let values = |count| of(count).parse::<Url>().expect("a URL").query().remove("a");
        assert_eq!(values(10_000).map(|values| values.len()), Some(10_000));
        assert_eq!(values(10_001), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let url: Url = "http://h%ff/%ff?a=%ff".parse().expect("a URL");
        assert_eq!((url.host().as_str(), url.escaped_path()), ("h\u{fffd}", "/%ff"));
        assert_eq!(url.query().get("a"), Some(&vec!["\u{fffd}".to_owned()]));
    }
}
