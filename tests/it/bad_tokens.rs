//! One table of bad tokens, a row for each attack, with the reason that each gets; and beside it
//! the tokens that look as bad and are good.

use base64_simd::STANDARD;
use serde_json::{Value, json};

use crate::support::signing::{encode, hmac_token};
use crate::support::{Issuer, Key, Kube, Service, Verdict};

/// What a token gets.
#[derive(Clone, Copy, Debug)]
enum Gets {
    /// It is nobody's here.
    NoOpinion,
    /// It is refused for this reason.
    Refused(&'static str),
    /// It is malformed before anybody could say whose it is.
    Malformed,
    /// It is good.
    In,
}
mod headers; // and the shape of the whole
mod payloads; // and the times in them
mod signatures;

use Gets::{In, Malformed, NoOpinion, Refused};

/// A provider with two keys, a service that trusts it, and an attacker with keys of its own.
struct Scene {
    issuer: Issuer,
    /// Another provider, which nobody configured.
    attacker: Issuer,
    service: Service,
    kube: Kube,
    rsa: Key,
    ec: Key,
    /// An RSA key whose issuer does not say for which algorithm it is.
    any: Key,
}

impl Scene {
    async fn set() -> Self {
        let (rsa, ec) = (Key::new("RS256"), Key::new("ES256"));
        let issuer = Issuer::signing_with(rsa.clone()).await;
        let any = Key::rsa(1);
        let mut public = any.public();
        crate::support::lay(&mut public, json!({"alg": null}));
        issuer.publish(&rsa, [ec.public(), public]);
        let service = Service::trusting([issuer.entry(json!({}))]).await;
        let kube = service.kube().await;
        Self { issuer, attacker: Issuer::start().await, service, kube, rsa, ec, any }
    }

    /// A good payload.
    fn payload(&self) -> String {
        self.issuer.claims(json!({})).to_string()
    }

    /// A good payload with some text put in front of its members.
    fn payload_with(&self, members: &str) -> String {
        self.payload().replacen('{', &format!("{{{members},"), 1)
    }

    /// A token of the good key with these members put into its header.
    fn header_with(&self, members: &str) -> String {
        let header = self.rsa.header().to_string();
        self.rsa.token_of(&header.replacen('{', &format!("{{{members},"), 1), &self.payload())
    }

    /// A token of the good key with this header.
    fn header(&self, header: Value) -> String {
        self.rsa.token_of(&header.to_string(), &self.payload())
    }

    /// A token of the good key with this payload, as text.
    fn text(&self, payload: &str) -> String {
        self.rsa.token_of(&self.rsa.header().to_string(), payload)
    }

    /// A token of the good key with `over` laid over its claims.
    fn claims(&self, over: Value) -> String {
        self.rsa.token(&self.issuer.claims(over))
    }

