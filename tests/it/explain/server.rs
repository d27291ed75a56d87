//! What a running server says of the same token.

use serde_json::json;

use super::{Written, run, strict, token};
use crate::support::{Issuer, Service, kubeconfig};

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_agrees_or_does_not() {
    let issuer = Issuer::start().await;
    let service = Service::trusting([strict(&issuer)]).await;
    kubeconfig::write(&service, json!({}), kubeconfig::apiserver());
    let kubeconfig = service.path("webhook.kubeconfig").display().to_string();
    let same = service.path("countersign.yaml");
    let server = ["--server", &kubeconfig];
    let good = token(&issuer, json!({}));
    let ran = run(&same, &server, &good).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("server    agrees"), "{}", ran.out);
    let closed = token(&issuer, json!({"tenant": "closed"}));
    let ran = run(&same, &server, &closed).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("server    agrees"), "{}", ran.out);

    // Another configuration says otherwise, in either way.
    let other = Written::trusting([issuer.entry(json!({}))]);
    let ran = other.explain(&closed, &server).await;
    assert_eq!(ran.code, Some(1), "it is ours who takes it\n{}", ran.out);
    for said in [
        "server    DISAGREES on authenticated, user, error",
        "claimValidationRules: <string>",
        "cache.rejectedTTL",
        "countersign_config_info",
    ] {
        assert!(ran.out.contains(said) || ran.flat().contains(said), "no {said:?}\n{}", ran.out);
    }
    let ran = other.explain(&good, &["--server", &kubeconfig, "--output", "json"]).await;
    let said = &ran.json()["server"];
    assert_eq!((ran.code, &said["agrees"]), (Some(1), &json!(false)), "{}", ran.out);
    assert_eq!(said["differences"], json!(["user"]));
    assert_eq!(said["status"]["user"]["username"], "<string>", "{}", ran.out);
    assert!(!ran.out.contains("alice@"), "{}", ran.out);

    let ran = other.explain(&good, &["--server", "/nonexistent"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.flat().contains("no answer: /nonexistent: cannot be read"), "{}", ran.out);
}
