//! The mappings for well-known providers, in `deploy/providers`: each file is loaded as an operator
//! writes it, and each token beside it, of its provider's documented shape, becomes the user that is
//! written there, or is refused for the reason that is.
//!
//! None of them was ever shown to the provider itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use countersign::config;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::client::User;
use crate::support::service::Setup;
use crate::support::{API, Issuer, Key, Service, Verdict, lay, now, pki};

/// One provider: its file, and what stands beside it.
struct Provider {
    name: String,
    /// The file, as it is.
    written: String,
    beside: Beside,
}

/// A file `….token.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    /// Where the provider documents such tokens.
    documented: String,
    claims: Value,
    /// Who it is.
    user: User,
    refused: Vec<Refused>,
}

/// Another token, which the rules refuse.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    what: String,
    /// Laid over the claims.
    claims: Value,
    reason: String,
    /// What the API server logs, after the issuer; of `no_issuer`, nothing.
    #[serde(default)]
    says: String,
}

/// The file of keys that one of them names.
const KEYS: &str = "build.jwks.json";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/providers")
}

/// All of them.
fn providers() -> Vec<Provider> {
    let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut files: BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    assert!(files.remove("README.md"));
    let read = |name: &str| fs::read_to_string(folder().join(name)).unwrap();
    let mut providers = Vec::new();
    while let Some(beside) = files.pop_first() {
        let name = beside.strip_suffix(".token.json").unwrap_or_else(|| panic!("{beside}"));
        assert!(files.remove(&format!("{name}.yaml")), "{beside} stands alone");
        providers.push(Provider {
            name: name.to_owned(),
            written: read(&format!("{name}.yaml")),
            beside: serde_json::from_str(&read(&beside)).expect(&beside),
        });
    }
    assert!(providers.len() >= 10);
    providers
}

impl Provider {
    /// What its tokens call it.
    fn url(&self) -> &str {
        self.beside.claims["iss"].as_str().unwrap()
    }

    /// Its file, with its URL and keys replaced by those of a provider that is here, and nothing else
    /// but the addresses to listen on.
    fn setup(&self, here: &Issuer) -> Setup {
        let url = format!("url: {}", self.url());
        assert_eq!(self.written.matches(&url).count(), 1, "{}: {url}", self.name);
        let authority = json!(pki::PROVIDERS.pem);
        let there = format!("url: {}\n    certificateAuthority: {authority} ", here.url);
        if self.is_upstreams() {
            Setup::new(json!({"authenticationConfigurationFile": "provider.yaml"}))
                .with_file("provider.yaml", &self.written.replace(&url, &there))
        } else {
            let there = format!("url: {}", here.url);
            let written = self.written.replace(&url, &there);
            let listen = "listen:\n  address: 127.0.0.1:0\n";
            let admin = "admin: {address: \"127.0.0.1:0\"}\n";
            Setup::of(written.replace("listen:\n", listen) + admin).with_file(KEYS, &here.key_set())
        }
    }

    /// Whether the API server itself could read the file.
    fn is_upstreams(&self) -> bool {
        self.written.contains("kind: AuthenticationConfiguration\n")
    }

