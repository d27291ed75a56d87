//! What clients read before they ask, and what the embedded issuer publishes.

use http::Method;
use serde_json::json;

use crate::support::Caller;
use crate::support::api::{Api, ISSUER, TOKEN, apis};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_is_listed_for_those_who_are_somebody() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "nobody").await;
    let address = service.address().to_string();
    let versions = api.get("/api").await.json();
    assert_eq!(versions["serverAddressByClientCIDRs"][0]["serverAddress"], json!(address));
    let core = api.get("/api/v1").await.json();
    assert_eq!(core["resources"][0]["name"], "serviceaccounts/token");
    let group = api.get("/apis/authentication.k8s.io/v1/").await.json();
    let names: Vec<_> =
        group["resources"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["selfsubjectreviews", "tokenreviews"]);

    let index = api.get("/openapi/v3").await.json();
    let document = index["paths"]["apis/authentication.k8s.io/v1"]["serverRelativeURL"].as_str();
    let reply = api.get(document.unwrap()).await;
    assert_eq!(reply.json()["openapi"], "3.0.0");
    let etag = reply.headers["etag"].to_str().unwrap();
    let again = api.send(Method::GET, document.unwrap(), &[("if-none-match", etag)], vec![]).await;
    assert_eq!((again.code, again.body.len()), (304, 0));

    let aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let reply = api.send(Method::GET, "/apis", &[("accept", aggregated)], vec![]).await;
    assert_eq!(reply.headers["content-type"], aggregated);
    assert_eq!(reply.json()["kind"], "APIGroupDiscoveryList");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_served_is_a_status() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "nobody").await;
    for path in [
        "/",
        "/foo",
        "/apis/apps/v1",
        "/api/v1/pods",
        "/api/v1/namespaces/ci/serviceaccounts/builder",
        "/apis/authentication.k8s.io/v1/tokenreviews/x",
        "/apis/authentication.k8s.io/v1/namespaces/x/tokenreviews",
        "/apis/authentication.k8s.io/v1beta1",
        "/openapi/v2",
        "/authenticate/",
        "/metrics",
    ] {
        let (code, message) = api.get(path).await.failure();
        let nothing = "the server could not find the requested resource";
        assert_eq!((code, &*message), (404, nothing), "{path}");
    }
    for (method, path) in [
        (Method::GET, "/authenticate"),
        (Method::GET, "/apis/authentication.k8s.io/v1/selfsubjectreviews"),
        (Method::POST, "/api"),
        (Method::OPTIONS, "/version"),
        (Method::PUT, "/.well-known/openid-configuration"),
    ] {
        let reply = api.send(method, path, &[], vec![]).await;
        let not_allowed = "the server does not allow this method on the requested resource";
        assert_eq!(reply.failure(), (405, not_allowed.to_owned()), "{path}");
    }
    let head = api.send(Method::HEAD, "/version", &[], vec![]).await;
    assert_eq!(head.code, 405);
}

/// As Go does it: the path is decoded, and then it leads somewhere.
#[tokio::test(flavor = "multi_thread")]
async fn paths_are_decoded_before_they_are_followed() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "requester").await;
    let token = async |name: &str| {
        let path = format!("/api/v1/namespaces/ci/serviceaccounts/{name}/token");
        api.post(&path, &json!({})).await
    };
    assert_eq!(token("build%65r").await.code, 201);
    for (name, code, message) in [
        ("a%20b", 404, "serviceaccounts \"a b\" not found"),
        ("%2e%2e", 400, "Name parameter invalid: \"..\": may not be '..'"),
        ("a%25b", 400, "Name parameter invalid: \"a%b\": may not contain '%'"),
        ("a%2Fb", 404, "the server could not find the requested resource"),
        ("%ff", 404, "serviceaccounts \"\u{fffd}\" not found"),
    ] {
        assert_eq!(token(name).await.failure(), (code, message.to_owned()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_publishes_itself_to_everybody() {
    let service = apis(json!({})).start().await;
    let nobody = Api::showing(&service, Caller::Nobody).await;
    let accept = [("accept", "application/json")];
    let path = "/.well-known/openid-configuration";
    let reply = nobody.send(Method::GET, path, &accept, vec![]).await;
    assert_eq!(reply.headers["cache-control"], "public, max-age=3600");
    assert_eq!(
        String::from_utf8(reply.body).unwrap(),
        format!(
            "{{\"issuer\":\"{ISSUER}\",\"jwks_uri\":\"{ISSUER}/openid/v1/jwks\",\
             \"response_types_supported\":[\"id_token\"],\"subject_types_supported\":[\"public\"],\
             \"id_token_signing_alg_values_supported\":[\"ES256\"]}}"
        )
    );
    let reply = nobody.send(Method::GET, "/openid/v1/jwks", &accept, vec![]).await;
    assert_eq!(reply.headers["content-type"], "application/jwk-set+json");
    let key = &reply.json()["keys"][0];
    let members: Vec<_> = key.as_object().unwrap().keys().collect();
    assert_eq!(members, ["use", "kty", "kid", "crv", "alg", "x", "y"], "and no d");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_with_a_path_publishes_itself_there_too() {
    let over = json!({"serviceAccountIssuer": {"url": "https://issuer.test/clusters/a"}});
    let service = apis(over).start().await;
    let nobody = Api::showing(&service, Caller::Nobody).await;
    for path in [
        "/.well-known/openid-configuration",
        "/clusters/a/.well-known/openid-configuration",
        "/clusters/a/openid/v1/jwks",
    ] {
        assert_eq!(nobody.get(path).await.code, 200, "{path}");
    }
    assert_eq!(
        nobody.get("/clusters/openid/v1/jwks").await.code,
        401,
        "for nobody there is nothing else"
    );
    // However many slashes there are: where its own document says.
    for url in ["https://issuer.test/a/", "https://issuer.test/a//"] {
        let service = apis(json!({"serviceAccountIssuer": {"url": url}})).start().await;
        let nobody = Api::showing(&service, Caller::Nobody).await;
        let base = url.strip_prefix("https://issuer.test").unwrap().strip_suffix('/').unwrap();
        let document = nobody.get(&format!("{base}/.well-known/openid-configuration")).await.json();
        assert_eq!(document["jwks_uri"], format!("https://issuer.test{base}/openid/v1/jwks"));
        assert_eq!(nobody.get(&format!("{base}/openid/v1/jwks")).await.code, 200, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_issuer_there_are_no_tokens() {
    let service = apis(json!({"serviceAccountIssuer": null})).start().await;
    let api = Api::bearing(&service, "requester").await;
    for path in ["/.well-known/openid-configuration", "/openid/v1/jwks"] {
        assert_eq!(api.get(path).await.code, 404, "{path}");
    }
    assert_eq!(api.post(TOKEN, &json!({})).await.code, 404);
    assert_eq!(api.get("/api/v1").await.json()["resources"], json!([]));
}
