//! Both backends over one corpus: every algorithm, with good and bad signatures.

use josekit::jwk::Jwk;
use josekit::jws::{ES256, ES384, ES512, PS256, PS384, PS512, RS256, RS384, RS512};

use super::super::Jwks;
use super::super::signing::{Signer, key_set};
use super::*;

const ALL: [Algorithm; 10] = [
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::EdDsa,
];

const MESSAGE: &[u8] = b"eyJhbGciOiJub25lIn0.e30";

/// What josekit says, if the key is for the algorithm.
fn josekit(
    key: &serde_json::Value,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let key = Jwk::from_bytes(key.to_string()).unwrap();
    let verifier: Option<Box<dyn JwsVerifier>> = match algorithm {
        Algorithm::Es256 => ES256.verifier_from_jwk(&key).ok().map(|v| Box::new(v) as _),
        Algorithm::Es384 => ES384.verifier_from_jwk(&key).ok().map(|v| Box::new(v) as _),
        Algorithm::Es512 => ES512.verifier_from_jwk(&key).ok().map(|v| Box::new(v) as _),
        Algorithm::Ps256 => PS256.verifier_from_jwk(&key).ok().map(|v| Box::new(v) as _),
        Algorithm::Ps384 => PS384.verifier_from_jwk(&key).ok().map(|v| Box::new(v) as _),
        Algorithm::Ps512 => PS512.verifier_from_jwk(&key).ok().map(|v| Box::new(v) as _),
        Algorithm::Rs256 => RS256.verifier_from_jwk(&key).ok().map(|v| Box::new(v) as _),
        Algorithm::Rs384 => RS384.verifier_from_jwk(&key).ok().map(|v| Box::new(v) as _),
        Algorithm::Rs512 => RS512.verifier_from_jwk(&key).ok().map(|v| Box::new(v) as _),
        Algorithm::EdDsa => EdDSA.verifier_from_jwk(&key).ok().map(|v| Box::new(v) as _),
    };
    verifier.is_some_and(|verifier| verifier.verify(message, signature).is_ok())
}

/// Whether the one key of a set verifies; false if it is not for the algorithm.
fn ours(key: &serde_json::Value, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let (keys, skipped) = Jwks::parse(&key_set(std::slice::from_ref(key))).unwrap();
    assert_eq!((keys.len(), skipped), (1, vec![]));
    keys.candidates(None, algorithm).any(|key| key.verify(algorithm, message, signature))
}

fn der(fixed: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let mut number = without_leading_zeros(number).to_vec();
        if number.first().is_some_and(|byte| byte & 0x80 != 0) {
            number.insert(0, 0);
        }
        [vec![2, u8::try_from(number.len()).unwrap()], number].concat()
    };
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let body = [integer(r), integer(s)].concat();
    let length = u8::try_from(body.len()).unwrap();
    let head = if length < 0x80 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
    [head, body].concat()
}

/// Signatures that are almost `good`.
fn almost(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let half = good.len() / 2;
    let flipped = |at: usize| {
        let mut bad = good.to_vec();
        bad[at] ^= 1;
        bad
    };
    vec![
        ("empty", vec![]),
        ("first bit", flipped(0)),
        ("middle bit", flipped(half)),
        ("last bit", flipped(good.len() - 1)),
        ("one byte short", good[..good.len() - 1].to_vec()),
        ("first byte gone", good[1..].to_vec()),
        ("half", good[..half].to_vec()),
        ("one byte long", [good, &[0]].concat()),
        ("zero before", [&[0], good].concat()),
        ("twice", [good, good].concat()),
        ("all zero", vec![0; good.len()]),
        ("all ones", vec![0xff; good.len()]),
        ("r zero", [&vec![0; half], &good[half..]].concat()),
        ("s zero", [&good[..half], &vec![0; good.len() - half]].concat()),
        ("halves swapped", [&good[half..], &good[..half]].concat()),
    ]
}

/// One signature in 256 begins with a zero. OpenSSL takes it without, and RFC 8017 (sections 8.1.2 and
/// 8.2.2, step 1) does not: one token has one spelling.
#[test]
fn an_rsa_signature_has_its_full_length() {
    let rsa = Signer::new(Algorithm::Rs256);
    let signer = rsa.with(Algorithm::Ps256);
    // The salt is random, and so is every signature.
    let good = std::iter::repeat_with(|| signer.sign(MESSAGE)).find(|good| good[0] == 0).unwrap();
    let key = signer.public_jwk();
    assert!(ours(&key, Algorithm::Ps256, MESSAGE, &good));
    assert!(josekit(&key, Algorithm::Ps256, MESSAGE, &good[1..]), "or the backends agree by now");
    assert!(!ours(&key, Algorithm::Ps256, MESSAGE, &good[1..]));
}