    /// What the API server that asks calls itself.
    fn audience(&self) -> &'static str {
        match self.is_upstreams() {
            true => API,
            false => "https://kubernetes.default.svc.cluster.local",
        }
    }

    /// The list `jwt`, as it is written.
    fn jwt(&self) -> &str {
        &self.written[self.written.find("jwt:\n").unwrap()..]
    }

    /// The messages of rules that no token beside it breaks.
    fn rules_without_a_refusal(&self) -> Vec<&str> {
        let messages =
            self.written.lines().filter_map(|line| line.trim().strip_prefix("message: "));
        let refused =
            |message: &&str| self.beside.refused.iter().any(|it| it.says.ends_with(message));
        messages.filter(|message| !refused(message)).collect()
    }

    /// A token of now: with `over` laid over the documented claims.
    fn token(&self, here: &Issuer, over: Value) -> String {
        let elsewhere = over.get("iss").is_some();
        let mut claims = self.beside.claims.clone();
        let moved = now() - claims["iat"].as_i64().unwrap();
        lay(&mut claims, over);
        for name in ["iat", "nbf", "exp"] {
            if let Some(at) = claims.get(name).and_then(Value::as_i64) {
                claims[name] = json!(at + moved);
            }
        }
        if !elsewhere {
            claims["iss"] = json!(here.url);
        }
        here.key().token(&claims)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_tokens_become_the_users_that_are_written_down() {
    for provider in providers() {
        let (name, beside) = (&provider.name, &provider.beside);
        let here = Issuer::signing_with(Key::new("RS256")).await;
        let service = provider.setup(&here).start().await;
        let kube = service.kube().await;
        let audience = provider.audience();
        let token = provider.token(&here, json!({}));
        let verdict = kube.authenticate_for(&token, &[audience]).await;
        let known = Verdict::User(beside.user.clone(), vec![audience.to_owned()]);
        assert_eq!(verdict, known, "{name}");
        assert_eq!(provider.rules_without_a_refusal(), [""; 0], "{name}: never refuse anything");
        for refused in &beside.refused {
            expect_refusal(&provider, refused, &here, &service).await;
        }
    }
}

async fn expect_refusal(provider: &Provider, refused: &Refused, here: &Issuer, service: &Service) {
    let Refused { what, claims, reason, says } = refused;
    let what = format!("{}: {what}", provider.name);
    let token = provider.token(here, claims.clone());
    let issuer = if reason == "no_issuer" { "none" } else { &here.url };
    let labels = [("issuer", issuer), ("reason", &**reason)];
    let before = service.metric("rejections_total", &labels).await;
    let verdict = service.kube().await.authenticate_for(&token, &[provider.audience()]).await;
    match issuer {
        "none" => assert_eq!(verdict, Verdict::Nobody, "{what}"),
        _ => assert_eq!(verdict, Verdict::Error(format!("{issuer}: {says}")), "{what}"),
    }
    let after = service.metric("rejections_total", &labels).await;
    assert_eq!(after, before + 1.0, "{what} is not {reason}: {verdict:?}");
}

/// As they are, with the provider's own URL: no mistake, and nothing to warn of.
#[test]
fn the_files_are_right_as_they_are() {
    let keys = json!({"keys": [Key::new("ES256").public()]}).to_string();
    let (directory, _) = Setup::new(json!({})).with_file(KEYS, &keys).write();
    let ours = "apiVersion: countersign.dev/v1alpha1\nkind: Configuration\napiAudiences: [a]\n\
                listen: {certificateFile: tls.crt, privateKeyFile: tls.key}\n";
    let mut all =
        "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt:\n"
            .to_owned();
    let right = |what: &str, text: &str| {
        let file = directory.write(&format!("{what}.yaml"), text);
        let (_, warnings) = config::check(&file).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(warnings, [], "{what}");
    };
    for provider in providers() {
        right(&provider.name, &provider.written);
        // The same list is right in our own kind of file.
        right(&format!("ours-{}", provider.name), &format!("{ours}{}", provider.jwt()));
        if provider.is_upstreams() {
            all.push_str(provider.jwt().strip_prefix("jwt:\n").unwrap());
        }
    }
    // Side by side, none gives names that another gives too.
    right("all", &all);
}

/// The page has each file word for word, the user, and what is refused.
#[test]
fn the_page_quotes_the_files() {
    let page = fs::read_to_string(folder().join("README.md")).unwrap();
    let sections: Vec<_> = page.split("\n## ").skip(1).collect();
    for Provider { name, written, beside } in providers() {
        let link = format!("({name}.yaml)");
        let mut sections = sections.iter().filter(|section| section.contains(&link));
        let section = sections.next().unwrap_or_else(|| panic!("no section links {name}.yaml"));
        assert!(section.contains(&format!("```yaml\n{written}```\n")), "{name}.yaml is another");
        let block = section.split("```json\n").nth(1).expect(&name).split("```").next().unwrap();
        let shown: Map<String, Value> = serde_json::from_str(block).expect(&name);
        assert_eq!(User::deserialize(Value::Object(shown)).unwrap(), beside.user, "{name}");
        let row = |it: &Refused| {
            let said = if it.says.is_empty() { "only `invalid bearer token`" } else { &it.says };
            format!("| {} | `{}` | {said} |", it.what, it.reason)
        };
        let rows: Vec<_> = beside.refused.iter().map(row).collect();
        let shown = section.lines().filter(|line| line.starts_with("| "));
        assert_eq!(shown.skip(1).collect::<Vec<_>>(), rows, "{name}");
        for source in beside.documented.split(' ').filter(|word| word.starts_with("https://")) {
            assert!(section.contains(&format!("({source})")), "{name}: {source}");
        }
    }
}
