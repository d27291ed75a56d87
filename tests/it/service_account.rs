//! Tokens of the embedded issuer at the webhook: what they are called there, and what they die with.
//!
//! The tokens are signed here, with the key that the service was given.

use std::process::Command;
use std::time::Duration;

use countersign::app::Pace;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::service::Setup;
use crate::support::signing::unique;
use crate::support::{API, Key, Kube, Service, Verdict, lay, logs, now, until};

const SUCCESS: [(&str, &str); 1] = [("result", "success")];
const FAILURE: [(&str, &str); 1] = [("result", "failure")];

/// What exists: kind, name, and the file in which it is written.
const OBJECTS: [(&str, &str, &str); 4] = [
    ("ServiceAccount", "builder", "objects/account.yaml"),
    ("Secret", "password", "objects/secret.yaml"),
    ("Pod", "web", "objects/pod.yaml"),
    ("Node", "node-1", "objects/node.yaml"),
];

/// A service with an issuer of its own.
struct Cluster {
    url: String,
    key: Key,
    previous: Key,
    service: Service,
    kube: Kube,
}

impl Cluster {
    /// With prefixes.
    async fn start() -> Self {
        Self::with(json!({"usernamePrefix": "build:", "groupsPrefix": "build:"})).await
    }

    async fn with(more: Value) -> Self {
        let (url, key, previous) =
            (unique("https://issuer"), Key::of_kubernetes(), Key::of_kubernetes());
        let service = setup(&url, &key, &previous, more).start().await;
        let kube = service.kube().await;
        Self { url, key, previous, service, kube }
    }

    /// A token of `builder`, with these claims beside and in the others.
    fn token(&self, over: Value) -> String {
        self.token_by(&self.key, over)
    }

    fn token_by(&self, key: &Key, over: Value) -> String {
        let mut claims = json!({
            "aud": [API], "exp": now() + 3600, "iat": now(), "iss": self.url, "jti": unique("id"),
            "kubernetes.io": {"namespace": "ci", "serviceaccount": named("builder")},
            "nbf": now(), "sub": "system:serviceaccount:ci:builder",
        });
        lay(&mut claims, over);
        let header = json!({"alg": key.algorithm, "kid": key.kid});
        key.token_of(&header.to_string(), &claims.to_string())
    }

    /// A token that is bound to an object of that kind.
    fn bound_to(&self, kind: &str) -> String {
        let (_, name, _) = OBJECTS.iter().find(|(of, ..)| *of == kind).unwrap();
        let mut private = json!({kind.to_lowercase(): named(name)});
        if kind == "Pod" {
            private["node"] = json!({"name": "node-1", "uid": "node-1-uid"});
        }
        self.token(json!({ "kubernetes.io": private }))
    }

    /// Waits until `token` is refused, and says why.
    async fn until_refused(&self, token: &str) -> String {
        until("the token is refused", async || {
            matches!(self.kube.authenticate(token).await, Verdict::Error(_))
        })
        .await;
        self.kube.authenticate(token).await.error().to_owned()
    }

    /// Waits until `token` authenticates.
    async fn until_good(&self, token: &str) {
        until("the token is good", async || {
            matches!(self.kube.authenticate(token).await, Verdict::User(..))
        })
        .await;
    }

    /// Writes keys into both files.
    fn write_keys(&self, active: &str, previous: &str) {
        self.service.write("active.pem", active);
        self.service.write("previous.pem", previous);
    }

    /// How many reloads there have been, with that result.
    async fn reloads(&self, result: &[(&str, &str)]) -> f64 {
        self.service.metric("config_reloads_total", result).await
    }
}

