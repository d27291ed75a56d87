//! `countersign probe`: what exec probes, `helm test` and operators learn from it.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::command::{Ran, countersign};
use crate::support::issuer::KEYS;
use crate::support::kubeconfig::{self, apiserver};
use crate::support::service::Setup;
use crate::support::{API, Gate, Issuer, Manner, Service, pki};

async fn probe<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>, input: &str) -> Ran {
    let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
    countersign(std::iter::once("probe".into()).chain(args), input).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_0_when_all_is_well_and_says_what_is_not() {
    let issuer = Issuer::start().await;
    let gate = Gate::closed();
    issuer.answers(KEYS, Manner::Held(gate.clone()));
    let config = json!({"jwt": [issuer.entry(json!({}))], "admin": {"socket": "admin.sock"}});
    let service = Setup::new(config).launch().await;
    let socket = service.path("admin.sock").display().to_string();
    let address = service.admin_address().to_string();
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let places = [["--socket", &socket], ["--address", &address]];
    for place in places {
        assert_eq!(probe(["livez"].into_iter().chain(place), "").await.code, Some(0));
        for readyz in [&["readyz"][..], &[]] {
            let ran = probe(readyz.iter().copied().chain(place), "").await;
            assert_eq!(ran.code, Some(1), "{}", ran.err);
            assert!(ran.err.contains(&issuer.url), "{}", ran.err);
            assert!(ran.err.ends_with("readyz check failed\n"), "{}", ran.err);
        }
    }
    gate.open();
    service.until_ready().await;
    for place in places {
        let ran = probe(["readyz"].into_iter().chain(place), "").await;
        assert_eq!((ran.code, &*ran.out, &*ran.err), (Some(0), "", ""));
    }
    service.drain();
    assert_eq!(probe(["readyz", "--socket", &socket], "").await.code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_and_somebody_who_says_nothing_are_not_well() {
    let gone = std::env::temp_dir().join("countersign-nobody.sock").display().to_string();
    let ran = probe(["livez", "--socket", &gone], "").await;
    assert_eq!(ran.code, Some(1));
    let words = format!("{gone}: no connection: No such file or directory (os error 2)\n");
    assert_eq!(ran.err, words);

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let ran = probe(["livez", "--timeout", "1", "--address", &address], "").await;
    assert_eq!((ran.code, ran.err), (Some(1), format!("{address}: no complete answer in time\n")));
    assert_eq!(probe(["livez"], "").await.code, Some(64));
}

/// A service with a webhook kubeconfig beside its configuration, as for kube-apiserver.
async fn with_kubeconfig(issuer: &Issuer, cluster: Value, user: Value) -> Service {
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    kubeconfig::write(&service, cluster, user);
    service
}

/// Reviews `token`, given on standard input.
async fn review(service: &Service, token: &str, more: &[&str]) -> Ran {
    let kubeconfig = service.path("webhook.kubeconfig").display().to_string();
    let args = ["review", "--kubeconfig", &kubeconfig, "--token-file", "-"];
    let ran = probe(args.iter().chain(more), token).await;
    let secret = token.trim();
    assert!(secret.is_empty() || !format!("{}{}", ran.out, ran.err).contains(secret));
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_what_kube_apiserver_would_get() {
    let issuer = Issuer::start().await;
    let service = with_kubeconfig(&issuer, json!({}), apiserver()).await;
    let token = issuer.token(json!({}));
    let ran = review(&service, &format!("{token}\n"), &[]).await;
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    let status: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(status["user"]["username"], "alice");
    assert_eq!(status["audiences"], json!([API]));

    assert_eq!(
        review(&service, &token, &["--audience", "x", "--audience", API]).await.code,
        Some(0)
    );
    let ran = review(&service, &token, &["--audience", "elsewhere"]).await;
    assert_eq!(
        (ran.code, &*ran.err),
        (
            Some(1),
            "not authenticated; `countersign explain` says what was checked, and what to change\n"
        )
    );
    assert!(ran.out.contains("\"error\""), "{}", ran.out);
    for bad in [issuer.token(json!({"exp": 1})), format!("{token}\n\n"), "opaque".to_owned()] {
        let ran = review(&service, &bad, &[]).await;
        assert_eq!(
            (ran.code, &*ran.err),
            (
                Some(1),
                "not authenticated; `countersign explain` says what was checked, and what to change\n"
            )
        );
        let status: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(status["authenticated"], false);
    }

    let file = service.path("token");
    service.write("token", &format!("{token}\n"));
    let kubeconfig = service.path("webhook.kubeconfig");
    let args = ["review".as_ref(), "--kubeconfig".as_ref(), kubeconfig.as_os_str()];
    let args = args.into_iter().chain(["--token-file".as_ref(), file.as_os_str()]);
    assert_eq!(probe(args, "").await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_kube_apiserver_out_is_named_with_its_remedy() {
    let issuer = Issuer::start().await;
    let token = issuer.token(json!({}));
    for (cluster, user, says) in [
        (json!({}), json!({}), "401 Unauthorized: a client certificate is required"),
        (
            json!({"certificate-authority": "client.crt"}),
            apiserver(),
            "is not signed by certificate-authority",
        ),
        (
            json!({"certificate-authority": "gone.crt"}),
            apiserver(),
            "gone.crt: cannot be read: No such file",
        ),
        (
            json!({"certificate-authority": null}),
            apiserver(),
            "is not signed by certificate-authority",
        ),
        (json!({"tls-server-name": "elsewhere.test"}), apiserver(), "set tls-server-name"),
        (
            json!({"server": "https://127.0.0.1:1"}),
            apiserver(),
            "https://127.0.0.1:1: nobody answers there",
        ),
        (
            json!({}),
            json!({"token": "x"}),
            "webhook.kubeconfig: users[0].user.token is not read here",
        ),
        (
            json!({}),
            json!({"client-certificate": "client.crt", "client-key": "ca.crt"}),
            "ca.crt: the client key is not PEM",
        ),
        (
            json!({}),
            json!({"client-certificate": "ca.crt", "client-key": "client.key"}),
            "ca.crt: client certificate and client key cannot be used together",
        ),
    ] {
        let service = with_kubeconfig(&issuer, cluster, user).await;
        let ran = review(&service, &token, &[]).await;
        assert_eq!((ran.code, &*ran.out), (Some(1), ""));
        assert!(ran.err.contains(says), "said {:?}\nwanted {says:?}", ran.err);
    }
    let named =
        with_kubeconfig(&issuer, json!({"tls-server-name": "localhost"}), apiserver()).await;
    assert_eq!(review(&named, &token, &[]).await.code, Some(0));
    let root = format!("https://{}", named.address());
    let elsewhere = with_kubeconfig(&issuer, json!({"server": root}), apiserver()).await;
    let ran = review(&elsewhere, &token, &[]).await;
    assert!(ran.err.contains("404 Not Found"), "{}", ran.err);
    let impostor = pki::Authority::new("clients").client("kube-apiserver");
    named.write("client.crt", &impostor.certificate);
    named.write("client.key", &impostor.key);
    let ran = review(&named, &token, &[]).await;
    assert_eq!(ran.code, Some(1));
    let says = "is client-certificate signed by listen.clientCAFile?";
    assert!(ran.err.contains(says), "{}", ran.err);
}
