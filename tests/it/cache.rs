//! What is remembered, for whom, and how it ends. A hit is seen in the metrics: nothing was judged.

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::issuer::KEYS;
use crate::support::service::Setup;
use crate::support::{API, Gate, Issuer, Key, Kube, Manner, Service, Verdict, all, now, until};

/// A service that trusts one provider and keeps refusals for an hour, and a connection to it.
async fn one() -> (Issuer, Service, Kube) {
    let issuer = Issuer::start().await;
    let setup = Setup::new(json!({
        "jwt": [issuer.entry(json!({}))],
        "cache": {"authenticatedTTL": "1h", "rejectedTTL": "1h"},
    }));
    let service = setup.start().await;
    let kube = service.kube().await;
    (issuer, service, kube)
}

/// Lookups that were hits, misses and joined, and how many tokens were judged.
async fn counts(service: &Service) -> [f64; 4] {
    let metrics = service.metrics().await;
    let lookups = |result| metrics.sum("cache_lookups_total", &[("result", result)]);
    let judged = metrics.sum("authentications_total", &[]);
    [lookups("hit"), lookups("miss"), lookups("joined"), judged]
}

/// Lets one token of a key that is not known yet wait for it.
fn wait_for_a_new_key(issuer: &Issuer) -> (Gate, String) {
    let gate = Gate::closed();
    issuer.rotate();
    issuer.answers(KEYS, Manner::Held(gate.clone()));
    (gate, issuer.token(json!({})))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_given_again_to_the_same_words() {
    let (issuer, service, kube) = one().await;
    let token = issuer.token(json!({}));
    let first = kube.authenticate(&token).await;
    assert_eq!(counts(&service).await, [0.0, 1.0, 0.0, 1.0]);
    assert_eq!(kube.authenticate(&token).await, first);
    assert_eq!(counts(&service).await, [1.0, 1.0, 0.0, 1.0]);
    // Each way to ask is remembered for itself: what is remembered need not be read.
    let other = kube.clone().speaking("v1beta1");
    for hits in [1.0, 3.0] {
        assert_eq!(other.authenticate(&token).await, first);
        assert_eq!(kube.authenticate_for(&token, &[]).await.username(), "alice", "the same");
        assert_eq!(counts(&service).await, [hits, 3.0, 0.0, 3.0]);
    }
    let metrics = service.metrics().await;
    assert_eq!(metrics.sum("cache_entries", &[]), 3.0);
    assert!(metrics.sum("cache_bytes", &[]) > 100.0);
}

/// All who waited for a signature once held the places of all.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_to_be_judged_leaves_room_for_what_is_remembered() {
    let issuer = Issuer::start().await;
    let setup = Setup::new(json!({
        "jwt": [issuer.entry(json!({}))],
        "limits": {"maxRequestsInFlight": 48},
    }));
    let service = setup.start().await;
    let kube = service.kube().await;
    let token = issuer.token(json!({}));
    assert_eq!(kube.authenticate(&token).await.username(), "alice");
    let tokens: Vec<_> =
        (0..150).map(|number| issuer.token(json!({"jti": number.to_string()}))).collect();
    let mut judging = JoinSet::new();
    for token in tokens {
        let kube = kube.clone();
        judging.spawn(async move { kube.authenticate(&token).await });
    }
    while let Some(judged) = judging.join_next().await {
        assert_eq!(judged.unwrap().username(), "alice");
        assert_eq!(kube.authenticate(&token).await.username(), "alice", "remembered");
    }
    assert_eq!(service.metric("requests_shed_total", &[]).await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_for_just_these_audiences() {
    let (issuer, service, kube) = one().await;
    let token = issuer.token(json!({}));
    for (audiences, good) in [
        (&[API][..], true),
        (&["kubernetes"], true),
        (&[API, "kubernetes"], true),
        (&["kubernetes", API], true),
        (&["other"], false),
        (&["kubernetes,other"], false),
        (&["https://kubernetes.test", ""], true),
        (&["https://kubernetes.tes", "t"], false),
    ] {
        let verdict = kube.authenticate_for(&token, audiences).await;
        assert_eq!(matches!(verdict, Verdict::User(..)), good, "{audiences:?}: {verdict:?}");
    }
    assert_eq!(counts(&service).await[0], 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_ends_with_its_token() {
    let (issuer, service, kube) = one().await;
    let exp = now() + 2;
    let token = issuer.token(json!({"exp": exp}));
    until("the token expires", async || match kube.authenticate(&token).await {
        Verdict::Error(_) => true,
        verdict => {
            assert_eq!(verdict.username(), "alice");
            // The answer was given a moment ago; a second is the precision of `exp`.
            assert!(now() <= exp + 1, "served past its end");
            false
        }
    })
    .await;
    assert!(now() > exp - 1, "not before its end");
    assert!(counts(&service).await[0] >= 1.0, "it was in the cache");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_remembered_with_its_reason() {
    let (issuer, service, kube) = one().await;
    let token = issuer.token(json!({"exp": 1}));
    let first = kube.authenticate(&token).await;
    assert!(!first.error().is_empty());
    for _ in 0..5 {
        assert_eq!(kube.authenticate(&token).await, first);
    }
    assert_eq!(counts(&service).await, [5.0, 1.0, 0.0, 1.0]);
    assert_eq!(service.metric("rejections_total", &[]).await, 1.0);
    assert_eq!(service.metric("token_reviews_total", &[("result", "rejected")]).await, 6.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_need_not_be_remembered() {
    let issuer = Issuer::start().await;
    let jwt = [issuer.entry(json!({}))];
    let service = Setup::new(json!({"jwt": jwt, "cache": {"rejectedTTL": "0s"}})).start().await;
    let kube = service.kube().await;
    let token = issuer.token(json!({"exp": 1}));
    for _ in 0..3 {
        kube.authenticate(&token).await.error();
    }
    assert_eq!(counts(&service).await, [0.0, 3.0, 0.0, 3.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_when_time_alone_changes_it() {
    let (issuer, _service, kube) = one().await;
    let token = issuer.token(json!({"nbf": now() + 62}));
    kube.authenticate(&token).await.error();
    until("the token becomes valid", async || {
        matches!(kube.authenticate(&token).await, Verdict::User(..))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_want_of_a_key_ends_when_the_key_may_be_had() {
    let (issuer, _service, kube) = one().await;
    let new = Key::new("ES256");
    let token = new.token(&issuer.claims(json!({})));
    kube.authenticate(&token).await.error();
    issuer.publish(&new, []);
    until("the key is found", async || {
        matches!(kube.authenticate(&token).await, Verdict::User(..))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_checked_is_never_remembered() {
    let issuer = Issuer::start().await;
    issuer.turns(Manner::Dark);
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let (kube, token) = (service.kube().await, issuer.token(json!({})));
    for _ in 0..3 {
        kube.authenticate(&token).await.error();
    }
    let [hits, misses, ..] = counts(&service).await;
    assert_eq!((hits, misses), (0.0, 3.0));
    assert_eq!(service.metric("cache_entries", &[]).await, 0.0);
    issuer.turns(Manner::Well);
    until("the keys are there", async || {
        matches!(kube.authenticate(&token).await, Verdict::User(..))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_who_ask_the_same_wait_for_one() {
    let (issuer, service, kube) = one().await;
    let (gate, token) = wait_for_a_new_key(&issuer);
    let asking = (0..100).map(|_| {
        let (kube, token) = (kube.clone(), token.clone());
        async move { kube.authenticate(&token).await.username().to_owned() }
    });
    let asking = all(asking);
    service.until_metric("cache_lookups_total", &[("result", "joined")], 99.0).await;
    gate.open();
    assert_eq!(asking.await, ["alice"; 100]);
    assert_eq!(counts(&service).await, [0.0, 1.0, 99.0, 1.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_cancels_nothing() {
    let (issuer, service, kube) = one().await;
    let (gate, token) = wait_for_a_new_key(&issuer);
    let ask = || {
        let (kube, token) = (kube.clone(), token.clone());
        tokio::spawn(async move { kube.authenticate(&token).await })
    };
    let first = ask();
    service.until_metric("cache_lookups_total", &[("result", "miss")], 1.0).await;
    let second = ask();
    service.until_metric("cache_lookups_total", &[("result", "joined")], 1.0).await;
    for caller in [first, second] {
        caller.abort();
    }
    until("both have hung up", async || {
        service.metric("token_reviews_in_flight", &[]).await == 0.0
    })
    .await;
    gate.open();
    service.until_metric("cache_entries", &[], 1.0).await;
    assert_eq!(kube.authenticate(&token).await.username(), "alice");
    assert_eq!(counts(&service).await, [1.0, 1.0, 1.0, 1.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_did_not_change_end_nothing() {
    let (issuer, service, kube) = one().await;
    let other = Issuer::start().await;
    let token = issuer.token(json!({}));
    assert_eq!(kube.authenticate(&token).await.username(), "alice");
    let asked = issuer.asked(KEYS);
    until("keys are fetched again", async || {
        kube.authenticate(&other.key().token(&issuer.claims(json!({})))).await.error();
        issuer.asked(KEYS) > asked
    })
    .await;
    let [hits, ..] = counts(&service).await;
    assert_eq!(kube.authenticate(&token).await.username(), "alice");
    assert_eq!(counts(&service).await[0], hits + 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_issuers_new_keys_end_no_answer_of_anothers() {
    let issuers = [Issuer::start().await, Issuer::start().await];
    let service = Service::trusting(issuers.iter().map(|issuer| issuer.entry(json!({})))).await;
    let (kube, token) = (service.kube().await, issuers[0].token(json!({})));
    assert_eq!(kube.authenticate(&token).await.username(), "alice");
    issuers[1].rotate();
    assert_eq!(kube.authenticate(&issuers[1].token(json!({}))).await.username(), "alice");
    assert_eq!(kube.authenticate(&token).await.username(), "alice");
    assert_eq!(counts(&service).await[0], 1.0);
}

/// While loads that use a key are in flight, the key is withdrawn. Once the new key set is in force
/// (a token of the new key proves it), none of them may leave an answer behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_withdrawn_during_a_load_leaves_no_stale_answer() {
    let (issuer, _service, kube) = one().await;
    let old = issuer.key();
    let tokens: Vec<String> = (0..400).map(|_| old.token(&issuer.claims(json!({})))).collect();
    issuer.rotate();
    issuer.withdraw(&old);
    let (kube_of_new, new) = (kube.clone(), issuer.token(json!({})));
    let ask = |token: &String| {
        let (kube, token) = (kube.clone(), token.clone());
        async move { kube.authenticate(&token).await }
    };
    let loads = all(tokens.iter().map(ask));
    assert_eq!(kube_of_new.authenticate(&new).await.username(), "alice");
    let after = all(tokens.iter().map(ask)).await;
    let stale = after.iter().filter(|verdict| !matches!(verdict, Verdict::Error(_))).count();
    assert_eq!(stale, 0, "of 400 answers");
    let during = loads.await;
    assert!(during.iter().all(|verdict| !matches!(verdict, Verdict::Failed(..))));
}
