//! New keys and certificates of the authorities that are there, further clients, and all anew.

use super::*;

const LEAVES: [&str; 4] = ["kube-apiserver.crt", "kube-apiserver.key", "tls.crt", "tls.key"];

fn names(scratch: &Scratch) -> Vec<String> {
    let certificate = bundle::parse_first(&scratch.text("tls.crt")).unwrap();
    certificate.names.iter().map(|name| name.to_str().into_owned()).collect()
}

#[test]
fn a_renewal_replaces_keys_and_certificates_of_leaves_and_nothing_else() {
    let scratch = Scratch::new("renew");
    scratch.init(&["--host", "a.example.com", "--client", "helm-test"]).unwrap();
    let before = scratch.files();
    let report = scratch.init(&["--renew", "--host", "b.example.com"]).unwrap();
    let after = scratch.files();
    for (file, bytes) in &before {
        let client = file.starts_with("helm-test.") && !is_kept(file);
        let leaf = LEAVES.contains(&file.as_str()) || client;
        assert_eq!(after[file] != *bytes, leaf, "{file}");
    }
    assert_eq!(after.len(), before.len());
    for (stem, authority) in
        [("tls", "ca"), ("kube-apiserver", "client-ca"), ("helm-test", "client-ca")]
    {
        assert!(scratch.is_good(stem, authority), "{stem}");
        assert_eq!(scratch.mode(&key_file(stem)), 0o600, "{stem}");
    }
    let want = ["localhost", "127.0.0.1", "::1", "a.example.com", "b.example.com"];
    assert_eq!(names(&scratch), want);
    assert!(report.contains("tls.key, tls.crt") && report.contains("authorities are the same"));
}

#[test]
fn a_renewal_mends_a_pair_that_a_crash_has_parted() {
    let scratch = Scratch::new("parted");
    scratch.init(&[]).unwrap();
    fs::copy(scratch.0.join("kube-apiserver.key"), scratch.0.join("tls.key")).unwrap();
    let before = scratch.files();
    let error = scratch.init(&[]).unwrap_err();
    assert!(error.contains("tls.key is not the key of") && error.contains("--renew"), "{error}");
    assert_eq!(scratch.files(), before);
    scratch.init(&["--renew"]).unwrap();
    assert!(scratch.is_good("tls", "ca"));
}

#[test]
fn a_renewal_without_the_authority_is_refused() {
    let scratch = Scratch::new("norenewal");
    scratch.init(&[]).unwrap();
    scratch.remove("ca.crt");
    scratch.remove("ca.key");
    let before = scratch.files();
    let error = scratch.init(&["--renew"]).unwrap_err();
    assert!(error.contains("ca.crt is gone") && error.contains("--force"), "{error}");
    assert_eq!(scratch.files(), before);
}

#[test]
fn what_cannot_be_written_whole_changes_nothing() {
    let scratch = Scratch::new("whole");
    scratch.init(&[]).unwrap();
    let before = scratch.files();
    // In the way of the very last draft.
    fs::create_dir(scratch.0.join(".kube-apiserver.crt.draft")).unwrap();
    let error = scratch.init(&["--renew"]).unwrap_err();
    assert!(error.contains("cannot write") && error.contains("kube-apiserver.crt"), "{error}");
    fs::remove_dir(scratch.0.join(".kube-apiserver.crt.draft")).unwrap();
    assert_eq!(scratch.files(), before);
}

#[test]
fn a_renewed_file_keeps_its_mode_but_a_key_is_never_everybodys() {
    let scratch = Scratch::new("modes");
    scratch.init(&[]).unwrap();
    for (file, mode) in [("tls.crt", 0o600), ("tls.key", 0o640), ("kube-apiserver.key", 0o644)] {
        fs::set_permissions(scratch.0.join(file), fs::Permissions::from_mode(mode)).unwrap();
    }
    scratch.init(&["--renew"]).unwrap();
    let modes = ["tls.crt", "tls.key", "kube-apiserver.key"].map(|file| scratch.mode(file));
    assert_eq!(modes, [0o600, 0o640, 0o640]);
}

#[test]
fn a_further_client_is_another_certificate_of_the_same_authority() {
    let scratch = Scratch::new("client");
    scratch.init(&[]).unwrap();
    let before = scratch.files();
    let report = scratch.init(&["--client", "helm-test"]).unwrap();
    let made = ["helm-test.key", "helm-test.crt", "helm-test.kubeconfig"];
    assert!(report.starts_with(&format!("Made {} in", made.join(", "))), "{report}");
    let mut after = scratch.files();
    assert!(made.iter().all(|file| after.remove(*file).is_some()));
    assert_eq!(after, before);
    assert!(scratch.is_good("helm-test", "client-ca"));
    check(&scratch.pem("helm-test.crt"), |certificate| {
        assert_eq!(certificate.subject().to_string(), "CN=helm-test");
        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth);
    });
    let before = scratch.files();
    scratch.init(&["--client", "helm-test", "--client", "kube-apiserver"]).unwrap();
    assert_eq!(scratch.files(), before);
}

