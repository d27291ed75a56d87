//! What `/readyz?verbose` says of an issuer: whether its tokens are judged, why not, and what to do.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::issuer::{DISCOVERY, KEYS};
use crate::support::service::Setup;
use crate::support::{Issuer, Key, Manner, Service, logs, pki};

/// The line of the issuer `url`, of a service that trusts it by `entry` and has tried it once.
async fn line_of(url: &str, entry: Value) -> String {
    let setup = Setup::new(json!({"jwt": [entry]})).with_pace(|pace| {
        pace.keys.first_backoff = Duration::from_secs(3600);
        pace.keys.max_backoff = Duration::from_secs(3600);
    });
    let service = setup.start().await;
    let (code, checks) = service.admin("/readyz?verbose").await;
    assert_eq!(code, 200, "an issuer's trouble is not ours: {checks}");
    checks.lines().find(|line| line.contains(url)).unwrap().to_owned()
}

async fn line(issuer: &Issuer) -> String {
    line_of(&issuer.url, issuer.entry(json!({}))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_its_certificate_is_said() {
    let leaf = |authority: &pki::Authority| authority.server();
    let stranger = pki::Authority::new("Private Root of Nobody");
    for (certificate, words) in [
        (
            leaf(&stranger),
            &[
                r#"is signed by "CN=Private Root of Nobody""#,
                r#"not by the configured authority ("CN=providers")"#,
                "issuer.certificateAuthority",
            ][..],
        ),
        (
            pki::PROVIDERS.server_until(2001),
            &["127.0.0.1 has expired at 2001-01-01T00:00:00Z", "renew"],
        ),
        (
            pki::PROVIDERS.server_named("idp.internal"),
            &["not valid for that name", r#"for "idp.internal""#, "issuer.url, discoveryURL"],
        ),
    ] {
        let issuer = Issuer::showing(&certificate).await;
        let line = line(&issuer).await;
        let dark = format!("[!]jwt {} dark, its tokens are refused: no keys yet: ", issuer.url);
        assert!(line.starts_with(&dark), "{line}");
        assert!(words.iter().all(|words| line.contains(words)), "{line}");
        assert!(line.contains("; next attempt in "), "{line}");
        let warned = logs::with(&issuer.url);
        assert!(warned.iter().any(|line| line.contains("WARN")), "{warned:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_its_answer_is_said_without_the_answer() {
    let issuer = Issuer::start().await;
    let elsewhere =
        json!({"issuer": "https://idp.internal", "jwks_uri": "https://idp.internal/keys"});
    let slash =
        json!({"issuer": format!("{}/", issuer.url), "jwks_uri": "https://idp.internal/keys"});
    let private = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0LW1lbWJlcg", "kid": "secret-kid"}]});
    for (path, manner, words) in [
        (
            DISCOVERY,
            Manner::Status(404),
            &["HTTP 404", "is the address right?", "discoveryURL"][..],
        ),
        (DISCOVERY, Manner::Status(403), &["HTTP 403", "without credentials"]),
        (KEYS, Manner::Status(502), &["/keys (jwks_uri): ", "HTTP 502", "gateway"]),
        (
            DISCOVERY,
            Manner::Says("<!doctype html><p>secret".to_owned()),
            &["a web page", "login page"],
        ),
        (KEYS, Manner::Says(" <html>secret".to_owned()), &["/keys (jwks_uri): ", "a web page"]),
        (KEYS, Manner::Says(r#"{"keys":"secret"}"#.to_owned()), &["its keys are no list"]),
        (KEYS, Manner::Says(private.to_string()), &["no usable key", "keys[0]", "symmetric"]),
        (KEYS, Manner::Says(r#"{"keys":[]}"#.to_owned()), &["no usable key", "it has no key"]),
        (KEYS, Manner::Floods(2 << 20), &["larger than 1 MiB"]),
        (DISCOVERY, Manner::Redirects("https://idp.internal/x".to_owned()), &["idp.internal"]),
        (
            DISCOVERY,
            Manner::Says(elsewhere.to_string()),
            &[r#"is of issuer "https://idp.internal""#, &issuer.url, "issuer.discoveryURL"],
        ),
        (DISCOVERY, Manner::Says(slash.to_string()), &["they differ in a slash at the end"]),
        (KEYS, Manner::Dark, &["ends connections early"]),
    ] {
        issuer.turns(Manner::Well);
        issuer.answers(path, manner);
        let line = line(&issuer).await;
        assert!(words.iter().all(|words| line.contains(words)), "{words:?}: {line}");
        assert!(!line.contains("secret") && !line.contains("c2Vj"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_reached_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = format!("https://{}", listener.local_addr().unwrap());
    drop(listener);
    for (url, words) in [
        (&*free, &["127.0.0.1: it was refused", "nobody listens"][..]),
        ("https://idp.invalid", &["idp.invalid was not found in DNS", "resolver"]),
    ] {
        let entry = json!({
            "issuer": {"url": url, "audiences": ["a"], "certificateAuthority": pki::PROVIDERS.pem},
            "claimMappings": {"username": {"claim": "sub", "prefix": ""}},
        });
        let line = line_of(url, entry).await;
        assert!(words.iter().all(|words| line.contains(words)), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_urgent_issuer_comes_first() {
    let (well, failing, dark) =
        (Issuer::start().await, Issuer::start().await, Issuer::start().await);
    dark.turns(Manner::Dark);
    let entries = [&well, &failing, &dark].map(|issuer| issuer.entry(json!({})));
    let service = Service::trusting(entries).await;
    failing.turns(Manner::Status(503));
    let kube = service.kube().await;
    let unknown = Key::new("ES256").token(&failing.claims(json!({})));
    kube.authenticate(&unknown).await.error();
    let labels = [("issuer", &*failing.url), ("result", "failure")];
    service.until_metric("jwks_fetches_total", &labels, 1.0).await;

    let (_, checks) = service.admin("/readyz?verbose").await;
    let lines: Vec<_> = checks.lines().collect();
    let begins = |line: &str, issuer: &Issuer, with: &str| {
        let sign = if with.starts_with("ok") { '+' } else { '!' };
        assert!(line.starts_with(&format!("[{sign}]jwt {} {with}", issuer.url)), "{line}");
    };
    assert_eq!(lines[0], "[+]serving ok");
    begins(lines[1], &dark, "dark, its tokens are refused: no keys yet: ");
    begins(lines[2], &failing, "failing: ");
    assert!(
        lines[2].contains("; 1 key, got ") && lines[2].contains(", used meanwhile"),
        "{checks}"
    );
    begins(lines[3], &well, "ok: 1 key, got ");
    assert!(lines[3].contains("; next attempt in "), "{checks}");
}
