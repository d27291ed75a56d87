//! What `countersign init` leaves in a directory, run by run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use clap::Parser;
use time::Duration;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::pem::Pem;

use super::family::{certificate_file, key_file};
use super::*;

mod given_away;
mod kubeconfigs;
mod renewal;
mod rotation;
mod service_account_key;

const FILES: [&str; 10] = [
    "ca.crt",
    "ca.key",
    "client-ca.crt",
    "client-ca.key",
    "config.yaml",
    "kube-apiserver.crt",
    "kube-apiserver.key",
    "tls.crt",
    "tls.key",
    "webhook.kubeconfig",
];

/// Whether no option replaces the file.
fn is_kept(file: &str) -> bool {
    ["config.yaml", "sa.key"].contains(&file) || file.ends_with(".kubeconfig")
}

/// A directory that no other test uses, and that ends with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir()
            .canonicalize()
            .unwrap()
            .join(format!("countersign-init-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn init(&self, arguments: &[&str]) -> Result<String, String> {
        self.init_at(arguments, OffsetDateTime::now_utc())
    }

    fn init_at(&self, arguments: &[&str], now: OffsetDateTime) -> Result<String, String> {
        let dir = ["init", "--dir", self.0.to_str().unwrap()];
        let args = parse(&[&dir, arguments].concat()).unwrap();
        super::init(&args, now).map(|said| said.report).map_err(|error| error.to_string())
    }

    /// Standard output of a run with `--secret`.
    fn secrets(&self, arguments: &[&str]) -> String {
        let dir = ["init", "--dir", self.0.to_str().unwrap(), "--secret"];
        let args = parse(&[&dir, arguments].concat()).unwrap();
        super::init(&args, OffsetDateTime::now_utc()).unwrap().secrets.unwrap()
    }

    /// Whether a certificate is for the key beside it, and signed by one in `authority`.
    fn is_good(&self, stem: &str, authority: &str) -> bool {
        let leaf = bundle::parse_first(&self.text(&certificate_file(stem))).unwrap();
        let key = rcgen::KeyPair::from_pem(&self.text(&key_file(stem))).unwrap();
        let bundle = bundle::parse(&self.text(&certificate_file(authority))).unwrap();
        leaf.is_of(&key) && bundle.iter().any(|authority| leaf.is_signed_by(authority))
    }

    fn mode(&self, file: &str) -> u32 {
        fs::metadata(self.0.join(file)).unwrap().permissions().mode() & 0o777
    }

    /// Every file with its bytes.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.map(|name| (name.clone(), self.bytes(&name))).collect()
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        fs::read(self.0.join(file)).unwrap()
    }

    fn text(&self, file: &str) -> String {
        String::from_utf8(self.bytes(file)).unwrap()
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.0.join(file)).unwrap();
    }

    fn pem(&self, file: &str) -> Pem {
        Pem::iter_from_buffer(&self.bytes(file)).next().unwrap().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn parse(arguments: &[&str]) -> Result<Args, clap::Error> {
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }
    Line::try_parse_from(arguments).map(|line| line.args)
}

fn check(pem: &Pem, test: impl FnOnce(&X509Certificate<'_>)) {
    test(&pem.parse_x509().unwrap());
}

fn key_identifiers(certificate: &X509Certificate<'_>) -> (Vec<u8>, Vec<u8>) {
    let (mut subject, mut authority) = (Vec::new(), Vec::new());
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => subject = id.0.to_vec(),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                authority = id.key_identifier.as_ref().unwrap().0.to_vec();
            }
            _ => {}
        }
    }
    (subject, authority)
}

#[test]
fn makes_everything_and_keeps_private_what_is() {
    let scratch = Scratch::new("everything");
    let report = scratch.init(&[]).unwrap();
    assert_eq!(scratch.files().into_keys().collect::<Vec<_>>(), FILES);
    for file in FILES {
        let mode = scratch.mode(file);
        let want = if file.ends_with(".key") { 0o600 } else { 0o644 };
        assert_eq!(mode & !want, 0, "{file} is {mode:o}");
    }
    assert_eq!(scratch.mode(""), 0o700);
    let flag = "--authentication-token-webhook-config-file=";
    let kubeconfig = scratch.0.join("webhook.kubeconfig");
    assert!(report.contains(&format!("{flag}{}\n", kubeconfig.display())), "{report}");
}

#[test]
fn a_second_run_changes_no_byte() {
    let scratch = Scratch::new("idempotent");
    scratch.init(&["--host", "webhook.example.com"]).unwrap();
    let before = scratch.files();
    let report = scratch.init(&["--host", "webhook.example.com"]).unwrap();
    assert_eq!(scratch.files(), before);
    assert!(report.starts_with("Nothing was missing"), "{report}");
}

