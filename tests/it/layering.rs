//! The tower holds: who may import whom in `src/`, and who may name which crate.
//!
//! Every path in every file is read, in `use` trees and in code, outside comments and texts. It is
//! made absolute, `super` and all, and then it must lead to the file's own folder or to a lower
//! floor. A new folder needs a floor in [`FLOORS`] before anything can be in it.

mod paths;

use std::fs;
use std::path::Path;

use self::paths::{Found, Role, find};

/// The floors from the ground up. One imports from those below only, never from a sibling.
const FLOORS: &[&[&str]] = &[
    &["metrics", "lifecycle", "fetch", "filewatch", "live", "document", "secret", "transcript"],
    &["api"],
    &["claims"],
    &["token"],
    &["keys", "issuer"],
    &["authn", "server"],
    &["resources"],
    &["config"],
    &["app"],
    &["cli"],
    &["main"], // it shares the ninth floor with cli/, and does nothing but call it
];

/// Crates that only some files may name, and those files: each by the beginning of its path.
const CRATES: &[(&[&str], &[&str])] = &[
    (&["josekit", "openssl", "aws_lc_rs"], &["token/"]),
    (
        &["hyper", "hyper_util", "hyper_rustls", "rustls", "tokio_rustls", "rustls_native_certs"],
        &["server/", "fetch"],
    ),
    (&["moka"], &["authn/cache"]),
    (&["prometheus"], &["metrics"]),
    (&["cel"], &["claims/expression/"]),
    // But for `init`, these are what unit tests have their certificates and keys from.
    (&["rcgen"], &["cli/init", "fetch/origin", "keys/specimen"]),
];

/// State that nobody passed down (design, section 4: no statics anywhere). In main.rs `static` is
/// the allocator's.
const STATE: &[&str] = &["static", "OnceLock", "thread_local", "lazy_static"];

/// What is wrong with `source`, the text of the file at `path` under `src/`.
fn violations(path: &str, source: &str) -> Vec<String> {
    let module = module_of(path);
    let own = module.first().map_or("lib", String::as_str);
    let mut wrong = Vec::new();
    // lib.rs is the list of the floors and stands on none.
    let own_floor = floor(own);
    if own != "lib" && own_floor.is_none() {
        wrong.push(format!("{path}: {own} is on no floor"));
    }
    let found = find(source, &module);
    // In code, an imported name is what was imported, and no crate that is called the same.
    let imported: Vec<_> = found
        .iter()
        .filter(|found| found.role == Role::Import && found.segments.len() > 1)
        .filter_map(|found| found.segments.last().cloned())
        .collect();
    for Found { line, segments, role, in_tests } in found {
        let place = format!("{path}:{line}");
        let free = in_tests || (path == "main.rs" && segments == ["static"]);
        for state in segments.iter().filter(|word| STATE.contains(&word.as_str()) && !free) {
            wrong.push(format!("{place}: {state} is state that nobody passed down"));
        }
        if role == Role::Word {
            continue;
        }
        let root = segments.first().map_or("", String::as_str);
        if root == "crate" {
            let target = segments.get(1).map_or("*", String::as_str);
            match (floor(target), own_floor) {
                _ if target == own || own == "lib" => {}
                (Some(below), Some(own)) if below < own => {}
                (Some(_), _) => wrong.push(format!("{place}: {own} may not import {target}")),
                (None, _) => wrong.push(format!("{place}: {target} is on no floor")),
            }
        }
        for (crates, homes) in CRATES {
            // Certificates of a test are made where they are needed.
            let free = (root == "rcgen" && in_tests)
                || (role == Role::Path && imported.iter().any(|name| name == root));
            if crates.contains(&root) && !free && !homes.iter().any(|home| path.starts_with(home)) {
                wrong.push(format!("{place}: only {} may name {root}", homes.join(" and ")));
            }
        }
    }
    wrong
}

fn floor(folder: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&folder))
}

/// The module that a file is: `keys/remote.rs` is `[keys, remote]`, `keys/mod.rs` `[keys]`,
/// `keys/remote_tests.rs` `[keys, remote, tests]`, and `lib.rs` `[]`.
fn module_of(path: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem).replace("_tests", "/tests");
    if stem == "lib" { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

/// Every `.rs` file under `folder`, with its path under `src/`.
fn sources(folder: &Path, prefix: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("src/ can be read") {
        let entry = entry.expect("src/ can be read");
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(sources(&entry.path(), &format!("{path}/")));
        } else if path.ends_with(".rs") {
            found.push((path, fs::read_to_string(entry.path()).expect("src/ can be read")));
        }
    }
    found
}

