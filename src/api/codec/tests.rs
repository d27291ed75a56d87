//! Bodies as clients send them, what is wrong with others, and bytes that client-go has written.

use serde_json::{Value, json};

use super::*;
use crate::api::{SelfSubjectReview, TokenRequest, TokenReview};

fn review(body: &str) -> Result<TokenReview, String> {
    decode(body.as_bytes(), Format::Json).map(|decoded| decoded.object)
}

#[test]
fn absent_null_and_empty_are_nothing() {
    for body in ["{}", "null", r#"{"spec":null}"#, r#"{"kind":"","spec":{"token":null}}"#] {
        assert_eq!(review(body).unwrap(), TokenReview::default(), "{body}");
    }
    for body in ["", "null", "{}", "# nothing", "---\n", "spec:\n", "--- \n...\n"] {
        let decoded = decode::<TokenReview>(body.as_bytes(), Format::Yaml);
        assert_eq!(decoded.map(|it| it.object), Ok(TokenReview::default()), "{body:?}");
    }
}

/// A name that came thousands of times was looked for in all of them, for each member after it:
/// seconds of this test, and tenths of one in production.
#[test]
fn a_body_of_duplicates_is_read_once() {
    let (many, last) = ("kind: ''\n".repeat(24_900), "spec: {}\n".repeat(24_900));
    let decoded = decode::<TokenReview>((many + &last).as_bytes(), Format::Yaml).unwrap();
    assert_eq!(decoded.object, TokenReview::default());
    assert_eq!(decoded.violations.warnings().count(), 100);
}

