use serde_json::Value;

use super::*;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

fn discovery(issues_tokens: bool) -> ApiDiscovery {
    ApiDiscovery::new("127.0.0.1:8443".parse().unwrap(), issues_tokens)
}

/// The media type and the body at `path` for `accept`.
fn ask(path: &str, accept: &[&str]) -> (&'static str, String) {
    let document = discovery(true).find(path, None, accept, false).unwrap().unwrap();
    (document.media_type, String::from_utf8(document.body.to_vec()).unwrap())
}

fn refusal(path: &str, accept: &str) -> String {
    discovery(true).find(path, None, &[accept], false).unwrap().unwrap_err().message
}

#[test]
fn the_lists_read_as_upstreams() {
    for (path, want) in [
        (
            "/api",
            r#"{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"127.0.0.1:8443"}]}"#,
        ),
        (
            "/apis",
            r#"{"kind":"APIGroupList","groups":[{"name":"authentication.k8s.io","versions":[{"groupVersion":"authentication.k8s.io/v1","version":"v1"}],"preferredVersion":{"groupVersion":"authentication.k8s.io/v1","version":"v1"},"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"127.0.0.1:8443"}]}]}"#,
        ),
        (
            "/apis/authentication.k8s.io",
            r#"{"kind":"APIGroup","apiVersion":"v1","name":"authentication.k8s.io","versions":[{"groupVersion":"authentication.k8s.io/v1","version":"v1"}],"preferredVersion":{"groupVersion":"authentication.k8s.io/v1","version":"v1"}}"#,
        ),
        (
            "/api/v1",
            r#"{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"serviceaccounts/token","singularName":"","namespaced":true,"group":"authentication.k8s.io","version":"v1","kind":"TokenRequest","verbs":["create"]}]}"#,
        ),
        (
            "/apis/authentication.k8s.io/v1",
            r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"authentication.k8s.io/v1","resources":[{"name":"selfsubjectreviews","singularName":"selfsubjectreview","namespaced":false,"kind":"SelfSubjectReview","verbs":["create"]},{"name":"tokenreviews","singularName":"tokenreview","namespaced":false,"kind":"TokenReview","verbs":["create"]}]}"#,
        ),
    ] {
        for path in [path.to_owned(), format!("{path}/")] {
            assert_eq!(ask(&path, &[]), (JSON, format!("{want}\n")), "{path}");
        }
    }
}

#[test]
fn the_aggregated_lists_read_as_upstreams() {
    for (path, want) in [
        (
            "/api",
            r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[{"metadata":{},"versions":[{"version":"v1","resources":[{"resource":"serviceaccounts","responseKind":{"group":"","version":"","kind":""},"scope":"Namespaced","singularResource":"","verbs":[],"subresources":[{"subresource":"token","responseKind":{"group":"authentication.k8s.io","version":"v1","kind":"TokenRequest"},"verbs":["create"]}]}],"freshness":"Current"}]}]}"#,
        ),
        (
            "/apis/",
            r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[{"metadata":{"name":"authentication.k8s.io"},"versions":[{"version":"v1","resources":[{"resource":"selfsubjectreviews","responseKind":{"group":"","version":"","kind":"SelfSubjectReview"},"scope":"Cluster","singularResource":"selfsubjectreview","verbs":["create"]},{"resource":"tokenreviews","responseKind":{"group":"","version":"","kind":"TokenReview"},"scope":"Cluster","singularResource":"tokenreview","verbs":["create"]}],"freshness":"Current"}]}]}"#,
        ),
    ] {
        assert_eq!(ask(path, &[AGGREGATED]), (AGGREGATED, format!("{want}\n")), "{path}");
    }
}

