//! `TokenReview` of `authentication.k8s.io/v1`, as the API serves it.
//!
//! What kube-apiserver sends to its webhook is the same kind with fewer members, and is read in
//! [`webhook`](super::webhook), where it has to be quick.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::codec::Object;
use super::meta::ObjectMeta;
use super::schema::{Schema, Type};
use super::user_info::{self, UserInfo};

/// The question whose a token is, and its answer.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenReview {
    /// Not needed, and given back.
    #[prost(message, required, tag = "1")]
    pub metadata: ObjectMeta,
    /// The question.
    #[prost(message, required, tag = "2")]
    pub spec: Spec,
    /// The answer.
    #[prost(message, required, tag = "3")]
    pub status: Status,
}

impl Object for TokenReview {
    const KIND: &'static str = "TokenReview";
    const API_VERSION: &'static str = super::AUTHENTICATION_V1;
    const SCHEMA: Schema = Schema {
        go: "TokenReview",
        members: &[
            ("kind", Type::String),
            ("apiVersion", Type::String),
            ("metadata", Type::Object(&ObjectMeta::SCHEMA)),
            ("spec", Type::Object(&SPEC)),
            ("status", Type::Object(&STATUS)),
        ],
    };
}

/// `TokenReviewSpec`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[prost(skip_debug)]
#[serde(default)]
pub struct Spec {
    /// The token, opaque; never in an answer.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// What it should be good for; empty: `apiAudiences`.
    #[prost(string, repeated, tag = "2")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec").field("audiences", &self.audiences).finish_non_exhaustive()
    }
}

/// `TokenReviewStatus`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Whether the token is good, for `audiences`.
    #[prost(bool, tag = "1")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub authenticated: bool,
    /// Who it belongs to; empty if it is not.
    #[prost(message, required, tag = "2")]
    pub user: UserInfo,
    /// What it is good for, of what was asked.
    #[prost(string, repeated, tag = "4")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    /// Why it was refused.
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
}

const SPEC: Schema = Schema {
    go: "TokenReviewSpec",
    members: &[("token", Type::String), ("audiences", Type::Strings)],
};

const STATUS: Schema = Schema {
    go: "TokenReviewStatus",
    members: &[
        ("authenticated", Type::Boolean),
        ("user", Type::Object(&user_info::SCHEMA)),
        ("audiences", Type::Strings),
        ("error", Type::String),
    ],
};
