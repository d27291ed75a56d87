//! A configuration that changes while the service runs: nobody restarts it, and nobody is refused.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::api::{Api, TOKEN, apis_configuration, with_everything};
use crate::support::client::Protocol;
use crate::support::issuer::KEYS;
use crate::support::process::Process;
use crate::support::service::{Setup, configuration};
use crate::support::{API, Caller, Gate, Issuer, Manner, Service, Verdict, all, logs, pki, until};

const SUCCESS: [(&str, &str); 1] = [("result", "success")];
const FAILURE: [(&str, &str); 1] = [("result", "failure")];

async fn start(over: Value) -> Service {
    Setup::new(over).start().await
}

/// Replaces the configuration and waits until it is in force.
async fn change(service: &Service, over: Value) {
    let reloads = service.metric("config_reloads_total", &SUCCESS).await;
    service.reconfigure(over);
    service.until_metric("config_reloads_total", &SUCCESS, reloads + 1.0).await;
}

/// Replaces the configuration and waits until it is refused.
async fn refused(service: &Service, over: Value) {
    let failures = service.metric("config_reloads_total", &FAILURE).await;
    service.reconfigure(over);
    service.until_metric("config_reloads_total", &FAILURE, failures + 1.0).await;
}

async fn line(service: &Service, start: &str) -> String {
    let (code, checks) = service.admin("/readyz?verbose").await;
    assert_eq!(code, 200, "{checks}");
    let line =
        checks.lines().find(|line| line.get(3..).is_some_and(|line| line.starts_with(start)));
    line.unwrap_or_else(|| panic!("no {start}: {checks}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_issuer_serves_once_tried_and_the_keys_of_the_others_stay_warm() {
    let (old, new) = (Issuer::start().await, Issuer::start().await);
    let service = start(json!({"jwt": [old.entry(json!({}))]})).await;
    let kube = service.kube().await;
    assert_eq!(kube.authenticate(&new.token(json!({}))).await, Verdict::Nobody);
    old.turns(Manner::Dark);
    let gate = Gate::closed();
    new.answers(KEYS, Manner::Held(gate.clone()));

    // The old issuer's rules change too, its keys do not.
    let prefixed = json!({"claimMappings": {"username": {"prefix": "old:"}}});
    service.reconfigure(json!({"jwt": [new.entry(json!({})), old.entry(prefixed)]}));
    new.until_asked(KEYS, 1).await;
    assert_eq!(kube.authenticate(&new.token(json!({}))).await, Verdict::Nobody, "not tried yet");
    assert_eq!(kube.authenticate(&old.token(json!({}))).await.username(), "alice");
    gate.open();
    service.until_metric("config_reloads_total", &SUCCESS, 1.0).await;
    assert_eq!(kube.authenticate(&new.token(json!({}))).await.username(), "alice");
    assert_eq!(kube.authenticate(&old.token(json!({}))).await.username(), "old:alice");
    assert_eq!(old.asked(KEYS), 1, "its keys stay warm");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_departed_issuer_is_nobody_and_leaves_no_series() {
    let (stays, goes) = (Issuer::start().await, Issuer::start().await);
    let entries = [stays.entry(json!({})), goes.entry(json!({}))];
    let service = start(json!({"jwt": entries})).await;
    let kube = service.kube().await;
    let (good, bad) = (goes.token(json!({})), goes.token(json!({"aud": "other"})));
    assert_eq!(kube.authenticate(&good).await.username(), "alice");
    assert!(kube.authenticate(&bad).await.error().contains("issuer.audiences"));
    assert_eq!(kube.authenticate(&stays.token(json!({}))).await.username(), "alice");
    let shown = async |issuer: &Issuer| {
        service.admin("/metrics").await.1.matches(&format!("issuer=\"{}\"", issuer.url)).count()
    };
    let both = shown(&stays).await;
    assert!(both > 0 && shown(&goes).await > 0);

    change(&service, json!({"jwt": [stays.entry(json!({}))]})).await;
    assert_eq!(kube.authenticate(&good).await, Verdict::Nobody, "nothing is remembered of it");
    until("its series are gone", async || shown(&goes).await == 0).await;
    assert_eq!(shown(&stays).await, both, "the others are not interrupted");
    assert_eq!(service.metric("jwks_fetches_total", &[("issuer", &stays.url)]).await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_changes_nothing_and_says_what_to_mend() {
    let issuer = Issuer::start().await;
    let service = start(json!({"jwt": [issuer.entry(json!({}))]})).await;
    let kube = service.kube().await;
    assert!(line(&service, "configuration").await.starts_with("[+]"));

    let file = json!({"path": "late.csv"});
    let wrong = json!({"jwt": [issuer.entry(json!({}))], "tokenFile": file, "cashe": {}});
    refused(&service, wrong).await;
    let said = line(&service, "configuration").await;
    assert!(said.starts_with("[!]") && said.contains("the last good content stays"), "{said}");
    assert!(said.contains("countersign.yaml:1: ") && said.contains("1 more"), "{said}");
    let path = service.path("countersign.yaml").display().to_string();
    let logged = logs::with(&path);
    assert!(logged.iter().any(|line| line.contains("did you mean cache?")), "{logged:?}");
    assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "alice");

    refused(&service, json!({"jwt": [issuer.entry(json!({}))], "tokenFile": file})).await;
    assert_eq!(service.admin("/readyz").await.0, 200);
    assert_eq!(service.metric("config_files_wrong", &[]).await, 1.0);
    service.write("late.csv", "secret-of-jane,jane,1\n");
    service.until_metric("config_reloads_total", &SUCCESS, 1.0).await;
    let failures = service.metric("config_reloads_total", &FAILURE).await;
    assert_eq!(failures, 2.0, "each is said once, however often it is looked at");
    assert_eq!(
        kube.authenticate("secret-of-jane").await.username(),
        "jane",
        "by a named file alone"
    );
    assert!(line(&service, "configuration").await.starts_with("[+]"));
    assert_eq!(service.metric("config_files_wrong", &[]).await, 0.0);
    assert!(line(&service, "token file").await.contains("ok: 1 token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_moves_by_a_restart_only_and_nothing_else_of_its_configuration_counts() {
    let service = start(json!({})).await;
    // On another address it would be right to ask nobody for a certificate.
    let open = json!({
        "listen": {"address": "127.0.0.1:1", "clientCAFile": null},
        "admin": {"socket": "admin.sock"},
    });
    refused(&service, open).await;
    let said = line(&service, "configuration").await;
    assert!(said.contains("needs a restart, because of listen.address (now 127.0.0.1:0"), "{said}");
    assert!(said.contains("admin.socket (now none"), "{said}");
    let stranger = service.connect(Caller::Nobody, Protocol::Http2).await.unwrap();
    let answer = stranger.send(stranger.review("opaque", &[API])).await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_the_same_in_other_words_keeps_what_is_remembered() {
    let issuer = Issuer::start().await;
    let config = json!({"jwt": [issuer.entry(json!({}))]});
    let service = start(config.clone()).await;
    let (kube, token) = (service.kube().await, issuer.token(json!({})));
    assert_eq!(kube.authenticate(&token).await.username(), "alice");
    let hash = async || {
        let metrics = service.admin("/metrics").await.1;
        let info = metrics.lines().find(|line| line.starts_with("countersign_config_info{"));
        info.unwrap().to_owned()
    };
    let before = hash().await;
    service.write("countersign.yaml", &format!("{}\n# a comment", configuration(config)));
    until("it was read", async || hash().await != before).await;
    assert_eq!(kube.authenticate(&token).await.username(), "alice");
    assert_eq!(service.metric("cache_lookups_total", &[("result", "hit")]).await, 1.0);
    assert_eq!(service.metric("config_reloads_total", &SUCCESS).await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_that_are_part_of_it_count_as_it_does() {
    let (ours, theirs) = (Issuer::start().await, Issuer::start().await);
    let by_file =
        json!({"issuer": {"certificateAuthority": null, "certificateAuthorityFile": "ca.crt"}});
    let authentication = |issuer: &Issuer, prefix: &str| {
        let mapping = json!({"claimMappings": {"username": {"prefix": prefix}}});
        json!({
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AuthenticationConfiguration",
            "jwt": [issuer.entry(mapping)],
        })
        .to_string()
    };
    let over = json!({
        "jwt": [ours.entry(by_file)],
        "authenticationConfigurationFile": "authentication.yaml",
    });
    let setup = Setup::new(over)
        .with_file("ca.crt", &pki::CLIENTS.pem)
        .with_file("authentication.yaml", &authentication(&theirs, "a:"));
    let service = setup.start().await;
    let kube = service.kube().await;
    let refusal = kube.authenticate(&ours.token(json!({}))).await;
    assert!(refusal.error().contains("could not be fetched"), "{refusal:?}");
    assert_eq!(kube.authenticate(&theirs.token(json!({}))).await.username(), "a:alice");

    service.write("ca.crt", &pki::PROVIDERS.pem);
    service.until_metric("config_reloads_total", &SUCCESS, 1.0).await;
    assert_eq!(kube.authenticate(&ours.token(json!({}))).await.username(), "alice");
    service.write("authentication.yaml", &authentication(&theirs, "b:"));
    service.until_metric("config_reloads_total", &SUCCESS, 2.0).await;
    assert_eq!(kube.authenticate(&theirs.token(json!({}))).await.username(), "b:alice");
    service.write("authentication.yaml", &authentication(&ours, "b:"));
    service.until_metric("config_reloads_total", &FAILURE, 1.0).await;
    let said = line(&service, "configuration").await;
    assert!(said.contains("authentication.yaml:") && said.contains("Duplicate value"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_map_is_swapped_by_its_link() {
    let issuer = Issuer::start().await;
    let config = |prefix: &str| {
        let mapping = json!({"claimMappings": {"username": {"prefix": prefix}}});
        let files = json!({"certificateFile": "../tls.crt", "privateKeyFile": "../tls.key",
                           "clientCAFile": "../client-ca.crt"});
        configuration(json!({"jwt": [issuer.entry(mapping)], "listen": files})).to_string()
    };
    let setup = Setup::of(config("1:")).with_file("map/..1/config.yaml", &config("1:"));
    setup.link("..1", "map/..data");
    setup.link("..data/config.yaml", "map/config.yaml");
    let service = setup.at("map/config.yaml").start().await;
    let kube = service.kube().await;
    assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "1:alice");
    service.write("map/..2/config.yaml", &config("2:"));
    symlink("..2", service.path("map/..next")).unwrap();
    fs::rename(service.path("map/..next"), service.path("map/..data")).unwrap();
    service.until_metric("config_reloads_total", &SUCCESS, 1.0).await;
    assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "2:alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_issuer_and_who_may_use_the_apis_come_go_and_change() {
    let service =
        with_everything(Setup::new(json!({"tokenFile": {"path": "tokens.csv"}}))).start().await;
    let requester = Api::bearing(&service, "requester").await;
    let code = async || requester.post(TOKEN, &json!({"spec": {}})).await.code;
    assert_eq!(code().await, 404, "there is no issuer");
    change(&service, apis_configuration(json!({"callers": []}))).await;
    assert_eq!(code().await, 403, "it is allowed to nobody");
    change(&service, apis_configuration(json!({}))).await;
    let token = requester.token(json!({})).await;
    let kube = service.kube().await;
    assert_eq!(kube.authenticate(&token).await.username(), "x:system:serviceaccount:ci:builder");

    let renamed = json!({"serviceAccountIssuer": {"usernamePrefix": "y:"}});
    change(&service, apis_configuration(renamed)).await;
    assert_eq!(kube.authenticate(&token).await.username(), "y:system:serviceaccount:ci:builder");
    service.remove("objects/account.yaml");
    until("it is gone", async || matches!(kube.authenticate(&token).await, Verdict::Error(_)))
        .await;
    change(&service, json!({"tokenFile": {"path": "tokens.csv"}})).await;
    assert_eq!(kube.authenticate(&token).await, Verdict::Nobody);
    assert_eq!(code().await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_tls_may_be_others() {
    let leaf = pki::Authority::new("elsewhere").server_until(2035);
    let setup = Setup::new(json!({}));
    let setup = setup.with_file("other.crt", &leaf.certificate).with_file("other.key", &leaf.key);
    let service = setup.start().await;
    let old = service.kube().await;
    let listen = json!({"certificateFile": "other.crt", "privateKeyFile": "other.key"});
    change(&service, json!({"listen": listen})).await;
    assert!(service.connect(Caller::ApiServer, Protocol::Http2).await.is_err());
    assert_eq!(old.send(old.review("opaque", &[API])).await.unwrap().status(), 200);
    let expiries = service.admin("/metrics").await.1;
    let shown =
        |file: &str| expiries.contains(&format!("file=\"{}\"", service.path(file).display()));
    assert_eq!([shown("tls.crt"), shown("other.crt"), shown("client-ca.crt")], [false, true, true]);

    // Who is let in now is whoever has a certificate of the new authority, and nobody who had one of
    // the old.
    let listen = json!({"clientCAFile": "other.crt"});
    change(&service, json!({"listen": listen})).await;
    until("it was told to go", async || old.send(old.review("opaque", &[API])).await.is_err())
        .await;
    service.write("tls.crt", "broken");
    service.until_metric("config_files_wrong", &[], 1.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_names_of_callers_change_with_it() {
    let service = start(json!({})).await;
    let big = async |kube: &crate::support::Kube| {
        let review = kube.review(&"x".repeat(2000), &[API]);
        kube.send(review).await.unwrap().status().as_u16()
    };
    assert_eq!(big(&service.kube().await).await, 200);
    change(&service, json!({"limits": {"maxBodyBytes": 1000}})).await;
    assert_eq!(big(&service.kube().await).await, 413);
    change(&service, json!({"listen": {"clientNames": ["somebody-else"]}})).await;
    assert_eq!(big(&service.kube().await).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_review_fails_while_it_changes() {
    let (one, other) = (Issuer::start().await, Issuer::start().await);
    let configs = [
        json!({"jwt": [one.entry(json!({})), other.entry(json!({}))]}),
        json!({"jwt": [one.entry(json!({}))], "cache": {"authenticatedTTL": "1m"}}),
    ];
    let service = start(configs[1].clone()).await;
    let (ended, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let known = Arc::new(one.token(json!({})));
    let mut callers = Vec::new();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let kube = service.connect(Caller::ApiServer, protocol).await.unwrap();
        let (key, claims, known) = (one.key(), one.claims(json!({})), known.clone());
        let (ended, answered) = (ended.clone(), answered.clone());
        callers.push(async move {
            let mut fresh = claims;
            while !ended.load(Ordering::SeqCst) {
                let number = answered.fetch_add(2, Ordering::SeqCst);
                fresh["jti"] = json!(format!("{protocol:?} {number}"));
                assert_eq!(kube.authenticate(&known).await.username(), "alice");
                assert_eq!(kube.authenticate(&key.token(&fresh)).await.username(), "alice");
            }
        });
    }
    let callers = all(callers);
    for config in configs.iter().cycle().take(20) {
        let before = answered.load(Ordering::SeqCst);
        change(&service, config.clone()).await;
        until("there is load", async || answered.load(Ordering::SeqCst) > before + 10).await;
    }
    ended.store(true, Ordering::SeqCst);
    callers.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_issuers_have_keys_as_are_required_before_it_serves() {
    let (good, dark) = (Issuer::start().await, Issuer::start().await);
    dark.turns(Manner::Dark);
    let config = |word: &str, issuers: &[&Issuer]| {
        let entries: Vec<_> = issuers.iter().map(|issuer| issuer.entry(json!({}))).collect();
        json!({"jwt": entries, "readiness": {"requireIssuers": word}})
    };
    start(config("Tried", &[&dark])).await;
    let any = start(config("Any", &[&good, &dark])).await;
    start(config("Any", &[])).await;

    let none = Setup::new(config("Any", &[&dark])).launch().await;
    let every = Setup::new(config("All", &[&good, &dark])).launch().await;
    for (service, word) in [(&none, "Any"), (&every, "All")] {
        let why = format!("readiness.requireIssuers is {word}");
        until(&why, async || service.admin("/readyz?verbose").await.1.contains(&why)).await;
        assert_eq!(service.admin("/readyz").await.0, 500);
    }
    // A configuration that asks for less is as good as a provider that comes back.
    none.reconfigure(config("Tried", &[&dark]));
    none.until_ready().await;
    dark.turns(Manner::Well);
    every.until_ready().await;

    dark.turns(Manner::Dark);
    let new = Issuer::start().await;
    new.turns(Manner::Dark);
    change(&any, config("All", &[&good, &new])).await;
    assert_eq!(any.admin("/readyz").await.0, 200, "who serves goes on: other issuers do");
    assert!(line(&any, &format!("jwt {}", new.url)).await.starts_with("[!]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_looked_at_at_once_when_asked() {
    let slowly = |pace: &mut countersign::app::Pace| pace.files = Duration::from_secs(3600);
    let setup = Setup::new(json!({"tokenFile": {"path": "tokens.csv"}}));
    let service = setup.with_file("tokens.csv", "a,jane,1\n").with_pace(slowly).start().await;
    let kube = service.kube().await;
    service.write("tokens.csv", "b,jane,1\n");
    until("the file was looked at", async || {
        service.look();
        kube.authenticate("b").await != Verdict::Nobody
    })
    .await;
}

/// To open a pipe without a writer would block for ever, and the end of the process with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_in_the_place_of_a_file_is_wrong_and_holds_up_nothing() {
    let certificate = pki::SERVERS.server();
    let setup = Setup::new(json!({"limits": {"maxBodyBytes": 2000}}));
    let setup = setup.with_file("tls.crt", &certificate.certificate);
    let service = setup.with_file("tls.key", &certificate.key).start().await;
    for name in ["countersign.yaml", "tls.crt"] {
        service.remove(name);
        let path = service.path(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    }
    service.until_metric("config_files_wrong", &[], 2.0).await;
    until("it is told", async || {
        line(&service, "configuration").await.contains("it is not a regular file")
    })
    .await;
    for name in ["countersign.yaml", "tls.crt"] {
        service.remove(name);
    }
    service.write("tls.crt", &certificate.certificate);
    service.reconfigure(json!({"limits": {"maxBodyBytes": 3000}}));
    until("both are mended", async || service.metric("config_files_wrong", &[]).await == 0.0).await;
    service.drain();
    service.ended().await;
}

/// Who asks to look hears what is wrong then, and not an interval later.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_at_once_to_who_asks() {
    let slowly = |pace: &mut countersign::app::Pace| pace.files = Duration::from_secs(3600);
    let service = Setup::new(json!({})).with_pace(slowly).start().await;
    service.write("countersign.yaml", "half of it");
    service.write("tls.crt", "half of it");
    until("both are told", async || {
        service.look();
        service.metric("config_files_wrong", &[]).await == 2.0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_ends_nobody() {
    let process = Process::start(Setup::new(json!({}))).await;
    let kube = process.kube().await;
    process.signal("HUP");
    assert_eq!(kube.send(kube.review("opaque", &[API])).await.unwrap().status(), 200);
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0));
}
