//! Users in a file, in the format of kube-apiserver's `--token-auth-file`.

use serde_json::{Value, json};

use crate::support::service::Setup;
use crate::support::{API, Issuer, Service, Verdict, until};

const FILE: &str = r#"plain-token,alice,uid-1,"dev,ops"
sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae,bob,uid-2
"with,comma","carol ""c""",uid-3,"dev"
"#;

async fn with_file(content: &str, over: Value) -> Service {
    let mut config = json!({"tokenFile": {"path": "tokens.csv"}});
    crate::support::lay(&mut config, over);
    Setup::new(config).with_file("tokens.csv", content).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_a_user() {
    let service = with_file(FILE, json!({})).await;
    let kube = service.kube().await;
    for (token, name, uid, groups) in [
        ("plain-token", "alice", "uid-1", &["dev", "ops"][..]),
        ("foo", "bob", "uid-2", &[]),
        ("with,comma", "carol \"c\"", "uid-3", &["dev"]),
    ] {
        match kube.authenticate(token).await {
            Verdict::User(user, audiences) => {
                assert_eq!((&*user.username, &*user.uid), (name, uid));
                assert_eq!(user.groups, groups);
                assert_eq!(audiences, [API]);
            }
            verdict => panic!("{token}: {verdict:?}"),
        }
    }
    let hash = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    for nobodys in ["plain-toke", "plain-tokenx", "Plain-token", hash, &hash[7..], "alice", "uid-1"]
    {
        assert_eq!(kube.authenticate(nobodys).await, Verdict::Nobody, "{nobodys}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_users_are_for_the_api_server_only() {
    let service = with_file(FILE, json!({})).await;
    let kube = service.kube().await;
    match kube.authenticate_for("foo", &["other", API]).await {
        Verdict::User(_, audiences) => assert_eq!(audiences, [API]),
        verdict => panic!("{verdict:?}"),
    }
    kube.authenticate_for("foo", &["other"]).await.error();
    assert_eq!(service.metric("rejections_total", &[("reason", "audience_mismatch")]).await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_users_need_permission() {
    let content = "t,system:admin,1\nu,alice,2,\"system:masters\"\n";
    let service = with_file(content, json!({})).await;
    let kube = service.kube().await;
    for token in ["t", "u"] {
        kube.authenticate(token).await.error();
    }
    assert_eq!(service.metric("rejections_total", &[("reason", "reserved_identity")]).await, 2.0);
    let allowed = json!({"tokenFile": {"allowReserved": true}});
    let service = with_file(content, allowed).await;
    let kube = service.kube().await;
    assert_eq!(kube.authenticate("t").await.username(), "system:admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_file_comes_before_its_issuer() {
    let issuer = Issuer::start().await;
    let token = issuer.token(json!({}));
    let file = format!("{token},from-the-file,1\n");
    let service = with_file(&file, json!({"jwt": [issuer.entry(json!({}))]})).await;
    let kube = service.kube().await;
    assert_eq!(kube.authenticate(&token).await.username(), "from-the-file");
    assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_ends_the_answers_of_the_old_one() {
    let service = with_file(FILE, json!({})).await;
    let kube = service.kube().await;
    for _ in 0..2 {
        assert_eq!(kube.authenticate("plain-token").await.username(), "alice");
    }
    assert_eq!(service.metric("cache_lookups_total", &[("result", "hit")]).await, 1.0);
    assert_eq!(kube.authenticate("new-token").await, Verdict::Nobody);

    for broken in
        ["plain-token,alice", "\"plain-token,alice,1\n", ",alice,1\n", "a,b,1\na,c,2\n\"x"]
    {
        let failures = service.metric("config_reloads_total", &[("result", "failure")]).await;
        service.write("tokens.csv", broken);
        service
            .until_metric("config_reloads_total", &[("result", "failure")], failures + 1.0)
            .await;
        assert_eq!(
            kube.authenticate("plain-token").await.username(),
            "alice",
            "the last good stays"
        );
    }

    service.write("tokens.csv", "new-token,dave,4\n");
    until("the new user is known", async || {
        matches!(kube.authenticate("new-token").await, Verdict::User(..))
    })
    .await;
    assert_eq!(kube.authenticate("plain-token").await, Verdict::Nobody);
    service.write("tokens.csv", "new-token,erin,5\n");
    until("the user is another", async || {
        kube.authenticate("new-token").await.username() == "erin"
    })
    .await;
}

/// What the provider's token got was remembered, and rests also on its not being in the file.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_comes_into_the_file_is_no_longer_its_issuers() {
    let issuer = Issuer::start().await;
    let jwt = json!({"jwt": [issuer.entry(json!({}))], "cache": {"rejectedTTL": "1h"}});
    let service = with_file(FILE, jwt).await;
    let kube = service.kube().await;
    let (good, bad) = (issuer.token(json!({})), issuer.token(json!({"exp": 1})));
    assert_eq!(kube.authenticate(&good).await.username(), "alice");
    kube.authenticate(&bad).await.error();
    service.write("tokens.csv", &format!("{good},carol,1\n{bad},dave,2\n"));
    service.until_metric("config_reloads_total", &[("result", "success")], 1.0).await;
    for (token, name) in [(&good, "carol"), (&bad, "dave")] {
        until("the file counts", async || {
            let verdict = kube.authenticate(token).await;
            matches!(verdict, Verdict::User(user, _) if user.username == name)
        })
        .await;
    }
}
