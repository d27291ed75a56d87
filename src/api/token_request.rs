//! `TokenRequest` of `authentication.k8s.io/v1`: a wish for a service account token, and the token.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::codec::Object;
use super::meta::{ObjectMeta, Time};
use super::schema::{Schema, Type};

/// A wish for a token, and the token.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenRequest {
    /// Of the service account, in the answer.
    #[prost(message, required, tag = "1")]
    pub metadata: ObjectMeta,
    /// What is wished for.
    #[prost(message, required, tag = "2")]
    pub spec: Spec,
    /// What is given.
    #[prost(message, required, tag = "3")]
    pub status: Status,
}

impl Object for TokenRequest {
    const KIND: &'static str = "TokenRequest";
    const API_VERSION: &'static str = super::AUTHENTICATION_V1;
    const SCHEMA: Schema = Schema {
        go: "TokenRequest",
        members: &[
            ("kind", Type::String),
            ("apiVersion", Type::String),
            ("metadata", Type::Object(&ObjectMeta::SCHEMA)),
            ("spec", Type::Object(&SPEC)),
            ("status", Type::Object(&STATUS)),
        ],
    };
}

/// `TokenRequestSpec`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// What the token should be good for; empty: `apiAudiences`, which the answer then has here.
    #[prost(string, repeated, tag = "1")]
    pub audiences: Vec<String>,
    /// How long it should last; absent: an hour.
    #[prost(int64, optional, tag = "4")]
    pub expiration_seconds: Option<i64>,
    /// What it should end with.
    #[prost(message, optional, tag = "3")]
    pub bound_object_ref: Option<BoundObjectReference>,
}

/// `BoundObjectReference`: a Pod, Secret or Node.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BoundObjectReference {
    /// `Pod`, `Secret` or `Node`.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Only its group counts.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// The object's name; a Pod's and a Secret's in the service account's namespace.
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The object's uid; empty: the one that it has.
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
}

/// `TokenRequestStatus`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[prost(skip_debug)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// The token; empty on a dry run.
    #[prost(string, tag = "1")]
    pub token: String,
    /// When it ends: its `exp`.
    #[prost(message, optional, tag = "2")]
    pub expiration_timestamp: Option<Time>,
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Status");
        out.field("expiration_timestamp", &self.expiration_timestamp).finish_non_exhaustive()
    }
}

const SPEC: Schema = Schema {
    go: "TokenRequestSpec",
    members: &[
        ("audiences", Type::Strings),
        ("expirationSeconds", Type::Int64),
        ("boundObjectRef", Type::Object(&BOUND_OBJECT_REFERENCE)),
    ],
};

const BOUND_OBJECT_REFERENCE: Schema = Schema {
    go: "BoundObjectReference",
    members: &[
        ("kind", Type::String),
        ("apiVersion", Type::String),
        ("name", Type::String),
        ("uid", Type::String),
    ],
};

const STATUS: Schema = Schema {
    go: "TokenRequestStatus",
    members: &[("token", Type::String), ("expirationTimestamp", Type::Time)],
};
