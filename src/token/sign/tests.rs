//! Keys of every kind and form, what is signed with them, and what is none. Keys are made for each
//! test.

use josekit::jwk::Jwk;
use josekit::jwk::alg::ed::{EdCurve, EdKeyPair};
use serde_json::{Value, json};

use super::super::unverified::UnverifiedJwt;
use super::super::{Jwks, Verifier};
use super::*;
use crate::claims::Claims;
use crate::transcript::Transcript;

/// A key, and the kid that `openssl dgst -sha256` gives for its DER.
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEduT1qxyZEYFe4Ju+nu2O/m4JI3DI
Aj+S3uWmv3IbdRfIxFwZsnPa1seQrESsx4yMZ72NldOWcUdeZiv5X3WTzg==
-----END PUBLIC KEY-----
";
const PUBLIC_ID: &str = "KV2FdXbY6XXFVICQ9pe7B07GQiaqVsfZIR-UvNOc2tQ";
/// The same key, its point compressed.
const COMPRESSED: &str = "-----BEGIN PUBLIC KEY-----
MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACduT1qxyZEYFe4Ju+nu2O/m4JI3DI
Aj+S3uWmv3IbdRc=
-----END PUBLIC KEY-----
";

fn read(pem: impl AsRef<[u8]>) -> Result<SigningKey, SigningKeyError> {
    SigningKey::from_pem(pem.as_ref())
}

fn ec(curve: EcCurve) -> EcKeyPair {
    EcKeyPair::generate(curve).unwrap()
}

/// The claims of a token that verifies with `keys`.
fn verified(token: &str, keys: &Jwks) -> Result<Claims, super::super::VerifyError> {
    let verifier = Verifier {
        issuer: "i".to_owned(),
        audiences: None,
        algorithms: SigningKey::ALGORITHMS.to_vec(),
        clock_skew: Default::default(),
        max_token_lifetime: Default::default(),
        issued_at_leeway: None,
    };
    verifier.verify(
        &UnverifiedJwt::parse(token).unwrap(),
        keys,
        std::time::UNIX_EPOCH,
        &Transcript::off(),
    )
}

