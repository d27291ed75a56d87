//! Keys and tokens, good ones and others: headers, payloads and signatures are given as text and
//! bytes, so that nothing a signer could write is out of reach.

use std::sync::Mutex;
use std::time::SystemTime;

use base64_simd::URL_SAFE_NO_PAD;
use josekit::jwk::alg::{
    ec::{EcCurve, EcKeyPair},
    ed::EdCurve,
    rsa::RsaKeyPair,
};
use josekit::jwk::{Jwk, KeyPair as _};
use josekit::jws::{self, JwsSigner};
use serde_json::{Value, json};

/// A private key that an issuer signs with.
#[derive(Clone)]
pub struct Key {
    /// Its `kid`, different for each.
    pub kid: String,
    /// What it signs with, unless told otherwise.
    pub algorithm: &'static str,
    jwk: Jwk,
}

impl Key {
    /// A key for `algorithm`, for which it may be any key of that type: RSA keys take long to make
    /// and are shared by the tests of one run, each as another `kid`.
    pub fn new(algorithm: &'static str) -> Self {
        let jwk = match algorithm {
            "ES256" => Jwk::generate_ec_key(EcCurve::P256).unwrap(),
            "ES384" => Jwk::generate_ec_key(EcCurve::P384).unwrap(),
            "ES512" => Jwk::generate_ec_key(EcCurve::P521).unwrap(),
            "EdDSA" => Jwk::generate_ed_key(EdCurve::Ed25519).unwrap(),
            _ => shared_rsa(0),
        };
        Self { kid: unique("key"), algorithm, jwk }
    }

    /// One of several RSA keys; that of [`Key::new`] has the index 0.
    pub fn rsa(index: usize) -> Self {
        Self { kid: unique("key"), algorithm: "RS256", jwk: shared_rsa(index) }
    }

    /// The same key under another name.
    pub fn named(&self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), ..self.clone() }
    }

    /// The same key, signing with another algorithm.
    pub fn signing(&self, algorithm: &'static str) -> Self {
        Self { algorithm, ..self.clone() }
    }

    /// As it stands in the key set of its issuer.
    pub fn public(&self) -> Value {
        let mut jwk: Value =
            serde_json::from_str(&self.jwk.to_public_key().unwrap().to_string()).unwrap();
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.algorithm);
        jwk["use"] = json!("sig");
        jwk
    }

    /// An EC key as an issuer of Kubernetes has it, under the `kid` that Kubernetes computes.
    pub fn of_kubernetes() -> Self {
        let key = Self::new("ES256");
        let kid = encode(countersign::token::sha256(&key.ec_pair().to_der_public_key()));
        Self { kid, ..key }
    }

    /// Private and public half of such a key, in PEM.
    pub fn pem(&self) -> (String, String) {
        let pair = self.ec_pair();
        let text = |pem| String::from_utf8(pem).unwrap();
        (text(pair.to_pem_private_key()), text(pair.to_pem_public_key()))
    }

    fn ec_pair(&self) -> EcKeyPair {
        EcKeyPair::from_jwk(&self.jwk).unwrap()
    }

    /// The private half of an RSA key, in PEM.
    pub fn rsa_pem(&self) -> String {
        let pair = RsaKeyPair::from_jwk(&self.jwk).unwrap();
        String::from_utf8(pair.to_pem_private_key()).unwrap()
    }

    /// Its public half in `SubjectPublicKeyInfo`: PEM and DER.
    pub fn spki(&self) -> (Vec<u8>, Vec<u8>) {
        let pair = RsaKeyPair::from_jwk(&self.jwk).unwrap();
        (pair.to_pem_public_key(), pair.to_der_public_key())
    }

    /// The header of an ordinary token.
    pub fn header(&self) -> Value {
        json!({"alg": self.algorithm, "kid": self.kid, "typ": "JWT"})
    }

    /// An ordinary token.
    pub fn token(&self, claims: &Value) -> String {
        self.token_of(&self.header().to_string(), &claims.to_string())
    }

    /// A token of just this header and payload.
    pub fn token_of(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = self.signature(&signed);
        format!("{signed}.{}", encode(signature))
    }

    /// The signature over `signed`, with [`Key::algorithm`].
    pub fn signature(&self, signed: &str) -> Vec<u8> {
        let signer: Box<dyn JwsSigner> = match self.algorithm {
            "RS256" => Box::new(jws::RS256.signer_from_jwk(&self.jwk).unwrap()),
            "RS384" => Box::new(jws::RS384.signer_from_jwk(&self.jwk).unwrap()),
            "RS512" => Box::new(jws::RS512.signer_from_jwk(&self.jwk).unwrap()),
            "PS256" => Box::new(jws::PS256.signer_from_jwk(&self.jwk).unwrap()),
            "PS384" => Box::new(jws::PS384.signer_from_jwk(&self.jwk).unwrap()),
            "PS512" => Box::new(jws::PS512.signer_from_jwk(&self.jwk).unwrap()),
            "ES256" => Box::new(jws::ES256.signer_from_jwk(&self.jwk).unwrap()),
            "ES384" => Box::new(jws::ES384.signer_from_jwk(&self.jwk).unwrap()),
            "ES512" => Box::new(jws::ES512.signer_from_jwk(&self.jwk).unwrap()),
            "EdDSA" => Box::new(jws::EdDSA.signer_from_jwk(&self.jwk).unwrap()),
            other => panic!("nothing signs with {other}"),
        };
        signer.sign(signed.as_bytes()).unwrap()
    }
}

/// Base64url without padding, as in a JWS.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes.as_ref())
}

/// A token signed as HS256, with `secret`.
pub fn hmac_token(header: &str, payload: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let signer = jws::HS256.signer_from_bytes(secret).unwrap();
    let signature = signer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", encode(signature))
}

/// A word that no other call gives, in this run or another.
pub fn unique(word: &str) -> String {
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let run = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros() % 1_000_000;
    format!("{word}-{run}-{count}")
}

fn shared_rsa(index: usize) -> Jwk {
    static KEYS: Mutex<Vec<Jwk>> = Mutex::new(Vec::new());
    let mut keys = KEYS.lock().unwrap();
    while keys.len() <= index {
        keys.push(Jwk::generate_rsa_key(2048).unwrap());
    }
    keys[index].clone()
}
