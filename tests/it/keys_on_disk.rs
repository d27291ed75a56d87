//! The last good keys on disk (`keys.cacheDir`): a start during a provider's outage, and what may lie
//! there instead.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::service::Setup;
use crate::support::{Issuer, Key, Manner, Service, logs, until};

/// A service that trusts `issuer` and keeps its keys in `folder`.
async fn keeping(issuer: &Issuer, folder: impl AsRef<Path>) -> Service {
    let folder = folder.as_ref().display().to_string();
    let config = json!({"jwt": [issuer.entry(json!({}))], "keys": {"cacheDir": folder}});
    Setup::new(config).start().await
}

/// The only cache file in `folder`, once it is there.
async fn cache_file(folder: &Path) -> PathBuf {
    let file = || {
        let entries = fs::read_dir(folder).ok()?;
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.into_iter().find(|path| path.extension().is_some_and(|end| end == "json"))
    };
    until("keys are kept", async || file().is_some()).await;
    file().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_during_an_outage_has_the_keys_of_the_last_process() {
    let issuer = Issuer::start().await;
    let first = keeping(&issuer, "keys").await;
    let folder = first.path("keys");
    cache_file(&folder).await;
    issuer.turns(Manner::Dark);

    // Both are there at once, as in a rolling restart.
    let second = keeping(&issuer, &folder).await;
    let kube = second.kube().await;
    assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "alice");
    let (code, checks) = second.admin("/readyz?verbose").await;
    assert_eq!(code, 200, "{checks}");
    let line = checks.lines().find(|line| line.contains(&issuer.url)).unwrap();
    assert!(line.contains("keys.cacheDir"), "{line}");

    let key = issuer.rotate();
    issuer.publish(&key, []);
    issuer.turns(Manner::Well);
    until("the new keys are kept", async || {
        let _ = kube.authenticate(&issuer.token(json!({}))).await;
        fs::read_to_string(cache_file(&folder).await).unwrap().contains(&key.kid)
    })
    .await;
    first.drain();
    first.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_and_nothing_foreign_reaches_the_disk() {
    let issuer = Issuer::start().await;
    let good = issuer.key();
    let with = |over: Value| {
        let mut key = Key::new("ES256").public();
        crate::support::lay(&mut key, over);
        key
    };
    let mut rsa = Key::rsa(1).public();
    for member in ["p", "q", "dp", "dq", "qi"] {
        rsa[member] = json!("c2VjcmV0LW1lbWJlcg");
    }
    issuer.publish(
        &good,
        [
            rsa,
            with(json!({"kid": "private", "d": "c2VjcmV0LW1lbWJlcg"})),
            with(json!({"x-note": "c2VjcmV0LW1lbWJlcg"})),
            json!({"kty": "oct", "kid": "shared", "k": "c2VjcmV0LW1lbWJlcg"}),
        ],
    );
    let service = keeping(&issuer, "keys").await;
    let file = cache_file(&service.path("keys")).await;
    let kept = fs::read_to_string(&file).unwrap();
    assert!(kept.contains(&good.kid) && kept.contains(r#""kty":"RSA""#), "{kept}");
    for word in ["c2VjcmV0LW1lbWJlcg", "private", "shared", "\"p\"", "x-note"] {
        assert!(!kept.contains(word), "{word}: {kept}");
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_as_it_was_written_is_named_and_not_used() {
    let issuer = Issuer::start().await;
    let first = keeping(&issuer, "keys").await;
    let file = cache_file(&first.path("keys")).await;
    let good: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    drop(first);
    issuer.turns(Manner::Dark);
    let mut stranger = good.clone();
    stranger["keys"] = json!([issuer.key().public()]);
    stranger["issuer"] = json!("https://other.test");
    let mut tomorrow = good.clone();
    tomorrow["fetchedAt"] = json!("2999-01-01T00:00:00Z");
    let whole = good.to_string();
    for (content, problem) in [
        (whole[..whole.len() / 2].to_owned(), "not as countersign wrote it"),
        (format!("{whole}{}", " ".repeat(2 << 20)), "larger than 1 MiB"),
        (stranger.to_string(), "another issuer"),
        (tomorrow.to_string(), "in the future"),
    ] {
        // The folder of the first went with it.
        let setup = Setup::new(json!({
            "jwt": [issuer.entry(json!({}))], "keys": {"cacheDir": "keys"},
        }));
        let name = format!("keys/{}", file.file_name().unwrap().to_str().unwrap());
        let service = setup.with_file(&name, &content).start().await;
        service.kube().await.authenticate(&issuer.token(json!({}))).await.error();
        let path = service.path(&name).display().to_string();
        let warnings = logs::with(&path);
        assert!(
            warnings.iter().any(|line| line.contains("WARN") && line.contains(problem)),
            "{problem}: {warnings:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_folder_the_keys_from_the_network_do() {
    let issuer = Issuer::start().await;
    let service = keeping(&issuer, "not/there").await;
    let verdict = service.kube().await.authenticate(&issuer.token(json!({}))).await;
    assert_eq!(verdict.username(), "alice");
    let folder = service.path("not/there").display().to_string();
    until("it is said", async || {
        logs::with(&folder).iter().any(|line| line.contains("could not be kept"))
    })
    .await;
}
