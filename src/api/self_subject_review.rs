//! `SelfSubjectReview` of `authentication.k8s.io/v1`: who am I?

use serde::{Deserialize, Serialize};

use super::codec::Object;
use super::meta::ObjectMeta;
use super::schema::{Schema, Type};
use super::user_info::{self, UserInfo};

/// The question who asks, which has no spec, and its answer.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct SelfSubjectReview {
    /// Not needed.
    #[prost(message, required, tag = "1")]
    pub metadata: ObjectMeta,
    /// The answer.
    #[prost(message, required, tag = "2")]
    pub status: Status,
}

impl Object for SelfSubjectReview {
    const KIND: &'static str = "SelfSubjectReview";
    const API_VERSION: &'static str = super::AUTHENTICATION_V1;
    const SCHEMA: Schema = Schema {
        go: "SelfSubjectReview",
        members: &[
            ("kind", Type::String),
            ("apiVersion", Type::String),
            ("metadata", Type::Object(&ObjectMeta::SCHEMA)),
            ("status", Type::Object(&STATUS)),
        ],
    };
}

/// `SelfSubjectReviewStatus`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Who asks.
    #[prost(message, required, tag = "1")]
    pub user_info: UserInfo,
}

const STATUS: Schema = Schema {
    go: "SelfSubjectReviewStatus",
    members: &[("userInfo", Type::Object(&user_info::SCHEMA))],
};
