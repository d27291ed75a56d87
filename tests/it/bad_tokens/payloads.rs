//! What is wrong with the claims, once the signature is good.

use serde_json::json;

use super::Gets::{In, NoOpinion, Refused};
use super::{Scene, deep};
use crate::support::now;

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
