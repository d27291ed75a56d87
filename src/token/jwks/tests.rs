//! Good keys, bad keys, and good ones among bad ones.

use serde_json::{Value, json};

use super::super::signing::{Signer, base64url, key_set};
use super::*;

fn parse(keys: &[Value]) -> (Jwks, Vec<SkippedKey>) {
    Jwks::parse(&key_set(keys)).unwrap()
}

/// Why the only key of a key set is skipped.
fn flaw(key: Value) -> KeyFlaw {
    let (keys, mut skipped) = parse(&[key]);
    assert!(keys.is_empty());
    skipped.pop().expect("a flaw").flaw
}

fn with(key: &Value, member: &str, value: Value) -> Value {
    let mut key = key.clone();
    key[member] = value;
    key
}

#[test]
fn a_bad_key_does_not_harm_the_good_ones() {
    let (rsa, ec) = (Signer::new(Algorithm::Rs256), Signer::new(Algorithm::Es256));
    let keys = [
        json!({"kty": "XYZ", "kid": "future"}),
        rsa.jwk("rsa"),
        json!({"kty": "oct", "kid": "shared", "k": "c2VjcmV0"}),
        with(&ec.jwk("ec"), "use", json!("enc")),
        json!(5),
    ];
    let (set, skipped) = parse(&keys);
    assert_eq!(set.len(), 2);
    let skipped: Vec<_> = skipped.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            "keys[0] (kid \"future\") is not used: its kty is not one of RSA, EC, OKP",
            "keys[2] (kid \"shared\") is not used: it is a symmetric key, which verifies nothing here",
            "keys[4] is not used: it is not a JSON Web Key: it is not an object",
        ]
    );
}

#[test]
fn a_set_is_published_without_a_private_member_and_read_back_as_it_was() {
    let mut keys: Vec<_> = Algorithm::DEFAULT
        .into_iter()
        .chain([Algorithm::EdDsa])
        .map(|algorithm| (algorithm, Signer::new(algorithm)))
        .map(|(algorithm, key)| {
            with(&key.jwk(algorithm.as_str()), "alg", json!(algorithm.as_str()))
        })
        .chain([Signer::ed448().jwk("448"), Signer::new(Algorithm::Es256).public_jwk()])
        .collect();
    // An RSA key that keeps all but d of its private half is usable, and is no less a secret.
    let mut private = Signer::new(Algorithm::Rs256).private_jwk();
    private.as_object_mut().unwrap().remove("d");
    assert!(private["p"].is_string(), "{private}");
    keys.push(private);
    let (set, skipped) = parse(&keys);
    assert_eq!((set.len(), skipped), (keys.len(), vec![]));
    let published = serde_json::to_value(set.public()).unwrap();
    for key in published.as_array().unwrap() {
        for member in key.as_object().unwrap().keys() {
            assert!(["kty", "kid", "alg", "crv", "n", "e", "x", "y"].contains(&&**member), "{key}");
        }
    }
    assert_eq!(parse(published.as_array().unwrap()), (set, vec![]));
}

