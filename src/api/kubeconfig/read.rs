//! A webhook kubeconfig as kube-apiserver reads it.
//!
//! Only the fields that [`Kubeconfig`](super::Kubeconfig) has for it are known. Another one of the cluster
//! or the user is an error: who left it out would ask in another way than kube-apiserver does.

use serde_json::{Map, Value};

/// What the `current-context` of a kubeconfig says, paths as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// `cluster.server`, without a trailing `/`, query and fragment, which kube-apiserver takes off.
    pub server: String,
    /// `cluster.certificate-authority`; absent for the system's roots.
    pub certificate_authority: Option<String>,
    /// `cluster.tls-server-name`.
    pub tls_server_name: Option<String>,
    /// `user.client-certificate` and `user.client-key`.
    pub client: Option<(String, String)>,
}

/// Why kube-apiserver could not use a kubeconfig, or could only do so in a way not known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KubeconfigError(String);

impl Webhook {
    /// Reads YAML or JSON.
    ///
    /// # Errors
    ///
    /// Says what to change, with the path of the field.
    pub fn parse(text: &str) -> Result<Self, KubeconfigError> {
        let config: Value = serde_saphyr::from_str(text)
            .map_err(|error| wrong(format!("not YAML or JSON: {}", error.without_snippet())))?;
        let current = text_of(config.get("current-context"), "current-context")?
            .ok_or_else(|| wrong("current-context is missing: kube-apiserver uses that context"))?;
        let context = Section::find(&config, "contexts", "context", &current)?;
        let cluster = context.text("cluster")?.ok_or_else(|| context.misses("cluster"))?;
        let cluster = Section::find(&config, "clusters", "cluster", &cluster)?;
        cluster.knows(&[
            "server",
            "certificate-authority",
            "tls-server-name",
            "disable-compression",
            "extensions",
        ])?;
        let server = cluster.text("server")?.ok_or_else(|| cluster.misses("server"))?;
        if !server.starts_with("https://") {
            let text = format!(
                "{}.server is {server:?}: it must begin with https://, over which alone \
                 kube-apiserver shows its certificate",
                cluster.path
            );
            return Err(wrong(text));
        }
        let client = match context.text("user")? {
            None => None,
            Some(user) => {
                let user = Section::find(&config, "users", "user", &user)?;
                user.knows(&["client-certificate", "client-key", "extensions"])?;
                match (user.text("client-certificate")?, user.text("client-key")?) {
                    (Some(certificate), Some(key)) => Some((certificate, key)),
                    (None, None) => None,
                    (None, Some(_)) => return Err(user.misses("client-certificate")),
                    (Some(_), None) => return Err(user.misses("client-key")),
                }
            }
        };
        let plain = server.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        Ok(Self {
            server: plain.to_owned(),
            certificate_authority: cluster.text("certificate-authority")?,
            tls_server_name: cluster.text("tls-server-name")?,
            client,
        })
    }
}

/// A cluster, user or context.
struct Section<'a> {
    /// As `clusters[0].cluster`.
    path: String,
    fields: Option<&'a Map<String, Value>>,
}

impl<'a> Section<'a> {
    /// The section of that name in one of the lists. An empty one may be left out or be null.
    fn find(
        config: &'a Value,
        list: &str,
        kind: &str,
        name: &str,
    ) -> Result<Self, KubeconfigError> {
        let items = config.get(list).and_then(Value::as_array).into_iter().flatten();
        let named = |(_, item): &(usize, &Value)| item.get("name").is_some_and(|it| it == name);
        let (index, item) = items
            .enumerate()
            .find(named)
            .ok_or_else(|| wrong(format!("{list} has no entry with the name {name:?}")))?;
        let path = format!("{list}[{index}].{kind}");
        match item.get(kind) {
            None | Some(Value::Null) => Ok(Self { path, fields: None }),
            Some(Value::Object(fields)) => Ok(Self { path, fields: Some(fields) }),
            Some(_) => Err(wrong(format!("{path}: wanted an object"))),
        }
    }

    /// The text of a field, if it is not empty.
    fn text(&self, field: &str) -> Result<Option<String>, KubeconfigError> {
        let value = self.fields.and_then(|fields| fields.get(field));
        text_of(value, &format!("{}.{field}", self.path))
    }

    fn knows(&self, known: &[&str]) -> Result<(), KubeconfigError> {
        let mut fields = self.fields.into_iter().flat_map(Map::keys);
        match fields.find(|field| !known.contains(&field.as_str())) {
            None => Ok(()),
            Some(field) => Err(wrong(format!(
                "{}.{field} is not read here: use {}",
                self.path,
                match field.as_str() {
                    "certificate-authority-data" => "certificate-authority, which is a file",
                    "client-certificate-data" | "client-key-data" =>
                        "client-certificate and client-key, which are files that kube-apiserver reloads",
                    _ => "the fields that countersign init writes",
                }
            ))),
        }
    }

