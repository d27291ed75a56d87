//! Keys that outlive the process that fetched them, and keys that grow too old.

use std::path::PathBuf;

use super::*;

/// Settings with a folder that the test has for itself, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("countersign-{}-age-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn settings(&self, max_stale: Option<Duration>) -> Shared {
        Shared::new(Settings { max_stale, cache_dir: Some(self.0.clone()) })
    }

    async fn until_kept(&self) {
        let is_kept = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.is_ok_and(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        };
        while !std::fs::read_dir(&self.0).is_ok_and(|mut entries| entries.any(is_kept)) {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Waits until these keys, or none, are held.
async fn until_held(keys: &RemoteKeySet, count: usize) {
    while keys.current().1.len() != count {
        sleep(Duration::from_millis(1)).await;
    }
}

fn gauge(issuer: &Issuer, name: &str) -> f64 {
    let metrics = String::from_utf8(issuer.metrics.to_text()).unwrap();
    let line = metrics.lines().find(|line| line.starts_with(&format!("countersign_{name}{{")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap()
}

#[tokio::test]
async fn keys_of_the_last_process_count_until_newer_ones_are_had() {
    let (issuer, folder) = (Issuer::with(&key_set(&[key("a")])).await, Folder::new("warm"));
    let settings = folder.settings(None);
    let first = issuer.keys_with(EAGER, &settings, 1);
    folder.until_kept().await;
    let (before, fetched) = (first.current().1, first.health().last_success.unwrap());
    drop(first);

    issuer.publish("/jwks", &key_set(&[key("b"), key("c")]));
    issuer.stalled.send_replace(true);
    let second = issuer.keys_with(EAGER, &settings, 1);
    until_held(&second, 1).await;
    let (mark, keys) = second.current();
    assert_eq!(keys, before);
    let health = second.health();
    assert!(health.from_disk && !health.tried, "they count at once: {health:?}");
    let age = fetched.duration_since(health.last_success.unwrap()).unwrap();
    assert!(age < Duration::from_secs(1), "they are as old as they were: {age:?}");
    assert_eq!(gauge(&issuer, "jwks_keys"), 1.0);

    issuer.stalled.send_replace(false);
    second.tried().await;
    assert!(!mark.holds());
    let health = second.health();
    assert_eq!((health.keys, health.from_disk), (2, false));
}

#[tokio::test]
async fn what_is_kept_is_what_was_fetched_last_and_goes_where_the_settings_say_now() {
    let (issuer, first, second) =
        (Issuer::with(&key_set(&[key("a")])).await, Folder::new("one"), Folder::new("two"));
    let settings = first.settings(None);
    let _keys = issuer.keys_with(EAGER, &settings, 1);
    first.until_kept().await;
    issuer.publish("/jwks", &key_set(&[key("b")]));
    settings.publish(Settings { max_stale: None, cache_dir: Some(second.0.clone()) });
    second.until_kept().await;
    let kept = |folder: &Folder| {
        let path = std::fs::read_dir(&folder.0).unwrap().next().unwrap().unwrap().path();
        std::fs::read_to_string(path).unwrap()
    };
    assert!(kept(&first).contains(r#""kid":"a""#));
    assert!(kept(&second).contains(r#""kid":"b""#));
}

#[tokio::test]
async fn keys_that_are_too_old_are_given_up_until_newer_ones_are_had() {
    let soon = Duration::from_millis(1);
    let issuer = Issuer::with(&key_set(&[key("a")])).await;
    let settings = Shared::new(Settings::default());
    let pace = Pace { first_backoff: soon, max_backoff: soon, ..EAGER };
    let keys = issuer.keys_with(pace, &settings, 1);
    keys.tried().await;
    issuer.go_dark();
    let (mark, before) = keys.current();
    assert_eq!(keys.refresh(&mark).await, Err(KeysUnavailable::Unreachable));
    assert_eq!(keys.current().1, before, "for ever, unless it is said otherwise");

    settings.publish(Settings { max_stale: Some(soon), cache_dir: None });
    until_held(&keys, 0).await;
    assert!(!mark.holds(), "what rests on them falls");
    let health = keys.health();
    assert!(health.last_success.is_some() && health.error.is_some(), "{health:?}");
    assert_eq!(gauge(&issuer, "jwks_keys"), 0.0);

    settings.publish(Settings { max_stale: Some(AMPLE), cache_dir: None });
    issuer.publish("/jwks", &key_set(&[key("a")]));
    until_held(&keys, 1).await;
}

#[tokio::test]
async fn keys_are_fetched_twice_before_they_are_too_old() {
    let issuer = Issuer::with(&key_set(&[key("a")])).await;
    let settings = Shared::new(Settings { max_stale: Some(AMPLE), cache_dir: None });
    let keys = issuer.keys_with(EAGER, &settings, 1);
    keys.tried().await;
    let health = keys.health();
    let pause = health.next_attempt.unwrap().duration_since(health.last_success.unwrap()).unwrap();
    assert_eq!(pause, AMPLE / 2);
}

#[tokio::test]
async fn keys_are_fetched_at_once_when_the_settings_change() {
    let issuer = Issuer::with(&key_set(&[key("a")])).await;
    let settings = Shared::new(Settings::default());
    let keys = issuer.keys_with(EAGER, &settings, 1);
    keys.tried().await;
    // Until the next fetch they would perhaps grow too old.
    settings.publish(Settings { max_stale: Some(AMPLE), cache_dir: None });
    ended(&keys, 2).await;
}

#[tokio::test]
async fn keys_on_disk_that_are_too_old_are_not_used() {
    let (issuer, folder) = (Issuer::with(&key_set(&[key("a")])).await, Folder::new("old"));
    let first = issuer.keys_with(EAGER, &folder.settings(None), 1);
    folder.until_kept().await;
    drop(first);
    issuer.go_dark();
    let second = issuer.keys_with(EAGER, &folder.settings(Some(Duration::ZERO)), 1);
    second.tried().await;
    assert_eq!((second.health().keys, second.health().last_success), (0, None));
    let third = issuer.keys_with(EAGER, &folder.settings(Some(AMPLE)), 1);
    third.tried().await;
    assert_eq!((third.health().keys, third.health().from_disk), (1, true));
}