#[test]
fn only_a_list_of_keys_is_a_key_set() {
    for (document, length) in [
        (r#"{"keys":[]}"#, Some(0)),
        (r#"{"keys":null}"#, Some(0)),
        (r#"{"other":[1]}"#, Some(0)),
        (r#"{"keys":{}}"#, None),
        (r#"{"keys":[],"keys":[]}"#, None),
        (r#"{"keys":[]}x"#, None),
        ("[]x", None),
        (r#"[[{"kty":"EC"}]]"#, None),
        ("null", None),
        ("", None),
        ("<html>", None),
    ] {
        let parsed = Jwks::parse(document.as_bytes()).map(|(keys, _)| keys.len());
        assert_eq!(parsed.ok(), length, "{document}");
    }
    assert!(Jwks::parse(b"{\"keys\":[{\"kid\":\"\xff\"}]}").is_err());
    let long = json!("a".repeat(10_000)).to_string();
    assert!(Jwks::parse(long.as_bytes()).unwrap_err().to_string().len() < 200);
}

#[test]
fn keys_that_are_no_keys_are_named() {
    let missing = KeyFlaw::Missing;
    let rsa = Signer::new(Algorithm::Rs256).public_jwk();
    let (ec, ed) = (Signer::new(Algorithm::Es256), Signer::new(Algorithm::EdDsa));
    let (ec, ed) = (ec.public_jwk(), ed.public_jwk());
    let private = Signer::new(Algorithm::Es256).private_jwk();
    let modulus = |bytes: usize| json!(base64url(vec![0xff; bytes]));
    let point = |bytes: usize| json!(base64url(vec![1; bytes]));
    for (key, expected) in [
        (json!({}), KeyFlaw::KeyType),
        (json!({"kty": "rsa"}), KeyFlaw::KeyType),
        (json!({"kty": "RSA"}), missing("n")),
        (json!({"kty": "RSA", "n": "AQ"}), missing("e")),
        (with(&rsa, "n", json!("no+base64url")), KeyFlaw::NotBase64("n")),
        (with(&rsa, "n", json!("")), KeyFlaw::ModulusBits(0)),
        (with(&rsa, "n", modulus(128)), KeyFlaw::ModulusBits(1024)),
        (with(&rsa, "n", modulus(1025)), KeyFlaw::ModulusBits(8200)),
        (
            with(&rsa, "n", json!(base64url([vec![0x7f], vec![0xff; 255]].concat()))),
            KeyFlaw::ModulusBits(2047),
        ),
        (
            with(&rsa, "n", json!(base64url([vec![0xff; 255], vec![0xfe]].concat()))),
            KeyFlaw::Inconsistent,
        ),
        (with(&rsa, "e", json!("AQ")), KeyFlaw::Inconsistent),
        (with(&rsa, "e", json!("Ag")), KeyFlaw::Inconsistent),
        (with(&rsa, "e", json!("AA")), KeyFlaw::Inconsistent),
        (with(&rsa, "e", json!(base64url([1; 5]))), KeyFlaw::Inconsistent),
        (with(&ec, "crv", json!("secp256k1")), KeyFlaw::Curve),
        (with(&ec, "crv", json!("P-384")), KeyFlaw::Length("x")),
        (with(&ec, "x", Value::Null), missing("x")),
        (with(&ec, "y", Value::Null), missing("y")),
        (with(&ec, "y", point(31)), KeyFlaw::Length("y")),
        (with(&ec, "y", point(32)), KeyFlaw::Inconsistent),
        (json!({"kty": "EC", "crv": "P-256", "x": point(0), "y": point(0)}), KeyFlaw::Length("x")),
        (with(&ed, "crv", json!("X25519")), KeyFlaw::Curve),
        (with(&ed, "x", point(31)), KeyFlaw::Length("x")),
        (with(&ed, "crv", json!("Ed448")), KeyFlaw::Length("x")),
        (private, KeyFlaw::Private),
    ] {
        assert_eq!(flaw(key.clone()), expected, "{key}");
    }
    for (member, value) in [("kid", json!(5)), ("kty", json!(["RSA"])), ("n", json!({}))] {
        let flaw = flaw(with(&rsa, member, value));
        assert!(matches!(&flaw, KeyFlaw::NotAKey(why) if why.contains("invalid type")), "{flaw:?}");
    }
    let twice = rsa.to_string().replacen('{', r#"{"kty":"RSA","#, 1);
    let (keys, skipped) = Jwks::parse(format!(r#"{{"keys":[{twice}]}}"#).as_bytes()).unwrap();
    assert!(keys.is_empty());
    assert!(skipped[0].to_string().contains("duplicate field `kty`"), "{}", skipped[0]);
}

#[test]
fn what_upstream_forgives_is_forgiven() {
    let rsa = Signer::new(Algorithm::Rs256).public_jwk();
    let ec = Signer::new(Algorithm::Es512).public_jwk();
    let padded = |key: &Value, member| {
        with(key, member, json!(format!("{}==", key[member].as_str().unwrap())))
    };
    for key in [
        padded(&rsa, "n"),
        padded(&ec, "x"),
        with(&rsa, "e", json!("AAEAAQ")),
        with(&rsa, "kid", Value::Null),
        with(&rsa, "key_ops", json!(["encrypt"])),
        with(&rsa, "d", Value::Null),
    ] {
        let (keys, skipped) = parse(std::slice::from_ref(&key));
        assert_eq!((keys.len(), skipped), (1, vec![]), "{key}");
    }
}

#[test]
fn key_sets_with_the_same_keys_are_equal() {
    let (a, b) = (Signer::new(Algorithm::Es256), Signer::new(Algorithm::Es256));
    let set = |keys: &[Value]| parse(keys).0;
    assert_eq!(set(&[a.jwk("1"), b.jwk("2")]), set(&[b.jwk("2"), a.jwk("1"), a.jwk("1")]));
    assert_eq!(set(&[a.jwk("")]), set(&[a.public_jwk()]));
    assert_eq!(set(&[]), Jwks::default());
    for other in [
        set(&[a.jwk("1")]),
        set(&[a.jwk("2"), b.jwk("1")]),
        set(&[a.jwk("1"), a.jwk("2")]),
        set(&[a.jwk("1"), b.jwk("2"), b.jwk("3")]),
    ] {
        assert_ne!(set(&[a.jwk("1"), b.jwk("2")]), other);
    }
}

#[test]
fn candidates_are_those_with_the_key_id_that_fit_the_algorithm() {
    let (rsa, ec) = (Signer::new(Algorithm::Rs256), Signer::new(Algorithm::Es256));
    let other = Signer::new(Algorithm::Es256);
    let (keys, _) =
        parse(&[rsa.jwk("a"), ec.jwk("a"), ec.jwk("b"), other.jwk("b"), ec.public_jwk()]);
    for (id, algorithm, count) in [
        (Some("a"), Algorithm::Rs256, 1),
        (Some("a"), Algorithm::Ps512, 1),
        (Some("a"), Algorithm::Es256, 1),
        (Some("a"), Algorithm::Es384, 0),
        (Some("a"), Algorithm::EdDsa, 0),
        (Some("b"), Algorithm::Es256, 2),
        (Some("B"), Algorithm::Es256, 0),
        (None, Algorithm::Es256, 4),
        (None, Algorithm::Rs256, 1),
    ] {
        assert_eq!(keys.candidates(id, algorithm).count(), count, "{id:?} {algorithm:?}");
    }
}

#[test]
fn a_hundred_keys_are_looked_at() {
    let key = Signer::new(Algorithm::EdDsa);
    let many: Vec<_> = (0..5_000).map(|n| key.jwk(&n.to_string())).collect();
    let (keys, skipped) = parse(&many);
    assert_eq!(keys.len(), 100);
    assert_eq!(skipped, [SkippedKey { index: 100, id: None, flaw: KeyFlaw::TooMany(4_900) }]);
    assert_eq!(parse(&many[..100]).1, []);
}

#[test]
fn a_key_is_used_with_the_algorithm_it_is_for() {
    let rsa = Signer::new(Algorithm::Rs256).jwk("rsa");
    for (alg, uses, flawed) in [
        (json!(null), [true, true], false),
        (json!("RS256"), [true, false], false),
        (json!("PS256"), [false, true], false),
        (json!("RSA-OAEP-256"), [false, false], false), // to encrypt with: no flaw
        (json!("ES256"), [false, false], true),
        (json!("RSA"), [false, false], true),
    ] {
        let (set, skipped) = parse(&[with(&rsa, "alg", alg.clone())]);
        let flaws: Vec<_> = skipped.into_iter().map(|skipped| skipped.flaw).collect();
        assert_eq!(flaws, vec![KeyFlaw::Algorithm; usize::from(flawed)], "{alg}");
        let used = [Algorithm::Rs256, Algorithm::Ps256]
            .map(|algorithm| set.candidates(Some("rsa"), algorithm).count() == 1);
        assert_eq!(used, uses, "{alg}");
    }
    let ed = with(&Signer::new(Algorithm::EdDsa).jwk("ed"), "alg", json!("Ed25519"));
    assert_eq!(parse(&[ed]).0.candidates(None, Algorithm::EdDsa).count(), 1, "RFC 9864");
}