    /// A token of the good key with one claim put in as text.
    fn claim(&self, name: &str, value: &str) -> String {
        let claims = self.issuer.claims(json!({name: null})).to_string();
        self.text(&claims.replacen('{', &format!(r#"{{"{name}":{value},"#), 1))
    }

    async fn try_all(&self, table: Vec<(&str, String, Gets)>) {
        for (attack, token, gets) in table {
            let (issuer, reason) = match gets {
                NoOpinion => ("none", "no_issuer"),
                Malformed => ("none", "malformed"),
                Refused(reason) => (&*self.issuer.url, reason),
                In => {
                    assert_eq!(
                        self.kube.authenticate(&token).await.username(),
                        "alice",
                        "{attack}"
                    );
                    continue;
                }
            };
            let labels = [("issuer", issuer), ("reason", reason)];
            let before = self.service.metrics().await;
            let verdict = self.kube.authenticate(&token).await;
            let after = self.service.metrics().await;
            let counted = |labels| {
                after.sum("rejections_total", labels) - before.sum("rejections_total", labels)
            };
            assert_eq!(counted(&[]), 1.0, "{attack}: {verdict:?}");
            assert_eq!(counted(&labels), 1.0, "{attack} is not {reason}: {verdict:?}");
            match gets {
                NoOpinion => assert_eq!(verdict, Verdict::Nobody, "{attack}"),
                _ => assert!(verdict.error().len() <= 256, "{attack}: {verdict:?}"),
            }
        }
        let good = self.kube.authenticate(&self.claims(json!({}))).await;
        assert_eq!(good.username(), "alice", "after all that");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn algorithms() {
    let scene = Scene::set().await;
    let alg = |name: Value| json!({"alg": name, "kid": scene.rsa.kid});
    let (pem, der) = scene.rsa.spki();
    let jwk = scene.rsa.public();
    let modulus = STANDARD
        .decode_to_vec(jwk["n"].as_str().unwrap().replace('-', "+").replace('_', "/") + "==")
        .unwrap();
    let confused =
        |secret: &[u8]| hmac_token(&alg(json!("HS256")).to_string(), &scene.payload(), secret);
    let unsigned = |name: &str| {
        format!("{}.{}.", encode(alg(json!(name)).to_string()), encode(scene.payload()))
    };
    let not_allowed = Refused("algorithm_not_allowed");
    scene
        .try_all(
            vec![
                ("alg none", unsigned("none"), not_allowed),
                ("alg None", unsigned("None"), not_allowed),
                ("alg NONE", unsigned("NONE"), not_allowed),
                ("alg none, signed", scene.header(alg(json!("none"))), not_allowed),
                ("HS256 with the public key, PEM", confused(&pem), not_allowed),
                (
                    "HS256 with the public key, PEM without its last newline",
                    confused(pem.trim_ascii_end()),
                    not_allowed,
                ),
                ("HS256 with the public key, DER", confused(&der), not_allowed),
                (
                    "HS256 with the public key, JWK",
                    confused(jwk.to_string().as_bytes()),
                    not_allowed,
                ),
                ("HS256 with the public key, modulus", confused(&modulus), not_allowed),
                (
                    "an algorithm that is not listed",
                    scene.header(alg(json!("ES256K"))),
                    not_allowed,
                ),
                ("a weak algorithm", scene.header(alg(json!("RS1"))), not_allowed),
                ("EdDSA, unless listed", scene.header(alg(json!("EdDSA"))), not_allowed),
                ("another case", scene.header(alg(json!("rs256"))), not_allowed),
                ("an empty algorithm", scene.header(alg(json!(""))), not_allowed),
                ("an encrypted token's", scene.header(alg(json!("RSA-OAEP"))), not_allowed),
                ("no algorithm", scene.header(json!({"kid": scene.rsa.kid})), not_allowed),
                ("an algorithm that is null", scene.header(alg(Value::Null)), not_allowed),
                ("a number", scene.header(alg(json!(256))), Refused("malformed")),
                ("a list", scene.header(alg(json!(["RS256"]))), Refused("malformed")),
                (
                    "the key is for another",
                    scene.header(json!({"alg": "ES256", "kid": scene.rsa.kid})),
                    Refused("unknown_key"),
                ),
            ]
            .into_iter()
            .filter(|(name, ..)| *name != "HS256 with nothing")
            .collect(),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listed_algorithm_is_taken_and_no_other() {
    let listed =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
    let keys: Vec<Key> = listed.into_iter().map(Key::new).collect();
    let issuer = Issuer::start().await;
    issuer.publish(&keys[0], keys[1..].iter().map(Key::public));
    let few = json!({"issuer": {"signingAlgorithms": ["PS384", "ES512"]}});
    for (entry, taken) in [
        (json!({}), &listed[..9]),
        (json!({"issuer": {"signingAlgorithms": listed}}), &listed),
        (few, &["PS384", "ES512"]),
    ] {
        let service = Service::trusting([issuer.entry(entry)]).await;
        let kube = service.kube().await;
        for key in &keys {
            let verdict = kube.authenticate(&key.token(&issuer.claims(json!({})))).await;
            let is_in = matches!(verdict, Verdict::User(..));
            assert_eq!(is_in, taken.contains(&key.algorithm), "{}: {verdict:?}", key.algorithm);
        }
        let refused =
            service.metric("rejections_total", &[("reason", "algorithm_not_allowed")]).await;
        assert_eq!(refused, (keys.len() - taken.len()) as f64);
    }
}

fn deep(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}
