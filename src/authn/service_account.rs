//! Tokens of the embedded issuer.
//!
//! Signature and time (`token/`), then the audiences that were asked for, then what the token names:
//! its service account, and the object that it is bound to, must be there, be the same, and not have
//! been terminating for more than a minute. All of it is kube-apiserver's own check of its service
//! account tokens.
//!
//! Whose account it is depends on who asks. At our own API endpoints it is this cluster's; to an API
//! server at the webhook it is a stranger's, which the operator gives a prefix.

use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::api::UserInfo;
use crate::claims::{ClaimError, Claims, Reserved, reserved};
use crate::issuer::{self, Object, Objects, PrivateClaims, Reference, TokenIssuer};
use crate::live::Marks;
use crate::token::{BoxFuture, SigningKey, UnverifiedJwt, Verifier};
use crate::transcript::Transcript;

use super::{Attempt, Authentication, Authenticator, AuthnError, Cause, Surface, Verdict, told};

/// How far clocks may differ, and how long a terminating object's tokens still count: upstream's.
const LEEWAY: Duration = Duration::from_secs(60);

/// Judges the tokens of the embedded issuer.
pub struct ServiceAccountAuthenticator {
    name: Arc<str>,
    verifier: Verifier,
    issuer: Arc<TokenIssuer>,
    api_audiences: Arc<[String]>,
    username_prefix: String,
    groups_prefix: String,
    allow_reserved: bool,
}

impl ServiceAccountAuthenticator {
    /// An authenticator for what `issuer` issues.
    pub fn new(
        settings: &issuer::Settings,
        issuer: Arc<TokenIssuer>,
        api_audiences: Arc<[String]>,
    ) -> Self {
        let verifier = Verifier {
            issuer: settings.url.clone(),
            audiences: None,
            algorithms: SigningKey::ALGORITHMS.to_vec(),
            clock_skew: LEEWAY,
            max_token_lifetime: Duration::ZERO,
            issued_at_leeway: Some(LEEWAY),
        };
        Self {
            name: settings.url.as_str().into(),
            verifier,
            issuer,
            api_audiences,
            username_prefix: settings.username_prefix.clone(),
            groups_prefix: settings.groups_prefix.clone(),
            allow_reserved: settings.allow_reserved,
        }
    }

    /// The issuer's URL: its name in metrics and logs.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn judge(&self, jwt: &UnverifiedJwt<'_>, attempt: &Attempt<'_>) -> Result<Verdict, AuthnError> {
        let (keys_mark, keys) = self.issuer.read_keys();
        let (objects_mark, objects) = self.issuer.read_objects();
        let marks = Marks::from_iter([keys_mark, objects_mark]);
        let verified = self.verifier.verify(jwt, keys.jwks(), attempt.now, &attempt.transcript);
        let verified = verified.map_err(Cause::from);
        match verified.and_then(|claims| self.admit(&claims, &objects, attempt)) {
            Ok(authentication) => {
                Ok(Verdict::Authenticated(Authentication { marks, ..authentication }))
            }
            Err(cause) => {
                let retry_at = match &cause {
                    Cause::Token(error) => error.valid_from(),
                    _ => None,
                };
                Err(AuthnError { issuer: self.name.clone(), cause, marks, retry_at })
            }
        }
    }

    /// From proven claims to the user, if the audiences, the objects and the guard let it.
    fn admit(
        &self,
        claims: &Claims,
        objects: &Objects,
        attempt: &Attempt<'_>,
    ) -> Result<Authentication, Cause> {
        let transcript = &attempt.transcript;
        let audiences = self.audiences(claims, &attempt.credential.audiences);
        if !transcript.holds(!audiences.is_empty(), || {
            told::audiences(attempt, "").found(match claims.audiences() {
                [] => told::good_for(&self.api_audiences, "apiAudiences, since it has no aud"),
                own => told::good_for(own, "its own aud"),
            })
        }) {
            return Err(Cause::Audiences);
        }
        let private = transcript.unless(private_claims(claims), told::private_claims)?;
        let terminated = check(&private, objects, attempt.now, transcript)?;
        let user = user(&private, claims.id());
        let user = match attempt.credential.surface {
            Surface::Api => user,
            Surface::Webhook(_) => transcript.judged(self.stranger(user), told::stranger)?,
        };
        transcript.note(|| told::service_account(&user, &self.username_prefix));
        let expired = claims.expires_at().and_then(|at| SystemTime::from(at).checked_add(LEEWAY));
        let valid_until = expired.into_iter().chain(terminated).min();
        Ok(Authentication { user, audiences, valid_until, marks: Marks::new() })
    }

    /// Which of the `wanted` audiences the token is good for: its own, or the API server's if it has
    /// none.
    fn audiences(&self, claims: &Claims, wanted: &[String]) -> Vec<String> {
        let own = match claims.audiences() {
            [] => &*self.api_audiences,
            own => own,
        };
        // Sorted: both lists may be thousands long.
        let mut own: Vec<_> = own.iter().collect();
        own.sort_unstable();
        wanted.iter().filter(|wanted| own.binary_search(wanted).is_ok()).cloned().collect()
    }

    /// The user as others than this cluster may know it: under the configured prefixes, without what
    /// only this cluster's authorizers can make sense of.
    fn stranger(&self, mut user: UserInfo) -> Result<UserInfo, Reserved> {
        user.username.insert_str(0, &self.username_prefix);
        for group in &mut user.groups {
            group.insert_str(0, &self.groups_prefix);
        }
        user.extra.retain(|key, _| key == reserved::CREDENTIAL_ID);
        let mut guarded = user.clone();
        if self.allow_reserved {
            // Its own names, and nothing that a prefix makes of them.
            if self.username_prefix.is_empty() {
                guarded.username.clear();
            }
            if self.groups_prefix.is_empty() {
                guarded.groups.clear();
            }
        }
        reserved::check(&guarded).map(|()| user)
    }
}

