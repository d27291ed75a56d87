//! Configurations of both kinds: none makes the reader panic, every mistake has its place, and what is
//! good is as good when it is read again.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use countersign::config;

/// A folder with the files that a configuration names by default.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("countersign-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (name, content) in [
        ("tls.crt", cert.pem()),
        ("tls.key", signing_key.serialize_pem()),
        ("ca.crt", cert.pem()),
        ("sa.key", signing_key.serialize_pem()),
        ("tokens.csv", "secret,jane,1".to_owned()),
    ] {
        std::fs::write(folder.join(name), content).unwrap();
    }
    folder
});

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let file = FOLDER.join("config.yaml");
    let judge = || config::parse(content, &file);
    match (judge(), judge()) {
        (Ok((config, _)), Ok((again, _))) => {
            assert_eq!(config, again);
            assert_eq!(config.hash.len(), 64);
            assert!(!config.authn.api_audiences.is_empty());
        }
        (Err(problems), Err(again)) => {
            assert_eq!(problems.to_string(), again.to_string());
            assert!(problems.len() > 0);
            let folder = FOLDER.to_string_lossy();
            let is_placed = |problem: &config::Finding| problem.place().starts_with(&*folder);
            assert!(problems.iter().all(is_placed), "{problems}");
        }
        _ => panic!("two readings differ"),
    }
    // The API server's own kind is told apart by what it says of itself, so it comes from a file.
    if content.windows(14).any(|word| word == b"Authentication") {
        std::fs::write(&file, content).unwrap();
        let _ = config::check(&file);
    }
});
