//! What the embedded issuer says of itself to those who want to trust it, byte for byte as
//! kube-apiserver does.

use std::collections::BTreeSet;

use serde::Serialize;

use super::SigningKeys;

/// The key set: every key, the one that signs first.
pub(super) fn jwks(keys: &SigningKeys) -> Vec<u8> {
    #[derive(Serialize)]
    struct KeySet<K> {
        keys: Vec<K>,
    }
    json(&KeySet { keys: keys.iter().map(|key| key.jwk()).collect() })
}

/// The discovery document, in upstream's order of members.
pub(super) fn document(url: &str, keys: &SigningKeys) -> Vec<u8> {
    #[derive(Serialize)]
    struct Document<'a> {
        issuer: &'a str,
        jwks_uri: String,
        response_types_supported: [&'a str; 1],
        subject_types_supported: [&'a str; 1],
        id_token_signing_alg_values_supported: BTreeSet<&'a str>,
    }
    json(&Document {
        issuer: url,
        jwks_uri: format!("{}/openid/v1/jwks", url.strip_suffix('/').unwrap_or(url)),
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: keys
            .iter()
            .map(|key| key.algorithm().as_str())
            .collect(),
    })
}

fn json(document: &impl Serialize) -> Vec<u8> {
    // Texts in structs and lists: there is nothing that could fail.
    serde_json::to_vec(document).unwrap_or_default()
}