#[test]
fn a_key_of_every_kind_and_form_signs_what_its_public_half_verifies() {
    let rsa = RsaKeyPair::generate(2048).unwrap();
    let [p256, p384, p521] = [EcCurve::P256, EcCurve::P384, EcCurve::P521].map(ec);
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let with_parameters = [parameters.as_bytes(), &p256.to_traditional_pem_private_key()].concat();
    let pairs: [(&str, Vec<Vec<u8>>, &dyn KeyPair); 4] = [
        ("RS256", vec![rsa.to_pem_private_key(), rsa.to_traditional_pem_private_key()], &rsa),
        ("ES256", vec![p256.to_pem_private_key(), with_parameters], &p256),
        ("ES384", vec![p384.to_pem_private_key(), p384.to_traditional_pem_private_key()], &p384),
        ("ES512", vec![p521.to_pem_private_key(), p521.to_traditional_pem_private_key()], &p521),
    ];
    let payload = json!({"iss": "i", "aud": "a", "exp": 5}).to_string();
    let mut ids = std::collections::HashSet::new();
    for (algorithm, forms, pair) in pairs {
        let public = read(pair.to_pem_public_key()).unwrap();
        let id = base64url::encode(sha256(&pair.to_der_public_key()));
        assert_eq!((public.id(), public.algorithm().as_str()), (&*id, algorithm));
        assert_eq!(public.sign(b"{}"), Err(SignError::PublicKey));
        for form in forms {
            let private = read(&form).unwrap();
            assert_eq!((private.id(), private.algorithm().as_str()), (&*id, algorithm));
            assert!(private.signs() && private != public && private == read(&form).unwrap());
            let token = private.sign(payload.as_bytes()).unwrap();
            let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
            let wanted = format!(r#"{{"alg":"{algorithm}","kid":"{id}"}}"#);
            assert_eq!(String::from_utf8(header).unwrap(), wanted);
            assert!(verified(&token, &Jwks::of(&[read(PUBLIC).unwrap()])).is_err());
            assert!(verified(&token, &Jwks::of(std::slice::from_ref(&public))).is_ok());
        }
        assert!(ids.insert(id));
    }
}

#[test]
fn what_is_published_is_public_and_in_upstreams_order() {
    let p521 = read(ec(EcCurve::P521).to_pem_private_key()).unwrap();
    let rsa = read(RsaKeyPair::generate(2048).unwrap().to_pem_private_key()).unwrap();
    for (key, members) in [
        (&p521, &["use", "kty", "kid", "crv", "alg", "x", "y"][..]),
        (&rsa, &["use", "kty", "kid", "alg", "n", "e"]),
    ] {
        let jwk: Value = serde_json::to_value(key.jwk()).unwrap();
        assert_eq!(jwk.as_object().unwrap().keys().collect::<Vec<_>>(), members);
        let set = json!({"keys": [jwk]}).to_string();
        let (parsed, skipped) = Jwks::parse(set.as_bytes()).unwrap();
        assert_eq!((parsed, skipped), (Jwks::of(std::slice::from_ref(key)), vec![]));
    }
    let jwk = serde_json::to_value(rsa.jwk()).unwrap();
    assert_eq!(
        (&jwk["e"], &jwk["use"], &jwk["alg"]),
        (&json!("AQAB"), &json!("sig"), &json!("RS256"))
    );
    let shown = format!("{p521:?}");
    let wanted = format!("SigningKey {{ id: {:?}, algorithm: Es512, signs: true, .. }}", p521.id());
    assert_eq!(shown, wanted);
}

#[test]
fn the_key_id_is_kubernetes_own() {
    assert_eq!(read(PUBLIC).unwrap().id(), PUBLIC_ID);
}

#[test]
fn what_cannot_sign_is_refused_with_its_remedy() {
    let [one, other] = [ec(EcCurve::P256), ec(EcCurve::P256)];
    let pem = |pair: &EcKeyPair| pair.to_pem_private_key();
    // The private half of one, the public of the other.
    let mut mixed: Jwk = one.to_jwk_key_pair();
    for coordinate in ["x", "y"] {
        let value = other.to_jwk_key_pair().parameter(coordinate).cloned();
        mixed.set_parameter(coordinate, value).unwrap();
    }
    let mixed = EcKeyPair::from_jwk(&mixed).map(|pair| pem(&pair)).unwrap_or_default();
    assert!(!mixed.is_empty(), "OpenSSL would not even make it");
    let both = [pem(&one), one.to_pem_public_key()].concat();
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let truncated = pem(&one)[..100].to_vec();
    let ed25519 = EdKeyPair::generate(EdCurve::Ed25519).unwrap().to_pem_private_key();
    let small = RsaKeyPair::generate(1024).unwrap();
    let flawed = || SigningKeyError::Flawed(KeyFlaw::ModulusBits(1024));
    for (what, pem, error) in [
        ("nothing", Vec::new(), SigningKeyError::NoKey),
        ("encrypted", encrypted.into(), SigningKeyError::NoKey),
        ("two keys", both, SigningKeyError::SeveralKeys(2)),
        ("cut off", truncated, SigningKeyError::NotPem),
        ("mixed halves", mixed, SigningKeyError::Unusable),
        ("another curve", pem(&ec(EcCurve::Secp256k1)), SigningKeyError::Unusable),
        ("Ed25519", ed25519, SigningKeyError::Unusable),
        ("a compressed point", COMPRESSED.into(), SigningKeyError::Unusable),
        ("a small key", small.to_pem_private_key(), flawed()),
        ("a small public key", small.to_pem_public_key(), flawed()),
        (
            "no DER",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_vec(),
            SigningKeyError::Unusable,
        ),
    ] {
        assert_eq!(read(pem).unwrap_err(), error, "{what}");
    }
}
