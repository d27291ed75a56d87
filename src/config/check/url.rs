//! URLs, by Go's rules and in Go's words as far as issuers are concerned.
//!
//! An issuer is compared byte for byte, so it is never normalised: a URL is only looked at.

/// What may be wrong with a URL beyond its syntax.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// An issuer's address: no query.
    Forbidden,
    /// A document's address.
    Allowed,
}

/// Everything that is wrong with `text` as the address of something that speaks HTTPS, each as
/// `Invalid value: …`.
pub fn mistakes(text: &str, query: Query) -> Vec<String> {
    let shown = redacted(text);
    let invalid = |detail: &str| format!("Invalid value: {shown:?}: {detail}");
    let url = match parse(text) {
        Ok(url) => url,
        Err(detail) => return vec![invalid(&format!("parse {shown:?}: {detail}"))],
    };
    [
        (!url.scheme.eq_ignore_ascii_case("https"), "URL scheme must be https"),
        (url.userinfo.is_some(), "URL must not contain a username or password"),
        (!url.query.is_empty() && query == Query::Forbidden, "URL must not contain a query"),
        (!url.fragment.is_empty(), "URL must not contain a fragment"),
        // Upstream accepts this one, and fails later.
        (url.host.is_empty() && !url.scheme.is_empty(), "URL must contain a host"),
    ]
    .into_iter()
    .filter(|(wrong, _)| *wrong)
    .map(|(_, detail)| invalid(detail))
    .collect()
}

struct Url<'t> {
    scheme: &'t str,
    userinfo: Option<&'t str>,
    host: &'t str,
    query: &'t str,
    fragment: &'t str,
}

/// As Go's `url.Parse`, errors included.
fn parse(text: &str) -> Result<Url<'_>, String> {
    if text.chars().any(|c| c.is_ascii_control()) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (scheme, rest) = match rest.split_once(':') {
        Some(("", _)) => return Err("missing protocol scheme".to_owned()),
        Some((scheme, rest)) if is_scheme(scheme) => (scheme, rest),
        Some((segment, _)) if !segment.contains(['/', '?']) => {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
        _ => ("", rest),
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = rest.strip_prefix("//").map(|rest| rest.split('/').next().unwrap_or(rest));
    let authority = authority.unwrap_or_default();
    let (userinfo, host) = match authority.rsplit_once('@') {
        Some((userinfo, host)) => (Some(userinfo), host),
        None => (None, authority),
    };
    check_host(host)?;
    for escape in rest.split('%').skip(1).map(|tail| tail.chars().take(2).collect::<String>()) {
        if escape.len() != 2 || !escape.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(format!("invalid URL escape {:?}", format!("%{escape}")));
        }
    }
    Ok(Url { scheme, userinfo, host, query, fragment })
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn check_host(host: &str) -> Result<(), String> {
    let port = if host.starts_with('[') {
        let Some((_, port)) = host.rsplit_once(']') else {
            return Err("missing ']' in host".to_owned());
        };
        port
    } else {
        host.rfind(':').map_or("", |colon| host.get(colon..).unwrap_or_default())
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    if !digits.chars().all(|c| c.is_ascii_digit()) || (port == digits && !port.is_empty()) {
        return Err(format!("invalid port {port:?} after host"));
    }
    match host
        .chars()
        .find(|c| matches!(c, ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'))
    {
        Some(c) => Err(format!("invalid character {:?} in host name", c.to_string())),
        None => Ok(()),
    }
}

/// Without a password, as Go's `URL.Redacted`.
fn redacted(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("//") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    match authority.rsplit_once('@').map(|(userinfo, host)| (userinfo.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{scheme}//{user}:xxxxx@{host}{tail}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(text: &str, query: Query) -> String {
        let start = format!("Invalid value: {:?}: ", redacted(text));
        let mistakes = mistakes(text, query);
        assert!(mistakes.iter().all(|mistake| mistake.starts_with(&start)), "{mistakes:?}");
        mistakes.iter().map(|m| m.trim_start_matches(&start)).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn an_issuer_is_an_https_url_without_ornaments() {
        for (text, wanted) in [
            ("https://issuer", ""),
            ("HTTPS://issuer", ""),
            ("https://issuer/", ""),
            ("https://issuer:8443/path/to%20it", ""),
            ("https://[::1]:8443/x", ""),
            ("https://issuer?", ""),
            ("https://issuer#", ""),
            ("https://issuer:", ""),
            ("invalid-url", "URL scheme must be https"),
            ("http://issuer-url", "URL scheme must be https"),
            ("https://user:pass@issuer-url", "URL must not contain a username or password"),
            ("https://issuer-url?query", "URL must not contain a query"),
            ("https://issuer-url#fragment", "URL must not contain a fragment"),
            (
                "https://issuer-url?q#f",
                "URL must not contain a query; URL must not contain a fragment",
            ),
            ("https://", "URL must contain a host"),
            ("https:issuer", "URL must contain a host"),
            ("https:///path", "URL must contain a host"),
            (
                "https://i:invalid-port",
                "parse \"https://i:invalid-port\": invalid port \":invalid-port\" after host",
            ),
            ("https://[::1", "parse \"https://[::1\": missing ']' in host"),
            ("https://[::1]x", "parse \"https://[::1]x\": invalid port \"x\" after host"),
            ("://x", "parse \"://x\": missing protocol scheme"),
            ("a_b:c", "parse \"a_b:c\": first path segment in URL cannot contain colon"),
            ("https://i/%zz", "parse \"https://i/%zz\": invalid URL escape \"%zz\""),
            ("https://i/é%é1", "parse \"https://i/é%é1\": invalid URL escape \"%é1\""),
            ("https://i/%4", "parse \"https://i/%4\": invalid URL escape \"%4\""),
            ("https://i i", "parse \"https://i i\": invalid character \" \" in host name"),
            ("https://i\n", "parse \"https://i\\n\": net/url: invalid control character in URL"),
        ] {
            assert_eq!(details(text, Query::Forbidden), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_document_may_have_a_query() {
        assert_eq!(details("https://idp/keys?p=policy", Query::Allowed), "");
    }

    #[test]
    fn no_password_is_printed() {
        let mistakes = mistakes("http://user:hunter2@issuer/x", Query::Forbidden).join("\n");
        assert!(mistakes.contains("\"http://user:xxxxx@issuer/x\""), "{mistakes}");
        assert!(!mistakes.contains("hunter2"), "{mistakes}");
    }
}
