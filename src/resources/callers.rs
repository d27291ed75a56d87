//! Who may use the API endpoints, and for what.

use std::time::Duration;

use crate::api::names;

/// One entry of `callers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerSettings {
    /// `users`: their names, exactly.
    pub users: Vec<String>,
    /// `groups`: one of which a caller is in.
    pub groups: Vec<String>,
    /// `allow`, one at least.
    pub allow: Vec<Allow>,
    /// `serviceAccounts`: for which of them tokens may be requested.
    pub service_accounts: Vec<ServiceAccountPattern>,
    /// `audiences`: which a requested token may be for; `*` is any.
    pub audiences: Vec<String>,
    /// `maxExpiration`: the longest that a token is issued for.
    pub max_expiration: Option<Duration>,
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allow {
    /// `tokenreviews`: have tokens reviewed.
    TokenReviews,
    /// `serviceaccounts/token`: request tokens of service accounts.
    ServiceAccountsToken,
}

impl Allow {
    /// Every word there is.
    pub const ALL: [Self; 2] = [Self::TokenReviews, Self::ServiceAccountsToken];

    /// As it stands in `allow`: the resource, as Kubernetes names it in RBAC.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenReviews => "tokenreviews",
            Self::ServiceAccountsToken => "serviceaccounts/token",
        }
    }
}

/// Some service accounts: `namespace/name`, in which `*` stands for a whole segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountPattern {
    /// Absent: any.
    namespace: Option<String>,
    /// Absent: any.
    name: Option<String>,
}

impl ServiceAccountPattern {
    /// Reads `ci/builder`, `ci/*` or `*/*`.
    pub fn parse(text: &str) -> Option<Self> {
        let segment = |text: &str| match text {
            "*" => Some(None),
            name if names::is_subdomain(name) => Some(Some(name.to_owned())),
            _ => None,
        };
        let (namespace, name) = text.split_once('/')?;
        Some(Self { namespace: segment(namespace)?, name: segment(name)? })
    }

    /// Whether the service account is one of them.
    pub fn matches(&self, namespace: &str, name: &str) -> bool {
        let fits = |pattern: &Option<String>, text| pattern.as_deref().is_none_or(|it| it == text);
        fits(&self.namespace, namespace) && fits(&self.name, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_a_whole_segment() {
        for (pattern, fits, does_not) in [
            ("ci/builder", &[("ci", "builder")][..], &[("ci", "builder2"), ("cd", "builder")][..]),
            ("ci/*", &[("ci", "a"), ("ci", "b")], &[("ci2", "a")]),
            ("*/builder", &[("a", "builder")], &[("a", "b")]),
            ("*/*", &[("a", "b")], &[]),
        ] {
            let parsed = ServiceAccountPattern::parse(pattern).unwrap();
            for (namespace, name) in fits {
                assert!(parsed.matches(namespace, name), "{pattern} {namespace}/{name}");
            }
            for (namespace, name) in does_not {
                assert!(!parsed.matches(namespace, name), "{pattern} {namespace}/{name}");
            }
        }
        for text in ["", "ci", "ci/", "/a", "ci/a*", "c*/a", "ci/a/b", "ci/A", "ci /a", "ci:x/a"] {
            assert_eq!(ServiceAccountPattern::parse(text), None, "{text}");
        }
    }
}
