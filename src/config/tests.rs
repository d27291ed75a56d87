//! Tables of configurations, good and bad. What is wrong is compared word for word where an operator
//! has to act on it.

mod api;
mod authentication;
mod claims;
mod issuer;
mod recorded;
mod sections;
mod warnings;

use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};

use super::*;

/// A public key (RFC 7515, appendix A.3).
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"a",
    "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

/// An `AuthenticationConfiguration`.
const AUTHENTICATION: &str = r#"{"apiVersion": "apiserver.config.k8s.io/v1beta1",
    "kind": "AuthenticationConfiguration", "jwt": [{"issuer": {"url": "https://d", "audiences": ["d"]},
    "claimMappings": {"username": {"claim": "sub", "prefix": "d:"}}}]}"#;

/// A folder with the files that a configuration may name.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        // Named for the test, which has one folder at a time.
        let test = std::thread::current().name().unwrap_or_default().replace("::", "-");
        let name = format!("countersign-{}-{test}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder.0).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        folder.write("tls.crt", &certificate.pem());
        folder.write("tls.key", &key.serialize_pem());
        folder.write("ca.crt", &certificate.pem());
        folder.write("keys.json", KEYS);
        folder.write("tokens.csv", "secret,jane,1,\"a,b\"\n");
        let (active, previous) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        folder.write("active.pem", &active.serialize_pem());
        folder.write("active.pub", &active.public_key_pem());
        folder.write("previous.pem", &previous.public_key_pem());
        std::fs::create_dir_all(folder.0.join("objects")).unwrap();
        folder.write("authentication.yaml", AUTHENTICATION);
        let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: builder, uid: u-1}\n";
        folder.write("objects/sa.yaml", account);
        folder
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    fn parse(&self, text: &str) -> Result<(Config, Vec<Warning>), Problems> {
        parse(text.as_bytes(), &self.0.join("config.yaml"))
    }

    /// The problems as `path: text`, without the file and the line.
    fn problems(&self, text: &str) -> Vec<String> {
        match self.parse(text) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.texts(),
        }
    }

    fn good(&self, text: &str) -> (Config, Vec<String>) {
        match self.parse(text) {
            Ok((config, warnings)) => (config, warnings.iter().map(Warning::to_string).collect()),
            Err(problems) => panic!("{problems}\nin\n{text}"),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const HEAD: &str = "apiVersion: countersign.dev/v1alpha1\nkind: Configuration\n";

/// The least that is a configuration, and `more`.
fn with(more: &str) -> String {
    format!("{HEAD}apiAudiences: [api]\ntokenFile: {{path: tokens.csv}}\n{more}\n")
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let folder = Folder::new();
    let (config, warnings) = folder.good(&format!("{HEAD}apiAudiences: [api]"));
    assert_eq!(
        warnings,
        ["jwt: neither jwt nor tokenFile nor serviceAccountIssuer: no token is anybody's"]
    );
    let wanted = Config {
        server: server::Settings {
            address: "127.0.0.1:8443".parse().unwrap(),
            certificate_file: folder.0.join("tls.crt"),
            private_key_file: folder.0.join("tls.key"),
            client_ca_file: None,
            limits: server::Limits {
                max_connections: 4096,
                max_connection_age: Duration::from_secs(300),
                max_requests_in_flight: 1024,
                max_body_bytes: 3 << 20,
                request_timeout: Duration::from_secs(10),
                handshake_timeout: Duration::from_secs(10),
                shutdown_timeout: Duration::from_secs(25),
            },
        },
        client_names: None,
        admin: "127.0.0.1:9443".parse().unwrap(),
        admin_socket: None,
        authn: authn::Settings {
            api_audiences: vec!["api".to_owned()],
            token_file: None,
            jwt: Vec::new(),
            max_token_bytes: 64 << 10,
            review_timeout: Duration::from_secs(9),
        },
        cache: authn::CacheSettings {
            authenticated_ttl: Duration::from_secs(120),
            rejected_ttl: Duration::from_secs(30),
            max_bytes: 64 << 20,
            rejected_max_bytes: 8 << 20,
        },
        keys: keys::Settings { max_stale: None, cache_dir: None },
        service_account_issuer: None,
        callers: Vec::new(),
        require_issuers: RequireIssuers::Tried,
        hash: config.hash.clone(),
    };
    assert_eq!(config, wanted);
}

#[test]
fn the_example_of_the_design_loads() {
    let folder = Folder::new();
    folder.write("client-ca.crt", &std::fs::read_to_string(folder.0.join("ca.crt")).unwrap());
    let (config, warnings) = folder.good(include_str!("tests/example.yaml"));
    let places = warnings.iter().map(|warning| warning.split(": ").next().unwrap());
    assert_eq!(places.collect::<Vec<_>>(), ["jwt[0].issuer.allowReserved"]);
    assert_eq!(config.server.address.to_string(), "0.0.0.0:8443");
    assert_eq!(config.client_names, Some(vec!["kube-apiserver".to_owned(), "probe".to_owned()]));
    assert_eq!(config.server.client_ca_file, Some(folder.0.join("client-ca.crt")));
    assert_eq!(config.admin.to_string(), "127.0.0.1:9444");
    assert_eq!(config.admin_socket, Some(folder.0.join("run/admin.sock")));
    assert_eq!(config.cache.rejected_ttl, Duration::ZERO);
    assert_eq!(config.server.limits.max_connections, 7);
    assert_eq!(config.server.limits.shutdown_timeout, Duration::from_secs(8));
    let keys = keys::Settings {
        max_stale: Some(Duration::from_hours(24)),
        cache_dir: Some(folder.0.join("objects")),
    };
    assert_eq!(config.keys, keys);
    assert_eq!(config.authn.max_token_bytes, 9 << 10);
    assert_eq!(config.authn.review_timeout, Duration::from_millis(4500));
    assert_eq!(config.authn.jwt.len(), 4);
    assert!(config.authn.token_file.as_ref().is_some_and(|file| file.allow_reserved));
    let json: serde_json::Value = serde_json::json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "Configuration", "apiAudiences": ["api"],
        "listen": {"address": "[::1]:0"}, "admin": {"address": "[::1]:0"},
        "cache": {"rejectedTTL": 0, "maxBytes": 1_048_576},
    });
    let (config, _) = folder.good(&json.to_string());
    assert_eq!((config.server.address.port(), config.cache.max_bytes), (0, 1 << 20));
}

