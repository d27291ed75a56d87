//! The configured issuer that a token's `iss` was probably meant to be, and what tells them apart.

use serde::Serialize;

/// Longer names are no typos.
const MAX_CHARACTERS: usize = 512;

/// A configured issuer that is nearly the token's.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Nearest {
    /// Its URL.
    pub(super) issuer: String,
    /// Where that is configured.
    pub(super) field: String,
    /// What is different, each in words.
    pub(super) differences: Vec<String>,
}

/// The nearest of the `configured` issuers (URL and field), if any is near.
pub(super) fn nearest<'c>(
    said: &str,
    configured: impl Iterator<Item = (&'c str, String)>,
) -> Option<Nearest> {
    let said: String = said.chars().take(MAX_CHARACTERS).collect();
    let lower = said.to_lowercase();
    let theirs = Url::parse(&said);
    let ranked = configured.map(|(issuer, field)| {
        let same_host = Url::parse(issuer).host.eq_ignore_ascii_case(theirs.host);
        let distance = strsim::damerau_levenshtein(&lower, &issuer.to_lowercase());
        (!same_host, distance, issuer, field)
    });
    let (other_host, distance, issuer, field) =
        ranked.min_by_key(|(other_host, distance, ..)| (*other_host, *distance))?;
    // A few letters of a name; at one host, any path.
    let is_near = !other_host || distance <= issuer.chars().count() / 4;
    is_near.then(|| Nearest {
        issuer: issuer.to_owned(),
        field,
        differences: differences(&said, issuer),
    })
}

/// The parts of an issuer URL that people get wrong.
#[derive(Clone, Copy)]
struct Url<'u> {
    scheme: &'u str,
    host: &'u str,
    port: &'u str,
    path: &'u str,
}

impl<'u> Url<'u> {
    fn parse(url: &'u str) -> Self {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let port = authority.rsplit_once(':');
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let (host, port) = port.filter(|(_, port)| is_port(port)).unwrap_or((authority, ""));
        Self { scheme, host, port, path }
    }
}

fn differences(said: &str, configured: &str) -> Vec<String> {
    let (ours, theirs) = (Url::parse(configured), Url::parse(said));
    let mut found = Vec::new();
    let mut differ = |what: &str, said: &str, configured: &str| {
        if said != configured {
            let case = if said.eq_ignore_ascii_case(configured) { ", letter case" } else { "" };
            found.push(format!(
                "{what}{case}: the token has {}, the configuration {}",
                shown(said),
                shown(configured)
            ));
        }
    };
    differ("scheme", theirs.scheme, ours.scheme);
    differ("host", theirs.host, ours.host);
    differ("port", theirs.port, ours.port);
    let bare = |path: &'_ str| path.trim_end_matches('/').to_owned();
    if bare(theirs.path) == bare(ours.path) {
        if theirs.path != ours.path {
            let (with, without) = match theirs.path.len() > ours.path.len() {
                true => ("the token has one", "the configuration has none"),
                false => ("the configuration has one", "the token has none"),
            };
            found.push(format!("trailing slash: {with}, {without}"));
        }
    } else {
        differ("path", theirs.path, ours.path);
    }
    if said.trim() != said {
        found.push("white space: the token has some around its iss".to_owned());
    }
    found
}

fn shown(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { format!("{text:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIGURED: [&str; 3] =
        ["https://idp.example.com/realms/dev", "https://login.example.org/", "https://a.b:8443"];

    fn near(said: &str) -> Option<(String, Vec<String>)> {
        let configured = CONFIGURED.into_iter().map(|issuer| (issuer, "f".to_owned()));
        nearest(said, configured).map(|it| (it.issuer, it.differences))
    }

    #[test]
    fn what_differs_is_named() {
        for (said, issuer, difference) in [
            (
                "https://login.example.org",
                1,
                "trailing slash: the configuration has one, the token has none",
            ),
            (
                "https://idp.example.com/realms/dev/",
                0,
                "trailing slash: the token has one, the configuration has none",
            ),
            (
                "http://idp.example.com/realms/dev",
                0,
                "scheme: the token has \"http\", the configuration \"https\"",
            ),
            (
                "idp.example.com/realms/dev",
                0,
                "scheme: the token has none, the configuration \"https\"",
            ),
            ("https://a.b", 2, "port: the token has none, the configuration \"8443\""),
            (
                "https://IdP.example.com/realms/dev",
                0,
                "host, letter case: the token has \"IdP.example.com\", the configuration \"idp.example.com\"",
            ),
            (
                "https://idp.exmaple.com/realms/dev",
                0,
                "host: the token has \"idp.exmaple.com\", the configuration \"idp.example.com\"",
            ),
            (
                "https://idp.example.com/realms/production-of-the-other-team",
                0,
                "path: the token has \"/realms/production-of-the-other-team\", the configuration \"/realms/dev\"",
            ),
            ("https://login.example.org/ ", 1, "white space: the token has some around its iss"),
        ] {
            let want = (CONFIGURED[issuer].to_owned(), vec![difference.to_owned()]);
            assert_eq!(near(said), Some(want), "{said}");
        }
    }

    #[test]
    fn a_stranger_is_near_nobody() {
        for said in ["https://accounts.google.com", "", "x", &"https://x".repeat(100_000)] {
            assert_eq!(near(said), None, "{said:.40}");
        }
    }
}
