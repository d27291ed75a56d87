//! Remote key sets before a real server that rotates, goes dark, stalls and lies.

use std::collections::HashMap;
use std::sync::{Mutex, Weak};

use http::Response;
use http_body_util::{BodyExt, Empty};
use tokio::sync::watch;

use crate::fetch::Network;
use crate::fetch::origin::{Origin, ok};
use crate::filewatch::Rhythm;
use crate::keys::specimen::{broken_key, key, key_set};
use crate::keys::{KeyFiles, Location, Settings, Source, open};

use super::*;

mod age;

const ISSUER: &str = "https://issuer.example";
const AMPLE: Duration = Duration::from_secs(3600);

/// Every token may cause a fetch, and nothing else does.
const EAGER: Pace = Pace {
    cooldown: Duration::ZERO,
    patience: AMPLE,
    min_refresh: AMPLE,
    max_refresh: AMPLE,
    default_refresh: AMPLE,
    first_backoff: AMPLE,
    max_backoff: AMPLE,
    fetch_timeout: AMPLE,
    foreign_idle: AMPLE,
};

/// A server with the documents of an issuer.
struct Issuer {
    origin: Origin,
    /// By path; what is absent is 503.
    documents: Arc<Mutex<HashMap<&'static str, String>>>,
    stalled: watch::Sender<bool>,
    metrics: Arc<Metrics>,
}

impl Issuer {
    /// With `keys` at `/jwks`.
    async fn with(keys: &str) -> Self {
        let documents = Arc::new(Mutex::new(HashMap::from([("/jwks", keys.to_owned())])));
        let stalled = watch::Sender::new(false);
        let origin = Origin::serve({
            let (documents, stalled) = (documents.clone(), stalled.clone());
            move |path: String| {
                let (documents, mut stalled) = (documents.clone(), stalled.subscribe());
                async move {
                    let _ = stalled.wait_for(|stalled| !stalled).await;
                    match documents.lock().unwrap().get(path.as_str()) {
                        Some(document) => ok(document.clone()),
                        None => Response::builder().status(503).body(Empty::new().boxed()).unwrap(),
                    }
                }
            }
        });
        let metrics = Arc::new(Metrics::new().unwrap());
        Self { origin: origin.await, documents, stalled, metrics }
    }

    fn publish(&self, path: &'static str, document: &str) {
        self.documents.lock().unwrap().insert(path, document.to_owned());
    }

    fn go_dark(&self) {
        self.documents.lock().unwrap().clear();
    }

    /// Opens its keys without discovery.
    fn keys(&self, pace: Pace, max_waiters: usize) -> RemoteKeySet {
        self.keys_with(pace, &Shared::new(Settings::default()), max_waiters)
    }

    fn keys_with(&self, pace: Pace, shared: &Shared, max_waiters: usize) -> RemoteKeySet {
        let network = Network::of_this_machine();
        let fetcher = network.fetcher(Some(&self.origin.certificate_authority));
        let url = format!("{}/jwks", self.origin.url);
        let source = Source {
            issuer: ISSUER.to_owned(),
            location: Location::Jwks { url: url.clone() },
            certificate_authority: None,
        };
        let address = Address { url, discovers: false, cache_file: CacheFile::of(&source) };
        let way = Way { address, fetcher, pace, shared: shared.clone() };
        RemoteKeySet::open(ISSUER, way, max_waiters, Some(self.metrics.clone()))
    }

    /// Opens its keys, and waits for the first fetch.
    async fn tried(&self, pace: Pace) -> RemoteKeySet {
        let keys = self.keys(pace, 10_000);
        keys.tried().await;
        keys
    }
}

/// Asks for newer keys than the present ones.
async fn refresh(keys: &RemoteKeySet) -> Result<Refreshed, KeysUnavailable> {
    keys.refresh(&keys.current().0).await
}

/// Waits until so many attempts have ended.
async fn ended(keys: &RemoteKeySet, attempts: u64) {
    let mut progress = keys.holdings.progress.subscribe();
    progress.wait_for(|progress| progress.ended >= attempts).await.unwrap();
}

