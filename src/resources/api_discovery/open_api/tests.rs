mod tables;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::*;

use self::tables::{OPERATIONS, SCHEMAS};

fn documents() -> [(&'static str, Value); 2] {
    [CORE, AUTHENTICATION].map(|(name, text)| (name, serde_json::from_str(text).unwrap()))
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key}: {value}"))
}

/// The last part of the name of the schema that a reference leads to.
fn target(reference: &Value) -> &str {
    text(reference, "$ref").rsplit('.').next().unwrap()
}

/// Nothing but these keys: one that is mistyped would be passed over in silence.
fn only(value: &Value, keys: &[&str]) {
    for key in object(value).keys() {
        assert!(keys.contains(&key.as_str()), "{key} in {value}");
    }
}

/// The type of a property in one line.
fn shape(property: &Value) -> String {
    if property.get("$ref").is_some() {
        only(property, &["$ref"]);
        return target(property).to_owned();
    }
    only(
        property,
        &[
            "additionalProperties",
            "allOf",
            "default",
            "description",
            "format",
            "items",
            "type",
            "x-kubernetes-list-map-keys",
            "x-kubernetes-list-type",
            "x-kubernetes-patch-merge-key",
            "x-kubernetes-patch-strategy",
        ],
    );
    let mut shape = match property.get("allOf").and_then(Value::as_array) {
        Some(all) => {
            assert_eq!(all.len(), 1, "{property}");
            target(&all[0]).to_owned()
        }
        None => match text(property, "type") {
            "array" => format!("[{}]", self::shape(&property["items"])),
            "object" => format!("{{{}}}", self::shape(&property["additionalProperties"])),
            simple => simple.to_owned(),
        },
    };
    for key in ["format", "x-kubernetes-list-type"] {
        if let Some(word) = property.get(key) {
            shape = format!("{shape} {}", word.as_str().unwrap());
        }
    }
    if let Some(keys) = property.get("x-kubernetes-list-map-keys") {
        assert_eq!(keys.as_array().unwrap().len(), 1);
        shape = format!("{shape} by {}", keys[0].as_str().unwrap());
    }
    if let Some(default) = property.get("default") {
        shape = format!("{shape} = {default}");
    }
    shape
}

#[test]
fn every_schema_is_as_the_api_has_it() {
    let mut seen = BTreeSet::new();
    for (document, content) in documents() {
        for (name, schema) in object(&content["components"]["schemas"]) {
            only(
                schema,
                &[
                    "description",
                    "format",
                    "properties",
                    "required",
                    "type",
                    "x-kubernetes-group-version-kind",
                    "x-kubernetes-map-type",
                ],
            );
            let wanted = SCHEMAS.iter().find(|(wanted, _)| wanted == name);
            let (_, want) = wanted.unwrap_or_else(|| panic!("{name} is not in the table"));
            let empty = Vec::new();
            let required = schema.get("required").map_or(&empty, |list| list.as_array().unwrap());
            let properties = schema.get("properties").map(object).cloned().unwrap_or_default();
            let mut found: Vec<_> = properties
                .iter()
                .map(|(property, schema)| {
                    let sign = if required.contains(&json!(property)) { "!" } else { "" };
                    format!("{sign}{property}: {}", shape(schema))
                })
                .collect();
            found.sort_by_key(|line| line.trim_start_matches('!').to_owned());
            let want: Vec<_> =
                want.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            assert_eq!(found, want, "{name} in {document}");
            let known = required.iter().all(|name| properties.contains_key(name.as_str().unwrap()));
            assert!(known, "{name} in {document} requires what it does not have");
            seen.insert(name.clone());
        }
    }
    assert_eq!(seen.len(), SCHEMAS.len(), "{seen:?}");
}

#[test]
fn what_is_not_an_object_is_as_the_api_has_it() {
    for (_, content) in documents() {
        let schemas = &content["components"]["schemas"];
        let time = &schemas["io.k8s.apimachinery.pkg.apis.meta.v1.Time"];
        assert_eq!((text(time, "type"), text(time, "format")), ("string", "date-time"));
        let owner = &schemas["io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference"];
        assert_eq!(text(owner, "x-kubernetes-map-type"), "atomic");
        for (name, schema) in object(schemas).iter().filter(|(name, _)| !name.ends_with(".Time")) {
            assert_eq!(text(schema, "type"), "object", "{name}");
            assert!(schema.get("format").is_none(), "{name}");
        }
    }
}

#[test]
fn whatever_is_in_both_documents_is_the_same() {
    let [(_, core), (_, authentication)] = documents();
    let mut common = 0;
    for (name, schema) in object(&core["components"]["schemas"]) {
        if let Some(other) = authentication["components"]["schemas"].get(name) {
            assert_eq!(schema, other, "{name}");
            common += 1;
        }
    }
    assert!(common > 5, "{common}");
    assert_eq!(
        core["components"]["securitySchemes"],
        authentication["components"]["securitySchemes"]
    );
}