#[test]
fn the_version_is_kubernetes_and_ours() {
    let (media_type, body) = ask("/version", &[]);
    assert_eq!(media_type, JSON);
    assert!(body.starts_with("{\n  \"major\": \"1\",\n  \"minor\": \"37\",\n"), "{body}");
    assert!(body.ends_with('}'), "{body}");
    let version: Value = serde_json::from_str(&body).unwrap();
    let ours = format!("v1.37.0+countersign-{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(version["gitVersion"], ours);
    assert_eq!(version["compiler"], "rustc");
    assert_eq!(ask("/version/", &["*/*"]).1, body);
}

#[test]
fn each_form_is_there_for_whoever_takes_it() {
    let yaml = "application/yaml";
    for (path, accept, want) in [
        ("/api", &["application/json, */*"][..], JSON),
        ("/api", &["application/vnd.kubernetes.protobuf,application/json"], JSON),
        ("/api", &["application/yaml;q=0.9, application/json;q=0.2"], yaml),
        ("/apis/authentication.k8s.io/v1", &["application/yaml"], yaml),
        // What kubectl 1.37 sends, and what older ones do.
        (
            "/apis",
            &[
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer,\
               application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
               application/json",
            ],
            AGGREGATED,
        ),
        (
            "/apis",
            &["application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
               application/json"],
            JSON,
        ),
        // Upstream looks for the aggregated form first, wherever it stands.
        ("/apis", &["application/json", AGGREGATED], AGGREGATED),
        ("/apis", &["*/*;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io"], AGGREGATED),
        (
            "/api",
            &["application/yaml;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"],
            "application/yaml;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        ),
        ("/api/v1", &[AGGREGATED, "application/json"], JSON),
    ] {
        assert_eq!(ask(path, accept).0, want, "{path} {accept:?}");
    }
    assert_eq!(
        ask("/api", &["application/yaml"]).1,
        "kind: APIVersions\nserverAddressByClientCIDRs:\n- clientCIDR: 0.0.0.0/0\n  \
         serverAddress: 127.0.0.1:8443\nversions:\n- v1\n"
    );
}

#[test]
fn what_cannot_be_had_is_not_acceptable() {
    for (path, accept, says) in [
        ("/api", "application/vnd.kubernetes.protobuf", "application/json, application/yaml"),
        ("/api", "text/html", "application/json, application/yaml"),
        ("/api/v1", AGGREGATED, "application/json, application/yaml"),
        ("/apis", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json"),
        ("/version", "application/yaml", "representations: application/json"),
        ("/openapi/v3", "application/yaml", "representations: application/json"),
        ("/openapi/v3/api/v1", "application/json;q=0", "representations: application/json"),
    ] {
        let message = refusal(path, accept);
        assert!(message.contains(says), "{path} {accept}: {message}");
    }
}

#[test]
fn json_is_indented_for_who_wants_it() {
    let discovery = discovery(true);
    let ask = |path, accept, pretty| {
        let document = discovery.find(path, None, &[accept], pretty).unwrap().unwrap();
        String::from_utf8(document.body.to_vec()).unwrap()
    };
    for path in ["/api", "/apis", "/api/v1", "/apis/authentication.k8s.io"] {
        let indented = ask(path, JSON, true);
        assert!(indented.starts_with("{\n  \"kind\": "), "{indented}");
        assert!(indented.ends_with('}'), "{indented}");
        assert_eq!(ask(path, "application/json;pretty=1", false), indented);
        let one_line = ask(path, JSON, false);
        assert_eq!(one_line.lines().count(), 1);
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&indented), read(&one_line));
    }
    assert!(ask("/api", AGGREGATED, true).contains("\n  \"items\": ["));
}

#[test]
fn only_what_is_the_same_for_all_may_be_kept_by_caches() {
    let find = |path, accept| discovery(true).find(path, None, &[accept], false).unwrap().unwrap();
    let plain = find("/apis", JSON);
    assert_eq!((plain.cache_control, plain.etag), ("no-cache, private", None));
    let aggregated = find("/apis", AGGREGATED);
    assert_eq!(aggregated.cache_control, "public");
    let etag = aggregated.etag.unwrap();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    assert_ne!(find("/api", AGGREGATED).etag.unwrap(), etag);
}

#[test]
fn without_an_issuer_no_token_requests_are_listed() {
    let discovery = discovery(false);
    let body = |path, accept| {
        let document = discovery.find(path, None, &[accept], false).unwrap().unwrap();
        String::from_utf8(document.body.to_vec()).unwrap()
    };
    assert_eq!(
        body("/api/v1", JSON),
        "{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[]}\n"
    );
    assert_eq!(
        body("/api", AGGREGATED),
        "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\
         \"metadata\":{},\"items\":[{\"metadata\":{},\"versions\":[{\"version\":\"v1\",\
         \"freshness\":\"Current\"}]}]}\n"
    );
    assert!(!body("/openapi/v3", JSON).contains("api/v1?"));
    assert!(discovery.find("/openapi/v3/api/v1", None, &[], false).is_none());
    assert!(body("/apis/authentication.k8s.io/v1", JSON).contains("tokenreviews"));
}

#[test]
fn nothing_else_is_here() {
    for path in [
        "",
        "/",
        "/api//",
        "/apis/authentication.k8s.io/v1beta1",
        "/apis/authentication.k8s.io/v1/tokenreviews",
        "/api/v1/namespaces",
        "/version/x",
        "/openapi",
        "/openapi/v2",
        "/openapi/v3/",
        "/openapi/v3/apis",
        "/openapi/v3/api/v1/",
        "/openapi/v3api/v1",
    ] {
        assert!(discovery(true).find(path, None, &[], false).is_none(), "{path}");
    }
}
