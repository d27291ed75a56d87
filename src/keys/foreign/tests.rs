//! Foreign issuers before a server that is all of them.

use http::Response;
use http_body_util::{BodyExt, Empty};

use crate::fetch::Network;
use crate::fetch::origin::{Origin, ok};
use crate::keys::Settings;
use crate::keys::specimen::{key, key_set};
use crate::token::Jwks;

use super::*;

/// Every path is an issuer of its own, but those that begin with `/no`.
async fn world() -> Origin {
    let (url, port) = (tokio::sync::watch::Sender::new(String::new()), "https://localhost");
    let seen = url.subscribe();
    let keys = key_set(&[key("k")]);
    let origin = Origin::serve(move |path: String| {
        let (base, keys) = (seen.borrow().clone(), keys.clone());
        async move {
            if path.starts_with("/no") {
                return Response::builder().status(404).body(Empty::new().boxed()).unwrap();
            }
            match path.strip_suffix("/.well-known/openid-configuration") {
                Some(issuer) => ok(serde_json::json!({
                    "issuer": format!("{base}{issuer}"), "jwks_uri": format!("{base}/keys"),
                })
                .to_string()),
                None => ok(keys),
            }
        }
    })
    .await;
    url.send_replace(format!("{port}:{}", origin.port));
    origin
}

fn foreign(world: &Origin, idle: Duration) -> ForeignKeys {
    let network = Network::of_this_machine();
    let fetcher = network.fetcher(Some(&world.certificate_authority));
    let pace = Pace { foreign_idle: idle, ..Pace::default() };
    ForeignKeys::new(fetcher, pace, Shared::new(Settings::default()), 8)
}

const AMPLE: Duration = Duration::from_secs(3600);

/// Asks for the keys of `issuer`, and waits for them.
async fn keys(foreign: &ForeignKeys, issuer: &str, origin: &str) -> (Mark, Arc<Jwks>) {
    let (kept, keys) = foreign.of(issuer, origin).unwrap();
    let seen = keys.current().0;
    let _ = keys.refresh(&seen).await;
    (kept, keys.current().1)
}

fn names(foreign: &ForeignKeys) -> Vec<String> {
    let mut names: Vec<_> = lock(&foreign.held).issuers.keys().cloned().collect();
    names.sort();
    names
}

#[tokio::test]
async fn keys_of_a_foreign_issuer_are_discovered_once() {
    let world = world().await;
    let foreign = foreign(&world, AMPLE);
    let issuer = format!("{}/a", world.url);
    for _ in 0..3 {
        let (kept, keys) = keys(&foreign, &issuer, "source:443").await;
        assert_eq!((kept.holds(), keys.len()), (true, 1));
    }
    assert_eq!(world.requests(), 2, "one document, one key set");
}

#[tokio::test]
async fn what_is_no_issuer_is_not_asked() {
    let world = world().await;
    let foreign = foreign(&world, AMPLE);
    for issuer in [
        "",
        "issuer",
        "http://issuer",
        "file:///etc/passwd",
        "https://",
        "https://user:pw@issuer",
        "https://issuer?x=",
        "https://issuer/#",
        "https://issuer/\n",
        "https://issuer/é",
        &format!("https://{}", "i".repeat(2048)),
    ] {
        assert_eq!(foreign.of(issuer, "source:443").err(), Some(NotAnIssuer), "{issuer:.40}");
    }
    assert!(names(&foreign).is_empty());
}

#[tokio::test]
async fn ten_thousand_issuers_of_one_origin_drive_out_only_each_other() {
    let world = world().await;
    let foreign = foreign(&world, AMPLE);
    let good = format!("{}/good", world.url);
    let (kept, _) = keys(&foreign, &good, "good:443").await;
    let (driven_out, _) = keys(&foreign, &format!("{}/first", world.url), "liar:443").await;
    for n in 0..10_000 {
        foreign.of(&format!("{}/no/{n}", world.url), "liar:443").unwrap();
    }
    let held = names(&foreign);
    assert_eq!(held.len(), 5, "{held:?}");
    assert!(kept.holds() && held.contains(&good));
    assert!(driven_out.holds(), "those without keys go first");
    for n in 0..4 {
        keys(&foreign, &format!("{}/yes/{n}", world.url), "liar:443").await;
    }
    assert!(!driven_out.holds(), "what rested on its keys rests on nothing");
    assert!(kept.holds());
}

#[tokio::test]
async fn ten_thousand_origins_have_sixteen_places_together() {
    let world = world().await;
    let foreign = foreign(&world, AMPLE);
    for n in 0..10_000 {
        foreign.of(&format!("{}/no/{n}", world.url), &format!("{n}:443")).unwrap();
    }
    assert_eq!(names(&foreign).len(), MAX_ISSUERS);
}

#[tokio::test]
async fn what_nobody_asks_for_is_forgotten() {
    let world = world().await;
    let foreign = foreign(&world, Duration::from_millis(200));
    let (kept, _) = keys(&foreign, &format!("{}/a", world.url), "source:443").await;
    let idle = lock(&foreign.held).issuers.values().next().map(|known| Arc::downgrade(&known.keys));
    while kept.holds() {
        sleep(Duration::from_millis(5)).await;
    }
    assert!(names(&foreign).is_empty());
    assert!(idle.unwrap().upgrade().is_none(), "its task has ended");
    // On a busy machine they may be forgotten again before anybody looks.
    let kept = loop {
        let (kept, keys) = keys(&foreign, &format!("{}/a", world.url), "source:443").await;
        if kept.holds() && keys.len() == 1 {
            break kept;
        }
    };
    drop(foreign);
    assert!(!kept.holds(), "its owner is gone");
}
