//! The names that people's dashboards and alerts stand on.

use serde_json::json;

use crate::support::service::Setup;
use crate::support::{Issuer, Verdict, until};

/// Does one of everything, and compares names and labels with `metrics.golden`.
#[tokio::test(flavor = "multi_thread")]
async fn names_and_labels_are_those_of_the_golden_file() {
    let issuer = Issuer::start().await;
    let setup = Setup::new(json!({
        "jwt": [issuer.entry(json!({}))],
        "tokenFile": {"path": "tokens.csv"},
    }));
    let service = setup.with_file("tokens.csv", "a,b,c\n").start().await;
    let kube = service.kube().await;
    assert_eq!(kube.authenticate("a").await.username(), "b");
    kube.authenticate(&issuer.token(json!({"exp": 1}))).await.error();
    service.write("tokens.csv", "d,e,f\n");
    until("the file was read again", async || {
        matches!(kube.authenticate("d").await, Verdict::User(..))
    })
    .await;
    assert_eq!(kube.authenticate("a").await, Verdict::Nobody, "its answer left the cache");

    let shapes = service.metrics().await.shapes();
    let golden = include_str!("metrics.golden").lines().map(str::to_owned).collect();
    let missing: Vec<_> = shapes.symmetric_difference(&golden).collect();
    assert!(missing.is_empty(), "only in one of service and golden file: {missing:#?}");
}

/// Whatever arrives, labels come from the configuration and from fixed words.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_make_no_series() {
    let issuer = Issuer::start().await;
    let service = Setup::new(json!({"jwt": [issuer.entry(json!({}))]})).start().await;
    let kube = service.kube().await;
    let ask = async |number: usize| {
        let elsewhere = json!({"iss": format!("https://issuer-{number}.test")});
        kube.authenticate(&issuer.token(elsewhere)).await;
        let mut request = kube.review("x", &[]);
        *request.uri_mut() = format!("https://webhook/path-{number}").parse().unwrap();
        kube.send(request).await.unwrap();
    };
    ask(0).await;
    let before = service.metrics().await.len();
    for number in 1..20 {
        ask(number).await;
    }
    assert_eq!(service.metrics().await.len(), before);
}
