//! `--service-account-key`: the one key that no other option touches.

use super::*;

#[test]
fn it_is_made_when_it_is_asked_for_and_missing() {
    let scratch = Scratch::new("sakey");
    scratch.init(&[]).unwrap();
    let mut before = scratch.files();
    assert!(!before.contains_key("sa.key"));
    let report = scratch.init(&["--service-account-key"]).unwrap();
    assert!(report.starts_with("Made sa.key in"), "{report}");
    assert!(report.contains("serviceAccountIssuer.signingKeyFiles"), "{report}");
    assert_eq!(scratch.mode("sa.key"), 0o600);
    let pem = scratch.text("sa.key");
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----"), "PKCS#8");
    let key = rcgen::KeyPair::from_pem(&pem).unwrap();
    assert_eq!(key.algorithm(), &rcgen::PKCS_ECDSA_P256_SHA256);
    // And nothing beside it: countersign publishes the public half.
    before.insert("sa.key".to_owned(), pem.into_bytes());
    assert_eq!(scratch.files(), before);
}

#[test]
fn whatever_is_there_stays_in_every_kind_of_run() {
    let scratch = Scratch::new("sakept");
    scratch.init(&["--service-account-key"]).unwrap();
    // The operator's own, of a kind that is not made here.
    fs::write(scratch.0.join("sa.key"), "mine").unwrap();
    for option in [None, Some("--renew"), Some("--renew-ca"), Some("--force")] {
        for asked in [&["--service-account-key"][..], &[]] {
            let arguments: Vec<_> = option.into_iter().chain(asked.iter().copied()).collect();
            let report = scratch.init(&arguments).unwrap();
            assert_eq!(scratch.text("sa.key"), "mine", "{arguments:?}");
            let made = report.lines().next().unwrap();
            assert!(!made.contains("sa.key"), "{arguments:?}: {made}");
            let kept = report.contains("sa.key is the same as before");
            assert_eq!(kept, option == Some("--force"), "{arguments:?}: {report}");
        }
    }
}

#[test]
fn its_secret_is_printed_only_when_it_is_asked_for() {
    let scratch = Scratch::new("sasecret");
    let yaml = scratch.secrets(&["--service-account-key", "--namespace", "n"]);
    let last = yaml.rsplit("---\n").next().unwrap();
    let read: serde_json::Value = serde_saphyr::from_str(last).unwrap();
    let key = base64_simd::STANDARD.encode_to_string(scratch.text("sa.key"));
    assert_eq!(
        read,
        serde_json::json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": "countersign-service-account-key", "namespace": "n"},
            "data": {"sa.key": key},
        })
    );
    assert!(!scratch.secrets(&[]).contains(&key));
}