impl Authenticator for ServiceAccountAuthenticator {
    fn authenticate<'a>(
        &'a self,
        attempt: &'a Attempt<'a>,
    ) -> BoxFuture<'a, Result<Verdict, AuthnError>> {
        Box::pin(ready(match &attempt.jwt {
            Some(jwt) => self.judge(jwt, attempt),
            None => Ok(Verdict::NoOpinion(Marks::new())),
        }))
    }
}

fn private_claims(claims: &Claims) -> Result<PrivateClaims, ClaimError> {
    let claim = || PrivateClaims::NAME.to_owned();
    let value = claims.get(PrivateClaims::NAME).ok_or_else(|| ClaimError::Missing(claim()))?;
    serde_json::from_str(value.json())
        .map_err(|_| ClaimError::Invalid { claim: claim(), wanted: "what Kubernetes writes there" })
}

/// Checks that everything the token stands on is there, in upstream's order, and says when time
/// alone ends that.
fn check(
    claims: &PrivateClaims,
    objects: &Objects,
    now: SystemTime,
    transcript: &Transcript,
) -> Result<Option<SystemTime>, Gone> {
    let PrivateClaims { namespace, service_account, secret, pod, node } = claims;
    let account = objects.service_account(namespace, &service_account.name);
    let secret = secret.as_ref().map(|secret| {
        (Kind::Secret, objects.secret(namespace, &secret.name), &*secret.name, &*secret.uid)
    });
    let pod = pod.as_ref().map(|pod| {
        let found = objects.pod(namespace, &pod.name).map(|pod| &pod.object);
        (Kind::Pod, found, &*pod.name, &*pod.uid)
    });
    // Where a pod runs is only told, never checked.
    let node = node.as_ref().filter(|_| pod.is_none()).map(|node| {
        let uid = node.uid.as_deref().unwrap_or_default();
        (Kind::Node, objects.node(&node.name), &*node.name, uid)
    });
    let Reference { name, uid } = service_account;
    let account = (Kind::ServiceAccount, account, &**name, &**uid);
    let mut until: Option<SystemTime> = None;
    for (kind, found, name, uid) in std::iter::once(account).chain(secret).chain(pod).chain(node) {
        let end = terminated(found, uid, now).map_err(|what| Gone { kind, what });
        let end = transcript.judged(end, |end| told::object(kind.as_str(), name, uid, end))?;
        until = until.into_iter().chain(end).min();
    }
    Ok(until)
}

/// When the object that is `found` ends for its tokens, if it is terminating.
fn terminated(
    found: Option<&Object>,
    uid: &str,
    now: SystemTime,
) -> Result<Option<SystemTime>, What> {
    let object = found.ok_or(What::Missing)?;
    if object.uid != uid {
        return Err(What::Replaced);
    }
    let end = object.deletion.and_then(|deletion| deletion.checked_add(LEEWAY));
    if end.is_some_and(|end| end < now) {
        return Err(What::Deleted);
    }
    Ok(end)
}

/// The user as this cluster knows it.
fn user(claims: &PrivateClaims, id: Option<String>) -> UserInfo {
    let PrivateClaims { namespace, service_account, pod, node, .. } = claims;
    let mut user = UserInfo {
        username: issuer::username(namespace, &service_account.name),
        uid: service_account.uid.clone(),
        groups: vec![
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
        ],
        ..UserInfo::default()
    };
    let mut add = |key: &str, value: &str| {
        let key = format!("authentication.kubernetes.io/{key}");
        user.extra.insert(key, vec![value.to_owned()].into());
    };
    if let Some(pod) = pod.as_ref().filter(|pod| !pod.name.is_empty() && !pod.uid.is_empty()) {
        add("pod-name", &pod.name);
        add("pod-uid", &pod.uid);
    }
    if let Some(node) = node.as_ref().filter(|node| !node.name.is_empty()) {
        add("node-name", &node.name);
        if let Some(uid) = node.uid.as_deref().filter(|uid| !uid.is_empty()) {
            add("node-uid", uid);
        }
    }
    if let Some(id) = id {
        user.extra.insert(reserved::CREDENTIAL_ID.to_owned(), vec![format!("JTI={id}")].into());
    }
    user
}

/// Something that a token stands on is not there any more.
///
/// It reads as upstream words it, without the values of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    kind: Kind,
    what: What,
}

/// The kinds of objects that a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ServiceAccount,
    Secret,
    Pod,
    Node,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAccount => "service account",
            Self::Secret => "secret",
            Self::Pod => "pod",
            Self::Node => "node",
        }
    }
}

/// What has happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// There is none of that name.
    Missing,
    /// There is another one of that name.
    Replaced,
    /// It has been terminating for more than a minute.
    Deleted,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.as_str();
        match (self.kind, self.what) {
            (Kind::ServiceAccount, What::Missing) => write!(f, "{kind} not found"),
            (Kind::ServiceAccount, What::Replaced) => write!(f, "{kind} UID does not match claim"),
            (Kind::ServiceAccount, What::Deleted) => write!(f, "{kind} has been deleted"),
            (_, What::Missing) => {
                write!(f, "service account token has been invalidated: its {kind} was not found")
            }
            (_, What::Replaced) => {
                write!(f, "{kind} UID does not match service account {kind} ref claim")
            }
            (_, What::Deleted) => {
                write!(f, "service account token has been invalidated: its {kind} has been deleted")
            }
        }
    }
}

impl std::error::Error for Gone {}

#[cfg(test)]
mod tests;
