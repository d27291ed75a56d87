//! Where kube-apiserver's kubeconfig leads, and where kubectl's do.

use serde_json::{Value, json};

use super::*;

fn read(scratch: &Scratch, file: &str) -> Value {
    serde_saphyr::from_str(&scratch.text(file)).unwrap()
}

fn cluster(scratch: &Scratch, file: &str) -> Value {
    read(scratch, file)["clusters"][0]["cluster"].clone()
}

#[test]
fn the_webhooks_names_its_files_relative_to_itself() {
    let scratch = Scratch::new("kubeconfig");
    scratch.init(&[]).unwrap();
    assert_eq!(
        cluster(&scratch, "webhook.kubeconfig"),
        json!({
            "server": "https://127.0.0.1:8443/authenticate",
            "certificate-authority": "ca.crt",
        })
    );
    assert_eq!(
        read(&scratch, "webhook.kubeconfig")["users"],
        json!([{"name": "kube-apiserver", "user": {
            "client-certificate": "kube-apiserver.crt",
            "client-key": "kube-apiserver.key",
        }}])
    );
}

#[test]
fn a_clients_is_for_kubectl() {
    let scratch = Scratch::new("kubectl");
    let report = scratch.init(&["--client", "developer", "--client", "kube-apiserver"]).unwrap();
    assert_eq!(
        read(&scratch, "developer.kubeconfig"),
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "countersign", "cluster": {
                "server": "https://127.0.0.1:8443",
                "certificate-authority": "ca.crt",
            }}],
            "users": [{"name": "developer", "user": {
                "client-certificate": "developer.crt",
                "client-key": "developer.key",
            }}],
            "contexts": [{"name": "developer@countersign", "context": {
                "cluster": "countersign",
                "user": "developer",
                "namespace": "default",
            }}],
            "current-context": "developer@countersign",
        })
    );
    let path = scratch.0.join("developer.kubeconfig");
    let line = format!("  kubectl --kubeconfig {} auth whoami\n", path.display());
    assert!(report.contains(&line), "{report}");
    // kube-apiserver asks the webhook alone.
    assert!(!scratch.0.join("kube-apiserver.kubeconfig").exists());
}

#[test]
fn a_client_asks_where_kube_apiserver_asks_also_when_it_comes_later() {
    let name = "countersign.countersign.svc";
    for (test, url, origin) in [
        ("v4", "https://10.96.0.7/authenticate", "https://10.96.0.7"),
        ("v6", "https://[fd00::7]:8443/authenticate?a#b", "https://[fd00::7]:8443"),
    ] {
        let scratch = Scratch::new(&format!("asks{test}"));
        let server = ["--server", url, "--server-name", name];
        scratch.init(&[&server[..], &["--client", "first"]].concat()).unwrap();
        scratch.init(&["--client", "second"]).unwrap();
        let want = json!({
            "server": origin,
            "certificate-authority": "ca.crt",
            "tls-server-name": name,
        });
        assert_eq!(cluster(&scratch, "first.kubeconfig"), want);
        assert_eq!(cluster(&scratch, "second.kubeconfig"), want);
    }
}

#[test]
fn beside_a_webhooks_of_the_operators_own_a_client_is_what_the_command_line_says() {
    let scratch = Scratch::new("ownwebhook");
    scratch.init(&[]).unwrap();
    let server = "https://webhook.example.com/authenticate";
    let own = format!("{{clusters: [{{cluster: {{server: {server} }}}}]}}");
    fs::write(scratch.0.join("webhook.kubeconfig"), &own).unwrap();
    scratch.init(&["--client", "first"]).unwrap();
    scratch.init(&["--renew", "--client", "second", "--server", server]).unwrap();
    assert_eq!(scratch.text("webhook.kubeconfig"), own);
    let server = |file| cluster(&scratch, file)["server"].clone();
    assert_eq!(server("first.kubeconfig"), "https://127.0.0.1:8443");
    assert_eq!(server("second.kubeconfig"), "https://webhook.example.com");
}

#[test]
fn a_clients_that_is_there_stays_and_is_not_passed_off_as_another() {
    let scratch = Scratch::new("keptclient");
    scratch.init(&["--client", "developer"]).unwrap();
    let server = ["--server", "https://localhost:8443/authenticate", "--client", "developer"];
    scratch.remove("webhook.kubeconfig");
    let before = scratch.files();
    let error = scratch.init(&server).unwrap_err();
    let says =
        "developer.kubeconfig was made before, and not for https://localhost:8443: remove it";
    assert!(error.contains(says), "{error}");
    assert_eq!(scratch.files(), before);

    fs::write(scratch.0.join("developer.kubeconfig"), "# https://localhost:8443\n").unwrap();
    scratch.init(&server).unwrap();
    assert_eq!(scratch.text("developer.kubeconfig"), "# https://localhost:8443\n");
}

#[test]
fn an_address_with_a_name_is_asked_for_by_that_name() {
    let scratch = Scratch::new("servername");
    let name = "countersign.countersign.svc";
    let server = ["--server", "https://10.96.0.7/authenticate", "--server-name"];
    scratch.init(&[&server[..], &[name]].concat()).unwrap();
    let read: serde_json::Value =
        serde_saphyr::from_str(&scratch.text("webhook.kubeconfig")).unwrap();
    assert_eq!(read["clusters"][0]["cluster"]["tls-server-name"], name);
    let names = bundle::parse_first(&scratch.text("tls.crt")).unwrap().names;
    assert!(names.iter().any(|it| it.to_str() == name), "{names:?}");
    scratch.init(&[&server[..], &[name]].concat()).unwrap();

    // A certificate for it is one thing, a kubeconfig that asks for it another.
    let error = scratch.init(&["--renew", "--server-name", "other.example.com"]).unwrap_err();
    assert!(error.contains("webhook.kubeconfig was made before, and not for other"), "{error}");
}
