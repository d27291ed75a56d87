//! Junk at full rate: refused, bounded, and hardly logged.

use serde_json::json;

use crate::support::bystander::Besieged;
use crate::support::client::Protocol;
use crate::support::signing::unique;
use crate::support::{API, Caller, Key, Kube, Verdict, all};

/// Sends `tokens` of each of eight connections at once.
async fn flood(besieged: &Besieged, tokens: impl Fn(usize) -> String, judge: fn(&Verdict) -> bool) {
    let mut floods = Vec::new();
    for _ in 0..8 {
        let kube: Kube = besieged.process.kube().await;
        let tokens: Vec<_> = (0..400).map(&tokens).collect();
        floods.push(async move {
            let mut strange = Vec::new();
            for token in tokens {
                let verdict = kube.authenticate_for(&token, &[API]).await;
                if !judge(&verdict) {
                    strange.push(verdict);
                }
            }
            strange
        });
    }
    let floods = all(floods);
    besieged.until_answered(20).await;
    let strange: Vec<_> = floods.await.into_iter().flatten().collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_tokens_leave_memory_and_log_flat() {
    let besieged = Besieged::start().await;
    flood(&besieged, |_| unique("junk"), |verdict| *verdict == Verdict::Nobody).await;
    let large = |number: usize| format!("{}{}", unique("junk"), "x".repeat(40 * number));
    flood(&besieged, large, |verdict| *verdict == Verdict::Nobody).await;
    let lines = besieged.process.log_lines();
    assert!(lines < 500, "{lines} lines for 6,400 tokens");
    besieged.stays_well().await;
}

/// Each is looked up, judged and remembered: more than the negative cache holds.
#[tokio::test(flavor = "multi_thread")]
async fn refused_tokens_and_unknown_kids_leave_memory_and_log_flat() {
    let besieged = Besieged::start().await;
    let (claims, stranger) = (besieged.issuer.claims(json!({})), Key::new("ES256"));
    let unknown_kid = move |_| {
        let mut claims = claims.clone();
        claims["jti"] = json!(unique("jti"));
        stranger.named(&unique("kid")).token(&claims)
    };
    flood(&besieged, unknown_kid, |verdict| matches!(verdict, Verdict::Error(_))).await;
    let (key, claims) = (besieged.issuer.key(), besieged.issuer.claims(json!({"aud": "other"})));
    let refused = move |_| {
        let mut claims = claims.clone();
        claims["jti"] = json!(unique("jti"));
        key.token(&claims)
    };
    flood(&besieged, refused, |verdict| matches!(verdict, Verdict::Error(_))).await;
    let lines = besieged.process.log_lines();
    assert!(lines < 500, "{lines} lines for 6,400 refusals");
    besieged.stays_well().await;
}

/// As much as a token may hold: many claims, one large claim, deep claims, many groups.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_64_kib_are_judged_beside_everybody_else() {
    let besieged = Besieged::start().await;
    let issuer = &besieged.issuer;
    let many: serde_json::Map<_, _> =
        (0..3000).map(|number| (format!("c{number}"), json!(number))).collect();
    let deep = format!("{}1{}", "[".repeat(15_000), "]".repeat(15_000));
    let payloads = [
        issuer.claims(json!({"large": "x".repeat(45_000)})).to_string(),
        issuer.claims(serde_json::Value::Object(many)).to_string(),
        issuer.claims(json!({"groups": vec!["g"; 10_000]})).to_string(),
        issuer.claims(json!({"deep": "DEEP"})).to_string().replace("\"DEEP\"", &deep),
    ];
    let key = issuer.key();
    let header = key.header().to_string();
    let tokens: Vec<_> = payloads.iter().map(|payload| key.token_of(&header, payload)).collect();
    assert!(tokens.iter().all(|token| (30_000..65_536).contains(&token.len())));
    let next = move |number: usize| tokens[number % tokens.len()].clone();
    let judged = |verdict: &Verdict| matches!(verdict, Verdict::User(..) | Verdict::Error(_));
    flood(&besieged, next, judged).await;
    besieged.stays_well().await;
}

/// More than may be at hand by these limits: what is not refused for its name is refused for that, and
/// no answer is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_refusals_in_parallel_are_all_answered() {
    let besieged = Besieged::start().await;
    for _ in 0..5 {
        let mut asking = Vec::new();
        for _ in 0..4 {
            let caller = Caller::Named("somebody");
            let address = besieged.process.webhook;
            let kube = Kube::connect_as(address, caller, Protocol::Http2).await.unwrap();
            asking.extend((0..250).map(|_| {
                let (kube, request) = (kube.clone(), kube.review(&unique("junk"), &[API]));
                async move { kube.send(request).await.map(|answer| answer.status().as_u16()) }
            }));
        }
        let answers = all(asking).await;
        let lost: Vec<_> =
            answers.iter().filter(|answer| !matches!(answer, Ok(403 | 503))).collect();
        assert!(lost.is_empty(), "{} lost: {:?}", lost.len(), lost[0]);
    }
    let lines = besieged.process.log_lines();
    assert!(lines < 100, "{lines} lines for 5,000 refusals");
    besieged.stays_well().await;
}

/// Whoever has no certificate may show a token instead.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_with_junk_for_themselves_leave_memory_and_log_flat() {
    let besieged = Besieged::start().await;
    let (claims, stranger) = (besieged.issuer.claims(json!({})), Key::new("ES256"));
    let mut floods = Vec::new();
    for _ in 0..8 {
        let address = besieged.process.webhook;
        let kube = Kube::connect_as(address, Caller::Nobody, Protocol::Http2).await.unwrap();
        let (claims, stranger) = (claims.clone(), stranger.clone());
        floods.push(async move {
            for number in 0..400 {
                let token = match number % 2 {
                    0 => unique("junk"),
                    _ => stranger.clone().named(&unique("kid")).token(&claims),
                };
                let mut request = kube.review("junk", &[API]);
                *request.uri_mut() =
                    format!("https://{address}/apis/authentication.k8s.io/v1/tokenreviews")
                        .parse()
                        .unwrap();
                let bearer = format!("Bearer {token}").parse().unwrap();
                request.headers_mut().insert("authorization", bearer);
                let status = kube.send(request).await.unwrap().status().as_u16();
                assert!([401, 403, 404].contains(&status), "{status}");
            }
        });
    }
    let floods = all(floods);
    besieged.until_answered(20).await;
    floods.await;
    let lines = besieged.process.log_lines();
    assert!(lines < 200, "{lines} lines for 3,200 strangers");
    besieged.stays_well().await;
}
