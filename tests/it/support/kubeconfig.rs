//! A webhook kubeconfig as kube-apiserver is given one, with the files that it names.

use serde_json::{Value, json};

use super::{Service, lay, pki};

/// Who asks: the API server, by its certificate.
pub fn apiserver() -> Value {
    json!({"client-certificate": "client.crt", "client-key": "client.key"})
}

/// Writes `webhook.kubeconfig` beside the configuration of `service`, which it leads to unless
/// `cluster` says otherwise, for `user`.
pub fn write(service: &Service, cluster: Value, user: Value) {
    let client = pki::CLIENTS.client("kube-apiserver");
    service.write("ca.crt", &pki::SERVERS.pem);
    service.write("client.crt", &client.certificate);
    service.write("client.key", &client.key);
    let server = format!("https://{}/authenticate", service.address());
    let mut whole = json!({"server": server, "certificate-authority": "ca.crt"});
    lay(&mut whole, cluster);
    let kubeconfig = json!({
        "clusters": [{"name": "c", "cluster": whole}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    });
    service.write("webhook.kubeconfig", &kubeconfig.to_string());
}
