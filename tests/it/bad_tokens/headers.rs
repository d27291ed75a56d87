//! What is wrong with the header, or with the shape of the whole.

use base64_simd::STANDARD;
use serde_json::{Value, json};

use super::Gets::{In, Malformed, NoOpinion, Refused};
use super::{Scene, deep};
use crate::support::Key;

#[tokio::test(flavor = "multi_thread")]
async fn headers() {
    let scene = Scene::set().await;
    let kid = |kid: Value| scene.header(json!({"alg": "RS256", "kid": kid}));
    let foreign = Key::rsa(2);
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
