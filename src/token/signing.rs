//! Keys, signatures and tokens for the tests of this floor. Keys are made for each test.

use josekit::jwk::Jwk;
use josekit::jwk::alg::{ec::EcCurve, ed::EdCurve};
use josekit::jws::{self, JwsSigner};
use serde_json::{Value, json};

use super::Algorithm;

/// Whoever has a private key.
pub(super) struct Signer {
    pub(super) algorithm: Algorithm,
    key: Jwk,
}

impl Signer {
    /// Makes a key that fits `algorithm`.
    pub(super) fn new(algorithm: Algorithm) -> Self {
        let key = match algorithm {
            Algorithm::Es256 => Jwk::generate_ec_key(EcCurve::P256),
            Algorithm::Es384 => Jwk::generate_ec_key(EcCurve::P384),
            Algorithm::Es512 => Jwk::generate_ec_key(EcCurve::P521),
            Algorithm::EdDsa => Jwk::generate_ed_key(EdCurve::Ed25519),
            _ => Jwk::generate_rsa_key(2048),
        };
        Self { algorithm, key: key.unwrap() }
    }

    pub(super) fn ed448() -> Self {
        let key = Jwk::generate_ed_key(EdCurve::Ed448).unwrap();
        Self { algorithm: Algorithm::EdDsa, key }
    }

    /// The same key, used with another algorithm.
    pub(super) fn with(&self, algorithm: Algorithm) -> Self {
        Self { algorithm, key: self.key.clone() }
    }

    pub(super) fn private_jwk(&self) -> Value {
        serde_json::to_value(self.key.as_ref()).unwrap()
    }

    pub(super) fn public_jwk(&self) -> Value {
        let public = self.key.to_public_key().unwrap();
        serde_json::to_value(public.as_ref()).unwrap()
    }

    /// The public key under a key ID.
    pub(super) fn jwk(&self, id: &str) -> Value {
        let mut key = self.public_jwk();
        key["kid"] = json!(id);
        key
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let key = &self.key;
        let signer: Box<dyn JwsSigner> = match self.algorithm {
            Algorithm::Es256 => Box::new(jws::ES256.signer_from_jwk(key).unwrap()),
            Algorithm::Es384 => Box::new(jws::ES384.signer_from_jwk(key).unwrap()),
            Algorithm::Es512 => Box::new(jws::ES512.signer_from_jwk(key).unwrap()),
            Algorithm::Ps256 => Box::new(jws::PS256.signer_from_jwk(key).unwrap()),
            Algorithm::Ps384 => Box::new(jws::PS384.signer_from_jwk(key).unwrap()),
            Algorithm::Ps512 => Box::new(jws::PS512.signer_from_jwk(key).unwrap()),
            Algorithm::Rs256 => Box::new(jws::RS256.signer_from_jwk(key).unwrap()),
            Algorithm::Rs384 => Box::new(jws::RS384.signer_from_jwk(key).unwrap()),
            Algorithm::Rs512 => Box::new(jws::RS512.signer_from_jwk(key).unwrap()),
            Algorithm::EdDsa => Box::new(jws::EdDSA.signer_from_jwk(key).unwrap()),
        };
        signer.sign(message).unwrap()
    }

    /// A token with this header and payload, whatever they are.
    pub(super) fn token(&self, header: &str, payload: &str) -> String {
        let input = format!("{}.{}", base64url(header), base64url(payload));
        let signature = base64url(self.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }
}

pub(super) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// A key set of these keys.
pub(super) fn key_set(keys: &[Value]) -> Vec<u8> {
    serde_json::to_vec(&json!({ "keys": keys })).unwrap()
}
