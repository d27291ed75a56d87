//! `UserInfo` of `authentication.k8s.io/v1`: who somebody is, as Kubernetes says it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::schema::{Schema, Type};

/// Who a token belongs to, or who asks.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct UserInfo {
    /// The user's name. Never empty in an answer.
    #[prost(string, required, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// Tells users of one name over time apart; empty if unknown.
    #[prost(string, required, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The groups the user is in, in order, duplicates kept.
    #[prost(string, repeated, tag = "3")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What else authorizers may want to know.
    #[prost(btree_map = "string, message", tag = "4")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, ExtraValue>,
}

/// The values of one extra key.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExtraValue {
    /// In order.
    #[prost(string, repeated, tag = "1")]
    pub items: Vec<String>,
}

impl From<Vec<String>> for ExtraValue {
    fn from(items: Vec<String>) -> Self {
        Self { items }
    }
}

/// Its members and their types.
pub const SCHEMA: Schema = Schema {
    go: "UserInfo",
    members: &[
        ("username", Type::String),
        ("uid", Type::String),
        ("groups", Type::Strings),
        ("extra", Type::StringsMap),
    ],
};
