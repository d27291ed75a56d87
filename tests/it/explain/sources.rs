//! Whoever can be asked about a token beside the issuers of `jwt`.

use serde_json::json;

use super::{Written, run};
use crate::support::api::{Api, OBJECTS, apis};
use crate::support::issuer::CLAIMS;
use crate::support::service::Setup;
use crate::support::{API, Issuer, now};

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_file_are_told() {
    let tokens = "opaque-token-of-ann,ann,1,\"system:masters\"\nother,bob,2\n";
    let setup = Setup::new(json!({"tokenFile": {"path": "tokens.csv"}}));
    let config = Written::of(setup.with_file("tokens.csv", tokens));
    let ran = config.explain("opaque-token-of-ann", &[]).await;
    assert_eq!(ran.code, Some(1));
    for said in [
        "tokenFile\n",
        "it is that of \"ann\"",
        "FAILED  reserved names",
        "(reserved_identity)",
        "a group starts with \"system:\"",
        "tokenFile.allowReserved",
    ] {
        assert!(ran.out.contains(said), "no {said:?}\n{}", ran.out);
    }
    assert!(!ran.out.contains("opaque-token"), "{}", ran.out);
    let ran = config.explain("other", &[]).await;
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains("\"username\":\"bob\""), "it is no claim\n{}", ran.out);
    let ran = config.explain("nobodys", &[]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("it is none of the 2 in there"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_token_is_told_with_what_it_is_bound_to() {
    let service = apis(json!({})).start().await;
    let bound = json!({"kind": "Pod", "apiVersion": "v1", "name": "pod", "uid": "pod-uid"});
    let api = Api::bearing(&service, "requester").await;
    let spec = json!({"audiences": [API], "boundObjectRef": bound});
    let token = api.token(spec).await;
    let config = service.path("countersign.yaml");
    let ran = run(&config, &["--show-claims"], &token).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    for said in [
        "serviceAccountIssuer  https://issuer.test",
        "ok      service account  it is there  (wanted: builder with uid sa-uid)",
        "ok      pod              it is there  (wanted: pod with uid pod-uid)",
        "username         x:system:serviceaccount:ci:builder",
    ] {
        assert!(ran.out.contains(said), "no {said:?}\n{}", ran.out);
    }
    let quiet = run(&config, &[], &token).await.out;
    assert!(quiet.contains("x:system:serviceaccount:<namespace>:<name>"), "{quiet}");
    assert!(!quiet.contains("builder"), "{quiet}");

    service.remove("objects/pod.yaml");
    let ran = run(&config, &[], &token).await;
    assert_eq!(ran.code, Some(1));
    for said in [
        "FAILED  pod",
        "its pod was not found",
        "serviceAccountIssuer.objectsDir",
        "(bound_object_gone)",
    ] {
        assert!(ran.out.contains(said), "no {said:?}\n{}", ran.out);
    }
    let named = service.path("countersign.yaml");
    let text = std::fs::read_to_string(&named).unwrap().replace("\"x:\"", "\"\"");
    service.write("countersign.yaml", &text);
    service.write("objects/pod.yaml", OBJECTS[1].1);
    let ran = run(&config, &[], &token).await;
    for said in ["(reserved_identity)", "Set serviceAccountIssuer.usernamePrefix"] {
        assert!(ran.flat().contains(said), "no {said:?}\n{}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_are_kept_elsewhere_are_told_aside() {
    let (issuer, source) = (Issuer::start().await, Issuer::start().await);
    let groups = json!({"claimMappings": {"groups": {"claim": "groups", "prefix": "g:"}}});
    let config = Written::trusting([issuer.entry(groups)]);
    let token = issuer.token(json!({
        "_claim_names": {"groups": "src"},
        "_claim_sources": {
            "src": {"endpoint": format!("{}{CLAIMS}", source.url), "access_token": "hidden-access"},
        },
    }));
    let answer = json!({"iss": source.url, "aud": "kubernetes", "groups": ["a"]});
    for (exp, code, says) in
        [(now() + 60, 0, "> exp"), (now() - 7300, 1, "FAILED  > exp            ")]
    {
        let mut answer = answer.clone();
        answer["exp"] = json!(exp);
        source.serves("hidden-access", &source.key().token(&answer));
        let ran = config.explain(&token, &[]).await;
        assert_eq!(ran.code, Some(code), "{}", ran.out);
        assert!(ran.out.contains(says), "{}", ran.out);
        assert!(ran.out.contains("groups source"), "{}", ran.out);
        let blames_it = ran.out.contains("what its source of groups answered");
        assert_eq!(blames_it, code == 1, "{}", ran.out);
        let open = config.explain(&token, &["--show-claims"]).await;
        for ran in [ran, open] {
            assert!(!ran.out.contains("hidden-access"), "{}", ran.out);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_the_api_servers_own_file_is_named_there() {
    let issuer = Issuer::start().await;
    let theirs = json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [issuer.entry(json!({}))],
    });
    let setup = Setup::new(json!({"authenticationConfigurationFile": "theirs.yaml"}));
    let config = Written::of(setup.with_file("theirs.yaml", &theirs.to_string()));
    let ran = config.explain(&issuer.token(json!({"aud": "x"})), &[]).await;
    let field = "field jwt[0].issuer.audiences in authenticationConfigurationFile";
    assert!(ran.flat().contains(field), "{}", ran.out);
}