#[test]
fn kinds_are_told_by_group_and_version() {
    let mut kinds = BTreeSet::new();
    for (_, content) in documents() {
        for (name, schema) in object(&content["components"]["schemas"]) {
            let own = name.rsplit('.').next().unwrap();
            let is_kind = schema["properties"].get("apiVersion").is_some()
                && schema["properties"].get("metadata").is_some()
                || own == "APIResourceList";
            let group =
                if name.contains(".authentication.") { "authentication.k8s.io" } else { "" };
            let want = json!([{"group": group, "version": "v1", "kind": own}]);
            let found = schema.get("x-kubernetes-group-version-kind");
            assert_eq!(found, is_kind.then_some(&want), "{name}");
            kinds.extend(is_kind.then(|| own.to_owned()));
        }
    }
    let want = ["APIResourceList", "SelfSubjectReview", "Status", "TokenRequest", "TokenReview"];
    assert!(kinds.iter().eq(want), "{kinds:?}");
}

/// An operation in one line.
fn operation(method: &str, path: &Value, operation: &Value) -> String {
    only(
        operation,
        &[
            "description",
            "operationId",
            "parameters",
            "requestBody",
            "responses",
            "tags",
            "x-kubernetes-action",
            "x-kubernetes-group-version-kind",
        ],
    );
    let mut line = method.to_owned();
    let about = operation.get("x-kubernetes-group-version-kind");
    if let Some(body) = operation.get("requestBody") {
        assert_eq!(body["required"], true);
        assert!(object(&body["content"]).keys().eq(["*/*"]), "{body}");
        line += &format!(" {}", target(&body["content"]["*/*"]["schema"]));
        assert_eq!(target(&body["content"]["*/*"]["schema"]), text(about.unwrap(), "kind"));
    } else if let Some(about) = about {
        line += &format!(" of {}", text(about, "kind"));
    }
    if let Some(about) = about {
        assert_eq!(text(about, "group"), "authentication.k8s.io");
        assert_eq!(text(about, "version"), "v1");
        assert_eq!(text(operation, "x-kubernetes-action"), method);
    }
    for (place, sign) in [("query", '?'), ("path", '/')] {
        let parameters = [path, operation].map(|holder| holder.get("parameters"));
        let names: BTreeSet<_> = parameters
            .into_iter()
            .flatten()
            .flat_map(|list| list.as_array().unwrap())
            .inspect(|parameter| {
                only(parameter, &["description", "in", "name", "required", "schema"]);
                assert_eq!(parameter["schema"], json!({"type": "string", "uniqueItems": true}));
                let in_path = text(parameter, "in") == "path";
                assert_eq!(parameter.get("required"), in_path.then_some(&json!(true)));
            })
            .filter(|parameter| text(parameter, "in") == place)
            .map(|parameter| text(parameter, "name"))
            .collect();
        if !names.is_empty() {
            line += &format!(" {sign} {}", names.into_iter().collect::<Vec<_>>().join(" "));
        }
    }
    let responses: Vec<_> = object(&operation["responses"])
        .iter()
        .map(|(code, response)| {
            only(response, &["content", "description"]);
            let content = object(&response["content"]);
            // Lists are not written as protobuf.
            let lists = ["application/json", "application/yaml"];
            let mut types = BTreeSet::from(lists);
            if method != "get" || code != "200" {
                types.insert("application/vnd.kubernetes.protobuf");
            }
            assert_eq!(content.keys().map(String::as_str).collect::<BTreeSet<_>>(), types);
            let schemas: BTreeSet<_> =
                content.values().map(|content| target(&content["schema"])).collect();
            assert_eq!(schemas.len(), 1, "{response}");
            format!("{code} {}", schemas.first().unwrap())
        })
        .collect();
    format!("{line} -> {}", responses.join(", "))
}

#[test]
fn every_operation_is_served_or_says_that_it_is_not() {
    let mut found = Vec::new();
    for (document, content) in documents() {
        for (place, path) in object(&content["paths"]) {
            assert!(place.starts_with(&format!("/{document}/")), "{place} is not of {document}");
            only(path, &["get", "parameters", "patch", "post"]);
            let mut lines = Vec::new();
            for method in ["get", "patch", "post"] {
                let Some(content) = path.get(method) else { continue };
                lines.push(operation(method, path, content));
                let absent =
                    text(content, "description").contains("Not served: the answer is always 405");
                assert_eq!(absent, method == "patch", "{method} {place}");
                let never: Vec<_> = object(&content["responses"])
                    .iter()
                    .filter(|(_, response)| text(response, "description").contains("never sent"))
                    .map(|(code, _)| code.as_str())
                    .collect();
                let want: &[_] = if method == "post" { &["200", "202"] } else { &[] };
                assert_eq!(never, want, "{method} {place}");
            }
            found.push((place.clone(), lines.join("\n")));
        }
    }
    let unfolded = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let want: Vec<_> =
        OPERATIONS.iter().map(|(path, text)| ((*path).to_owned(), unfolded(text))).collect();
    found.sort();
    assert_eq!(found, want);
}

