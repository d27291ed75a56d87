//! Every way in which the files of TLS can be wrong, and what is said about it.

use std::error::Error;
use std::time::{Duration, SystemTime};

use super::*;

/// Loads settings in which `spoil` has had its way, and returns what is said.
fn complaint(spoil: impl FnOnce(&Scratch, &Authority)) -> String {
    let (scratch, authority) = (Scratch::new(), Authority::new());
    let settings = settings(&scratch.0, &authority, limits());
    spoil(&scratch, &authority);
    let error = Tls::load(&settings).unwrap_err();
    let place = format!("{}/", scratch.0.display());
    let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{source}").replace(&place, "")
}

#[test]
fn each_mistake_names_its_file_and_the_remedy() {
    let pem = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    for (said, expected) in [
        (
            complaint(|scratch, _| std::fs::remove_file(scratch.0.join("tls.crt")).unwrap()),
            "tls.crt: cannot be read; it has to exist and be readable by this user: No such file",
        ),
        (
            complaint(|scratch, _| drop(scratch.write("tls.crt", ""))),
            "tls.crt: holds no certificate; expected PEM with BEGIN CERTIFICATE",
        ),
        (
            complaint(|scratch, _| {
                drop(scratch.write("tls.crt", "-----BEGIN CERTIFICATE-----\nAA"))
            }),
            "tls.crt: is not valid PEM; copy it again, whole: ",
        ),
        (
            complaint(|scratch, _| drop(scratch.write("tls.crt", &pem("CERTIFICATE")))),
            "tls.crt: certificate 1 cannot be parsed; issue it anew",
        ),
        (
            complaint(|scratch, _| drop(scratch.write("tls.key", &pem("ENCRYPTED PRIVATE KEY")))),
            "tls.key: holds no private key; expected PEM in PKCS#8, PKCS#1 or SEC1, not encrypted",
        ),
        (
            complaint(|scratch, _| drop(scratch.write("tls.key", &pem("PRIVATE KEY")))),
            "tls.key: the private key cannot be used; expected RSA of 2048 bits or more, ECDSA or Ed25519",
        ),
        (
            complaint(|scratch, authority| {
                drop(scratch.write("tls.key", &authority.issue_serving().1))
            }),
            "tls.key: is not the key of the first certificate in tls.crt; that must be",
        ),
        (
            complaint(|scratch, _| drop(scratch.write("client-ca.crt", "none"))),
            "client-ca.crt: holds no certificate; expected PEM with BEGIN CERTIFICATE",
        ),
        (
            complaint(|scratch, authority| {
                let content = format!("{}{}", authority.pem, pem("CERTIFICATE"));
                drop(scratch.write("client-ca.crt", &content));
            }),
            "client-ca.crt: certificate 2 cannot be parsed; issue it anew",
        ),
    ] {
        assert!(said.starts_with(expected), "said     {said}\nexpected {expected}");
    }
}

#[test]
fn the_first_expiry_in_each_file_is_known_and_the_past_is_no_error() {
    let (scratch, authority) = (Scratch::new(), Authority::new());
    let mut settings = settings(&scratch.0, &authority, limits());
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2001, 9, 9);
    let (certificate, key) = authority.issue(params);
    settings.certificate_file =
        scratch.write("old.crt", &format!("{certificate}{}", authority.pem));
    settings.private_key_file = scratch.write("old.key", &key);
    let tls = Tls::load(&settings).unwrap();
    let expired = SystemTime::UNIX_EPOCH + Duration::from_secs(999_993_600);
    assert_eq!(tls.expiries()[0], (settings.certificate_file, expired));
    assert_eq!(tls.expiries()[1].0, settings.client_ca_file.unwrap());
    assert!(tls.expiries()[1].1 > SystemTime::now());
}

#[test]
fn equal_is_what_holds_the_same() {
    let (scratch, authority) = (Scratch::new(), Authority::new());
    let mut settings = settings(&scratch.0, &authority, limits());
    let load = |settings: &Settings| Tls::load(settings).unwrap();
    let first = load(&settings);
    scratch.write("client-ca.crt", &format!("# a comment\n{}", authority.pem));
    assert_eq!(first, load(&settings));
    let more = Authority::new();
    scratch.write("client-ca.crt", &format!("{}{}", authority.pem, more.pem));
    assert_ne!(first, load(&settings), "one more client CA");
    scratch.write("client-ca.crt", &authority.pem);
    let (certificate, key) = authority.issue_serving();
    scratch.write("tls.crt", &certificate);
    scratch.write("tls.key", &key);
    assert_ne!(first, load(&settings), "another certificate");
    settings.client_ca_file = None;
    assert_ne!(load(&settings), first);
}
