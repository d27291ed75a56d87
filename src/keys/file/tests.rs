//! Key files that change and break.

use std::path::PathBuf;
use std::time::Duration;

use crate::keys::specimen::{key, key_set};

use super::*;

const OFTEN: Duration = Duration::from_millis(1);

/// A file that is gone after the test.
struct KeyFile(PathBuf);

impl KeyFile {
    fn new(name: &str) -> Self {
        let name = format!("countersign-keys-{name}-{}.json", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    /// As a careful writer does: at no time is there half a file.
    fn write(&self, content: &str) {
        let next = self.0.with_extension("next");
        std::fs::write(&next, content).unwrap();
        std::fs::rename(next, &self.0).unwrap();
    }

    fn open(&self) -> FileKeySet {
        FileKeySet::open(
            "https://issuer.example",
            &self.0,
            &KeyFiles::new(Rhythm::every(OFTEN)),
            Arc::new(Metrics::new().unwrap()),
        )
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Waits until so many attempts have ended.
async fn ended(keys: &FileKeySet, attempts: u64) {
    let mut progress = keys.holdings.progress.subscribe();
    progress.wait_for(|progress| progress.ended >= attempts).await.unwrap();
}

#[tokio::test]
async fn keys_are_there_at_once_and_follow_the_file() {
    let file = KeyFile::new("follow");
    file.write(&key_set(&[key("a")]));
    let keys = file.open();
    let (mark, before) = keys.current();
    assert_eq!(before.len(), 1);
    assert!(keys.health().tried);
    assert!(keys.refresh(&mark).await.unwrap().retry_at <= SystemTime::now() + OFTEN);
    file.write(&key_set(&[key("a"), key("b")]));
    ended(&keys, 2).await;
    assert!(!mark.holds());
    assert_eq!(keys.current().1.len(), 2);
}

#[tokio::test]
async fn a_broken_file_leaves_the_last_good_keys() {
    let file = KeyFile::new("broken");
    file.write(&key_set(&[key("a")]));
    let keys = file.open();
    let (mark, _) = keys.current();
    for (attempts, content) in [(2, "{"), (3, r#"{"keys":[]}"#)] {
        file.write(content);
        ended(&keys, attempts).await;
        assert!(mark.holds());
        assert!(keys.health().error.is_some());
        assert_eq!(keys.refresh(&mark).await, Err(KeysUnavailable::Unreachable));
    }
    std::fs::remove_file(&file.0).unwrap();
    ended(&keys, 4).await;
    let error = keys.health().error.unwrap();
    assert!(error.contains("No such file"), "{error}");
    assert!(mark.holds());
    file.write(&key_set(&[key("b")]));
    ended(&keys, 5).await;
    assert!(!mark.holds());
    assert_eq!(keys.health().error, None);
}

#[tokio::test]
async fn a_file_that_is_missing_at_first_is_found_later() {
    let file = KeyFile::new("missing");
    let keys = file.open();
    assert_eq!(keys.current().1.len(), 0);
    assert!(keys.health().tried);
    let (mark, _) = keys.current();
    assert_eq!(keys.refresh(&mark).await, Err(KeysUnavailable::Unreachable));
    file.write(&key_set(&[key("a")]));
    ended(&keys, 2).await;
    assert_eq!(keys.current().1.len(), 1);
}

#[tokio::test]
async fn the_task_ends_with_the_last_handle() {
    let file = KeyFile::new("ends");
    let keys = file.open();
    let holdings = Arc::downgrade(&keys.holdings);
    drop(keys);
    while holdings.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn issuers_of_one_file_share_its_keys_and_one_look() {
    let file = KeyFile::new("shared");
    file.write(&key_set(&[key("a")]));
    let (files, metrics) = (KeyFiles::new(Rhythm::every(OFTEN)), Arc::new(Metrics::new().unwrap()));
    let open = |issuer| FileKeySet::open(issuer, &file.0, &files, metrics.clone());
    let (one, other) = (open("https://one.example"), open("https://other.example"));
    assert!(Arc::ptr_eq(&one._file, &other._file));
    assert!(Arc::ptr_eq(&one.current().1, &other.current().1));

    file.write(&key_set(&[key("a"), key("b")]));
    ended(&one, 2).await;
    ended(&other, 2).await;
    assert_eq!(one.current().1.len(), 2);
    assert!(Arc::ptr_eq(&one.current().1, &other.current().1));

    drop(one);
    file.write(&key_set(&[key("c"), key("d"), key("e")]));
    // Whoever comes now has what is in the file now.
    let late = open("https://late.example");
    assert_eq!(late.current().1.len(), 3);
    ended(&other, 3).await;
    assert_eq!(other.current().1.len(), 3);

    let opened = Arc::downgrade(&other._file);
    drop((other, late));
    while opened.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(lock(&files.folders).values().all(|folder| folder.strong_count() == 0));
}
