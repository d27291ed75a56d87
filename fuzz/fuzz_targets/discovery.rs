//! Discovery documents of strangers: only the issuer's own leads to keys, and only by HTTPS.

#![no_main]

use countersign::keys::discovery::jwks_uri;

const ISSUER: &str = "https://issuer.test/realm";

libfuzzer_sys::fuzz_target!(|body: &[u8]| match jwks_uri(body, ISSUER) {
    Ok(uri) => {
        assert!(uri.starts_with("https://") && uri.len() <= 2048);
        assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{uri:?}");
        // It refuses numbers and surrogates that nobody needs, in members that we do not read.
        let Ok(other) = serde_json::from_slice::<serde_json::Value>(body) else { return };
        assert_eq!(other["issuer"], ISSUER);
        assert_eq!(other["jwks_uri"], uri.as_str());
    }
    Err(error) => {
        let text = error.to_string();
        assert!(text.len() < 2000 && !text.contains(['\n', '\x1b']), "{text:?}");
    }
});
