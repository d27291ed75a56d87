//! Who may use the API endpoints, and for what.
//!
//! A caller is whom its client certificate names, or else its bearer token, judged as any other token
//! and good for `apiAudiences`. The reason of a refusal is in the log, as upstream has it: the caller
//! hears `Unauthorized`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};

use crate::api::quote::quoted;
use crate::api::status::Details;
use crate::api::{AUTHENTICATION_GROUP, Status, UserInfo, names, token_review};
use crate::authn::{RefusalLog, Reviews};
use crate::claims::reserved::CREDENTIAL_ID;
use crate::metrics::Metrics;
use crate::server::Peer;

use super::exchange::Exchange;
use super::reviewing::not_reviewed;
use super::warnings::Warnings;

/// Those who may use the API endpoints.
pub struct Callers {
    entries: Vec<CallerSettings>,
    reviews: Arc<Reviews>,
    metrics: Arc<Metrics>,
    log: RefusalLog,
    nobody: Arc<str>,
    somebody: Arc<str>,
}

impl Callers {
    /// Those in `entries`, whose tokens `reviews` judges.
    pub fn new(entries: Vec<CallerSettings>, reviews: Arc<Reviews>, metrics: Arc<Metrics>) -> Self {
        // Apart, so that a crowd of nobodies does not hide who tries what he may not.
        let (nobody, somebody) = ("401".into(), "403".into());
        Self { entries, reviews, metrics, log: RefusalLog::default(), nobody, somebody }
    }

    /// Who asks.
    ///
    /// # Errors
    ///
    /// 401 for nobody, 403 for who would be somebody else; 400 before it for a `timeout` that is none,
    /// as upstream; 503 or 500 if it could not be found out.
    pub async fn authenticate(
        &self,
        exchange: &mut Exchange<'_>,
        peer: &Peer,
    ) -> Result<UserInfo, Status> {
        exchange.query.check_timeout()?;
        let user = self.identify(exchange, peer).await?;
        self.check_impersonation(exchange.request, &user, peer)?;
        Ok(user)
    }

    async fn identify(&self, exchange: &mut Exchange<'_>, peer: &Peer) -> Result<UserInfo, Status> {
        if let Some(user) = certified(peer) {
            return Ok(user);
        }
        let unauthorized = |why: &str| {
            self.log.caller(&self.nobody, peer.address, why);
            Status::unauthorized("Unauthorized")
        };
        let token = bearer_token(exchange.request, &mut exchange.warnings)
            .ok_or_else(|| unauthorized("neither a client certificate nor a bearer token"))?;
        let answer = self.reviews.review(token, NO_AUDIENCES).await;
        let answer = answer.map_err(|error| not_reviewed(error, &self.metrics))?;
        let status: token_review::Status =
            serde_json::from_slice(&answer.status).unwrap_or_default();
        if !status.authenticated {
            // The chain has logged why.
            return Err(unauthorized("its bearer token is not authenticated"));
        }
        let mut user = status.user;
        add_authenticated(&mut user);
        Ok(user)
    }

    /// Nobody may impersonate anybody here (`kubectl --as`). To pass over the wish would be worse than
    /// to refuse it: who asks to be less than he is would be answered as all that he is.
    fn check_impersonation(
        &self,
        request: &Request<Bytes>,
        user: &UserInfo,
        peer: &Peer,
    ) -> Result<(), Status> {
        let mut headers = request.headers().iter();
        let wish = headers.find_map(|(name, value)| {
            Some((name.as_str().strip_prefix("impersonate-")?, value.to_str().unwrap_or_default()))
        });
        let Some((what, name)) = wish else { return Ok(()) };
        let (resource, group) = match what {
            "user" => ("users", ""),
            "group" => ("groups", ""),
            "uid" => ("uids", AUTHENTICATION_GROUP),
            _ => ("userextras", AUTHENTICATION_GROUP),
        };
        let dot = if group.is_empty() { "" } else { "." };
        let (shown, caller) = (quoted(name), quoted(&user.username));
        let message = format!(
            "{resource}{dot}{group} {shown} is forbidden: User {caller} cannot impersonate resource \
             \"{resource}\" in API group \"{group}\" at the cluster scope"
        );
        let details = Details {
            name: name.to_owned(),
            group: group.to_owned(),
            kind: resource.to_owned(),
            ..Details::default()
        };
        Err(self.forbidden(message, details, peer))
    }

    /// Whether `user` may have tokens reviewed.
    ///
    /// # Errors
    ///
    /// 403.
    pub fn check_token_reviews(&self, user: &UserInfo, peer: &Peer) -> Result<(), Status> {
        if self.entries_of(user, Allow::TokenReviews).next().is_some() {
            return Ok(());
        }
        let resource = Allow::TokenReviews.as_str();
        let message = format!(
            "{resource}.{AUTHENTICATION_GROUP} is forbidden: User {} cannot create resource \
             \"{resource}\" in API group \"{AUTHENTICATION_GROUP}\" at the cluster scope",
            quoted(&user.username)
        );
        let details = Details {
            group: AUTHENTICATION_GROUP.to_owned(),
            kind: resource.to_owned(),
            ..Details::default()
        };
        Err(self.forbidden(message, details, peer))
    }

