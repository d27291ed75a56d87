//! What keeps the process from starting: said once, with the place and what to do, and an exit code
//! that tells a supervisor whether another try is of any use.

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::process::serve;
use crate::support::service::Setup;
use crate::support::{pki, within};

/// The errors that `serve` logs of this service, and the code that it exits with.
async fn start(setup: Setup) -> (Vec<Value>, Option<i32>) {
    let (_directory, file) = setup.write();
    let mut command = tokio::process::Command::from(serve(&file));
    command.stdout(Stdio::null()).kill_on_drop(true);
    let output = within(command.output()).await.expect("it starts").unwrap();
    let lines = String::from_utf8(output.stderr).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    (lines.filter(|line| line["level"] == "ERROR").collect(), output.status.code())
}

/// Expects one error that has all of `words`.
async fn refused(what: &str, setup: Setup, code: i32, words: &[&str]) {
    let (errors, exit) = start(setup).await;
    assert_eq!((errors.len(), exit), (1, Some(code)), "{what}: {errors:?}");
    let file = errors[0]["file"].as_str().unwrap();
    assert!(file.contains("countersign.yaml"), "{what}: {file}");
    let error = errors[0]["error"].as_str().unwrap();
    for word in words {
        assert!(error.contains(word), "{what}: {error} has no {word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_cannot_be_had_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ss = format!("`ss -ltnp 'sport = :{}'`", taken.local_addr().unwrap().port());
    for setting in ["listen", "admin"] {
        let setup = Setup::new(json!({setting: {"address": address}}));
        let place = format!("{setting}.address: ");
        refused("taken", setup, 1, &[&place, &address, "in use", &ss, "another port"]).await;
    }
    // For documentation (RFC 5737), and so of no machine.
    let setup = Setup::new(json!({"listen": {"address": "192.0.2.1:8443"}}));
    refused("elsewhere", setup, 1, &["listen.address: ", "192.0.2.1:8443", "0.0.0.0"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_cannot_be_made_is_named_with_what_to_do() {
    let at = |path: &str| Setup::new(json!({"admin": {"socket": path}}));
    let words = ["admin.socket: ", "/nowhere/s", "its folder does not exist"];
    refused("no folder", at("/nowhere/s"), 1, &words).await;
    let words = ["admin.socket: ", "a file is there that is no socket"];
    refused("a file", at("tokens.csv").with_file("tokens.csv", ""), 1, &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_wrong_is_not_worth_another_try() {
    let setup = Setup::new(json!({"listen": {"certificateFile": "gone.crt"}}));
    refused("gone", setup, 78, &["listen.certificateFile: ", "gone.crt", "No such file"]).await;
    let other = pki::SERVERS.server();
    let setup = Setup::new(json!({})).with_file("tls.key", &other.key);
    refused("mismatch", setup, 78, &["listen.privateKeyFile: ", "is not the key of"]).await;
    let issuer =
        json!({"url": "https://a.test", "signingKeyFiles": ["tls.crt"], "objectsDir": "objects"});
    let setup = Setup::new(json!({"serviceAccountIssuer": issuer})).with_file("objects/x", "");
    let words = ["serviceAccountIssuer.signingKeyFiles[0]: ", "holds no key; expected PEM"];
    refused("no key", setup, 78, &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_very_many_mistakes_the_first_are_told_and_how_many_more() {
    let entry = json!({"issuer": {"url": "http://a.test", "audiences": ["a"]}});
    let (errors, code) = start(Setup::new(json!({"jwt": vec![entry; 300]}))).await;
    assert_eq!((errors.len(), code), (21, Some(78)));
    let more = errors[20]["message"].as_str().unwrap();
    let number = more.strip_prefix("and ").and_then(|more| more.split(' ').next());
    assert!(number.unwrap().parse::<usize>().unwrap() >= 280, "{more}");
    assert!(more.contains("`countersign check "), "{more}");
}

/// Only who is not root can be denied anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_be_read_is_named_with_who_may_not() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, file) = Setup::new(json!({})).write();
    let key = file.with_file_name("tls.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&key).is_ok() {
        return; // as root
    }
    let output = serve(&file).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Permission denied") && said.contains("let user "), "{said}");
    assert_eq!(output.status.code(), Some(78));
}