#[test]
fn the_tower_holds() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "");
    for file in ["lib.rs", "main.rs", "live.rs", "token/mod.rs"] {
        assert!(sources.iter().any(|(path, _)| path == file), "{file} was not read");
    }
    let wrong: Vec<_> =
        sources.iter().flat_map(|(path, source)| violations(path, source)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn each_way_around_the_tower_is_seen() {
    for (path, source, says) in [
        ("keys/remote.rs", "use crate::authn::Verdict;", "keys may not import authn"),
        ("keys/remote.rs", "use crate::issuer;", "keys may not import issuer"),
        ("live.rs", "use crate::secret::Secret;", "live may not import secret"),
        ("live.rs", "use super::{secret, std};", "live may not import secret"),
        ("api/mod.rs", "use crate::{live, token::Jwt};", "api may not import token"),
        ("api/mod.rs", "use crate::{live::{self, Live}, app};", "api may not import app"),
        ("keys/mod.rs", "use super::server::{Settings};", "keys may not import server"),
        ("keys/remote.rs", "use super::super::server;", "keys may not import server"),
        ("keys/remote.rs", "use super::{super::server};", "keys may not import server"),
        ("keys/a/b.rs", "fn f() { super::super::super::config::load() }", "may not import config"),
        ("keys/a.rs", "mod tests { use super::super::super::app; }", "may not import app"),
        ("keys/a.rs", "mod tests { mod m {} } use super::super::app;", "may not import app"),
        ("keys/a.rs", "fn f() -> Vec<crate::config::Config> {}", "may not import config"),
        ("keys/a.rs", "macro_rules! m { () => { $crate::app::start() } }", "may not import app"),
        ("keys/a.rs", "use r#crate_; pub(crate) use crate :: app :: X;", "may not import app"),
        ("keys/a_tests.rs", "use super::super::super::app;", "may not import app"),
        ("keys/a.rs", "fn f() -> ::countersign::app::App {}", "may not import app"),
        ("keys/a.rs", "use ::countersign::app;", "may not import app"),
        ("keys/a.rs", "use countersign::{app as b};", "may not import app"),
        ("keys/a.rs", "use self::super::super::app;", "may not import app"),
        ("keys/a.rs", "let a = '\"'; use crate::app; let b = '\"';", "may not import app"),
        ("keys/a.rs", r##"let a = r#"""#; use crate::app; "##, "may not import app"),
        ("keys/a.rs", "use crate::*;", "* is on no floor"),
        ("keys/a.rs", "use crate as all;", "* is on no floor"),
        ("keys/a.rs", "use crate::{self as all};", "* is on no floor"),
        ("keys/a.rs", "use super::super::*;", "* is on no floor"),
        ("keys/a.rs", "use crate::utils;", "utils is on no floor"),
        ("helpers/mod.rs", "", "helpers is on no floor"),
        ("cli/serve.rs", "use crate::main;", "cli may not import main"),
        ("claims/mod.rs", "use josekit::jwk::Jwk;", "only token/ may name josekit"),
        ("keys/a.rs", "fn f() { ::aws_lc_rs::rand::fill() }", "only token/ may name aws_lc_rs"),
        ("authn/mod.rs", "use {std::fmt, moka::sync::Cache};", "only authn/cache may name moka"),
        ("keys/a.rs", "use rustls;", "only server/ and fetch may name rustls"),
        ("app.rs", "extern crate hyper as h;", "only server/ and fetch may name hyper"),
        ("app.rs", "type T = prometheus::Registry;", "only metrics may name prometheus"),
        (
            "keys/a.rs",
            "use rcgen::KeyPair; mod tests {}",
            "only cli/init and fetch/origin and keys/specimen may name rcgen",
        ),
        ("live.rs", "pub static A: u8 = 0;", "static is state"),
        ("live.rs", "fn f() { static mut A: &'static str = \"\"; }", "static is state"),
        ("live.rs", "use std::sync::{Arc, OnceLock};", "OnceLock is state"),
        ("live.rs", "thread_local! {}", "thread_local is state"),
    ] {
        let wrong = violations(path, source).join("\n");
        assert!(wrong.contains(says), "{path}: {source}\ngave: {wrong:?}\nwant: {says}");
    }
}

#[test]
fn what_only_looks_like_a_way_around_is_let_be() {
    for (path, source) in [
        ("keys/remote.rs", "use crate::token::{Jwks, KeySet};\nuse crate::{live::Live, keys};"),
        ("keys/remote.rs", "use super::source::Source; mod tests { use super::super::file; }"),
        (
            "keys/remote.rs",
            "//! [`crate::app`]\n// use crate::app;\n/* /* crate::app */ crate::app */",
        ),
        (
            "keys/remote.rs",
            r##"const A: &str = "crate::app\" crate::app"; const B: &[u8] = br#"use moka::a; "crate::app"#;"##,
        ),
        ("keys/remote.rs", "fn f<'a>(x: &'a str) -> &'static str { std::app::server(x.crate_) }"),
        ("server/tls.rs", "use rustls::crypto::aws_lc_rs::default_provider;"),
        ("server/tls.rs", "use rustls::crypto::aws_lc_rs; fn f() { aws_lc_rs::provider() }"),
        ("server/tls.rs", "use rustls::{crypto::{aws_lc_rs}, server};"),
        ("fetch.rs", "use hyper_util::client; fn f(hyper: u8) -> u8 { hyper }"),
        ("authn/cache/negative.rs", "use moka::sync::Cache;"),
        ("server/tls/tests.rs", "use rcgen::KeyPair;"),
        ("server/tls_tests.rs", "use rcgen::KeyPair; use super::super::Limits;"),
        ("server/tls.rs", "#[cfg(test)] mod tests { use rcgen::KeyPair; }"),
        ("app.rs", "pub(in crate::app) fn f() {} use crate::config::Config;"),
        ("main.rs", "use countersign::cli; static A: M = M; fn main() {}"),
        ("lib.rs", "pub mod api; pub use api::Status; pub use crate::app::start;"),
    ] {
        assert_eq!(violations(path, source), Vec::<String>::new(), "{path}: {source}");
    }
}