    fn misses(&self, field: &str) -> KubeconfigError {
        wrong(format!("{}.{field} is missing", self.path))
    }
}

fn text_of(value: Option<&Value>, path: &str) -> Result<Option<String>, KubeconfigError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(wrong(format!("{path}: wanted a string"))),
    }
}

fn wrong(text: impl Into<String>) -> KubeconfigError {
    KubeconfigError(text.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Kubeconfig;
    use super::*;

    #[test]
    fn reads_what_init_writes() {
        let written = Kubeconfig {
            context: "webhook",
            server: "https://127.0.0.1:8443/authenticate/?x#y",
            certificate_authority: "ca.crt",
            tls_server_name: Some("localhost"),
            user: "kube-apiserver",
            client_certificate: "kube-apiserver.crt",
            client_key: "kube-apiserver.key",
            namespace: None,
        };
        assert_eq!(
            Webhook::parse(&written.to_string()),
            Ok(Webhook {
                server: "https://127.0.0.1:8443/authenticate".to_owned(),
                certificate_authority: Some("ca.crt".to_owned()),
                tls_server_name: Some("localhost".to_owned()),
                client: Some(("kube-apiserver.crt".to_owned(), "kube-apiserver.key".to_owned())),
            })
        );
    }

    /// A good one, with one value replaced.
    fn with(pointer: &str, value: Value) -> String {
        let mut config = json!({
            "clusters": [
                {"name": "other", "cluster": {"server": "http://other", "proxy-url": "x"}},
                {"name": "c", "cluster": {"server": "https://c", "tls-server-name": "n"}},
            ],
            "users": [{"name": "u", "user": {"client-certificate": "a", "client-key": "b"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
            "preferences": {"anything": true},
        });
        if let Some(place) = config.pointer_mut(pointer) {
            *place = value;
        }
        config.to_string()
    }

    #[test]
    fn a_user_may_be_empty_or_absent() {
        for (pointer, value) in [
            ("/users/0/user", json!({})),
            ("/users/0/user", json!(null)),
            ("/contexts/0/context/user", json!("")),
        ] {
            let read = Webhook::parse(&with(pointer, value)).unwrap();
            assert_eq!((read.client, read.certificate_authority), (None, None), "{pointer}");
            assert_eq!(read.tls_server_name.as_deref(), Some("n"));
        }
    }

    #[test]
    fn what_kube_apiserver_would_stumble_over_is_named() {
        for (pointer, value, says) in [
            (
                "/current-context",
                json!(""),
                "current-context is missing: kube-apiserver uses that context",
            ),
            ("/current-context", json!("y"), "contexts has no entry with the name \"y\""),
            (
                "/contexts/0/context/cluster",
                json!("d"),
                "clusters has no entry with the name \"d\"",
            ),
            (
                "/contexts/0/context/cluster",
                json!(1),
                "contexts[0].context.cluster: wanted a string",
            ),
            ("/contexts/0/context/user", json!("v"), "users has no entry with the name \"v\""),
            ("/clusters/1/cluster", json!([]), "clusters[1].cluster: wanted an object"),
            ("/clusters/1/cluster", json!(null), "clusters[1].cluster.server is missing"),
            (
                "/clusters/1/cluster/server",
                json!("http://c"),
                "clusters[1].cluster.server is \"http://c\": it must begin with https://, over which \
                 alone kube-apiserver shows its certificate",
            ),
            (
                "/clusters/1/cluster",
                json!({"server": "https://c", "certificate-authority-data": "x"}),
                "clusters[1].cluster.certificate-authority-data is not read here: use \
                 certificate-authority, which is a file",
            ),
            (
                "/clusters/1/cluster",
                json!({"server": "https://c", "insecure-skip-tls-verify": true}),
                "clusters[1].cluster.insecure-skip-tls-verify is not read here: use the fields that \
                 countersign init writes",
            ),
            (
                "/users/0/user",
                json!({"client-key": "b"}),
                "users[0].user.client-certificate is missing",
            ),
            (
                "/users/0/user",
                json!({"client-certificate": "a"}),
                "users[0].user.client-key is missing",
            ),
            (
                "/users/0/user",
                json!({"token": "hunter2"}),
                "users[0].user.token is not read here: use the fields that countersign init writes",
            ),
        ] {
            let error = Webhook::parse(&with(pointer, value)).unwrap_err();
            assert_eq!(error.to_string(), says);
        }
        let error = Webhook::parse("a: [").unwrap_err().to_string();
        assert!(error.starts_with("not YAML or JSON: "), "{error}");
    }
}