    /// What `user` may request tokens of this service account for.
    ///
    /// # Errors
    ///
    /// 403 if for nothing at all.
    pub fn grants<'a>(
        &'a self,
        user: &'a UserInfo,
        namespace: &str,
        name: &str,
        peer: &Peer,
    ) -> Result<Grants<'a>, Status> {
        let entries = self.entries_of(user, Allow::ServiceAccountsToken);
        let entries: Vec<_> = entries
            .filter(|entry| entry.service_accounts.iter().any(|it| it.matches(namespace, name)))
            .collect();
        if entries.is_empty() {
            return Err(self.forbidden_token(user, namespace, name, "", peer));
        }
        Ok(Grants { entries })
    }

    /// 403 for a token of this service account. `why` begins with a colon, if it is anything.
    pub fn forbidden_token(
        &self,
        user: &UserInfo,
        namespace: &str,
        name: &str,
        why: &str,
        peer: &Peer,
    ) -> Status {
        let message = format!(
            "serviceaccounts {} is forbidden: User {} cannot create resource \
             \"serviceaccounts/token\" in API group \"\" in the namespace {}{why}",
            quoted(name),
            quoted(&user.username),
            quoted(namespace),
        );
        let details = Details {
            name: name.to_owned(),
            kind: "serviceaccounts".to_owned(),
            ..Details::default()
        };
        self.forbidden(message, details, peer)
    }

    fn forbidden(&self, message: String, details: Details, peer: &Peer) -> Status {
        self.log.caller(&self.somebody, peer.address, &message);
        Status::forbidden(message).about(details)
    }

    fn entries_of<'a>(
        &'a self,
        user: &'a UserInfo,
        allow: Allow,
    ) -> impl Iterator<Item = &'a CallerSettings> + use<'a> {
        self.entries.iter().filter(move |entry| {
            entry.allow.contains(&allow)
                && (entry.users.contains(&user.username)
                    || user.groups.iter().any(|group| entry.groups.contains(group)))
        })
    }
}

/// The entries that let somebody request tokens of one service account: one at least.
pub struct Grants<'a> {
    entries: Vec<&'a CallerSettings>,
}

impl Grants<'_> {
    /// How long a token for `audiences` may last, if one entry allows them all: the longest of those
    /// that do, and `most` at most. Absent if none does.
    pub fn max_expiration(&self, audiences: &[String], most: Duration) -> Option<Duration> {
        let allows = |entry: &&&CallerSettings| {
            let allowed = &entry.audiences;
            let any = allowed.iter().any(|audience| audience == ANY);
            any || audiences.iter().all(|audience| allowed.contains(audience))
        };
        let entries = self.entries.iter().filter(allows);
        entries.map(|entry| entry.max_expiration.unwrap_or(most).min(most)).max()
    }
}

/// Any audience.
const ANY: &str = "*";
/// Those of the API server.
const NO_AUDIENCES: &[&str] = &[];
/// The group of everybody who is somebody.
const AUTHENTICATED: &str = "system:authenticated";

/// Puts `user` into `system:authenticated`, as kube-apiserver does with whom its authenticators name.
pub fn add_authenticated(user: &mut UserInfo) {
    let is_told = |group: &String| group == AUTHENTICATED || group == "system:unauthenticated";
    if user.username != "system:anonymous" && !user.groups.iter().any(is_told) {
        user.groups.push(AUTHENTICATED.to_owned());
    }
}

/// Whom the client certificate names: its common name, and its organizations as groups.
fn certified(peer: &Peer) -> Option<UserInfo> {
    let certificate = peer.certificate.as_ref().filter(|it| !it.common_name.is_empty())?;
    let mut user = UserInfo {
        username: certificate.common_name.clone(),
        groups: certificate.organizations.clone(),
        ..UserInfo::default()
    };
    let id = format!("X509SHA256={}", certificate.sha256);
    user.extra.insert(CREDENTIAL_ID.to_owned(), vec![id].into());
    add_authenticated(&mut user);
    Some(user)
}

/// The bearer token, as upstream reads it (the contract, section 1.3).
fn bearer_token<'a>(request: &'a Request<Bytes>, warnings: &mut Warnings) -> Option<&'a str> {
    let header = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let mut parts = header.trim().splitn(3, ' ');
    let scheme = parts.next()?;
    let token = parts.next()?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    if token.is_empty() {
        if parts.next().is_some() {
            warnings.add(
                "the provided Authorization header contains extra space before the bearer token, \
                 and is ignored",
            );
        }
        return None;
    }
    Some(token)
}

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