#[tokio::test]
async fn discovery_leads_to_the_keys() {
    let issuer = Issuer::with(&key_set(&[key("a"), key("b")])).await;
    let uri = format!("{}/jwks", issuer.origin.url);
    let document = serde_json::json!({"issuer": ISSUER, "jwks_uri": uri, "scopes_supported": []});
    issuer.publish("/discovery", &document.to_string());
    let source = |issuer_url: &str| Source {
        issuer: issuer_url.to_owned(),
        location: Location::Discovery { url: format!("{}/discovery", issuer.origin.url) },
        certificate_authority: Some(issuer.origin.certificate_authority.clone()),
    };
    let open = |source: Source| {
        let network = Network::of_this_machine();
        let fetcher = network.fetcher(source.certificate_authority.as_ref());
        let shared = Shared::new(Settings::default());
        open(
            &source,
            fetcher,
            EAGER,
            &KeyFiles::new(Rhythm::every(AMPLE)),
            shared,
            1,
            issuer.metrics.clone(),
        )
    };
    let keys = open(source(ISSUER));
    keys.tried().await;
    assert_eq!(keys.current().1.len(), 2);
    let health = keys.health();
    assert_eq!((health.keys, health.tried, health.error), (2, true, None));
    assert!(health.last_success.is_some() && health.next_attempt.is_some());
    let metrics = String::from_utf8(issuer.metrics.to_text()).unwrap();
    let line = r#"countersign_jwks_keys{issuer="https://issuer.example"} 2"#;
    assert!(metrics.contains(line), "{metrics}");

    let keys = open(source("https://issuer.example/"));
    keys.tried().await;
    let error = keys.health().error.unwrap();
    assert!(error.contains("/discovery: the discovery document is of issuer"), "{error}");
    assert_eq!(keys.current().1.len(), 0);
}

#[tokio::test]
async fn a_rotation_is_noticed_and_an_equal_set_moves_no_mark() {
    let old = key_set(&[key("a")]);
    let issuer = Issuer::with(&old).await;
    let keys = issuer.tried(EAGER).await;
    let (mark, before) = keys.current();
    keys.refresh(&mark).await.unwrap();
    assert_eq!(issuer.origin.requests(), 2);
    assert!(mark.holds(), "nobody empties a cache by asking");

    issuer.publish("/jwks", &key_set(&[key("b")]));
    keys.refresh(&mark).await.unwrap();
    assert!(!mark.holds());
    assert_ne!(keys.current().1, before);
    assert_eq!(issuer.origin.requests(), 3);

    keys.refresh(&mark).await.unwrap();
    assert_eq!(issuer.origin.requests(), 3, "newer keys than those of the mark are already here");
}

#[tokio::test]
async fn a_thousand_who_ask_at_once_share_one_fetch() {
    let issuer = Issuer::with(&key_set(&[key("a")])).await;
    let keys = Arc::new(issuer.tried(EAGER).await);
    issuer.stalled.send_replace(true);
    let mut waiting = JoinSet::new();
    for _ in 0..1000 {
        let keys = keys.clone();
        waiting.spawn(async move { refresh(&keys).await });
    }
    while keys.waiters.available_permits() > 9000 {
        tokio::task::yield_now().await;
    }
    issuer.stalled.send_replace(false);
    while let Some(refreshed) = waiting.join_next().await {
        refreshed.unwrap().unwrap();
    }
    assert_eq!(issuer.origin.requests(), 2);
}

#[tokio::test]
async fn ten_thousand_unknown_key_ids_cause_no_fetch_within_the_cooldown() {
    let issuer = Issuer::with(&key_set(&[key("a")])).await;
    let keys = issuer.tried(Pace { cooldown: AMPLE, ..EAGER }).await;
    let (mark, _) = keys.current();
    for _ in 0..10_000 {
        let refreshed = keys.refresh(&mark).await.unwrap();
        assert!(refreshed.retry_at > SystemTime::now());
    }
    assert_eq!(issuer.origin.requests(), 1);
}

