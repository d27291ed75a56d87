//! The kubeconfig through which kube-apiserver finds its webhook.
//!
//! A kubeconfig is `clientcmd.k8s.io` v1 `Config`; this is the small part of it that the webhook
//! authenticator honours (the contract, section 1.6), with credentials as files. Files because
//! client-go reloads a certificate only from a file: one embedded as `…-data` would be used until
//! kube-apiserver restarts. Relative paths are relative to the kubeconfig itself.

mod read;

use std::fmt;

pub use read::{KubeconfigError, Webhook};

/// A webhook's address and how to prove who asks. Displayed as YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubeconfig<'a> {
    /// `cluster.server`: the whole URL that reviews are posted to, its path included. Must be
    /// `https`: over plain HTTP no client certificate is read.
    pub server: &'a str,
    /// `cluster.certificate-authority`: who signed the webhook's serving certificate.
    pub certificate_authority: &'a str,
    /// `cluster.tls-server-name`: the name that the serving certificate has to be for, where it is
    /// not the host of `server`.
    pub tls_server_name: Option<&'a str>,
    /// `user.client-certificate`.
    pub client_certificate: &'a str,
    /// `user.client-key`.
    pub client_key: &'a str,
}

impl fmt::Display for Kubeconfig<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A JSON string is a YAML string too, whatever stands in it.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let tls_server_name = self
            .tls_server_name
            .map(|name| format!("    tls-server-name: {}\n", quoted(name)))
            .unwrap_or_default();
        write!(
            f,
            "\
apiVersion: v1
kind: Config
clusters:
- name: countersign
  cluster:
    server: {}
    certificate-authority: {}
{}users:
- name: kube-apiserver
  user:
    client-certificate: {}
    client-key: {}
contexts:
- name: webhook
  context:
    cluster: countersign
    user: kube-apiserver
current-context: webhook
",
            quoted(self.server),
            quoted(self.certificate_authority),
            tls_server_name,
            quoted(self.client_certificate),
            quoted(self.client_key),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_as_what_was_meant_whatever_the_names() {
        let kubeconfig = Kubeconfig {
            server: "https://[::1]:8443/a#b: {c}?d='e'",
            certificate_authority: "the \"ca\".crt",
            tls_server_name: Some("on.example.com"),
            client_certificate: "yes",
            client_key: "tab\tand\\",
        };
        let read: serde_json::Value = serde_saphyr::from_str(&kubeconfig.to_string()).unwrap();
        assert_eq!(
            read,
            serde_json::json!({
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "countersign", "cluster": {
                    "server": "https://[::1]:8443/a#b: {c}?d='e'",
                    "certificate-authority": "the \"ca\".crt",
                    "tls-server-name": "on.example.com",
                }}],
                "users": [{"name": "kube-apiserver", "user": {
                    "client-certificate": "yes",
                    "client-key": "tab\tand\\",
                }}],
                "contexts": [{"name": "webhook", "context": {
                    "cluster": "countersign",
                    "user": "kube-apiserver",
                }}],
                "current-context": "webhook",
            })
        );
    }
}
