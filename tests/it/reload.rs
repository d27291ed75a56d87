//! Certificates and client CA that change while the service runs: nobody restarts it.

use serde_json::json;

use crate::support::client::Protocol;
use crate::support::service::Setup;
use crate::support::{API, Caller, Kube, Service, logs, pki, until};

const SUCCESS: [(&str, &str); 1] = [("result", "success")];
const FAILURE: [(&str, &str); 1] = [("result", "failure")];

async fn start() -> Service {
    Setup::new(json!({})).start().await
}

async fn asks(kube: &Kube) -> Result<u16, String> {
    kube.send(kube.review("opaque", &[API])).await.map(|answer| answer.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_served_once_its_key_is_there() {
    let service = start().await;
    let old = service.kube().await;
    for result in [SUCCESS, FAILURE] {
        let series = service.metrics().await.matching("config_reloads_total", &result).count();
        assert_eq!(series, 1, "an increase from 0 can be seen");
    }
    let (certificate, key) = (service.path("tls.crt"), service.path("tls.key"));
    let leaf = pki::Authority::new("renewed").server_until(2035);

    service.write("tls.crt", &leaf.certificate);
    service.until_metric("config_reloads_total", &FAILURE, 1.0).await;
    let said = logs::with(&key.display().to_string());
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("is not the key of the first certificate in"), "{said:?}");
    assert!(said[0].contains("\"level\":\"ERROR\""), "{said:?}");
    assert_eq!(asks(&service.kube().await).await, Ok(200), "the old pair is in force");

    service.write("tls.key", &leaf.key);
    service.until_metric("config_reloads_total", &SUCCESS, 1.0).await;
    let refused = service.connect(Caller::ApiServer, Protocol::Http2).await;
    assert!(refused.is_err(), "it is another authority's now");
    assert_eq!(asks(&old).await, Ok(200), "who is connected stays so");
    let labels = [("file", &*certificate.display().to_string())];
    let expiry = service.metric("certificate_expiry_timestamp_seconds", &labels).await;
    assert_eq!(expiry, 2_051_222_400.0);
    let failures = service.metric("config_reloads_total", &FAILURE).await;

    for (name, content) in [("tls.key", ""), ("tls.crt", "-----BEGIN CERTIFICATE-----\nAA")] {
        let failures = service.metric("config_reloads_total", &FAILURE).await;
        service.write(name, content);
        service.until_metric("config_reloads_total", &FAILURE, failures + 1.0).await;
    }
    assert_eq!((failures, asks(&old).await), (1.0, Ok(200)));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_client_ca_sends_away_whom_the_old_one_let_in() {
    let service = start().await;
    let (old, old_http1) =
        (service.kube().await, service.connect(Caller::ApiServer, Protocol::Http1).await.unwrap());
    for kube in [&old, &old_http1] {
        assert_eq!(asks(kube).await, Ok(200));
    }

    // First both, as in a rotation that nobody notices: they are told to go, and may come again.
    let both = format!("{}{}", pki::CLIENTS.pem, pki::PROVIDERS.pem);
    service.write("client-ca.crt", &both);
    for kube in [&old, &old_http1] {
        until("it was told to go", async || asks(kube).await.is_err()).await;
    }
    let again = service.kube().await;
    assert_eq!(asks(&again).await, Ok(200));

    service.write("client-ca.crt", &pki::PROVIDERS.pem);
    until("it was told to go", async || asks(&again).await.is_err()).await;
    if let Ok(kube) = service.connect(Caller::ApiServer, Protocol::Http2).await {
        assert!(asks(&kube).await.is_err(), "nobody vouches for it any more");
    }
    assert_eq!(service.metric("config_reloads_total", &SUCCESS).await, 2.0);

    service.write("client-ca.crt", "none");
    service.until_metric("config_reloads_total", &FAILURE, 1.0).await;
    service.write("client-ca.crt", &both);
    until("the API server is let in again", async || {
        match service.connect(Caller::ApiServer, Protocol::Http2).await {
            Ok(kube) => asks(&kube).await.is_ok(),
            Err(_) => false,
        }
    })
    .await;
}
