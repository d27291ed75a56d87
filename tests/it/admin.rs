//! What probes and people get from the admin listener.

use serde_json::json;
use tokio::net::TcpStream;

use crate::support::issuer::KEYS;
use crate::support::service::Setup;
use crate::support::{Gate, Issuer, Manner};

#[tokio::test(flavor = "multi_thread")]
async fn ready_is_when_every_issuer_was_tried() {
    let (held, dark) = (Issuer::start().await, Issuer::start().await);
    let gate = Gate::closed();
    held.answers(KEYS, Manner::Held(gate.clone()));
    dark.turns(Manner::Dark);
    let entries = [held.entry(json!({})), dark.entry(json!({}))];
    let service = Setup::new(json!({"jwt": entries})).launch().await;
    held.until_asked(KEYS, 1).await;
    service.until_metric("jwks_fetches_total", &[("result", "failure")], 1.0).await;

    let (code, checks) = service.admin("/readyz").await;
    assert_eq!(code, 500, "{checks}");
    let line = |checks: &str, issuer: &Issuer| {
        checks.lines().find(|line| line.contains(&issuer.url)).unwrap_or_default().to_owned()
    };
    let (_, checks) = service.admin("/readyz?verbose").await;
    assert!(line(&checks, &held).starts_with("[-]"), "not tried yet: {checks}");
    assert!(line(&checks, &dark).starts_with("[!]"), "tried, in vain: {checks}");
    assert!(checks.starts_with("[-]serving not yet"), "{checks}");
    for path in ["/livez", "/healthz"] {
        assert_eq!(service.admin(path).await, (200, "ok".to_owned()));
    }
    let early = TcpStream::connect(service.address()).await;
    assert!(early.is_err(), "whoever served there before must keep the connections");

    gate.open();
    service.until_ready().await;
    assert!(TcpStream::connect(service.address()).await.is_ok());
    assert_eq!(service.admin("/readyz").await, (200, "ok".to_owned()));
    let (code, checks) = service.admin("/readyz?verbose").await;
    assert_eq!(code, 200);
    assert!(line(&checks, &held).starts_with("[+]"), "{checks}");
    assert_ne!(
        line(&checks, &held).replace(&held.url, ""),
        line(&checks, &dark).replace(&dark.url, ""),
        "it says which is dark"
    );
    assert!(checks.ends_with("readyz check passed\n"), "{checks}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_nothing_else() {
    let service = Setup::new(json!({})).start().await;
    for path in ["/", "/authenticate", "/metrics/", "/debug/pprof", "/livez/x"] {
        assert_eq!(service.admin(path).await.0, 404, "{path}");
    }
    let (code, metrics) = service.admin("/metrics?x=y").await;
    assert_eq!(code, 200);
    assert!(metrics.contains("countersign_build_info"), "{metrics}");
}