#[test]
fn a_certificate_that_is_not_ours_is_nobodys_client() {
    let scratch = Scratch::new("foreign");
    let other = Scratch::new("foreigner");
    scratch.init(&[]).unwrap();
    other.init(&["--client", "stranger"]).unwrap();
    // Of another authority; and of ours, but called otherwise than its file.
    for (from, to) in [
        (&other, ["stranger.crt", "stranger.crt"]),
        (&other, ["stranger.key", "stranger.key"]),
        (&scratch, ["kube-apiserver.crt", "copy.crt"]),
        (&scratch, ["kube-apiserver.key", "copy.key"]),
    ]
    .map(|(scratch, [from, to])| (scratch.0.join(from), to))
    {
        fs::copy(from, scratch.0.join(to)).unwrap();
    }
    let before = scratch.files();
    scratch.init(&["--renew"]).unwrap();
    let after = scratch.files();
    for file in ["stranger.crt", "stranger.key", "copy.crt", "copy.key"] {
        assert_eq!(after[file], before[file], "{file}");
    }
}

#[test]
fn force_makes_every_key_anew_and_leaves_what_the_operator_writes() {
    let scratch = Scratch::new("force");
    let hosts = ["--host", "a.example.com", "--server", "https://10.96.0.7/authenticate"];
    scratch.init(&[&hosts[..], &["--client", "helm-test"]].concat()).unwrap();
    scratch.init(&["--renew-ca"]).unwrap();
    fs::write(scratch.0.join("config.yaml"), "mine").unwrap();
    let before = scratch.files();
    let report = scratch.init(&["--force"]).unwrap();
    let after = scratch.files();
    for (file, bytes) in &before {
        if file.contains("-next") {
            assert!(!after.contains_key(file), "{file}");
        } else {
            assert_eq!(after[file] == *bytes, is_kept(file), "{file}");
        }
    }
    for (stem, authority) in
        [("tls", "ca"), ("kube-apiserver", "client-ca"), ("helm-test", "client-ca")]
    {
        assert!(scratch.is_good(stem, authority), "{stem}");
    }
    assert_eq!(bundle::parse(&scratch.text("ca.crt")).unwrap().len(), 1);
    assert_eq!(names(&scratch), ["localhost", "127.0.0.1", "::1", "10.96.0.7", "a.example.com"]);
    let places = ["2. restart every countersign", "3. restart every kube-apiserver"]
        .map(|it| report.find(it));
    assert!(places[0].is_some() && places[0] < places[1], "{report}");
}

#[test]
fn force_needs_nothing_of_what_was_there() {
    let scratch = Scratch::new("junkforce");
    scratch.init(&[]).unwrap();
    for file in FILES {
        if file.ends_with(".crt") || file.ends_with(".key") {
            fs::write(scratch.0.join(file), "junk").unwrap();
        }
    }
    assert!(scratch.init(&["--renew"]).is_err());
    scratch.init(&["--force"]).unwrap();
    assert!(scratch.is_good("tls", "ca") && scratch.is_good("kube-apiserver", "client-ca"));
}

#[test]
fn ends_are_shown_and_warned_of_with_their_remedy() {
    let scratch = Scratch::new("ends");
    let now = OffsetDateTime::now_utc();
    let report = scratch.init_at(&[], now).unwrap();
    for (file, days) in [("tls.crt", 365), ("ca.crt", 3653)] {
        let line = format!("  {}  {file}\n", (now + Duration::days(days)).date());
        assert!(report.contains(&line), "{line}{report}");
    }
    assert!(!report.contains("Warning"), "{report}");

    for (days, leaf, authority) in [
        (334, None, None),
        (336, Some("ends within 29 days"), None),
        (364, Some("ends within a day"), None),
        (366, Some("has ended"), None),
        (3300, Some("has ended"), Some("ends within 353 days")),
    ] {
        // So that the days left are no whole ones, whatever a certificate cuts off of its seconds.
        let report = scratch.init_at(&[], now + Duration::days(days) + Duration::MINUTE).unwrap();
        let leaf = leaf.map(|when| format!("Warning: tls.crt {when}: run with --renew."));
        let authority =
            authority.map(|when| format!("Warning: ca.crt {when}: run with --renew-ca."));
        let warnings = |file| {
            let warning = |line: &&str| line.starts_with(&format!("Warning: {file} "));
            report.lines().find(warning).map(str::to_owned)
        };
        assert_eq!((warnings("tls.crt"), warnings("ca.crt")), (leaf, authority), "{days}");
    }
}