#[tokio::test]
async fn those_who_hang_up_stop_no_fetch_and_too_many_are_sent_away() {
    let issuer = Issuer::with(&key_set(&[key("a")])).await;
    issuer.stalled.send_replace(true);
    let keys = issuer.keys(Pace { patience: Duration::from_millis(50), ..EAGER }, 2);
    let (mark, _) = keys.current();
    let [first, second, third] = [(); 3].map(|()| keys.refresh(&mark));
    let (first, second, third) = tokio::join!(first, second, third);
    assert_eq!(first, Err(KeysUnavailable::Slow), "the first fetch is waited for as well");
    assert_eq!(second, Err(KeysUnavailable::Slow));
    assert_eq!(third, Err(KeysUnavailable::Crowded));
    issuer.stalled.send_replace(false);
    keys.tried().await;
    assert_eq!(keys.current().1.len(), 1);
    assert_eq!(issuer.origin.requests(), 1);
}

#[tokio::test]
async fn an_issuer_that_goes_dark_leaves_its_last_good_keys() {
    let issuer = Issuer::with(&key_set(&[key("a")])).await;
    let keys = issuer.tried(EAGER).await;
    let (mark, before) = keys.current();
    issuer.go_dark();
    for _ in 0..100 {
        assert_eq!(keys.refresh(&mark).await, Err(KeysUnavailable::Unreachable));
    }
    assert_eq!(issuer.origin.requests(), 2, "while it backs off nobody hastens it");
    assert!(mark.holds());
    assert_eq!(keys.current().1, before);
    let health = keys.health();
    let error = health.error.unwrap();
    assert!(error.contains("/jwks: the answer was HTTP 503 Service Unavailable"), "{error}");
    assert_eq!(health.keys, 1);
}

#[tokio::test]
async fn an_issuer_that_was_dark_at_first_is_tried_again() {
    let issuer = Issuer::with("").await;
    issuer.go_dark();
    let soon = Duration::from_millis(1);
    let keys = issuer.tried(Pace { first_backoff: soon, max_backoff: soon, ..EAGER }).await;
    assert_eq!(keys.current().1.len(), 0);
    assert!(keys.health().error.is_some());
    let (mark, _) = keys.current();
    ended(&keys, 3).await;
    issuer.publish("/jwks", &key_set(&[key("a")]));
    while mark.holds() {
        let so_far = keys.holdings.progress.borrow().ended;
        ended(&keys, so_far + 1).await;
    }
    assert_eq!(keys.health().error, None);
}

#[tokio::test]
async fn a_bad_key_is_left_out_and_a_set_without_a_good_one_is_a_failure() {
    let issuer = Issuer::with(&key_set(&[broken_key("bad"), key("good")])).await;
    let keys = issuer.tried(EAGER).await;
    let (mark, set) = keys.current();
    assert_eq!(set.len(), 1);
    assert_eq!(keys.health().error, None);
    for (set, problem) in [
        (key_set(&[]), "no usable key"),
        (key_set(&[broken_key("bad")]), "no usable key"),
        ("<html>".to_owned(), "/jwks: "),
        ("{}".to_owned(), "/jwks: "),
    ] {
        let issuer = Issuer::with(&set).await;
        let error = issuer.tried(EAGER).await.health().error.unwrap();
        assert!(error.contains(problem), "{set}: {error}");
    }
    issuer.publish("/jwks", &key_set(&[broken_key("bad")]));
    assert_eq!(keys.refresh(&mark).await, Err(KeysUnavailable::Unreachable));
    assert!(mark.holds());
}

#[tokio::test]
async fn the_task_ends_with_the_last_handle_whatever_it_is_doing() {
    let issuer = Issuer::with(&key_set(&[key("a")])).await;
    let gone = async |holdings: Weak<Holdings>| {
        while holdings.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    let idle = issuer.tried(EAGER).await;
    let holdings = Arc::downgrade(&idle.holdings);
    drop(idle);
    gone(holdings).await;

    issuer.stalled.send_replace(true);
    let fetching = issuer.keys(EAGER, 1);
    while issuer.origin.requests() < 2 {
        tokio::task::yield_now().await;
    }
    let holdings = Arc::downgrade(&fetching.holdings);
    drop(fetching);
    gone(holdings).await;
}
