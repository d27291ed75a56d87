//! The claims of a service account token, as kube-apiserver writes them: keys in alphabetical order
//! at every level, no more than is known.

use serde::{Deserialize, Serialize};

use super::{Bound, Grant};

/// An object that a token names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reference {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
}

/// The node that a token names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeReference {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`; absent if a pod names a node that is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

/// The claim `kubernetes.io`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PrivateClaims {
    /// Of the service account, the pod and the secret.
    pub namespace: String,
    /// What the token is bound to, or where the pod runs that it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeReference>,
    /// What the token is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<Reference>,
    /// What the token is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Reference>,
    /// Whose token it is.
    #[serde(rename = "serviceaccount")]
    pub service_account: Reference,
}

impl PrivateClaims {
    /// The name of the claim that holds them.
    pub const NAME: &str = "kubernetes.io";

    pub(super) fn of(grant: &Grant) -> Self {
        let claims = Self {
            namespace: grant.namespace.clone(),
            service_account: grant.service_account.clone(),
            ..Self::default()
        };
        match grant.bound.clone() {
            None => claims,
            Some(Bound::Pod { pod, node }) => Self { pod: Some(pod), node, ..claims },
            Some(Bound::Secret(secret)) => Self { secret: Some(secret), ..claims },
            Some(Bound::Node(Reference { name, uid })) => {
                Self { node: Some(NodeReference { name, uid: Some(uid) }), ..claims }
            }
        }
    }
}

/// The whole payload.
#[derive(Serialize)]
pub(super) struct RegisteredClaims<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) aud: &'a [String],
    pub(super) exp: u64,
    pub(super) iat: u64,
    pub(super) iss: &'a str,
    pub(super) jti: &'a str,
    #[serde(rename = "kubernetes.io")]
    pub(super) private: PrivateClaims,
    pub(super) nbf: u64,
    pub(super) sub: String,
}

/// The username of a service account.
pub fn username(namespace: &str, name: &str) -> String {
    ["system:serviceaccount:", namespace, ":", name].concat()
}
