//! What a log says, and what it must never say.

use serde_json::{Value, json};

use crate::support::client::Protocol;
use crate::support::signing::unique;
use crate::support::{Caller, Issuer, Key, Kube, Manner, Service, all, logs};

fn fields(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_one_line_with_issuer_and_reason() {
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let kube = service.kube().await;
    kube.authenticate(&issuer.token(json!({"exp": 1}))).await.error();
    let lines: Vec<_> = logs::with(&issuer.url)
        .iter()
        .map(|line| fields(line))
        .filter(|line| line["reason"] == "expired")
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["issuer"], &lines[0]["level"]), (&json!(issuer.url), &json!("INFO")));
}

/// A typo in an issuer URL is the commonest mistake of all.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_nobodys_is_logged_with_what_it_says_of_itself() {
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let kube = service.kube().await;
    let name = unique("nobody");
    let iss = format!("https://{name}\n\u{1b}[31m\"{}", "x".repeat(10_000));
    kube.authenticate(&issuer.token(json!({"iss": iss}))).await;
    let lines = logs::with(&name);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].len() < 1000, "it is cut: {}", lines[0].len());
    assert_eq!(fields(&lines[0])["reason"], "no_issuer");
    assert!(!lines[0].contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_may_not_ask_is_logged_with_the_reason() {
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let kube =
        service.connect(Caller::Named("a-stranger-in-the-log"), Protocol::Http2).await.unwrap();
    let token = issuer.token(json!({}));
    assert_eq!(kube.send(kube.review(&token, &[])).await.unwrap().status().as_u16(), 403);
    let lines = logs::with("a-stranger-in-the-log");
    let line = fields(lines.first().expect("a line"));
    assert_eq!(line["message"], "a caller was refused");
    assert!(line["client.addr"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refusals_writes_few_lines() {
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let kube = service.kube().await;
    let refused = (0..20).map(|_| {
        let (kube, key, claims) = (kube.clone(), issuer.key(), issuer.claims(json!({"exp": 1})));
        async move {
            for number in 0..50 {
                let mut claims = claims.clone();
                claims["n"] = json!(format!("{}-{number}", unique("n")));
                kube.authenticate(&key.token(&claims)).await.error();
            }
        }
    });
    all(refused).await;
    let labels = [("issuer", &*issuer.url), ("reason", "expired")];
    assert_eq!(service.metric("rejections_total", &labels).await, 1000.0, "all are counted");
    let lines = logs::with(&issuer.url).iter().filter(|line| line.contains("expired")).count();
    assert!((1..200).contains(&lines), "{lines} lines");
}

/// Tokens of every fate, with claims that can be recognized.
async fn every_fate(issuer: &Issuer, kube: &Kube) -> (Vec<String>, String) {
    let secret = unique("hush");
    let with = |over: Value| {
        let mut all = json!({
            "sub": secret, "email": secret, "groups": [secret], "hd": secret, "nonce": secret,
        });
        crate::support::lay(&mut all, over);
        issuer.claims(all)
    };
    let key = issuer.key();
    let stranger = Key::new("ES256");
    let mut tokens = vec![
        key.token(&with(json!({}))),
        key.token(&with(json!({"exp": 1}))),
        key.token(&with(json!({"aud": secret}))),
        key.token(&with(json!({"sub": {"x": secret}}))),
        key.token(&with(json!({"sub": null}))),
        key.token(&with(json!({"exp": secret}))),
        key.token(&with(json!({"iss": "https://elsewhere.test"}))),
        key.token(&with(json!({"padding": "x".repeat(70_000)}))),
        key.token_of(r#"{"alg":"none"}"#, &with(json!({})).to_string()),
        stranger.token(&with(json!({}))),
        stranger.named(&key.kid).token(&with(json!({}))),
        format!("{secret}.{secret}"),
        key.token(&with(json!({}))).replace('.', ".."),
    ];
    for token in &tokens {
        kube.authenticate(token).await;
        // As a body that cannot be read, too.
        kube.send(kube.post(format!(r#"{{"spec":{{"token":"{token}","token":1}}}}"#)))
            .await
            .unwrap();
        kube.send(kube.post(token.clone())).await.unwrap();
    }
    issuer.turns(Manner::Dark);
    tokens.push(Key::new("ES256").token(&with(json!({}))));
    kube.authenticate(tokens.last().unwrap()).await;
    (tokens, secret)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_holds_a_token_or_a_claim() {
    let issuer = Issuer::start().await;
    let mapped = json!({
        "claimMappings": {"groups": {"claim": "groups", "prefix": ""}},
        "claimValidationRules": [{"claim": "nonce", "requiredValue": "other"}],
    });
    let service = Service::trusting([issuer.entry(mapped)]).await;
    let kube = service.kube().await;
    let (tokens, secret) = every_fate(&issuer, &kube).await;
    assert!(!logs::with(&issuer.url).is_empty(), "there is a log");
    for token in tokens {
        for part in token.split('.').filter(|part| part.len() > 40) {
            // A header says nothing of its own: many tokens have the same.
            let lines = logs::with(&part[part.len() - 40..]);
            assert_eq!(lines, Vec::<String>::new());
        }
    }
    let lines = logs::with(&secret);
    assert_eq!(lines, Vec::<String>::new(), "a claim's value");
    let (_, metrics) = service.admin("/metrics").await;
    assert!(!metrics.contains(&secret));
    let (_, checks) = service.admin("/readyz?verbose").await;
    assert!(!checks.contains(&secret));
}
