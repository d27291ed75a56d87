//! The embedded issuer of service account tokens: what it signs with, and for whom.
//!
//! A [`TokenIssuer`] issues what kube-apiserver would, for the objects that its files say exist
//! ([`Objects`]), and publishes its keys ([`SigningKeys`]) as Kubernetes does, so that other clusters
//! can trust it. Keys and objects may change at any time; a token is issued and judged by those of
//! that moment.

mod claims;
mod discovery;
mod manifests;
mod objects;
mod signing_keys;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::live::{Live, Mark};
use crate::secret::Secret;
use crate::token::{SignError, random};

pub use claims::{NodeReference, PrivateClaims, Reference, username};
pub use manifests::{ManifestError, Manifests};
pub use objects::{Object, Objects, Pod};
pub use signing_keys::{SigningKeys, SigningKeysError, SigningKeysLoadError};

use claims::RegisteredClaims;

/// `serviceAccountIssuer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `url`: the `iss` of its tokens, byte for byte.
    pub url: String,
    /// `signingKeyFiles`, one at least: the first signs, all verify.
    pub signing_key_files: Vec<PathBuf>,
    /// `objectsDir`: the manifests of what exists.
    pub objects_dir: PathBuf,
    /// `maxExpiration`: a token that is asked for longer is shortened to this.
    pub max_expiration: Duration,
    /// `usernamePrefix`, at the webhook.
    pub username_prefix: String,
    /// `groupsPrefix`, at the webhook.
    pub groups_prefix: String,
    /// `allowReserved`: whether the webhook may answer the unprefixed names.
    pub allow_reserved: bool,
}

/// The embedded issuer.
pub struct TokenIssuer {
    url: String,
    max_expiration: Duration,
    keys: Live<SigningKeys>,
    objects: Live<Objects>,
}

/// A token to be issued. All of it has been checked: nothing is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Of the service account, and of the object that the token is bound to.
    pub namespace: String,
    /// Whose token it is.
    pub service_account: Reference,
    /// What it dies with, beside its service account.
    pub bound: Option<Bound>,
    /// As they stand in `aud`: order, duplicates and empty ones are kept.
    pub audiences: Vec<String>,
    /// From now on.
    pub expiration_seconds: u64,
}

/// The object that a token is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A pod, and where it runs, once it does.
    Pod {
        /// The pod.
        pod: Reference,
        /// Its node, of which it says the name only.
        node: Option<NodeReference>,
    },
    /// A secret.
    Secret(Reference),
    /// A node.
    Node(Reference),
}

/// A token that was issued.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: Secret,
    /// Its `jti`, for the audit log.
    pub id: String,
    /// Its `exp`, in seconds since the epoch.
    pub expires_at: u64,
}

/// Why no token was issued: a bug, or a broken OpenSSL.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The claims are no JSON.
    #[error("the claims could not be written")]
    Claims(#[from] serde_json::Error),
    /// There is no signature.
    #[error(transparent)]
    Signature(#[from] SignError),
}

impl TokenIssuer {
    /// An issuer over the published keys and objects.
    pub fn new(settings: &Settings, keys: Live<SigningKeys>, objects: Live<Objects>) -> Self {
        Self { url: settings.url.clone(), max_expiration: settings.max_expiration, keys, objects }
    }

    /// The `iss` of its tokens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The longest that a token is issued for.
    pub fn max_expiration(&self) -> Duration {
        self.max_expiration
    }

    /// What exists, as it is now.
    pub fn objects(&self) -> Arc<Objects> {
        self.objects.get()
    }

    /// The same, and the mark to cite it by.
    pub fn read_objects(&self) -> (Mark, Arc<Objects>) {
        self.objects.read()
    }

    /// The keys as they are now, and the mark to cite them by.
    pub fn read_keys(&self) -> (Mark, Arc<SigningKeys>) {
        self.keys.read()
    }

    /// `/openid/v1/jwks`: its public keys (RFC 7517, section 5).
    pub fn jwks(&self) -> Vec<u8> {
        discovery::jwks(&self.keys.get())
    }

    /// `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0, section 3).
    pub fn discovery(&self) -> Vec<u8> {
        discovery::document(&self.url, &self.keys.get())
    }

    /// Signs a token for `grant`, good from `now` on.
    ///
    /// # Errors
    /// Only if there is no signature to be had.
    pub fn issue(&self, grant: &Grant, now: SystemTime) -> Result<Issued, IssueError> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let expires_at = now.saturating_add(grant.expiration_seconds);
        let id = uuid::Builder::from_random_bytes(random()).into_uuid().to_string();
        let claims = RegisteredClaims {
            aud: &grant.audiences,
            exp: expires_at,
            iat: now,
            iss: &self.url,
            jti: &id,
            private: PrivateClaims::of(grant),
            nbf: now,
            sub: username(&grant.namespace, &grant.service_account.name),
        };
        let token = self.keys.get().signer().sign(&serde_json::to_vec(&claims)?)?;
        Ok(Issued { token: Secret::new(token), id, expires_at })
    }
}

#[cfg(test)]
mod tests;
