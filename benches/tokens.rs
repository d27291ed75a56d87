//! What is shown: tokens as a provider signs them, and the configuration that takes them.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self, ParsedPublicKey};
use josekit::jwk::Jwk;
use josekit::jwk::alg::{ec::EcCurve, ed::EdCurve};
use josekit::jws::{self, JwsHeader, JwsSigner, JwsVerifier};
use josekit::jwt::{self, JwtPayload};
use serde_json::{Map, Value, json};

use countersign::token::Algorithm;

use crate::support::API;
use crate::support::client::question;

pub const ISSUER: &str = "https://idp.example.com";
pub const AUDIENCE: &str = "kubernetes";

/// A provider's key.
pub struct Key {
    algorithm: Algorithm,
    public: Jwk,
    signer: Box<dyn JwsSigner>,
    /// OpenSSL, with the key prepared, through josekit, which adds at most a hundredth.
    pub openssl: Box<dyn JwsVerifier>,
    /// The key set that it is published in.
    pub set: String,
}

impl Key {
    pub fn new(algorithm: Algorithm) -> Self {
        let mut key = match algorithm {
            Algorithm::Es256 => Jwk::generate_ec_key(EcCurve::P256),
            Algorithm::EdDsa => Jwk::generate_ed_key(EdCurve::Ed25519),
            _ => Jwk::generate_rsa_key(2048),
        }
        .unwrap();
        key.set_key_id("k1");
        let mut public = key.to_public_key().unwrap();
        public.set_key_id("k1");
        macro_rules! with {
            ($algorithm:expr) => {
                (
                    Box::new($algorithm.signer_from_jwk(&key).unwrap()) as Box<dyn JwsSigner>,
                    Box::new($algorithm.verifier_from_jwk(&public).unwrap())
                        as Box<dyn JwsVerifier>,
                )
            };
        }
        let (signer, openssl) = match algorithm {
            Algorithm::Rs256 => with!(jws::RS256),
            Algorithm::Ps256 => with!(jws::PS256),
            Algorithm::Es256 => with!(jws::ES256),
            Algorithm::EdDsa => with!(jws::EdDSA),
            other => panic!("{} is not measured", other.as_str()),
        };
        let set = json!({ "keys": [public.as_ref()] }).to_string();
        Self { algorithm, public, signer, openssl, set }
    }

    /// The key, ready to verify with.
    pub fn aws_lc(&self) -> ParsedPublicKey {
        let number = |name| {
            let text = self.public.parameter(name).unwrap().as_str().unwrap();
            base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
        };
        let rsa = |parameters| {
            let key = PublicKeyComponents { n: number("n"), e: number("e") };
            key.to_parsed_public_key(parameters)
        };
        match self.algorithm {
            Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Ps256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Algorithm::Es256 => {
                let point = [&[4][..], &number("x"), &number("y")].concat();
                ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
            }
            _ => ParsedPublicKey::new(&signature::ED25519, number("x")),
        }
        .unwrap()
    }

    /// A token of these claims.
    pub fn token(&self, claims: Map<String, Value>) -> String {
        let mut header = JwsHeader::new();
        header.set_key_id("k1");
        let claims = JwtPayload::from_map(claims).unwrap();
        jwt::encode_with_signer(&claims, &header, &*self.signer).unwrap()
    }

    /// So many good tokens of `issuer`, no two alike.
    pub fn tokens(&self, issuer: &str, count: usize) -> Vec<String> {
        let token = |number| {
            let mut claims = claims();
            claims["iss"] = json!(issuer);
            claims["sub"] = json!(format!("f3c1a5de-9d02-4a43-8a57-{number:012}"));
            self.token(claims)
        };
        (0..count).map(token).collect()
    }
}

/// Claims as a provider's access token has them, about a kilobyte when signed.
pub fn claims() -> Map<String, Value> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": ISSUER, "aud": [AUDIENCE, "account"], "exp": now + 3600, "iat": now, "nbf": now,
        "sub": "f3c1a5de-9d02-4a43-8a57-0d7f6a0c5a11", "azp": "kubernetes", "acr": "1",
        "jti": "5c7b7c5e-8a0e-4d0e-bb6b-2f9a54c1f0aa", "scope": "openid profile email groups",
        "email": "jane.doe@example.com", "email_verified": true, "name": "Jane Doe",
        "preferred_username": "jane", "given_name": "Jane", "family_name": "Doe",
        "groups": ["developers", "operators", "on-call"],
    });
    let Value::Object(claims) = claims else { unreachable!("it is written so") };
    claims
}

/// The review of a token, as kube-apiserver asks for it.
pub fn review(token: impl AsRef<str>) -> String {
    question("v1", token.as_ref(), &[API])
}

/// An entry of `jwt`, whose keys are in this file.
pub fn trusting(issuer: &str, keys: &str) -> Value {
    json!({
        "issuer": {"url": issuer, "audiences": [AUDIENCE], "jwksFile": keys},
        "claimMappings": {
            "username": {"claim": "email", "prefix": "idp:"},
            "groups": {"claim": "groups", "prefix": "idp:"},
            "uid": {"claim": "sub"},
        },
    })
}
