//! Key sets of strangers: a bounded number of keys of allowed sizes, each key that is left out with a
//! bounded reason, and what is written of them for the next start is the same set again.

#![no_main]

use countersign::token::Jwks;

libfuzzer_sys::fuzz_target!(|document: &[u8]| match Jwks::parse(document) {
    Ok((keys, skipped)) => {
        assert!(keys.len() <= 100, "{} keys", keys.len());
        assert!(skipped.iter().all(|key| key.flaw.to_string().len() < 500));
        for key in keys.public() {
            let key = serde_json::to_value(key).expect("a key is JSON");
            // 2048 to 8192 bits in base64url; zeros before them do not count.
            let fits = |n: &str| n.len() >= 342 && n.trim_start_matches('A').len() <= 1367;
            assert!(key["n"].as_str().is_none_or(fits), "{key}");
        }
        let written = serde_json::json!({"keys": keys.public()}).to_string();
        let (again, skipped) = Jwks::parse(written.as_bytes()).expect("what we write is one");
        assert_eq!(keys, again);
        assert_eq!(skipped, []);
    }
    Err(error) => assert!(error.to_string().len() < 500, "{error}"),
});