#[test]
fn what_is_required_is_missed() {
    let folder = Folder::new();
    let ours = "apiVersion: Required value: must be countersign.dev/v1alpha1";
    for (text, wanted) in [
        ("", &["the file is empty"][..]),
        ("a: [", &["not YAML or JSON: unclosed bracket '['"]),
        ("[]", &["wanted an object, found a list"]),
        ("{}", &[ours, "kind: Required value: must be Configuration"]),
        ("kind: Configuration\nlisten: 5", &[ours]),
        (
            "apiVersion: countersign.dev/v1\nkind: Config",
            &[
                "apiVersion: Unsupported value: \"countersign.dev/v1\": supported values: \
             \"countersign.dev/v1alpha1\"",
                "kind: Unsupported value: \"Config\": supported values: \"Configuration\"",
            ],
        ),
        (
            "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: []",
            &[
                "kind: an AuthenticationConfiguration is not served by itself: write a Configuration of \
             countersign.dev/v1alpha1 that names this file in authenticationConfigurationFile",
            ],
        ),
        (
            HEAD,
            &[
                "apiAudiences: Required value: what the API server calls itself (its --api-audiences)",
            ],
        ),
        (
            &format!("{HEAD}apiAudiences: []"),
            &[
                "apiAudiences: Required value: what the API server calls itself (its --api-audiences)",
            ],
        ),
        (
            &format!("{HEAD}apiAudiences: [a, '', a]"),
            &["apiAudiences[1]: Required value", "apiAudiences[2]: Duplicate value: \"a\""],
        ),
        (
            &format!("{HEAD}apiAudiences: a"),
            &["apiAudiences: wanted a list, found the string \"a\""],
        ),
        (
            &format!("{HEAD}apiAudiences: [a]\ntokenFile: {{}}"),
            &["tokenFile.path: Required value: the path of a file"],
        ),
    ] {
        assert_eq!(folder.problems(text), wanted, "{text}");
    }
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_file() {
    let folder = Folder::new();
    let text = format!(
        "{HEAD}listen:\n  address: 0.0.0.0:8443\n  adress: x\ncache:\n  rejectedTTL: 5\ncache: {{}}\n\
         jwt:\n- isuer: {{}}\n  issuer:\n    url: http://x\n  claimMappings: {{username: {{claim: sub}}}}\n"
    );
    let problems = folder.parse(&text).unwrap_err();
    let file = folder.0.join("config.yaml");
    let lines = problems.to_string();
    let lines =
        lines.lines().map(|line| line.strip_prefix(&format!("{}:", file.display())).unwrap());
    let starts = lines.map(|line| line.splitn(3, ": ").take(2).collect::<Vec<_>>().join(": "));
    assert_eq!(
        starts.collect::<Vec<_>>(),
        [
            "1: apiAudiences",
            "4: listen.address",
            "5: listen.adress",
            "7: cache.rejectedTTL",
            "8: cache",
            "10: jwt[0].isuer",
            "11: jwt[0].issuer.audiences",
            "12: jwt[0].issuer.url",
            "13: jwt[0].claimMappings.username.prefix",
        ]
    );
}

#[test]
fn the_hash_covers_what_decides() {
    let folder = Folder::new();
    let hash = |text: &str| folder.good(text).0.hash;
    let jwt = "jwt: [{issuer: {url: 'https://a', audiences: [a], certificateAuthorityFile: ca.crt}, \
               claimMappings: {username: {claim: sub, prefix: ''}}}]";
    let (plain, with_ca) = (with(""), with(jwt));
    let first = hash(&with_ca);
    assert_eq!(first.len(), 64);
    assert_eq!(hash(&with_ca), first);
    assert_ne!(hash(&with("# a comment")), hash(&plain));
    folder.write("tokens.csv", "other,jane,1\n");
    assert_eq!(hash(&with_ca), first, "the token file lives apart");
    let ca = std::fs::read_to_string(folder.0.join("ca.crt")).unwrap();
    folder.write("ca.crt", &format!("{ca}\n"));
    assert_ne!(hash(&with_ca), first);
}

/// Ten thousand issuers may have one authority.
#[test]
fn a_file_that_many_issuers_name_is_watched_once_and_read_into_one_text() {
    let folder = Folder::new();
    let issuer = |name: &str| {
        format!(
            "{{issuer: {{url: 'https://{name}', audiences: [a], certificateAuthorityFile: ca.crt}}, \
             claimMappings: {{username: {{claim: sub, prefix: '{name}:'}}}}}}"
        )
    };
    folder.write("config.yaml", &with(&format!("jwt: [{}, {}]", issuer("a"), issuer("b"))));
    let loaded = load(&folder.0.join("config.yaml")).unwrap();
    assert_eq!(loaded.watches.len(), 2, "the configuration is the other one");
    let [a, b] = &loaded.config.authn.jwt[..] else { panic!() };
    let texts = [a, b].map(|jwt| jwt.source.certificate_authority.as_ref().unwrap().pem());
    assert!(std::ptr::eq(texts[0], texts[1]));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problems = load(Path::new("/nowhere/config.yaml")).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "/nowhere/config.yaml: cannot be read: No such file or directory (os error 2)"
    );
}

#[test]
fn the_configurations_that_come_with_it_load() {
    let folder = Folder::new();
    std::fs::copy(folder.0.join("ca.crt"), folder.0.join("client-ca.crt")).unwrap();
    std::fs::copy(folder.0.join("active.pem"), folder.0.join("sa.key")).unwrap();
    folder.write("objects/demo.yaml", include_str!("../../deploy/dev/objects/demo.yaml"));
    for text in
        [include_str!("../../deploy/dev/config.yaml"), include_str!("../cli/init/config.yaml")]
    {
        let text = text.replace("../../certs/", "");
        folder.good(&text);
        let (config, warnings) = folder.good(&with_examples(&text));
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(config.authn.jwt.len(), 1);
        assert!(config.authn.token_file.is_some());
        assert!(config.service_account_issuer.is_some());
        assert!(!config.callers.is_empty());
    }
}

/// The configuration with its commented-out sections taken in.
fn with_examples(text: &str) -> String {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        let sections = ["jwt", "cache", "tokenFile", "serviceAccountIssuer", "callers"];
        inside |= sections.iter().any(|section| line == format!("# {section}:"));
        inside &= line.starts_with("# ");
        lines.push(if inside { &line[2..] } else { line });
    }
    lines.join("\n")
}
