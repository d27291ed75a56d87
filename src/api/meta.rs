//! `metav1.ObjectMeta` and what it is made of.
//!
//! The same structs are JSON, YAML and protobuf: members stand in upstream's order, and the tags are
//! those of `k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::schema::{Schema, Type};

/// What every object says of itself.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// Its name, unique among its kind in its namespace.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What a name was to be made of.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub generate_name: String,
    /// Where it is; empty for what is in no namespace.
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// A path that Kubernetes no longer writes.
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub self_link: String,
    /// Tells objects of one name over time apart.
    #[prost(string, tag = "5")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Which of its versions it is.
    #[prost(string, tag = "6")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// Which of its wanted states it is.
    #[prost(int64, tag = "7")]
    #[serde(skip_serializing_if = "is_zero")]
    pub generation: i64,
    /// When it was made.
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "is_unset")]
    pub creation_timestamp: Option<Time>,
    /// When it was to go.
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "is_unset")]
    pub deletion_timestamp: Option<Time>,
    /// How long it may take to go, in seconds.
    #[prost(int64, optional, tag = "10")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_grace_period_seconds: Option<i64>,
    /// What it is found by.
    #[prost(btree_map = "string, string", tag = "11")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What others remember with it.
    #[prost(btree_map = "string, string", tag = "12")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What it goes with.
    #[prost(message, repeated, tag = "13")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owner_references: Vec<OwnerReference>,
    /// Who has to let it go.
    #[prost(string, repeated, tag = "14")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finalizers: Vec<String>,
    /// Who set which of its fields.
    #[prost(message, repeated, tag = "17")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub managed_fields: Vec<ManagedFieldsEntry>,
}

/// `metav1.OwnerReference`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs, reason = "upstream's members, which are only echoed")]
pub struct OwnerReference {
    #[prost(string, tag = "5")]
    pub api_version: String,
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub uid: String,
    #[prost(bool, optional, tag = "6")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_owner_deletion: Option<bool>,
}

/// `metav1.ManagedFieldsEntry`: the fields that one manager has set.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ManagedFieldsEntry {
    /// Who: `fieldManager`, or the beginning of the User-Agent.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manager: String,
    /// `Apply` or `Update`.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// The version in which the fields are named.
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// When.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "is_unset")]
    pub time: Option<Time>,
    /// `FieldsV1`.
    #[prost(string, tag = "6")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fields_type: String,
    /// Which.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields_v1: Option<FieldsV1>,
    /// Through which subresource.
    #[prost(string, tag = "8")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subresource: String,
}

/// `metav1.FieldsV1`: a set of fields, as JSON.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FieldsV1 {
    /// The JSON.
    #[prost(bytes = "vec", tag = "1")]
    pub raw: Vec<u8>,
}

impl Serialize for FieldsV1 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Not as raw text, which would stand unindented in what is indented.
        let json = serde_json::from_slice::<serde_json::Value>(&self.raw);
        json.ok().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FieldsV1 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        Ok(Self { raw: json.to_string().into_bytes() })
    }
}

/// `metav1.Time`: an instant to the second, RFC 3339 in UTC where it is text.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Time {
    /// Since the epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Always 0 when written.
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Time {
    /// So many seconds after the epoch.
    pub fn from_unix(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// Reads RFC 3339, with any offset.
    pub fn parse(text: &str) -> Option<Self> {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(Self::from_unix(time.unix_timestamp()))
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

impl Time {
    /// As RFC 3339 writes it, if it has words for it. An empty message is no time at all: Go's zero.
    fn text(self) -> Option<String> {
        if self == Self::default() {
            return None;
        }
        let time = OffsetDateTime::from_unix_timestamp(self.seconds).ok()?;
        time.format(&Rfc3339).ok()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text().unwrap_or_default())
    }
}

impl Serialize for Time {
    /// An instant that RFC 3339 has no words for becomes null.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a time of RFC 3339"))
    }
}

/// Also Go's zero time, which is an empty message in protobuf, and what RFC 3339 has no words for.
fn is_unset(time: &Option<Time>) -> bool {
    time.is_none_or(|time| time.text().is_none())
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl ObjectMeta {
    /// Its members and their types.
    pub const SCHEMA: Schema = Schema {
        go: "ObjectMeta",
        members: &[
            ("name", Type::String),
            ("generateName", Type::String),
            ("namespace", Type::String),
            ("selfLink", Type::String),
            ("uid", Type::String),
            ("resourceVersion", Type::String),
            ("generation", Type::Int64),
            ("creationTimestamp", Type::Time),
            ("deletionTimestamp", Type::Time),
            ("deletionGracePeriodSeconds", Type::Int64),
            ("labels", Type::StringMap),
            ("annotations", Type::StringMap),
            ("ownerReferences", Type::List(&OWNER_REFERENCE)),
            ("finalizers", Type::Strings),
            ("managedFields", Type::List(&MANAGED_FIELDS_ENTRY)),
        ],
    };
}

const OWNER_REFERENCE: Schema = Schema {
    go: "OwnerReference",
    members: &[
        ("apiVersion", Type::String),
        ("kind", Type::String),
        ("name", Type::String),
        ("uid", Type::String),
        ("controller", Type::Boolean),
        ("blockOwnerDeletion", Type::Boolean),
    ],
};

const MANAGED_FIELDS_ENTRY: Schema = Schema {
    go: "ManagedFieldsEntry",
    members: &[
        ("manager", Type::String),
        ("operation", Type::String),
        ("apiVersion", Type::String),
        ("time", Type::Time),
        ("fieldsType", Type::String),
        ("fieldsV1", Type::Any),
        ("subresource", Type::String),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_second_in_utc() {
        for (text, written) in [
            ("2026-11-22T16:31:07Z", "2026-11-22T16:31:07Z"),
            ("2026-11-22T18:31:07.999+02:00", "2026-11-22T16:31:07Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
        ] {
            let time = Time::parse(text).unwrap();
            assert_eq!(serde_json::to_value(time).unwrap(), written, "{text}");
        }
        for text in ["", "2026-11-22", "2026-11-22T16:31:07", "1795365067"] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
        for seconds in [0, i64::MAX, i64::MIN, 253_402_300_800] {
            let written = serde_json::to_value(Time::from_unix(seconds)).unwrap();
            assert!(written.is_null(), "{seconds}: {written}");
        }
    }
}
