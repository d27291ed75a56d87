//! One table of bad tokens, a row for each attack, with the reason that each gets; and beside it
//! the tokens that look as bad and are good.

use base64_simd::STANDARD;
use serde_json::{Value, json};

use crate::support::signing::{encode, hmac_token};
use crate::support::{Issuer, Key, Kube, Service, Verdict, now};

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
}

impl Scene {
    async fn set() -> Self {
        let (rsa, ec) = (Key::new("RS256"), Key::new("ES256"));
        let issuer = Issuer::signing_with(rsa.clone()).await;
        issuer.publish(&rsa, [ec.public()]);
        let service = Service::trusting([issuer.entry(json!({}))]).await;
        let kube = service.kube().await;
        Self { issuer, attacker: Issuer::start().await, service, kube, rsa, ec }
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

    /// A good token with another signature.
    fn signature(&self, header: &Key, signature: impl AsRef<[u8]>) -> String {
        let token = header.token_of(&header.header().to_string(), &self.payload());
        format!("{}.{}", signed(&token), encode(signature))
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

/// A token without its signature and the dot before it.
fn signed(token: &str) -> &str {
    token.rsplit_once('.').unwrap().0
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
async fn headers() {
    let scene = Scene::set().await;
    let kid = |kid: Value| scene.header(json!({"alg": "RS256", "kid": kid}));
    let foreign = Key::other_rsa();
    let jwk = foreign.public();
    let own_key = |name: &str, value: Value| {
        let mut header = foreign.header();
        header[name] = value;
        foreign.token_of(&header.to_string(), &scene.payload())
    };
    let certificate = json!([STANDARD.encode_to_string(foreign.spki().1)]);
    let unknown = Refused("unknown_key");
    let malformed = Refused("malformed");
    scene
        .try_all(vec![
            ("kid is a path", kid(json!("../../../../../../dev/null")), unknown),
            ("kid is SQL", kid(json!("' UNION SELECT 'key'; --")), unknown),
            ("kid is a command", kid(json!("$(touch /tmp/x)|`id`")), unknown),
            ("kid is a URL", kid(json!(format!("{}/keys", scene.attacker.url))), unknown),
            ("kid has a NUL", kid(json!(format!("{}\0", scene.rsa.kid))), unknown),
            ("kid in another case", kid(json!(scene.rsa.kid.to_uppercase())), unknown),
            ("kid is huge", kid(json!("k".repeat(40_000))), unknown),
            ("kid is a line of a log", kid(json!("x\n{\"level\":\"ERROR\"}\u{1b}[31m")), unknown),
            ("kid is a list", kid(json!([scene.rsa.kid])), malformed),
            ("kid is a number", kid(json!(1)), malformed),
            ("kid is an object", kid(json!({"kid": scene.rsa.kid})), malformed),
            ("jwk", own_key("jwk", jwk.clone()), unknown),
            ("jku", own_key("jku", json!(format!("{}/keys", scene.attacker.url))), unknown),
            ("x5u", own_key("x5u", json!(format!("{}/keys", scene.attacker.url))), unknown),
            ("x5c", own_key("x5c", certificate), unknown),
            (
                "jwk without kid",
                foreign
                    .token_of(&json!({"alg": "RS256", "jwk": jwk}).to_string(), &scene.payload()),
                Refused("bad_signature"),
            ),
            (
                "a foreign key of the same kid",
                foreign.named(&scene.rsa.kid).token(&scene.issuer.claims(json!({}))),
                Refused("bad_signature"),
            ),
            (
                "a foreign key without kid",
                foreign.token_of(r#"{"alg":"RS256"}"#, &scene.payload()),
                Refused("bad_signature"),
            ),
            ("crit", scene.header_with(r#""crit":["exp"],"exp":9999999999"#), malformed),
            ("crit of nothing", scene.header_with(r#""crit":[]"#), malformed),
            (
                "crit of an extension that is not there",
                scene.header_with(r#""crit":["x"]"#),
                malformed,
            ),
            ("crit that is no list", scene.header_with(r#""crit":"b64""#), malformed),
            ("b64 false and crit", scene.header_with(r#""b64":false,"crit":["b64"]"#), malformed),
            ("alg twice", scene.header_with(r#""alg":"none""#), malformed),
            ("alg twice, one escaped", scene.header_with(r#""\u0061lg":"none""#), malformed),
            ("kid twice", scene.header_with(r#""kid":"other""#), malformed),
            ("a header that is a list", scene.rsa.token_of("[]", &scene.payload()), malformed),
            ("a header that is no JSON", scene.rsa.token_of("alg", &scene.payload()), malformed),
            ("an empty header", scene.rsa.token_of("", &scene.payload()), malformed),
            (
                "more after the header",
                scene.rsa.token_of(&format!("{} x", scene.rsa.header()), &scene.payload()),
                malformed,
            ),
            ("a deep header", scene.header_with(&format!(r#""x":{}"#, deep(10_000))), malformed),
            (
                "typ is anything",
                scene.header(json!({"alg": "RS256", "kid": scene.rsa.kid, "typ": "at+jwt"})),
                In,
            ),
            (
                "unknown members",
                scene.header_with(r#""x":[1,{"y":null}],"jku":"https://attacker.test""#),
                In,
            ),
            ("no kid", scene.header(json!({"alg": "RS256"})), In),
        ])
        .await;
    assert_eq!(scene.attacker.asked("/keys"), 0, "a token told us where to get its key");
}

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
    let bad = Refused("bad_signature");
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> =
        (0..32).map(|i| u8::from_str_radix(&order[2 * i..2 * i + 2], 16).unwrap()).collect();
    scene
        .try_all(vec![
            ("no signature", format!("{head}."), bad),
            ("another payload", format!("{header}.{other}.{signature}"), bad),
            ("one bit", scene.signature(rsa, flipped), bad),
            ("a leading zero", format!("{head}.{}", encode(longer)), bad),
            ("zeros", scene.signature(rsa, [0; 256]), bad),
            ("ones", scene.signature(rsa, [0xff; 256]), bad),
            ("half of it", format!("{head}.{}", &signature[..168]), bad),
            ("very long", scene.signature(rsa, vec![1; 20_000]), bad),
            ("PSS as RS256", scene.signature(rsa, rsa.signing("PS256").signature(head)), bad),
            (
                "RS256 as PS256",
                rsa.signing("RS256")
                    .token_of(&rsa.signing("PS256").header().to_string(), &scene.payload()),
                bad,
            ),
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

#[tokio::test(flavor = "multi_thread")]
async fn shapes() {
    let scene = Scene::set().await;
    let good = scene.claims(json!({}));
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = head.split_once('.').unwrap();
    // The last letter of 256 bytes carries two bits; the four below them must be zero.
    let mut loose = good.clone().into_bytes();
    let last = loose.last_mut().unwrap();
    *last += 1;
    let loose = String::from_utf8(loose).unwrap();
    let standard = |part: &str| part.replace('-', "+").replace('_', "/");
    let nested = scene.rsa.token_of(r#"{"alg":"RS256","cty":"JWT"}"#, &good);
    let malformed = Refused("malformed");
    scene
        .try_all(vec![
            ("opaque", "0123456789abcdef".to_owned(), NoOpinion),
            ("dots", "..".to_owned(), NoOpinion),
            ("many dots", ".".repeat(60_000), NoOpinion),
            ("one part", header.to_owned(), NoOpinion),
            ("two parts", head.to_owned(), NoOpinion),
            ("four parts", format!("{good}.x"), NoOpinion),
            ("an encrypted token", format!("{good}.x.x"), NoOpinion),
            (
                "a JWS as JSON",
                json!({"protected": header, "payload": payload, "signature": signature})
                    .to_string(),
                NoOpinion,
            ),
            ("nested", nested, NoOpinion),
            ("a payload that is a list", scene.text("[]"), NoOpinion),
            ("a payload that is null", scene.text("null"), NoOpinion),
            ("no payload", scene.text(""), NoOpinion),
            (
                "a payload cut off",
                format!("{header}.{}.{signature}", &payload[..payload.len() / 2]),
                NoOpinion,
            ),
            ("padding of the payload", scene.text("{}").replacen('.', "=.", 2), NoOpinion),
            ("not base64", format!("{header}.{payload}!.{signature}"), NoOpinion),
            (
                "header of other letters",
                format!("{}+/.{payload}.{signature}", &header[2..]),
                malformed,
            ),
            ("padding", format!("{good}=="), malformed),
            ("loose bits", loose, malformed),
            (
                "the signature in standard base64",
                format!("{head}.{}+/", standard(&signature[2..])),
                malformed,
            ),
            ("a space in it", format!("{head}.{} {}", &signature[..9], &signature[9..]), malformed),
            (
                "a newline in it",
                format!("{head}.{}\n{}", &signature[..9], &signature[9..]),
                malformed,
            ),
            ("a newline after it", format!("{good}\n"), malformed),
            ("64 KiB of claims", scene.claims(json!({"x": "x".repeat(60_000)})), Malformed),
            ("just below that", scene.claims(json!({"x": "x".repeat(40_000)})), In),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads() {
    let scene = Scene::set().await;
    let url = &scene.issuer.url;
    let malformed = Refused("malformed");
    let escaped = format!(r#""\u0069ss":"{url}""#);
    let port = url.rsplit(':').next().unwrap();
    scene
        .try_all(vec![
            (
                "iss twice",
                scene.text(&scene.payload_with(r#""iss":"https://attacker.test""#)),
                malformed,
            ),
            ("iss twice, one escaped", scene.text(&scene.payload_with(&escaped)), malformed),
            (
                "iss only escaped",
                scene.text(&scene.issuer.claims(json!({"iss": null})).to_string().replacen(
                    '{',
                    &format!("{{{escaped},"),
                    1,
                )),
                In,
            ),
            ("iss in capitals", scene.claims(json!({"iss": null, "ISS": url})), In),
            ("iss of another case", scene.claims(json!({"iss": url.to_uppercase()})), NoOpinion),
            ("iss with a slash more", scene.claims(json!({"iss": format!("{url}/")})), NoOpinion),
            (
                "iss with its host spelt otherwise",
                scene.claims(json!({"iss": format!("https://localhost:{port}")})),
                NoOpinion,
            ),
            ("iss that is a list", scene.claims(json!({"iss": [url]})), NoOpinion),
            ("iss that is missing", scene.claims(json!({"iss": null})), NoOpinion),
            ("iss that is empty", scene.claims(json!({"iss": ""})), NoOpinion),
            ("sub twice", scene.text(&scene.payload_with(r#""sub":"mallory""#)), malformed),
            (
                "sub twice, one escaped",
                scene.text(&scene.payload_with(r#""\u0073ub":"mallory""#)),
                malformed,
            ),
            ("exp twice", scene.text(&scene.payload_with(r#""exp":9999999999"#)), malformed),
            ("any claim twice", scene.text(&scene.payload_with(r#""x":1,"x":1"#)), malformed),
            ("aud twice", scene.text(&scene.payload_with(r#""aud":"other""#)), malformed),
            ("half a letter", scene.claim("x", r#""\ud800""#), In),
            ("a number beyond all", scene.claim("x", "1e999"), In),
            ("deep", scene.claim("x", &deep(10_000)), malformed),
            ("more after it", scene.text(&format!("{} {{}}", scene.payload())), NoOpinion),
            ("a NUL after it", scene.text(&format!("{}\0", scene.payload())), NoOpinion),
            ("a mark before it", scene.text(&format!("\u{feff}{}", scene.payload())), NoOpinion),
            ("a trailing comma", scene.text(&scene.payload().replace('}', ",}")), NoOpinion),
            ("sub as number", scene.claim("sub", "1"), Refused("invalid_claim")),
            ("sub as object", scene.claim("sub", r#"{"a":"alice"}"#), Refused("invalid_claim")),
            ("aud missing", scene.claims(json!({"aud": null})), Refused("audience_mismatch")),
            ("aud null", scene.claim("aud", "null"), Refused("audience_mismatch")),
            ("aud of nobody", scene.claim("aud", "[]"), Refused("audience_mismatch")),
            ("aud as number", scene.claim("aud", "1"), Refused("invalid_claim")),
            (
                "aud as object",
                scene.claim("aud", r#"{"kubernetes":true}"#),
                Refused("invalid_claim"),
            ),
            (
                "aud with numbers",
                scene.claim("aud", r#"["kubernetes",1]"#),
                Refused("invalid_claim"),
            ),
            ("another aud", scene.claim("aud", r#""other""#), Refused("audience_mismatch")),
            (
                "aud of another case",
                scene.claim("aud", r#""Kubernetes""#),
                Refused("audience_mismatch"),
            ),
            (
                "aud with more",
                scene.claim("aud", r#""kubernetes,other""#),
                Refused("audience_mismatch"),
            ),
            (
                "azp is not aud",
                scene.claims(json!({"aud": "other", "azp": "kubernetes"})),
                Refused("audience_mismatch"),
            ),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times() {
    let scene = Scene::set().await;
    let at = now();
    let (expired, early) = (Refused("expired"), Refused("not_yet_valid"));
    let invalid = Refused("invalid_claim");
    scene
        .try_all(vec![
            ("exp missing", scene.claims(json!({"exp": null})), expired),
            ("exp null", scene.claim("exp", "null"), invalid),
            ("exp as text", scene.claim("exp", r#""9999999999""#), In),
            ("exp as a word", scene.claim("exp", r#""never""#), invalid),
            ("exp true", scene.claim("exp", "true"), invalid),
            ("exp as list", scene.claim("exp", "[9999999999]"), invalid),
            ("EXP", scene.claims(json!({"exp": null, "EXP": at + 60})), In),
            ("exp past", scene.claim("exp", &(at - 2).to_string()), expired),
            ("exp zero", scene.claim("exp", "0"), expired),
            ("exp -0", scene.claim("exp", "-0"), expired),
            ("exp before the epoch", scene.claim("exp", "-1"), expired),
            ("exp long before the epoch", scene.claim("exp", "-1e300"), expired),
            ("exp -2^63", scene.claim("exp", "-9223372036854775808"), expired),
            ("exp tiny", scene.claim("exp", "1e-300"), expired),
            ("exp in the year 10000", scene.claim("exp", "253402300800"), In),
            ("exp 2^63", scene.claim("exp", "9223372036854775808"), In),
            ("exp 2^64 - 1", scene.claim("exp", "18446744073709551615"), In),
            ("exp 1e19", scene.claim("exp", "1e19"), In),
            ("exp 1e300", scene.claim("exp", "1e300"), In),
            ("exp with a fraction", scene.claim("exp", &format!("{}.999", at + 60)), In),
            ("exp with a fraction, past", scene.claim("exp", &format!("{}.999", at - 2)), expired),
            ("nbf in the future", scene.claim("nbf", &(at + 3600).to_string()), early),
            ("nbf in the year 10000", scene.claim("nbf", "253402300800"), early),
            ("nbf 1e12", scene.claim("nbf", "1e12"), early),
            ("nbf 2^63 - 1", scene.claim("nbf", "9223372036854775807"), early),
            ("nbf 1e300", scene.claim("nbf", "1e300"), early),
            ("nbf as text", scene.claim("nbf", r#""1""#), In),
            ("nbf as a word", scene.claim("nbf", r#""soon""#), invalid),
            ("nbf null", scene.claim("nbf", "null"), In),
            ("nbf -1", scene.claim("nbf", "-1"), In),
            ("iat 1e300", scene.claim("iat", "1e300"), In),
            ("iat -1e300", scene.claim("iat", "-1e300"), In),
            ("iat in the year 10000", scene.claim("iat", "253402300800"), In),
            ("iat as text", scene.claim("iat", r#""x""#), invalid),
        ])
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