#[test]
fn the_certificates_are_what_their_verifiers_ask_for() {
    let scratch = Scratch::new("x509");
    let now = OffsetDateTime::now_utc();
    scratch.init_at(&[], now).unwrap();
    for (authority, leaf, server) in
        [("ca.crt", "tls.crt", true), ("client-ca.crt", "kube-apiserver.crt", false)]
    {
        let authority = scratch.pem(authority);
        let authority = authority.parse_x509().unwrap();
        let constraints = authority.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && constraints.value.ca);
        assert_eq!(constraints.value.path_len_constraint, Some(0));
        assert!(authority.key_usage().unwrap().unwrap().value.key_cert_sign());
        assert!(authority.verify_signature(None).is_ok());
        assert!(authority.validity().not_after.to_datetime() > now + Duration::days(3650));

        check(&scratch.pem(leaf), |leaf| {
            assert!(leaf.verify_signature(Some(authority.public_key())).is_ok());
            assert_eq!(leaf.issuer(), authority.subject());
            assert_eq!(key_identifiers(leaf).1, key_identifiers(&authority).0);
            assert_ne!(key_identifiers(leaf).0, key_identifiers(leaf).1);
            assert!(!leaf.is_ca());
            assert!(leaf.key_usage().unwrap().unwrap().value.digital_signature());
            let usage = leaf.extended_key_usage().unwrap().unwrap().value;
            assert_eq!((usage.server_auth, usage.client_auth), (server, !server));
            let (begins, ends) = (leaf.validity().not_before, leaf.validity().not_after);
            assert!(begins.to_datetime() < now);
            assert!((364..=365).contains(&(ends.to_datetime() - now).whole_days()));
            assert_ne!(leaf.raw_serial(), authority.raw_serial());
            assert!(leaf.raw_serial().len() <= 20);
        });
    }
    check(&scratch.pem("kube-apiserver.crt"), |certificate| {
        assert_eq!(certificate.subject().to_string(), "CN=kube-apiserver");
    });
}

#[test]
fn the_serving_certificate_is_for_every_name_that_was_asked_for() {
    let scratch = Scratch::new("names");
    let server = "https://webhook.example.com:8443/authenticate";
    let hosts = ["--host", "10.0.0.7", "--host", "fd00::7", "--host", "localhost"];
    scratch.init(&[&hosts[..], &["--server", server]].concat()).unwrap();
    let names = bundle::parse_first(&scratch.text("tls.crt")).unwrap().names;
    let names: Vec<_> = names.iter().map(|name| name.to_str().into_owned()).collect();
    let want = ["localhost", "127.0.0.1", "::1", "webhook.example.com", "10.0.0.7", "fd00::7"];
    assert_eq!(names, want);
    assert!(scratch.text("webhook.kubeconfig").contains(server));
}

#[test]
fn what_was_made_for_other_names_is_not_passed_off_as_done() {
    let scratch = Scratch::new("othernames");
    scratch.init(&[]).unwrap();
    let before = scratch.files();
    let error = scratch.init(&["--host", "webhook.example.com"]).unwrap_err();
    for word in ["webhook.example.com", "tls.crt", "--renew"] {
        assert!(error.contains(word), "{error}");
    }
    let error = scratch.init(&["--server", "https://localhost:8443/auth"]).unwrap_err();
    assert!(error.contains("webhook.kubeconfig was made before"), "{error}");
    assert_eq!(scratch.files(), before);
}

#[test]
fn a_missing_certificate_is_signed_by_the_authority_that_is_there() {
    let scratch = Scratch::new("resigned");
    scratch.init(&[]).unwrap();
    let before = scratch.files();
    // With its key, and, as a crash may leave it, without.
    for (missing, kept_key) in [(&["tls.crt", "tls.key"][..], false), (&["tls.crt"], true)] {
        for file in missing {
            scratch.remove(file);
        }
        let report = scratch.init(&[]).unwrap();
        assert_eq!(report.contains("tls.key"), !kept_key, "{report}");
        let after = scratch.files();
        assert_ne!(after["tls.crt"], before["tls.crt"]);
        for file in FILES.iter().filter(|file| !file.starts_with("tls.")) {
            assert_eq!(after[*file], before[*file], "{file}");
        }
        check(&scratch.pem("tls.crt"), |leaf| {
            let authority = scratch.pem("ca.crt");
            let authority = authority.parse_x509().unwrap();
            assert!(leaf.verify_signature(Some(authority.public_key())).is_ok());
            let key = rcgen::KeyPair::from_pem(&scratch.text("tls.key")).unwrap();
            assert_eq!(leaf.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&key));
        });
    }
}

