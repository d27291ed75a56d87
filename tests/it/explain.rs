//! `countersign explain`: what it says of good and bad tokens, and what it must never say.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::support::issuer::{CLAIMS, KEYS};
use crate::support::service::{Directory, Setup};
use crate::support::signing::hmac_token;
use crate::support::{API, Issuer, Key, Manner, now, within};

/// What a run of the command came to.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    /// The report of `--output json`.
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

async fn run(config: &Path, args: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .arg("explain")
        .arg("--config")
        .arg(config)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = within(child.wait_with_output()).await.expect("it never ended").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A configuration on disk.
struct Written {
    _directory: Directory,
    file: std::path::PathBuf,
}

impl Written {
    fn of(setup: Setup) -> Self {
        let (directory, file) = setup.write();
        Self { _directory: directory, file }
    }

    fn trusting(jwt: impl IntoIterator<Item = Value>) -> Self {
        Self::of(Setup::new(json!({"jwt": jwt.into_iter().collect::<Vec<_>>()})))
    }

    /// Explains `token`, given on standard input, and never says any part of it.
    async fn explain(&self, token: &str, args: &[&str]) -> Ran {
        let ran = run(&self.file, args, token).await;
        let said = format!("{}{}", ran.out, ran.err);
        for part in token.split('.').filter(|part| part.len() > 16) {
            assert!(!said.contains(part), "{said}");
        }
        ran
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn show() {
    let issuer = Issuer::start().await;
    let other = Issuer::start().await;
    let jwt = [other.entry(json!({})), issuer.entry(json!({
        "claimMappings": {"username": {"claim": "email", "prefix": "idp:"}, "groups": {"claim": "groups", "prefix": "idp:"}},
        "claimValidationRules": [{"expression": "claims.email.endsWith('@example.com')", "message": "not one of us"}],
        "userValidationRules": [{"expression": "!user.username.startsWith('idp:admin')"}],
    }))];
    let config = Written::trusting(jwt);
    let good = json!({"email": "alice@example.com", "groups": ["a","b"]});
    for (over, args) in [
        (json!({}), &[][..]),
        (json!({"exp": now() - 3 * 3600}), &[]),
        (json!({"email": "alice@elsewhere.com"}), &["--show-claims"]),
        (json!({"iss": format!("{}/", issuer.url)}), &[]),
        (json!({"email": null}), &["--output", "json"]),
    ] {
        let mut claims = good.clone();
        crate::support::lay(&mut claims, over);
        let ran = config.explain(&issuer.token(claims), args).await;
        println!("{:?}\n{}{}", ran.code, ran.out, ran.err);
    }
}
