//! How long an answer lives, how much is held at a time, and whom a source that stalls or lies can harm.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::issuer::{CLAIMS, KEYS};
use crate::support::service::Setup;
use crate::support::signing::unique;
use crate::support::{Gate, Issuer, Manner, Service, Verdict, all, now, until};

use super::{entry, groups, refused, refuses, says, scene, token};

#[tokio::test(flavor = "multi_thread")]
async fn one_answer_serves_a_burst_and_is_kept_with_the_review() {
    let (issuer, source, service, kube) = scene().await;
    source.serves("secret", &says(&source, json!({})));
    let gate = Gate::closed();
    source.answers(CLAIMS, Manner::Held(gate.clone()));
    let burst = all((0..50).map(|n| {
        // Every other one is the same token; the others share its endpoint and access token.
        let same = token(&issuer, &source, "secret");
        let kube = kube.clone();
        async move { (n, groups(kube.authenticate(&same).await)) }
    }));
    let labels = [("result", "miss")];
    service.until_metric("cache_lookups_total", &labels, 50.0).await;
    source.until_asked(CLAIMS, 1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    gate.open();
    for (_, groups) in burst.await {
        assert_eq!(groups, ["g:a", "g:b"]);
    }
    assert_eq!(source.asked(CLAIMS), 1, "one question for fifty tokens");

    let again = token(&issuer, &source, "secret");
    for _ in 0..10 {
        assert_eq!(groups(kube.authenticate(&again).await), ["g:a", "g:b"]);
    }
    assert_eq!(source.asked(CLAIMS), 2, "a hit asks nobody");
    source.serves("other", &says(&source, json!({"groups": "c"})));
    assert_eq!(groups(kube.authenticate(&token(&issuer, &source, "other")).await), ["g:c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lives_no_longer_than_what_the_source_said() {
    let (issuer, source, _service, kube) = scene().await;
    source.serves("secret", &says(&source, json!({"exp": now() + 2})));
    let token = token(&issuer, &source, "secret");
    assert_eq!(groups(kube.authenticate(&token).await), ["g:a", "g:b"]);
    assert_eq!(groups(kube.authenticate(&token).await), ["g:a", "g:b"]);
    assert_eq!(source.asked(CLAIMS), 1);
    source.serves("secret", &says(&source, json!({"groups": "left"})));
    until("the source is asked again", async || {
        groups(kube.authenticate(&token).await) == ["g:left"]
    })
    .await;
    assert_eq!(source.asked(CLAIMS), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_foreign_issuer_rotate_and_take_their_answers_along() {
    let (issuer, source, service, kube) = scene().await;
    let old = source.key();
    source.serves("first", &says(&source, json!({})));
    let first = token(&issuer, &source, "first");
    assert_eq!(groups(kube.authenticate(&first).await), ["g:a", "g:b"]);
    source.rotate();
    source.serves("second", &says(&source, json!({"groups": "c"})));
    let second = token(&issuer, &source, "second");
    assert_eq!(groups(kube.authenticate(&second).await), ["g:c"], "a rotation goes unnoticed");

    source.rotate();
    source.withdraw(&old);
    source.serves("third", &says(&source, json!({"groups": "d"})));
    let third = token(&issuer, &source, "third");
    assert_eq!(groups(kube.authenticate(&third).await), ["g:d"], "brings the new key set");
    let what = "an answer of a withdrawn key";
    refuses(&service, &kube, &issuer, &first, "claims_source_unavailable", what).await;
    source.turns(Manner::Dark);
    assert_eq!(groups(kube.authenticate(&second).await), ["g:c"], "the others' keys are here");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_ends_when_it_ends() {
    let (issuer, source, service, kube) = scene().await;
    source.serves("secret", &says(&source, json!({})));
    source.turns(Manner::Dark);
    let token = token(&issuer, &source, "secret");
    let what = "the keys of the answer";
    refuses(&service, &kube, &issuer, &token, "claims_source_unavailable", what).await;
    source.turns(Manner::Well);
    until("the keys are had", async || {
        matches!(kube.authenticate(&token).await, Verdict::User(..))
    })
    .await;
    let metrics = service.metrics().await;
    assert_eq!(metrics.matching("jwks_keys", &[]).count(), 1, "foreign issuers are no labels");
}

/// kube-apiserver remembers no failure, and a client may come many times a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_failed_is_left_alone_for_a_second() {
    let (issuer, source, service, kube) = scene().await;
    let (began, token) = (Instant::now(), token(&issuer, &source, "wrong"));
    let mut reviews = 0_usize;
    while began.elapsed() < Duration::from_millis(1500) || reviews < 20 {
        kube.authenticate(&token).await.error();
        reviews += 1;
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    let asked = source.asked(CLAIMS);
    assert!((1..=seconds + 1).contains(&asked), "{asked} times in {seconds} s");
    let refused = refused(&service, &issuer, "claims_source_unavailable").await;
    assert_eq!(refused, reviews as f64, "each is judged all the same");
    source.serves("wrong", &says(&source, json!({})));
    until("the source is asked again", async || {
        matches!(kube.authenticate(&token).await, Verdict::User(..))
    })
    .await;
}

/// Whoever waits for a source holds up only those who wait for the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_source_holds_up_nobody_else() {
    let (issuer, other) = (Issuer::start().await, Issuer::start().await);
    let (stalled, well) = (Issuer::start().await, Issuer::start().await);
    let service = Service::trusting([entry(&issuer), entry(&other)]).await;
    stalled.answers(CLAIMS, Manner::Stalls);
    well.serves("secret", &says(&well, json!({})));
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let kube = service.kube().await;
        for _ in 0..300 {
            let (kube, token) = (kube.clone(), token(&issuer, &stalled, &unique("secret")));
            waiting.push(async move { kube.authenticate(&token).await });
        }
    }
    let began = Instant::now();
    let flood = all(waiting);
    let labels = [("issuer", &*issuer.url), ("reason", "claims_source_unavailable")];
    service.until_metric("rejections_total", &labels, 300.0).await;
    let kube = service.kube().await;
    for _ in 0..20 {
        assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "alice");
        assert_eq!(kube.authenticate(&other.token(json!({}))).await.username(), "alice");
        for issuer in [&issuer, &other] {
            let verdict = kube.authenticate(&token(issuer, &well, "secret")).await;
            assert_eq!(groups(verdict), ["g:a", "g:b"], "another source");
        }
    }
    let waiting = service.metric("token_reviews_in_flight", &[]).await;
    let asked = stalled.asked(CLAIMS);
    if began.elapsed() < Duration::from_secs(4) {
        assert!((1.0..=128.0).contains(&waiting), "half of the issuer's places: {waiting}");
        assert_eq!(asked, 16, "at a time");
    }
    for verdict in flood.await {
        verdict.error();
    }
    assert!(stalled.asked(CLAIMS) <= 2 * 128, "{}", stalled.asked(CLAIMS));
    assert_eq!(service.metric("requests_shed_total", &[]).await, 0.0);
}

/// Slow sources and slow issuers have a name: the review ends before its own deadline.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_given_up_before_the_review_is() {
    let (issuer, source) = (Issuer::start().await, Issuer::start().await);
    let setup = Setup::new(json!({
        "jwt": [entry(&issuer)], "limits": {"requestTimeout": "1s"},
    }));
    let service = setup.start().await;
    let kube = service.kube().await;
    for (what, path, manner) in [
        ("a source that stalls", CLAIMS, Manner::Stalls),
        ("a source that drips", CLAIMS, Manner::Drips),
        ("keys that stall", KEYS, Manner::Stalls),
    ] {
        source.answers(path, manner);
        let secret = unique("secret");
        source.serves(&secret, &says(&source, json!({})));
        let token = token(&issuer, &source, &secret);
        refuses(&service, &kube, &issuer, &token, "claims_source_unavailable", what).await;
        source.answers(path, Manner::Well);
    }
    assert_eq!(refused(&service, &issuer, "timeout").await, 0.0);
}

/// Answers are a megabyte each: those that wait for their issuer's keys keep their turn.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_answers_are_held_than_are_asked_for_at_once() {
    let (issuer, source, _service, kube) = scene().await;
    let gate = Gate::closed();
    source.answers(KEYS, Manner::Held(gate.clone()));
    let reviews = all((0..40).map(|_| {
        let secret = unique("secret");
        source.serves(&secret, &says(&source, json!({})));
        let (kube, token) = (kube.clone(), token(&issuer, &source, &secret));
        async move { groups(kube.authenticate(&token).await) }
    }));
    source.until_asked(KEYS, 1).await;
    source.until_asked(CLAIMS, 16).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(source.asked(CLAIMS), 16);
    gate.open();
    assert_eq!(reviews.await, vec![["g:a", "g:b"]; 40]);
    assert_eq!(source.asked(CLAIMS), 40);
}

/// A source that names ever new issuers has four places, and no one else's.
#[tokio::test(flavor = "multi_thread")]
async fn many_foreign_issuers_are_few_at_a_time() {
    let (issuer, good, liar) =
        (Issuer::start().await, Issuer::start().await, Issuer::start().await);
    let setup = Setup::new(json!({"jwt": [entry(&issuer)]})).with_pace(|pace| {
        // Whose keys are held is fetched again and again.
        pace.keys.min_refresh = Duration::from_millis(20);
        pace.keys.max_refresh = Duration::from_millis(20);
    });
    let service = setup.start().await;
    let kube = service.kube().await;
    good.serves("secret", &says(&good, json!({})));
    assert_eq!(groups(kube.authenticate(&token(&issuer, &good, "secret")).await), ["g:a", "g:b"]);
    let mut foreign = Vec::new();
    for _ in 0..12 {
        let other = Issuer::start().await;
        let secret = unique("secret");
        liar.serves(&secret, &says(&other, json!({})));
        let verdict = kube.authenticate(&token(&issuer, &liar, &secret)).await;
        assert_eq!(groups(verdict), ["g:a", "g:b"]);
        foreign.push(other);
    }
    let asked = || foreign.iter().map(|issuer| issuer.asked(KEYS)).collect::<Vec<_>>();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (before, of_the_good) = (asked(), good.asked(KEYS));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let held = before.iter().zip(asked()).filter(|(before, after)| after > *before).count();
    assert!((1..=4).contains(&held), "{held} of twelve are held");
    assert!(good.asked(KEYS) > of_the_good, "others are not driven out");
}
