//! Key sets for tests, made anew in every run.

use base64_simd::URL_SAFE_NO_PAD;
use rcgen::KeyPair;
use serde_json::{Value, json};

/// A P-256 key that verifies.
pub(super) fn key(kid: &str) -> Value {
    let pair = KeyPair::generate().unwrap();
    // Uncompressed: 4, x, y (SEC 1, section 2.3.3).
    let (x, y) = pair.public_key_raw()[1..].split_at(32);
    let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode_to_string(coordinate));
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256", "x": x, "y": y})
}

/// A key that is none.
pub(super) fn broken_key(kid: &str) -> Value {
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": "AA", "y": 7})
}

/// A key set.
pub(super) fn key_set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}
