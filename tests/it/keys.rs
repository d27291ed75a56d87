//! Where keys come from and go: rotation, withdrawal, outages, and providers that lie.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::issuer::{DISCOVERY, KEYS, MOVED_KEYS};
use crate::support::service::Setup;
use crate::support::signing::encode;
use crate::support::{Issuer, Key, Kube, Manner, Service, Verdict, all, logs, pki, until};

/// A service that trusts one provider, and a connection to it.
async fn one() -> (Issuer, Service, Kube) {
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let kube = service.kube().await;
    (issuer, service, kube)
}

/// How often tokens of `issuer` were refused for `reason`.
async fn refused(service: &Service, issuer: &Issuer, reason: &str) -> f64 {
    let labels = [("issuer", &*issuer.url), ("reason", reason)];
    service.metric("rejections_total", &labels).await
}

/// How often the keys of `issuer` were fetched, with that result.
async fn fetched(service: &Service, issuer: &Issuer, result: &str) -> f64 {
    let labels = [("issuer", &*issuer.url), ("result", result)];
    service.metric("jwks_fetches_total", &labels).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_goes_unnoticed() {
    let (issuer, service, kube) = one().await;
    let before = issuer.token(json!({}));
    assert_eq!(kube.authenticate(&before).await.username(), "alice");
    issuer.rotate();
    let asked = (0..50).map(|_| {
        let (kube, token) = (kube.clone(), issuer.token(json!({})));
        async move { kube.authenticate(&token).await.username().to_owned() }
    });
    assert_eq!(all(asked).await, ["alice"; 50]);
    let old = issuer.token(json!({}));
    assert_eq!(kube.authenticate(&before).await.username(), "alice", "the old key still counts");
    assert_eq!(kube.authenticate(&old).await.username(), "alice");
    assert_eq!(service.metric("rejections_total", &[]).await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_key_dies_at_once_and_takes_its_answers_along() {
    let (issuer, service, kube) = one().await;
    let (first, old) = (issuer.token(json!({})), issuer.key());
    for _ in 0..2 {
        assert_eq!(kube.authenticate(&first).await.username(), "alice");
    }
    assert_eq!(service.metric("cache_lookups_total", &[("result", "hit")]).await, 1.0);
    issuer.rotate();
    issuer.withdraw(&old);
    let second = issuer.token(json!({}));
    assert_eq!(kube.authenticate(&second).await.username(), "alice", "brings the new key set");
    kube.authenticate(&first).await.error();
    assert_eq!(refused(&service, &issuer, "unknown_key").await, 1.0);
    assert_eq!(kube.authenticate(&second).await.username(), "alice", "the other one lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kid_that_is_used_again_means_the_new_key() {
    let (issuer, service, kube) = one().await;
    let (first, kid) = (issuer.token(json!({})), issuer.key().kid);
    assert_eq!(kube.authenticate(&first).await.username(), "alice");
    issuer.publish(&Key::new("ES256").named(&kid), []);
    assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "alice");
    kube.authenticate(&first).await.error();
    assert_eq!(refused(&service, &issuer, "bad_signature").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_kid_is_tried_with_every_key_new_ones_too() {
    let (issuer, service, kube) = one().await;
    let nameless =
        |key: &Key| key.token_of(r#"{"alg":"ES256"}"#, &issuer.claims(json!({})).to_string());
    assert_eq!(kube.authenticate(&nameless(&issuer.key())).await.username(), "alice");
    let new = issuer.rotate();
    assert_eq!(kube.authenticate(&nameless(&new)).await.username(), "alice");
    kube.authenticate(&nameless(&Key::new("ES256"))).await.error();
    assert_eq!(refused(&service, &issuer, "bad_signature").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_survived_with_warm_keys() {
    let (issuer, service, kube) = one().await;
    issuer.turns(Manner::Dark);
    let new = Key::new("ES256");
    let unknown = new.token(&issuer.claims(json!({})));
    kube.authenticate(&unknown).await.error();
    service.until_metric("jwks_fetches_total", &[("result", "failure")], 1.0).await;
    assert_eq!(refused(&service, &issuer, "unknown_key").await, 0.0, "who knows, in an outage");
    assert!(refused(&service, &issuer, "keys_unavailable").await >= 1.0);
    for _ in 0..20 {
        let verdict = kube.authenticate(&issuer.token(json!({}))).await;
        assert_eq!(verdict.username(), "alice", "the last good keys serve on");
    }
    assert_eq!(service.admin("/readyz").await.0, 200, "an outage elsewhere is not ours");
    issuer.publish(&new, []);
    issuer.turns(Manner::Well);
    until("the new key is had", async || {
        matches!(kube.authenticate(&unknown).await, Verdict::User(..))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_answer_changes_nothing() {
    let (mut issuer, service, kube) = one().await;
    let clear = issuer.in_the_clear().await;
    let elsewhere = format!("{}/keys", issuer.url);
    for (what, path, manner) in [
        ("an error", KEYS, Manner::Status(500)),
        ("no JSON", KEYS, Manner::Says("<html>".to_owned())),
        ("nothing", KEYS, Manner::Says(String::new())),
        ("no key", KEYS, Manner::Says(r#"{"keys":[]}"#.to_owned())),
        ("no usable key", KEYS, Manner::Says(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#.to_owned())),
        ("no set", KEYS, Manner::Says("{}".to_owned())),
        ("a list", KEYS, Manner::Says("[]".to_owned())),
        ("100 MB", KEYS, Manner::Floods(100 << 20)),
        ("a loop", KEYS, Manner::Redirects(elsewhere)),
        (
            "discovery without keys",
            DISCOVERY,
            Manner::Says(json!({"issuer": issuer.url}).to_string()),
        ),
        (
            "a lying discovery",
            DISCOVERY,
            Manner::Says(
                json!({"issuer": "https://x.test", "jwks_uri": "https://x.test/"}).to_string(),
            ),
        ),
        (
            "keys without TLS",
            DISCOVERY,
            Manner::Says(
                json!({"issuer": issuer.url, "jwks_uri": format!("{clear}{KEYS}")}).to_string(),
            ),
        ),
    ] {
        issuer.answers(path, manner);
        let failures = fetched(&service, &issuer, "failure").await;
        let stranger = Key::new("ES256");
        until(&format!("{what} is met"), async || {
            // Each try wakes it, as soon as it is rested from the last failure.
            kube.authenticate(&stranger.token(&issuer.claims(json!({})))).await.error();
            fetched(&service, &issuer, "failure").await > failures
        })
        .await;
        let verdict = kube.authenticate(&issuer.token(json!({}))).await;
        assert_eq!(verdict.username(), "alice", "after {what}");
        let keys = service.metric("jwks_keys", &[("issuer", &*issuer.url)]).await;
        assert_eq!(keys, 1.0, "after {what}");
        issuer.answers(path, Manner::Well);
        issuer.publish(&stranger, []);
        until(&format!("{what} is over"), async || {
            let verdict = kube.authenticate(&issuer.token(json!({}))).await;
            matches!(verdict, Verdict::User(..))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_broken_key_does_not_spoil_the_good_ones() {
    let issuer = Issuer::start().await;
    let good = issuer.key();
    let change = |over: Value| {
        let mut key = Key::new("ES256").public();
        crate::support::lay(&mut key, over);
        key
    };
    issuer.publish(&good, [
        json!("a key"),
        json!(null),
        json!({}),
        json!({"kty": "XYZ", "kid": "of-tomorrow"}),
        json!({"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}),
        json!({"kty": "RSA", "kid": "no-modulus", "e": "AQAB"}),
        json!({"kty": "RSA", "kid": "small", "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDprecbAYxknTcQkhslANGRUZmdTOQ5qTRsLAt6BTYuyvVRdhS8exSZEy_c4", "e": "AQAB"}),
        change(json!({"x": "not base64!"})),
        change(json!({"x": "AAAA"})),
        change(json!({"y": change(json!({}))["y"]})),
        change(json!({"kid": 7})),
        change(json!({"crv": "secp256k1"})),
        change(json!({"use": "enc"})),
    ]);
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let verdict = service.kube().await.authenticate(&issuer.token(json!({}))).await;
    assert_eq!(verdict.username(), "alice");
    let warnings = logs::with(&issuer.url);
    for skipped in ["of-tomorrow", "no-modulus", "small"] {
        assert!(warnings.iter().any(|line| line.contains(skipped)), "{skipped}: {warnings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_unknown_kids_cause_one_fetch_per_window() {
    let issuer = Issuer::start().await;
    let setup = Setup::new(json!({"jwt": [issuer.entry(json!({}))]}));
    const WINDOW: Duration = Duration::from_secs(1);
    let service = setup.with_pace(|pace| pace.keys.cooldown = WINDOW).start().await;
    let (asked, start) = (issuer.asked(KEYS), Instant::now());
    let good = issuer.token(json!({}));
    let (_, signature) = good.rsplit_once('.').unwrap();
    let (kube, claims) = (service.kube().await, issuer.claims(json!({})).to_string());
    let forgers = (0..50).map(|forger| {
        let (kube, claims, signature) = (kube.clone(), claims.clone(), signature.to_owned());
        async move {
            for kid in 0..200 {
                let header = format!(r#"{{"alg":"ES256","kid":"{forger}-{kid}"}}"#);
                let token = format!("{}.{}.{signature}", encode(header), encode(&claims));
                kube.authenticate(&token).await.error();
            }
        }
    });
    all(forgers).await;
    let windows = start.elapsed().div_duration_f64(WINDOW) as usize + 1;
    let fetches = issuer.asked(KEYS) - asked;
    assert!((1..=windows).contains(&fetches), "{fetches} fetches in {windows} windows");
    assert_eq!(refused(&service, &issuer, "unknown_key").await, 10_000.0);
    assert_eq!(kube.authenticate(&good).await.username(), "alice");
}

/// Nothing that a provider says of itself makes its tokens good, if it says the wrong thing.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_lies_about_its_name_is_not_believed() {
    let (issuer, other) = (Issuer::start().await, Issuer::start().await);
    for lie in [other.url.clone(), format!("{}/", issuer.url), issuer.url.to_uppercase()] {
        issuer.claims_to_be(json!({"issuer": lie}));
        let service = Service::trusting([issuer.entry(json!({}))]).await;
        service.kube().await.authenticate(&issuer.token(json!({}))).await.error();
        assert!(refused(&service, &issuer, "keys_unavailable").await >= 1.0);
        let (_, checks) = service.admin("/readyz?verbose").await;
        assert!(checks.contains(&issuer.url), "{checks}");
    }
    assert_eq!(issuer.asked(KEYS), 0, "and its keys are not even asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_may_lie_elsewhere_and_move_within_their_origin_only() {
    let (issuer, other) = (Issuer::start().await, Issuer::start().await);
    let trusts = async |issuer: &Issuer| {
        let service = Service::trusting([issuer.entry(json!({}))]).await;
        matches!(
            service.kube().await.authenticate(&issuer.token(json!({}))).await,
            Verdict::User(..)
        )
    };
    issuer.answers(KEYS, Manner::Redirects(format!("{}{MOVED_KEYS}", issuer.url)));
    assert!(trusts(&issuer).await, "moved within its origin");
    issuer.answers(KEYS, Manner::Redirects(format!("{}{KEYS}", other.url)));
    other.publish(&issuer.key(), []);
    assert!(!trusts(&issuer).await, "moved to another origin");
    issuer.answers(DISCOVERY, Manner::Redirects(format!("{}{DISCOVERY}", other.url)));
    assert!(!trusts(&issuer).await, "discovery moved to another origin");
    assert_eq!((other.asked(KEYS), other.asked(DISCOVERY)), (0, 0));
    issuer.turns(Manner::Well);
    issuer.claims_to_be(json!({"jwks_uri": format!("{}{KEYS}", other.url)}));
    assert!(trusts(&issuer).await, "discovery names another origin, as that of Google does");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_another_authority_is_not_believed() {
    let issuer = Issuer::start().await;
    let other = json!({"issuer": {"certificateAuthority": pki::SERVERS.pem}});
    let service = Service::trusting([issuer.entry(other)]).await;
    service.kube().await.authenticate(&issuer.token(json!({}))).await.error();
    assert!(refused(&service, &issuer, "keys_unavailable").await >= 1.0);
    assert_eq!(issuer.asked(DISCOVERY), 0);
    let file =
        json!({"issuer": {"certificateAuthority": null, "certificateAuthorityFile": "ca.crt"}});
    let setup = Setup::new(json!({"jwt": [issuer.entry(file)]}));
    let service = setup.with_file("ca.crt", &pki::PROVIDERS.pem).start().await;
    let verdict = service.kube().await.authenticate(&issuer.token(json!({}))).await;
    assert_eq!(verdict.username(), "alice");
}

/// A drip, a stall: neither holds up anybody else, nor the start for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_never_ends_its_answer_is_given_up() {
    let good = Issuer::start().await;
    for manner in [Manner::Drips, Manner::Stalls] {
        let slow = Issuer::start().await;
        slow.answers(KEYS, manner);
        let entries = [slow.entry(json!({})), good.entry(json!({}))];
        let start = async |fetch_timeout| {
            let setup = Setup::new(json!({"jwt": entries})).with_pace(|pace| {
                pace.keys.fetch_timeout = fetch_timeout;
                pace.keys.patience = Duration::from_millis(50);
            });
            setup.launch().await
        };
        let service = start(Duration::from_secs(3600)).await;
        slow.until_asked(KEYS, 1).await;
        assert_eq!(service.admin("/readyz").await.0, 500, "it is still being tried");

        let service = start(Duration::from_millis(500)).await;
        service.until_ready().await;
        assert!(fetched(&service, &slow, "failure").await >= 1.0, "it was tried in vain");
        let kube = service.kube().await;
        assert_eq!(kube.authenticate(&good.token(json!({}))).await.username(), "alice");
        kube.authenticate(&slow.token(json!({}))).await.error();
        assert_eq!(refused(&service, &slow, "keys_unavailable").await, 1.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_by_their_own_address_or_by_another_discovery() {
    let issuer = Issuer::start().await;
    let by_keys = json!({"issuer": {"jwksURL": format!("{}{MOVED_KEYS}", issuer.url)}});
    let service = Service::trusting([issuer.entry(by_keys)]).await;
    let verdict = service.kube().await.authenticate(&issuer.token(json!({}))).await;
    assert_eq!(verdict.username(), "alice");
    assert_eq!((issuer.asked(DISCOVERY), issuer.asked(KEYS), issuer.asked(MOVED_KEYS)), (0, 0, 1));

    let inside = Issuer::start().await;
    inside.claims_to_be(json!({"issuer": issuer.url}));
    let by_discovery = json!({"issuer": {"discoveryURL": format!("{}{DISCOVERY}", inside.url)}});
    let service = Service::trusting([issuer.entry(by_discovery)]).await;
    let token = inside.key().token(&issuer.claims(json!({})));
    assert_eq!(service.kube().await.authenticate(&token).await.username(), "alice");
    assert_eq!(issuer.asked(DISCOVERY), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_a_file_are_read_again_when_it_changes() {
    let issuer = Issuer::start().await;
    issuer.turns(Manner::Dark);
    let entry = json!({"issuer": {"certificateAuthority": null, "jwksFile": "keys.json"}});
    let setup = Setup::new(json!({"jwt": [issuer.entry(entry)]}));
    let service = setup.with_file("keys.json", &issuer.key_set()).start().await;
    let kube = service.kube().await;
    let (first, old) = (issuer.token(json!({})), issuer.key());
    assert_eq!(kube.authenticate(&first).await.username(), "alice");

    service.write("keys.json", "{ not keys");
    service.until_metric("jwks_fetches_total", &[("result", "failure")], 1.0).await;
    let fresh = old.token(&issuer.claims(json!({})));
    assert_eq!(kube.authenticate(&fresh).await.username(), "alice", "the last good keys stay");

    issuer.rotate();
    issuer.withdraw(&old);
    service.write("keys.json", &issuer.key_set());
    service.until_metric("jwks_fetches_total", &[("result", "success")], 2.0).await;
    kube.authenticate(&first).await.error();
    assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "alice");
    assert_eq!(issuer.asked(KEYS) + issuer.asked(DISCOVERY), 0);
}