/// What `supportsQueryParamV3` of kubectl looks for; else it wants an OpenAPI v2 document in
/// protobuf.
#[test]
fn kubectl_finds_field_validation() {
    let (_, content) = &documents()[1];
    for kind in ["TokenReview", "SelfSubjectReview"] {
        let marked =
            object(&content["paths"]).values().filter_map(|path| path.get("patch")).any(|patch| {
                text(&patch["x-kubernetes-group-version-kind"], "kind") == kind
                    && patch["parameters"].as_array().unwrap().iter().any(|parameter| {
                        text(parameter, "name") == "fieldValidation"
                            && text(parameter, "in") == "query"
                    })
            });
        assert!(marked, "{kind}");
    }
}

/// Calls `see` for `value` and for everything in it.
fn walk(value: &Value, see: &mut impl FnMut(&Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        Value::Object(members) => members.values().for_each(|member| walk(member, see)),
        _ => {}
    }
}

#[test]
fn every_reference_resolves_and_every_schema_is_referred_to() {
    for (name, content) in documents() {
        let mut targets = BTreeSet::new();
        walk(&content, &mut |value| {
            if let Some(reference) = value.get("$ref") {
                let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
                assert!(content.pointer(pointer).is_some(), "{reference} in {name}");
                targets.insert(pointer.rsplit('/').next().unwrap().to_owned());
            }
        });
        assert!(object(&content["components"]["schemas"]).keys().all(|key| targets.contains(key)));
    }
}

#[test]
fn everything_is_described() {
    for (name, content) in documents() {
        only(&content, &["components", "info", "openapi", "paths"]);
        only(&content["components"], &["schemas", "securitySchemes"]);
        assert_eq!(text(&content, "openapi"), "3.0.0");
        assert_eq!(text(&content["info"], "title"), "countersign");
        assert_eq!(text(&content["info"], "version"), "1.37");
        let mut ids = BTreeSet::new();
        walk(&content, &mut |value| {
            let properties = value.get("properties").filter(|_| value.get("type").is_some());
            for (property, schema) in properties.map(object).into_iter().flatten() {
                assert!(text(schema, "description").ends_with('.'), "{property} in {name}");
            }
            for described in ["responses", "schemas", "securitySchemes"] {
                let all = value.get(described).and_then(Value::as_object).into_iter().flatten();
                for (key, content) in all {
                    assert!(text(content, "description").ends_with('.'), "{key} in {name}");
                }
            }
            if value.get("in").is_some() || value.get("operationId").is_some() {
                assert!(text(value, "description").ends_with('.'), "{value}");
            }
            if let Some(id) = value.get("operationId") {
                assert!(ids.insert(id.to_string()), "{id} comes twice in {name}");
                assert_eq!(value["tags"].as_array().unwrap().len(), 1, "{id}");
            }
        });
    }
}

#[test]
fn the_index_gives_each_document_by_its_hash() {
    let open_api = OpenApi::new(true);
    let index = open_api.find("/openapi/v3", None).unwrap();
    let read: Value = serde_json::from_slice(&index.body).unwrap();
    let paths = object(&read["paths"]);
    assert!(paths.keys().eq(["api/v1", "apis/authentication.k8s.io/v1"]), "{paths:?}");
    for ((name, place), (_, content)) in paths.iter().zip([CORE, AUTHENTICATION]) {
        let (path, query) = text(place, "serverRelativeURL").split_once('?').unwrap();
        assert_eq!(path, format!("/openapi/v3/{name}"));
        let document = open_api.find(path, Some(query)).unwrap();
        assert_eq!(document.body, content);
        assert_eq!(document.etag.as_deref(), Some(&*format!("\"{}\"", &query["hash=".len()..])));
        assert_eq!(document.cache_control, "public, immutable, max-age=31536000");
        for query in [None, Some(""), Some("hash="), Some("hash=0"), Some("x=1")] {
            let document = open_api.find(path, query).unwrap();
            assert_eq!((document.body, document.cache_control), (content.into(), PRIVATE));
        }
        let with_more = format!("timeout=32s&{query}");
        assert_eq!(open_api.find(path, Some(&with_more)).unwrap(), document);
    }
}

#[test]
fn a_hash_changes_with_the_content() {
    let [one, same, other] = ["{}", "{}", "{ }"].map(|text| OpenApi::of(&[("api/v1", text)]));
    assert_eq!(one.index, same.index);
    assert_ne!(one.index, other.index);
    let etag = |open_api: &OpenApi, path| open_api.find(path, None).unwrap().etag.unwrap();
    for path in ["/openapi/v3", "/openapi/v3/api/v1"] {
        assert_eq!(etag(&one, path), etag(&same, path));
        assert_ne!(etag(&one, path), etag(&other, path));
    }
}