fn setup(url: &str, key: &Key, previous: &Key, more: Value) -> Setup {
    let mut issuer = json!({
        "url": url, "signingKeyFiles": ["active.pem", "previous.pem"], "objectsDir": "objects",
    });
    lay(&mut issuer, more);
    let setup = Setup::new(json!({ "serviceAccountIssuer": issuer }))
        .with_file("active.pem", &key.pem().0)
        .with_file("previous.pem", &previous.pem().1);
    OBJECTS.iter().fold(setup, |setup, (kind, name, file)| {
        setup.with_file(file, &manifest(kind, name, &format!("{name}-uid"), ""))
    })
}

fn named(name: &str) -> Value {
    json!({"name": name, "uid": format!("{name}-uid")})
}

fn manifest(kind: &str, name: &str, uid: &str, more: &str) -> String {
    format!(
        "apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: ci\n  uid: {uid}\n{more}"
    )
}

fn terminating(seconds_ago: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(now() - seconds_ago).unwrap();
    format!("  deletionTimestamp: {}\n", at.format(&Rfc3339).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn to_an_api_server_it_is_another_clusters_account() {
    let cluster = Cluster::start().await;
    let token = cluster.token(json!({"jti": "the-id", "aud": ["elsewhere", API],
        "kubernetes.io": {"pod": named("web"), "node": named("node-1")}}));
    match cluster.kube.authenticate_for(&token, &["x", API, "elsewhere"]).await {
        Verdict::User(user, audiences) => {
            assert_eq!(user.username, "build:system:serviceaccount:ci:builder");
            assert_eq!(user.uid, "builder-uid");
            let groups = ["build:system:serviceaccounts", "build:system:serviceaccounts:ci"];
            assert_eq!(user.groups, groups);
            let id = (
                "authentication.kubernetes.io/credential-id".to_owned(),
                vec!["JTI=the-id".to_owned()],
            );
            assert_eq!(user.extra, [id].into());
            assert_eq!(audiences, [API, "elsewhere"]);
        }
        verdict => panic!("{verdict:?}"),
    }
    for (over, reason) in [
        (json!({"aud": ["elsewhere"]}), "audience_mismatch"),
        (json!({"exp": now() - 120}), "expired"),
        (json!({"iat": now() + 120}), "not_yet_valid"),
    ] {
        let error = cluster.kube.authenticate(&cluster.token(over)).await.error().to_owned();
        assert!(error.starts_with(&cluster.url), "{error}");
        let labels = [("issuer", &*cluster.url), ("reason", reason)];
        assert_eq!(cluster.service.metric("rejections_total", &labels).await, 1.0, "{reason}");
    }
    let without_audience = cluster.token(json!({"aud": null}));
    assert!(matches!(cluster.kube.authenticate(&without_audience).await, Verdict::User(..)));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_prefixes_it_needs_permission() {
    let cluster = Cluster::with(json!({})).await;
    let error = cluster.kube.authenticate(&cluster.token(json!({}))).await.error().to_owned();
    assert!(error.ends_with("the username starts with \"system:\", which is reserved"), "{error}");
    let cluster = Cluster::with(json!({"allowReserved": true})).await;
    match cluster.kube.authenticate(&cluster.token(json!({}))).await {
        Verdict::User(user, _) => {
            assert_eq!(user.username, "system:serviceaccount:ci:builder");
            assert_eq!(user.groups, ["system:serviceaccounts", "system:serviceaccounts:ci"]);
        }
        verdict => panic!("{verdict:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_dies_with_the_object_that_it_names_and_so_do_remembered_answers() {
    let cluster = Cluster::start().await;
    let mut refusals = 0.0;
    for (kind, name, file) in OBJECTS {
        let token = match kind {
            "ServiceAccount" => cluster.token(json!({})),
            kind => cluster.bound_to(kind),
        };
        let original = manifest(kind, name, &format!("{name}-uid"), "");
        let replaced = manifest(kind, name, "another", "");
        let deleted = manifest(kind, name, &format!("{name}-uid"), &terminating(90));
        for (change, says) in [
            (None, "not found"),
            (Some(&replaced), "UID does not match"),
            (Some(&deleted), "has been deleted"),
        ] {
            cluster.until_good(&token).await;
            // Not at once: the last change may not have been noticed yet, and takes answers with it.
            until("it is remembered", async || {
                let hits = async || {
                    cluster.service.metric("cache_lookups_total", &[("result", "hit")]).await
                };
                let before = hits().await;
                cluster.kube.authenticate(&token).await;
                hits().await > before
            })
            .await;
            match change {
                None => cluster.service.remove(file),
                Some(manifest) => cluster.service.write(file, manifest),
            }
            let error = cluster.until_refused(&token).await;
            assert!(error.contains(says), "{kind}: {error}");
            assert!(!error.contains(name) && !error.contains("uid"), "{kind}: {error}");
            refusals += 1.0;
            let labels = [("issuer", &*cluster.url), ("reason", "bound_object_gone")];
            assert!(cluster.service.metric("rejections_total", &labels).await >= refusals);
            cluster.service.write(file, &original);
        }
        cluster.until_good(&token).await;
        let reloads = cluster.reloads(&SUCCESS).await;
        let terminating = manifest(kind, name, &format!("{name}-uid"), &terminating(10));
        cluster.service.write(file, &terminating);
        cluster.service.until_metric("config_reloads_total", &SUCCESS, reloads + 1.0).await;
        let verdict = cluster.kube.authenticate(&token).await;
        assert!(matches!(verdict, Verdict::User(..)), "{kind}: {verdict:?}");
        cluster.service.write(file, &original);
    }
    assert_eq!(cluster.reloads(&FAILURE).await, 0.0);
    assert!(Pace::default().objects <= Duration::from_millis(500), "within a second, in the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_manifest_stays_as_it_was_and_holds_back_no_other() {
    let cluster = Cluster::start().await;
    let (of_pod, of_secret) = (cluster.bound_to("Pod"), cluster.bound_to("Secret"));
    for token in [&of_pod, &of_secret] {
        cluster.until_good(token).await;
    }
    // Both at once, or nearly.
    let broken = manifest("Secret", "password", "another", "data: {password: !hunter2 x}\n");
    cluster.service.write("objects/secret.yaml", &broken);
    cluster.service.remove("objects/pod.yaml");
    cluster.until_refused(&of_pod).await;
    cluster.service.until_metric("config_reloads_total", &FAILURE, 1.0).await;
    assert!(matches!(cluster.kube.authenticate(&of_secret).await, Verdict::User(..)));
    let file = cluster.service.path("objects/secret.yaml").display().to_string();
    let said = logs::with(&file);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("\"level\":\"ERROR\"") && said[0].contains("secret.yaml:7: "),
        "{said:?}"
    );
    assert!(logs::with("hunter2").is_empty());

    // Another file's change reports it no second time; its own mending counts.
    cluster.service.write("objects/pod.yaml", &manifest("Pod", "web", "web-uid", ""));
    cluster.until_good(&of_pod).await;
    assert_eq!(logs::with(&file).len(), 1);
    cluster.service.write("objects/secret.yaml", &manifest("Secret", "password", "another", ""));
    cluster.until_refused(&of_secret).await;

    // Of two files with one object, the first by name counts.
    cluster.service.write("objects/a.yaml", &manifest("Pod", "web", "third", ""));
    let error = cluster.until_refused(&of_pod).await;
    assert!(error.contains("pod UID does not match"), "{error}");
    cluster.service.until_metric("config_reloads_total", &FAILURE, 2.0).await;
    assert_eq!(
        logs::with("Duplicate value: ")
            .iter()
            .filter(|line| line.contains(&cluster.service.path("objects").display().to_string()))
            .count(),
        1
    );
    cluster.service.remove("objects/a.yaml");
    cluster.until_good(&of_pod).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_that_cannot_be_read_stay_as_they_were() {
    let cluster = Cluster::start().await;
    let token = cluster.token(json!({}));
    cluster.until_good(&token).await;
    let (objects, away) = (cluster.service.path("objects"), cluster.service.path("away"));
    std::fs::rename(&objects, &away).unwrap();
    cluster.service.until_metric("config_reloads_total", &FAILURE, 1.0).await;
    assert!(matches!(cluster.kube.authenticate(&token).await, Verdict::User(..)));
    std::fs::remove_file(away.join("account.yaml")).unwrap();
    std::fs::rename(&away, &objects).unwrap();
    cluster.until_refused(&token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_keys_rotate_and_a_dropped_one_takes_its_answers_along() {
    let cluster = Cluster::start().await;
    let (old, new) = (&cluster.key, &cluster.previous);
    let (by_old, by_new) = (cluster.token_by(old, json!({})), cluster.token_by(new, json!({})));
    for token in [&by_old, &by_new] {
        let verdict = cluster.kube.authenticate(token).await;
        assert!(matches!(verdict, Verdict::User(..)), "all verify: {verdict:?}");
    }
    // The second becomes the first, one file after the other.
    cluster.write_keys(&new.pem().0, &old.pem().1);
    cluster.service.until_metric("config_reloads_total", &SUCCESS, 1.0).await;
    for token in [&by_old, &by_new] {
        cluster.until_good(token).await;
    }
    let third = Key::of_kubernetes();
    let by_third = cluster.token_by(&third, json!({}));
    let error = cluster.kube.authenticate(&by_third).await.error().to_owned();
    assert!(error.contains("no key of the issuer"), "{error}");
    cluster.service.write("previous.pem", &third.pem().1);
    let error = cluster.until_refused(&by_old).await;
    assert!(error.contains("no key of the issuer"), "{error}");
    cluster.until_good(&by_third).await;
    cluster.until_good(&by_new).await;

    for (file, broken) in [
        ("active.pem", new.pem().1),
        ("active.pem", "rubbish".to_owned()),
        ("previous.pem", new.pem().0),
    ] {
        let failures = cluster.reloads(&FAILURE).await;
        cluster.write_keys(&new.pem().0, &third.pem().0);
        cluster.service.write(file, &broken);
        cluster.service.until_metric("config_reloads_total", &FAILURE, failures + 1.0).await;
        for token in [&by_third, &by_new] {
            let verdict = cluster.kube.authenticate(token).await;
            assert!(matches!(verdict, Verdict::User(..)), "{file}: {verdict:?}");
        }
    }
    let active = cluster.service.path("active.pem").display().to_string();
    let said = logs::with(&active);
    assert!(said.iter().any(|line| line.contains("holds no key")), "{said:?}");
    assert!(said.iter().any(|line| line.contains("the first file signs")), "{said:?}");
    assert!(logs::with("PRIVATE KEY").is_empty());
}

#[test]
fn check_names_the_issuer_and_every_mistake_of_its_files() {
    let (url, key, previous) =
        (unique("https://issuer"), Key::of_kubernetes(), Key::of_kubernetes());
    let check = |setup: Setup| {
        let (directory, file) = setup.write();
        let check = Command::new(env!("CARGO_BIN_EXE_countersign")).arg("check").arg(file).output();
        drop(directory);
        let output = check.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = check(setup(&url, &key, &previous, json!({})));
    let ok = format!("ok: 0 issuers, the service account issuer {url} for 1 API audience, on ");
    assert!(code == Some(0) && said.contains(&ok), "{said}");
    let wrong = setup(&url, &key, &previous, json!({}))
        .with_file("objects/pod.yaml", &manifest("Pod", "web", "''", ""))
        .with_file("objects/x.yaml", &manifest("Deployment", "web", "u", ""));
    let (code, said) = check(wrong);
    assert_eq!((code, said.lines().count()), (Some(78), 3), "{said}");
    assert!(
        said.contains("pod.yaml:6: Pod ci/web: metadata.uid: Required value: add it"),
        "{said}"
    );
    assert!(said.contains("x.yaml:2: kind: Unsupported value: \"Deployment\""), "{said}");
}