/// What somebody wrote came back three times as long: 100 names of 30 KiB took 9 MiB of an answer,
/// which a client that did not read it had us keep.
#[test]
fn a_long_name_is_cut() {
    let long = "\u{200b}".repeat(10_000);
    for body in [
        format!(r#"{{"{long}":1,"spec":{{"{long}":1}},"metadata":{{"labels":{{"{long}":""}}}}}}"#),
        format!("{long}: 1\n{long}: 1\n"),
    ] {
        for format in [Format::Json, Format::Yaml] {
            let Ok(decoded) = decode::<TokenReview>(body.as_bytes(), format) else { continue };
            let said = decoded.violations.error().unwrap();
            assert!(said.len() < 5000, "{}", said.len());
        }
    }
    for body in [
        format!(r#"{{"metadata":{{"labels":{{"{long}":5}}}}}}"#),
        format!(r#"{{"metadata":{{"generation":{}.5}}}}"#, "1".repeat(300)),
        format!("metadata: {{generation: {}}}", "9".repeat(30_000)),
    ] {
        let error = decode::<TokenReview>(body.as_bytes(), Format::Yaml).unwrap_err();
        assert!(error.len() < 3000, "{}", error.len());
    }
}

/// The contract, section 5.5, but for the tail of the body that upstream shows.
#[test]
fn a_wrong_body_is_named_and_not_shown() {
    let unrecognized = "the object provided is unrecognized (must be of type TokenReview): couldn't \
                        get version/kind; json parse error: ";
    let handled = "TokenReview in version \"v1\" cannot be handled as a TokenReview: ";
    for (body, says) in [
        ("", format!("{unrecognized}EOF while parsing a value at line 1 column 0")),
        ("hello", format!("{unrecognized}expected value at line 1 column 1")),
        ("{a: 1}", format!("{unrecognized}key must be a string at line 1 column 2")),
        ("{} x", format!("{unrecognized}trailing characters at line 1 column 4")),
        ("[]", format!("{unrecognized}want an object")),
        (r#""secret""#, format!("{unrecognized}want an object")),
        (r#"{"kind":5}"#, format!("{unrecognized}kind is not a string")),
        (
            r#"{"kind":"Foo","apiVersion":"authentication.k8s.io/v1"}"#,
            "Foo in version \"v1\" cannot be handled as a TokenReview: no kind \"Foo\" is registered \
             for version \"authentication.k8s.io/v1\""
                .to_owned(),
        ),
        (
            r#"{"kind":"TokenReview","apiVersion":"foo/v1"}"#,
            format!("{handled}no kind \"TokenReview\" is registered for version \"foo/v1\""),
        ),
        (
            r#"{"kind":"SelfSubjectReview"}"#,
            "SelfSubjectReview in version \"v1\" cannot be handled as a TokenReview: converting \
             (v1.SelfSubjectReview) to (authentication.TokenReview): unknown conversion"
                .to_owned(),
        ),
        (
            r#"{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1beta1"}"#,
            "the API version in the data (authentication.k8s.io/v1beta1) does not match the expected \
             API version (authentication.k8s.io/v1)"
                .to_owned(),
        ),
        (
            r#"{"spec":{"token":5}}"#,
            format!(
                "{handled}json: cannot unmarshal number into Go struct field \
                 TokenReviewSpec.spec.token of type string"
            ),
        ),
        (
            r#"{"spec":{"audiences":"secret"}}"#,
            format!(
                "{handled}json: cannot unmarshal string into Go struct field \
                 TokenReviewSpec.spec.audiences of type []string"
            ),
        ),
    ] {
        let error = review(body).unwrap_err();
        assert_eq!(error, says, "{body}");
        assert!(!error.contains("secret"), "{error}");
    }
    let error = decode::<TokenReview>(b"spec: {token: [secret}", Format::Yaml).unwrap_err();
    assert!(error.starts_with(unrecognized) && !error.contains("secret"), "{error}");
}

#[test]
fn expiration_seconds_are_whole() {
    for (seconds, want) in [
        ("null", Ok(None)),
        ("0", Ok(Some(0))),
        ("-1", Ok(Some(-1))),
        ("4294967297", Ok(Some(4_294_967_297))),
        ("3600.5", Err("number 3600.5")),
        ("3.6e3", Err("number 3600.0")),
        ("18446744073709551616", Err("number 1.8446744073709552e19")),
        (r#""600""#, Err("string")),
    ] {
        let body = format!(r#"{{"spec":{{"expirationSeconds":{seconds}}}}}"#);
        let decoded = decode::<TokenRequest>(body.as_bytes(), Format::Json);
        let got = decoded.map(|it| it.object.spec.expiration_seconds);
        let want = want.map_err(|found| {
            format!(
                "TokenRequest in version \"v1\" cannot be handled as a TokenRequest: json: cannot \
                 unmarshal {found} into Go struct field TokenRequestSpec.spec.expirationSeconds of \
                 type int64"
            )
        });
        assert_eq!(got, want, "{seconds}");
    }
}

#[test]
fn what_should_not_be_there_is_noted() {
    let violations =
        |body: &str, format| decode::<TokenReview>(body.as_bytes(), format).unwrap().violations;
    let body = r#"{"foo":1,"spec":{"token":"a","token":"good","bar":{"x":1,"x":2}},
        "metadata":{"labels":{"a":"1","a":"2"},"ownerReferences":[{"kind":"Pod","knd":""}]}}"#;
    let noted = violations(body, Format::Json);
    let texts = [
        "unknown field \"foo\"",
        "duplicate field \"spec.token\"",
        "unknown field \"spec.bar\"",
        "duplicate field \"metadata.labels.a\"",
        "unknown field \"metadata.ownerReferences[0].knd\"",
    ];
    assert_eq!(noted.warnings().collect::<Vec<_>>(), texts);
    assert_eq!(noted.error().unwrap(), format!("strict decoding error: {}", texts.join(", ")));
    assert_eq!(review(body).unwrap().spec.token, "good", "the last one counts");

    let yaml = "spec:\n  token: a\n  token: b\n  bar: {x: 1, x: 2}\nfoo: 1\n---\nspec: [}";
    let noted = violations(yaml, Format::Yaml);
    let texts = [
        "line 3: key \"token\" already set in map",
        "line 4: key \"x\" already set in map",
        "unknown field \"spec.bar\"",
        "unknown field \"foo\"",
    ];
    assert_eq!(noted.warnings().collect::<Vec<_>>(), texts);
    assert_eq!(
        noted.error().unwrap(),
        "strict decoding error: yaml: unmarshal errors:\n  line 3: key \"token\" already set in \
         map\n  line 4: key \"x\" already set in map, unknown field \"spec.bar\", unknown field \"foo\""
    );
    let many: String = (0..200).map(|n| format!("\"f{n}\":0,")).collect();
    let noted = violations(&format!("{{{many}\"spec\":{{}}}}"), Format::Json);
    assert_eq!(noted.warnings().count(), 100);
    assert_eq!(violations(r#"{"kind":"TokenReview","metadata":{}}"#, Format::Json).error(), None);
}

#[test]
fn no_body_takes_more_than_its_share() {
    let zeros = format!(r#"{{"x":[{}0]}}"#, "0,".repeat(MAX_VALUES));
    let deep = "[".repeat(1000);
    for (body, format) in [
        (&zeros, Format::Json),
        (&zeros, Format::Yaml),
        (&deep, Format::Json),
        (&deep, Format::Yaml),
    ] {
        assert!(decode::<TokenReview>(body.as_bytes(), format).is_err());
    }
    // Two bytes each on the wire.
    let empty = [0x8a, 0x01, 0x00].repeat(MAX_VALUES);
    let mut raw = vec![0x0a];
    prost::encoding::encode_varint(empty.len() as u64, &mut raw);
    raw.extend(empty);
    let body = protobuf::seal("", "", raw);
    let error = decode::<TokenReview>(&body, Format::Protobuf).unwrap_err();
    assert!(error.ends_with("more than 50000 values"), "{error}");
}

#[test]
fn what_is_no_protobuf_is_refused() {
    for (body, says) in [
        (&b""[..], "expected prefix [107, 56, 115, 0]"),
        (b"{}", "expected prefix [107, 56, 115, 0]"),
        (b"k8s\0", "empty body"),
        (b"k8s\0\xff", "does not appear to be a protobuf message"),
        (b"k8s\0\x12\x05\x0a", "does not appear to be a protobuf message"),
        (b"k8s\0\x12\x01\x0a", "does not appear to be a protobuf message"),
        (b"k8s\0\x1a\x04gzip", "contentEncoding"),
        (b"k8s\0\x12\x02\x08\x01", "it is not this message"),
    ] {
        let error = decode::<TokenReview>(body, Format::Protobuf).unwrap_err();
        assert!(error.contains(says), "{body:?}: {error}");
    }
    let nothing = protobuf::seal("", "", Vec::new());
    assert_eq!(
        decode::<TokenReview>(&nothing, Format::Protobuf).map(|it| it.object),
        Ok(TokenReview::default())
    );
}

macro_rules! recordings {
    ($($name:literal),* $(,)?) => {
        [$((
            $name,
            &include_bytes!(concat!("../protobuf/recordings/", $name, ".protobuf"))[..],
            include_str!(concat!("../protobuf/recordings/", $name, ".json")),
        )),*]
    };
}

/// What client-go writes in protobuf is what it writes in JSON, read and written again.
fn holds<O: Object + Clone + PartialEq>(recordings: &[(&str, &[u8], &str)]) {
    for (name, bytes, text) in recordings {
        let decoded = decode::<O>(bytes, Format::Protobuf).unwrap().object;
        let written: Value =
            serde_json::from_slice(&encode(&decoded, Format::Json, false)).unwrap();
        assert_eq!(written, without_empties(text), "{name}");
        let again = decode::<O>(&encode(&decoded, Format::Protobuf, false), Format::Protobuf);
        assert!(again.unwrap().object == decoded, "{name}");
        let json = decode::<O>(text.as_bytes(), Format::Json).unwrap().object;
        assert_eq!(
            encode(&json, Format::Json, true),
            encode(&decoded, Format::Json, true),
            "{name}"
        );
        let yaml = encode(&json, Format::Yaml, false);
        let yaml = decode::<O>(&yaml, Format::Yaml).unwrap().object;
        assert_eq!(
            encode(&yaml, Format::Json, false),
            encode(&json, Format::Json, false),
            "{name}"
        );
    }
}

/// What a recording says, but for what is not known here.
fn without_empties(text: &str) -> Value {
    let mut json: Value = serde_json::from_str(text).unwrap();
    if let Some(spec) = json.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("attestations");
        if spec.get("audiences").is_some_and(Value::is_null) {
            spec.insert("audiences".to_owned(), json!([]));
        }
    }
    json
}

#[test]
fn what_client_go_has_written_is_read_as_it_was_meant() {
    holds::<TokenReview>(&recordings![
        "token-review",
        "token-review-audiences",
        "token-review-authenticated",
        "token-review-empty",
        "token-review-full",
        "token-review-refused",
    ]);
    holds::<TokenRequest>(&recordings![
        "token-request",
        "token-request-attestations",
        "token-request-bound",
        "token-request-bound-to-nothing",
        "token-request-empty",
        "token-request-full",
        "token-request-seconds-huge",
        "token-request-seconds-negative",
        "token-request-seconds-zero",
    ]);
    holds::<SelfSubjectReview>(&recordings![
        "self-subject-review-empty",
        "self-subject-review-full",
    ]);
}

#[test]
fn json_is_written_as_go_writes_it() {
    let value = json!({"a": "<&>\u{2028}\u{2029}é", "b": {}});
    let on_one_line = "{\"a\":\"\\u003c\\u0026\\u003e\\u2028\\u2029é\",\"b\":{}}\n";
    assert_eq!(String::from_utf8(json(&value, false)).unwrap(), on_one_line);
    let indented = "{\n  \"a\": \"\\u003c\\u0026\\u003e\\u2028\\u2029é\",\n  \"b\": {}\n}";
    assert_eq!(String::from_utf8(json(&value, true)).unwrap(), indented);
}

#[test]
fn yaml_is_sorted_and_quotes_what_yaml_1_1_would_misread() {
    let request = TokenRequest {
        metadata: crate::api::meta::ObjectMeta {
            name: "yes".to_owned(),
            creation_timestamp: crate::api::meta::Time::parse("2026-11-22T16:31:07Z"),
            labels: [("a".to_owned(), "1".to_owned())].into(),
            ..Default::default()
        },
        spec: crate::api::token_request::Spec {
            audiences: vec!["a".to_owned(), "0x1".to_owned(), "https://x".to_owned()],
            expiration_seconds: Some(600),
            bound_object_ref: None,
        },
        ..TokenRequest::default()
    };
    assert_eq!(
        String::from_utf8(encode(&request, Format::Yaml, false)).unwrap(),
        "apiVersion: authentication.k8s.io/v1\n\
         kind: TokenRequest\n\
         metadata:\n  creationTimestamp: \"2026-11-22T16:31:07Z\"\n  labels:\n    a: \"1\"\n  name: \"yes\"\n\
         spec:\n  audiences:\n  - a\n  - \"0x1\"\n  - https://x\n  boundObjectRef: null\n  expirationSeconds: 600\n\
         status:\n  expirationTimestamp: null\n  token: \"\"\n"
    );
}

#[test]
fn no_debug_shows_a_token() {
    let review = review(r#"{"spec":{"token":"secret","audiences":["a"]}}"#).unwrap();
    let mut request = TokenRequest::default();
    request.status.token = "secret".to_owned();
    let shown = format!("{review:?} {request:?}");
    assert!(shown.contains("\"a\"") && !shown.contains("secret"), "{shown}");
}
