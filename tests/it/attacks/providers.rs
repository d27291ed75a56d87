//! Identity providers that mean no good: they cost their own tokens, and nobody else's.

use serde_json::json;

use crate::support::bystander::Besieged;
use crate::support::issuer::{DISCOVERY, KEYS};
use crate::support::{Issuer, Key, Manner, until};

/// A process that trusts this issuer beside the honest one.
async fn beside(issuer: &Issuer) -> Besieged {
    Besieged::with([issuer.entry(json!({}))]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_keys_are_a_hundred_and_a_token_is_tried_on_sixteen() {
    let hostile = Issuer::start().await;
    let key = Key::new("ES256");
    let many: Vec<_> = (0..10_000)
        .map(|number| {
            let mut public = key.public();
            public["kid"] = json!(number.to_string());
            public
        })
        .collect();
    hostile.answers(KEYS, Manner::Says(json!({ "keys": many }).to_string()));
    let besieged = beside(&hostile).await;
    let kube = besieged.process.kube().await;
    for _ in 0..50 {
        kube.authenticate(&Key::new("ES256").token(&hostile.claims(json!({})))).await.error();
    }
    besieged.stays_well().await;
}

/// One that answers a byte at a time, one that sends round in circles, one that floods, one that
/// never answers, and one whose name is in no DNS.
#[tokio::test(flavor = "multi_thread")]
async fn providers_that_keep_one_busy_hold_up_no_other() {
    type Misbehave = fn(&Issuer);
    let manners: [(&str, Misbehave); 6] = [
        ("drips", |issuer| issuer.turns(Manner::Drips)),
        ("stalls", |issuer| issuer.turns(Manner::Stalls)),
        ("floods", |issuer| issuer.turns(Manner::Floods(64 << 20))),
        ("redirects to itself", |issuer| {
            issuer.answers(KEYS, Manner::Redirects(format!("{}{KEYS}", issuer.url)))
        }),
        ("leads back to its discovery", |issuer| {
            issuer.claims_to_be(json!({"jwks_uri": format!("{}{DISCOVERY}", issuer.url)}));
        }),
        ("is another", |issuer| issuer.claims_to_be(json!({"issuer": "https://another.test"}))),
    ];
    for (what, misbehave) in manners {
        let hostile = Issuer::start().await;
        misbehave(&hostile);
        let besieged = beside(&hostile).await;
        let kube = besieged.process.kube().await;
        let refused = kube.authenticate(&hostile.token(json!({}))).await;
        assert!(refused.error().contains("could not be checked"), "{what}: {refused:?}");
        until(what, async || hostile.asked(DISCOVERY) > 0).await;
        besieged.stays_well().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_in_no_dns_is_dark_alone() {
    let lost = json!({"issuer": {
        "url": "https://nowhere.invalid", "audiences": ["kubernetes"],
    }, "claimMappings": {"username": {"claim": "sub", "prefix": ""}}});
    let besieged = Besieged::with([lost]).await;
    besieged.stays_well().await;
}