#[test]
fn an_authority_is_certified_again_without_orphaning_its_leaf() {
    let scratch = Scratch::new("recertified");
    scratch.init(&[]).unwrap();
    let (key, leaf) = (scratch.bytes("ca.key"), scratch.bytes("tls.crt"));
    scratch.remove("ca.crt");
    scratch.init(&[]).unwrap();
    assert_eq!((scratch.bytes("ca.key"), scratch.bytes("tls.crt")), (key, leaf));
    let authority = scratch.pem("ca.crt");
    let authority = authority.parse_x509().unwrap();
    check(&scratch.pem("tls.crt"), |leaf| {
        assert!(leaf.verify_signature(Some(authority.public_key())).is_ok());
        assert_eq!(leaf.issuer(), authority.subject());
        assert_eq!(key_identifiers(leaf).1, key_identifiers(&authority).0);
    });
}

#[test]
fn what_cannot_be_completed_is_refused_by_name_and_left_alone() {
    type Damage = fn(&Scratch);
    let rows: [(&str, Damage, &[&str]); 6] = [
        ("leafkey", |it| it.remove("tls.key"), &["tls.crt is there without its key", "remove"]),
        ("cakey", |it| it.remove("ca.key"), &["ca.crt is there without its key", "ca.key back"]),
        (
            "orphan",
            |it| ["client-ca.crt", "client-ca.key"].iter().for_each(|file| it.remove(file)),
            &["client-ca.crt is gone", "kube-apiserver.crt was signed by it"],
        ),
        (
            "otherkey",
            |it| {
                it.remove("tls.crt");
                fs::copy(it.0.join("client-ca.key"), it.0.join("ca.key")).unwrap();
            },
            &["ca.crt cannot be used", "not the key that it certifies"],
        ),
        (
            "noauthority",
            |it| {
                it.remove("tls.crt");
                for end in ["crt", "key"] {
                    let from = it.0.join(format!("kube-apiserver.{end}"));
                    fs::copy(from, it.0.join(format!("ca.{end}"))).unwrap();
                }
            },
            &["ca.crt cannot be used", "CA:TRUE"],
        ),
        (
            "junk",
            |it| {
                it.remove("tls.crt");
                fs::write(it.0.join("tls.key"), "junk").unwrap();
            },
            &["tls.key cannot be used"],
        ),
    ];
    for (name, damage, words) in rows {
        let scratch = Scratch::new(name);
        scratch.init(&[]).unwrap();
        damage(&scratch);
        let before = scratch.files();
        let error = scratch.init(&[]).unwrap_err();
        for word in words {
            assert!(error.contains(word), "{name}: {error}");
        }
        assert!(error.contains(scratch.0.to_str().unwrap()), "{name}: {error}");
        assert_eq!(scratch.files(), before, "{name}");
    }
}

#[test]
fn no_leaf_outlives_its_authority() {
    let scratch = Scratch::new("outlives");
    let now = OffsetDateTime::now_utc();
    scratch.init_at(&[], now).unwrap();
    scratch.remove("tls.crt");
    scratch.init_at(&[], now + Duration::days(3600)).unwrap();
    let authority = scratch.pem("ca.crt");
    let authority = authority.parse_x509().unwrap();
    check(&scratch.pem("tls.crt"), |leaf| {
        assert_eq!(leaf.validity().not_after, authority.validity().not_after);
    });

    scratch.remove("tls.crt");
    let error = scratch.init_at(&[], now + Duration::days(3700)).unwrap_err();
    assert!(error.contains("ca.crt cannot be used: it expired at"), "{error}");
}

#[test]
fn the_draft_of_a_crashed_run_is_in_nobodys_way() {
    let scratch = Scratch::new("draft");
    fs::create_dir(&scratch.0).unwrap();
    fs::write(scratch.0.join(".tls.key.draft"), "half a k").unwrap();
    scratch.init(&[]).unwrap();
    assert_eq!(scratch.files().into_keys().collect::<Vec<_>>(), FILES);
    assert!(rcgen::KeyPair::from_pem(&scratch.text("tls.key")).is_ok());
}

#[test]
fn a_directory_that_is_none_is_refused_by_name() {
    let scratch = Scratch::new("file");
    fs::write(&scratch.0, "").unwrap();
    let error = scratch.init(&[]).unwrap_err();
    fs::remove_file(&scratch.0).unwrap();
    assert!(error.contains(scratch.0.to_str().unwrap()) && error.contains("--dir"), "{error}");
}

#[test]
fn the_starter_configuration_names_files_that_are_made() {
    let read: serde_json::Value = serde_saphyr::from_str(STARTER_CONFIGURATION).unwrap();
    for member in ["certificateFile", "privateKeyFile", "clientCAFile"] {
        let file = read["listen"][member].as_str().unwrap();
        assert!(FILES.contains(&file), "{member}: {file}");
    }
}