#[test]
fn both_backends_give_the_same_answers() {
    let rsa = Signer::new(Algorithm::Rs256);
    for algorithm in ALL {
        let own = match algorithm.as_str().as_bytes()[0] {
            b'R' | b'P' => rsa.with(algorithm),
            _ => Signer::new(algorithm),
        };
        let key = own.public_jwk();
        let good = own.sign(MESSAGE);
        let both = |key, algorithm, message, signature: &[u8]| {
            let ours = ours(key, algorithm, message, signature);
            assert_eq!(ours, josekit(key, algorithm, message, signature), "{algorithm:?}");
            ours
        };
        assert!(both(&key, algorithm, MESSAGE, &good), "{algorithm:?}");
        assert!(!both(&key, algorithm, b"another message", &good), "{algorithm:?}");
        assert!(!both(&key, algorithm, b"", &good), "{algorithm:?}");
        for (what, bad) in almost(&good) {
            // The one they differ in, below.
            let leading_zero_gone = what == "first byte gone" && good[0] == 0;
            let verifies = if leading_zero_gone { ours } else { josekit };
            assert!(!verifies(&key, algorithm, MESSAGE, &bad), "{algorithm:?}: {what}");
            assert!(!ours(&key, algorithm, MESSAGE, &bad), "{algorithm:?}: {what}");
        }
        for other in ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(!both(&key, other, MESSAGE, &good), "{algorithm:?} taken for {other:?}");
        }
        if algorithm.as_str().starts_with("ES") {
            assert!(!both(&key, algorithm, MESSAGE, &der(&good)), "{algorithm:?}: DER");
        }
        if !algorithm.as_str().starts_with(['R', 'P']) {
            let stranger = Signer::new(algorithm).public_jwk();
            assert!(!both(&stranger, algorithm, MESSAGE, &good), "{algorithm:?}: another key");
        }
    }
    let stranger = Signer::new(Algorithm::Rs256);
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        let good = rsa.with(algorithm).sign(MESSAGE);
        assert!(!ours(&stranger.public_jwk(), algorithm, MESSAGE, &good));
        assert!(!josekit(&stranger.public_jwk(), algorithm, MESSAGE, &good));
    }
}

#[test]
fn ed448_verifies() {
    let signer = Signer::ed448();
    let (key, good) = (signer.public_jwk(), signer.sign(MESSAGE));
    assert!(ours(&key, Algorithm::EdDsa, MESSAGE, &good));
    for (what, bad) in almost(&good) {
        assert!(!ours(&key, Algorithm::EdDsa, MESSAGE, &bad), "{what}");
    }
    let short = Signer::new(Algorithm::EdDsa);
    assert!(!ours(&key, Algorithm::EdDsa, MESSAGE, &short.sign(MESSAGE)), "an Ed25519 signature");
    assert!(!ours(&short.public_jwk(), Algorithm::EdDsa, MESSAGE, &good), "an Ed25519 key");
}

/// A signature of zeros, or of a one and zeros, verifies with some of them over any message.
#[test]
fn a_point_of_small_order_is_no_key() {
    const ORDER_8: &str = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    const OTHER: &str = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    let (zeros, ones) = (|n: usize| "00".repeat(n), |n: usize| "ff".repeat(n));
    let ed25519 = [
        zeros(32),
        format!("01{}", zeros(31)),
        format!("ec{}7f", ones(30)),
        format!("ed{}7f", ones(30)),
        format!("ee{}7f", ones(30)),
        ORDER_8.to_owned(),
        OTHER.to_owned(),
    ];
    let ed448 = [
        zeros(56),
        format!("01{}", zeros(55)),
        format!("fe{0}fe{0}", ones(27)),
        format!("ff{0}fe{0}", ones(27)),
        format!("{}{}", zeros(28), ones(28)),
    ]
    .map(|y| y + "00");
    for (kind, hex) in
        ed25519.map(|y| ("Ed25519", y)).into_iter().chain(ed448.map(|y| ("Ed448", y)))
    {
        let y: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        for sign in [0, 0x80] {
            let mut x = y.clone();
            *x.last_mut().unwrap() |= sign;
            let key = if kind == "Ed448" { PublicKey::Ed448(x) } else { PublicKey::Ed25519(x) };
            let flaw = VerifyingKey::new(key).err();
            assert_eq!(flaw, Some(KeyFlaw::Inconsistent), "{kind} {hex} {sign}");
        }
    }
}

#[test]
fn algorithms_have_one_name() {
    for algorithm in ALL {
        assert_eq!(Algorithm::from_name(algorithm.as_str()), Some(algorithm));
        assert_eq!(Algorithm::from_name(&algorithm.as_str().to_lowercase()), None);
    }
    for name in ["", "none", "None", "HS256", "ES256K", "RS256 ", "Ed25519"] {
        assert_eq!(Algorithm::from_name(name), None, "{name}");
    }
}
