//! What is wrong with the signature.

use serde_json::json;

use super::Gets::{In, Refused};
use super::Scene;
use crate::support::Key;
use crate::support::signing::encode;

#[tokio::test(flavor = "multi_thread")]
async fn signatures() {
    let scene = Scene::set().await;
    let (rsa, ec) = (&scene.rsa, &scene.ec);
    let good = scene.claims(json!({}));
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let of_ec = ec.token(&scene.issuer.claims(json!({})));
    let (ec_head, _) = of_ec.rsplit_once('.').unwrap();
    let raw = ec.signature(ec_head);
    let with = |signature: &[u8]| format!("{ec_head}.{}", encode(signature));
    let mut longer = vec![0];
    longer.extend(rsa.signature(head));
    let mut flipped = rsa.signature(head);
    flipped[100] ^= 1;
    let p384 = Key::new("ES384").named(&ec.kid);
    let other = encode(scene.issuer.claims(json!({"sub": "mallory"})).to_string());
    let of_rsa = |signature: Vec<u8>| format!("{head}.{}", encode(signature));
    let bad = Refused("bad_signature");
    let claims = scene.issuer.claims(json!({}));
    let as_pss = |key: &Key| {
        let header = key.signing("PS256").header();
        key.signing("RS256").token_of(&header.to_string(), &scene.payload())
    };
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> =
        (0..32).map(|i| u8::from_str_radix(&order[2 * i..2 * i + 2], 16).unwrap()).collect();
    scene
        .try_all(vec![
            ("no signature", format!("{head}."), bad),
            ("another payload", format!("{header}.{other}.{signature}"), bad),
            ("one bit", of_rsa(flipped), bad),
            ("a leading zero", of_rsa(longer), bad),
            ("zeros", of_rsa(vec![0; 256]), bad),
            ("ones", of_rsa(vec![0xff; 256]), bad),
            ("half of it", format!("{head}.{}", &signature[..168]), bad),
            ("very long", of_rsa(vec![1; 20_000]), bad),
            ("PSS as RS256", of_rsa(rsa.signing("PS256").signature(head)), bad),
            ("RS256 as PS256", as_pss(rsa), Refused("unknown_key")),
            ("RS256 as PS256, of a key for both", as_pss(&scene.any), bad),
            ("PS256, of a key for both", scene.any.signing("PS256").token(&claims), In),
            (
                "RS512 as RS256",
                rsa.signing("RS512").token_of(&rsa.header().to_string(), &scene.payload()),
                bad,
            ),
            ("ES r and s zero", with(&[0; 64]), bad),
            ("ES r and s the order", with(&[&order[..], &order].concat()), bad),
            ("ES s zero", with(&[&raw[..32], &[0; 32]].concat()), bad),
            ("ES as DER", with(&der(&raw)), bad),
            ("ES one byte short", with(&raw[..63]), bad),
            ("ES one byte long", with(&[&raw[..], &[0]].concat()), bad),
            ("ES r and s swapped", with(&[&raw[32..], &raw[..32]].concat()), bad),
            ("another curve", p384.token_of(&ec.header().to_string(), &scene.payload()), bad),
            (
                "another curve, and says so",
                p384.token(&scene.issuer.claims(json!({}))),
                Refused("unknown_key"),
            ),
            (
                "EC with the RSA key's kid",
                ec.token_of(&rsa.header().to_string(), &scene.payload()),
                bad,
            ),
            (
                "RSA with the EC key's kid",
                rsa.token_of(&ec.header().to_string(), &scene.payload()),
                bad,
            ),
            ("ES256, and good", of_ec.clone(), In),
        ])
        .await;
}

/// An ECDSA signature as ASN.1, as OpenSSL writes it.
fn der(raw: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap();
        let mut bytes = bytes[start..].to_vec();
        if bytes[0] >= 0x80 {
            bytes.insert(0, 0);
        }
        [&[2, u8::try_from(bytes.len()).unwrap()][..], &bytes].concat()
    };
    let both = [integer(&raw[..32]), integer(&raw[32..])].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()][..], &both].concat()
}
