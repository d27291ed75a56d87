//! `metadata.managedFields` of an answer: which fields the request has set, and in whose name.
//!
//! kube-apiserver tells this of every object that it creates, also of those it never stores. A status
//! that was sent is ignored here, and so are its fields.

use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::AUTHENTICATION_V1;
use crate::api::meta::{FieldsV1, ManagedFieldsEntry};

/// The entry for `object` as it was sent, defaults filled in.
pub fn entry(
    object: &impl Serialize,
    manager: String,
    subresource: &str,
    now: SystemTime,
) -> ManagedFieldsEntry {
    let object = serde_json::to_value(object).unwrap_or_default();
    let mut fields = Map::new();
    let parts = [("f:metadata", metadata(&object)), ("f:spec", members(object.get("spec")))];
    for (name, part) in parts {
        if !part.is_empty() {
            fields.insert(name.to_owned(), part.into());
        }
    }
    ManagedFieldsEntry {
        manager,
        operation: "Update".to_owned(),
        api_version: AUTHENTICATION_V1.to_owned(),
        time: Some(now.into()),
        fields_type: "FieldsV1".to_owned(),
        fields_v1: Some(FieldsV1 { raw: Value::Object(fields).to_string().into_bytes() }),
        subresource: subresource.to_owned(),
    }
}

/// Of the metadata those that belong to somebody: no name, and nothing that the server sets.
fn metadata(object: &Value) -> Map<String, Value> {
    let metadata = |name| object.get("metadata").and_then(|metadata| metadata.get(name));
    let mut fields = Map::new();
    let names = [
        "annotations",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "labels",
        "ownerReferences",
    ];
    for name in names {
        let Some(value) = metadata(name) else { continue };
        let mut keys: Vec<_> = match value {
            Value::Object(map) => map.keys().map(|key| format!("f:{key}")).collect(),
            Value::Array(items) => items.iter().map(item).collect(),
            _ => Vec::new(),
        };
        keys.sort();
        let set = keys.into_iter().map(|key| (key, json!({})));
        let whole = matches!(value, Value::Object(_) | Value::Array(_));
        let set: Map<_, _> =
            whole.then(|| (".".to_owned(), json!({}))).into_iter().chain(set).collect();
        fields.insert(format!("f:{name}"), set.into());
    }
    fields
}

/// An item of a list that is told apart by its uid, or by itself.
fn item(item: &Value) -> String {
    match item.get("uid") {
        Some(uid) => format!("k:{}", json!({ "uid": uid })),
        None => format!("v:{item}"),
    }
}

/// The members of an object that are set, and theirs.
fn members(object: Option<&Value>) -> Map<String, Value> {
    let Some(Value::Object(members)) = object else { return Map::new() };
    let is_set = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let mut set: Vec<_> = members.iter().filter(|(_, value)| is_set(value)).collect();
    set.sort_by_key(|(name, _)| *name);
    set.into_iter().map(|(name, value)| (format!("f:{name}"), members_of(value))).collect()
}

fn members_of(value: &Value) -> Value {
    members(Some(value)).into()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    /// As recorded from kube-apiserver.
    #[test]
    fn fields_are_named_as_upstream_names_them() {
        for (object, fields) in [
            (json!({"metadata": {}, "spec": {"token": "t"}}), r#"{"f:spec":{"f:token":{}}}"#),
            (
                json!({"spec": {
                    "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "pod"},
                    "expirationSeconds": 3600, "audiences": ["a"],
                }, "status": {"token": "x"}}),
                r#"{"f:spec":{"f:audiences":{},"f:boundObjectRef":{"f:apiVersion":{},"f:kind":{},"f:name":{}},"f:expirationSeconds":{}}}"#,
            ),
            (json!({"spec": {"audiences": [], "boundObjectRef": null}}), "{}"),
            (
                json!({"metadata": {
                    "name": "n", "uid": "u", "generateName": "g-",
                    "labels": {"b": "1", "a": "2"}, "finalizers": ["x/y"],
                    "ownerReferences": [{"uid": "1", "kind": "Pod"}],
                }}),
                r#"{"f:metadata":{"f:finalizers":{".":{},"v:\"x/y\"":{}},"f:generateName":{},"f:labels":{".":{},"f:a":{},"f:b":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"1\"}":{}}}}"#,
            ),
        ] {
            let entry = entry(&object, "me".to_owned(), "token", UNIX_EPOCH);
            assert_eq!(String::from_utf8(entry.fields_v1.unwrap().raw).unwrap(), fields);
        }
    }
}
