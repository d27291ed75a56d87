//! What goes to others: files to the user that serves, Secrets to a cluster.

use std::os::unix::fs::MetadataExt;

use super::*;

/// Whether this test runs as root. Where it does not, says that it proves nothing.
fn is_root(scratch: &Scratch) -> bool {
    fs::create_dir_all(&scratch.0).unwrap();
    let root = fs::metadata(&scratch.0).unwrap().uid() == 0;
    fs::remove_dir(&scratch.0).unwrap();
    if !root {
        println!("SKIPPED: only root may give files away");
    }
    root
}

fn owners(scratch: &Scratch) -> BTreeMap<String, (u32, u32)> {
    let owner = |file: &String| fs::metadata(scratch.0.join(file)).unwrap();
    let files = scratch.files().into_keys();
    files.map(|file| (file.clone(), (owner(&file).uid(), owner(&file).gid()))).collect()
}

#[test]
fn the_server_gets_what_it_reads_and_no_key_of_anybody_else() {
    let scratch = Scratch::new("owner");
    if !is_root(&scratch) {
        return;
    }
    scratch.init(&["--client", "helm-test", "--service-account-key"]).unwrap();
    let ours = owners(&scratch)["tls.key"];
    scratch.init(&["--owner", "65532:65531"]).unwrap();
    let served = ["client-ca.crt", "config.yaml", "sa.key", "tls.crt", "tls.key"];
    for (file, owner) in owners(&scratch) {
        let want = if served.contains(&file.as_str()) { (65532, 65531) } else { ours };
        assert_eq!(owner, want, "{file}");
    }
    // It can find its files, and make none: the directory is not its own.
    assert_eq!(scratch.mode(""), 0o711);
    assert_eq!(fs::metadata(&scratch.0).unwrap().uid(), 0);
    assert_eq!(["tls.key", "sa.key"].map(|file| scratch.mode(file)), [0o600; 2]);

    // A renewal does not lock it out, and neither does a new authority.
    let given = owners(&scratch);
    scratch.init(&["--renew"]).unwrap();
    assert_eq!(owners(&scratch), given);
    for _ in 1..=3 {
        scratch.init(&["--renew-ca"]).unwrap();
    }
    assert_eq!(owners(&scratch), given);

    scratch.init(&["--owner", "65533"]).unwrap();
    assert_eq!(owners(&scratch)["tls.key"], (65533, 65531));

    // Made and given away in one run, too.
    scratch.remove("sa.key");
    scratch.init(&["--owner", "65533", "--service-account-key"]).unwrap();
    assert_eq!(owners(&scratch)["sa.key"].0, 65533);
    // Where there is none, none is missed.
    scratch.remove("sa.key");
    scratch.init(&["--owner", "65534"]).unwrap();
    assert!(!scratch.0.join("sa.key").exists());
}

#[test]
fn what_is_theirs_already_needs_no_root() {
    let scratch = Scratch::new("sameowner");
    scratch.init(&[]).unwrap();
    let (uid, gid) = owners(&scratch)["tls.key"];
    scratch.init(&["--owner", &format!("{uid}:{gid}")]).unwrap();
    if uid != 0 {
        let before = scratch.files();
        let error = scratch.init(&["--owner", "65532", "--renew-ca"]).unwrap_err();
        assert!(error.contains("cannot give") && error.contains("needs root"), "{error}");
        assert_eq!(scratch.files(), before);
    }
}

#[test]
fn secrets_hold_what_the_chart_mounts_and_nothing_else() {
    let scratch = Scratch::new("secrets");
    let yaml = scratch.secrets(&["--namespace", "true"]);
    let read: Vec<serde_json::Value> =
        yaml.split("---\n").map(|text| serde_saphyr::from_str(text).unwrap()).collect();
    let data = |file| base64_simd::STANDARD.encode_to_string(scratch.text(file));
    let secret = |name, kind, data: serde_json::Value| {
        serde_json::json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": kind,
            "metadata": {"name": name, "namespace": "true"},
            "data": data,
        })
    };
    assert_eq!(
        read,
        [
            secret(
                "countersign-tls",
                "kubernetes.io/tls",
                serde_json::json!({
                    "ca.crt": data("ca.crt"), "tls.crt": data("tls.crt"), "tls.key": data("tls.key"),
                })
            ),
            secret(
                "countersign-client-ca",
                "Opaque",
                serde_json::json!({"ca.crt": data("client-ca.crt")})
            ),
        ]
    );
    assert!(!scratch.secrets(&[]).contains("namespace"));
}
