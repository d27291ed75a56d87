//! The kubeconfigs that lead to countersign: kube-apiserver's to the webhook, kubectl's to the APIs.
//!
//! A kubeconfig is `clientcmd.k8s.io` v1 `Config`; this is the small part of it that the webhook
//! authenticator honours (the contract, section 1.6) and a namespace, with credentials as files.
//! Files because client-go reloads a certificate only from a file: one embedded as `…-data` would
//! be used until kube-apiserver restarts. Relative paths are relative to the kubeconfig itself.

mod read;

use std::fmt;

pub use read::{KubeconfigError, Webhook};

/// Where countersign is and how to prove who asks, as the only context. Displayed as YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubeconfig<'a> {
    /// The name of the context.
    pub context: &'a str,
    /// `cluster.server`: for kube-apiserver the whole URL that reviews are posted to, its path
    /// included; for kubectl the URL without path. Must be `https`: over plain HTTP no client
    /// certificate is read.
    pub server: &'a str,
    /// `cluster.certificate-authority`: who signed countersign's serving certificate.
    pub certificate_authority: &'a str,
    /// `cluster.tls-server-name`: the name that the serving certificate has to be for, where it is
    /// not the host of `server`.
    pub tls_server_name: Option<&'a str>,
    /// The name of the user.
    pub user: &'a str,
    /// `user.client-certificate`.
    pub client_certificate: &'a str,
    /// `user.client-key`.
    pub client_key: &'a str,
    /// `context.namespace`, which kubectl uses where its command line names none.
    pub namespace: Option<&'a str>,
}

impl fmt::Display for Kubeconfig<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A JSON string is a YAML string too, whatever stands in it.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let member = |name: &str, text: Option<&str>| {
            text.map(|text| format!("    {name}: {}\n", quoted(text))).unwrap_or_default()
        };
        write!(
            f,
            "\
apiVersion: v1
kind: Config
clusters:
- name: countersign
  cluster:
    server: {server}
    certificate-authority: {certificate_authority}
{tls_server_name}users:
- name: {user}
  user:
    client-certificate: {client_certificate}
    client-key: {client_key}
contexts:
- name: {context}
  context:
    cluster: countersign
    user: {user}
{namespace}current-context: {context}
",
            server = quoted(self.server),
            certificate_authority = quoted(self.certificate_authority),
            tls_server_name = member("tls-server-name", self.tls_server_name),
            user = quoted(self.user),
            client_certificate = quoted(self.client_certificate),
            client_key = quoted(self.client_key),
            context = quoted(self.context),
            namespace = member("namespace", self.namespace),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_as_what_was_meant_whatever_the_names() {
        let kubeconfig = Kubeconfig {
            context: "true",
            server: "https://[::1]:8443/a#b: {c}?d='e'",
            certificate_authority: "the \"ca\".crt",
            tls_server_name: Some("on.example.com"),
            user: "1e3",
            client_certificate: "yes",
            client_key: "tab\tand\\",
            namespace: Some("null"),
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
                "users": [{"name": "1e3", "user": {
                    "client-certificate": "yes",
                    "client-key": "tab\tand\\",
                }}],
                "contexts": [{"name": "true", "context": {
                    "cluster": "countersign",
                    "user": "1e3",
                    "namespace": "null",
                }}],
                "current-context": "true",
            })
        );
    }
}
