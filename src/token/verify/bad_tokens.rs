//! Bad tokens, a row for each attack. All claim to be the issuer's: what is nobody's is in
//! `unverified`.

use josekit::jws::HS256;

use super::*;

/// What an attacker has: good tokens, the public keys, and a key of their own.
struct Attack {
    rsa: Signer,
    ec: Signer,
    own: Signer,
    keys: Jwks,
}

impl Attack {
    fn new() -> Self {
        let (rsa, ec) = (Signer::new(Algorithm::Rs256), Signer::new(Algorithm::Es256));
        let keys = keys(&[rsa.jwk("rsa"), ec.jwk("ec")]);
        Self { rsa, ec, own: Signer::new(Algorithm::Es256), keys }
    }

    /// Signed by the issuer, under this header.
    fn issued(&self, header: &str) -> String {
        self.ec.token(header, &payload(json!({})))
    }

    /// Signed by the issuer, with this payload.
    fn says(&self, payload: &str) -> String {
        self.ec.token(r#"{"alg":"ES256","kid":"ec"}"#, payload)
    }

    /// Signed by the attacker.
    fn forged(&self, header: &str) -> String {
        self.own.token(header, &payload(json!({})))
    }

    /// Not signed at all.
    fn unsigned(&self, header: &str, signature: &str) -> String {
        format!("{}.{}.{signature}", base64url(header), base64url(payload(json!({}))))
    }

    /// HMAC, with `secret`.
    fn hmac(&self, header: &str, secret: &[u8]) -> String {
        let signer = HS256.signer_from_bytes(secret).unwrap();
        let input = format!("{}.{}", base64url(header), base64url(payload(json!({}))));
        let signature = josekit::jws::JwsSigner::sign(&signer, input.as_bytes()).unwrap();
        format!("{input}.{}", base64url(signature))
    }

    /// A good token with one of its three parts changed.
    fn part(&self, part: usize, change: impl Fn(&str) -> String) -> String {
        let good = self.issued(r#"{"alg":"ES256","kid":"ec"}"#);
        let mut parts: Vec<_> = good.split('.').map(str::to_owned).collect();
        parts[part] = change(&parts[part]);
        parts.join(".")
    }
}

/// The last letter of base64url text, changed to one that decodes to the same bytes for those who
/// are not strict.
fn with_bits_left_over(text: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(text.len() % 4, 0, "the text must have bits to spare");
    let (rest, last) = text.split_at(text.len() - 1);
    let next = LETTERS.find(last).unwrap() + 1;
    format!("{rest}{}", &LETTERS[next..=next])
}

#[test]
fn every_bad_token_is_refused_for_its_own_reason() {
    let attack = Attack::new();
    let not_allowed = VerifyError::AlgorithmNotAllowed;
    let header = VerifyError::Header;
    let (none, hs256) = (not_allowed("none"), not_allowed("HS256"));
    let flawed = |flaw| header(HeaderError::Flawed(flaw));
    let signed_flawed = |flaw| VerifyError::Claims(ClaimError::Malformed(flaw));
    let (unknown_key, bad_signature) = (VerifyError::UnknownKey, VerifyError::BadSignature);
    let (twice, bad_base64) = (signed_flawed(Flaw::MemberTwice), VerifyError::Signature);
    let pem = attack.rsa.public_jwk().to_string();
    let modulus = attack.rsa.public_jwk()["n"].as_str().unwrap().to_owned();
    let own_jwk = attack.own.jwk("own");
    let rows: Vec<(&str, String, VerifyError)> = vec![
        // Algorithms.
        ("alg none, no signature", attack.unsigned(r#"{"alg":"none"}"#, ""), none.clone()),
        ("alg none, some signature", attack.unsigned(r#"{"alg":"none"}"#, "AAAA"), none.clone()),
        ("alg None", attack.unsigned(r#"{"alg":"None"}"#, ""), not_allowed("unknown")),
        (
            "alg nOnE with a kid",
            attack.unsigned(r#"{"alg":"nOnE","kid":"ec"}"#, ""),
            not_allowed("unknown"),
        ),
        ("no alg", attack.issued("{}"), not_allowed("missing")),
        ("alg null", attack.issued(r#"{"alg":null}"#), not_allowed("missing")),
        (
            "alg a list",
            attack.issued(r#"{"alg":["ES256"],"kid":"ec"}"#),
            header(HeaderError::Algorithm),
        ),
        (
            "alg in lower case",
            attack.issued(r#"{"alg":"es256","kid":"ec"}"#),
            not_allowed("unknown"),
        ),
        ("ALG", attack.issued(r#"{"ALG":"ES256","kid":"ec"}"#), not_allowed("missing")),
        (
            "HS256 with the public key",
            attack.hmac(r#"{"alg":"HS256","kid":"rsa"}"#, pem.as_bytes()),
            hs256.clone(),
        ),
        (
            "HS256 with the modulus",
            attack.hmac(r#"{"alg":"HS256","kid":"rsa"}"#, modulus.as_bytes()),
            hs256.clone(),
        ),
        (
            "HMAC called RS256",
            attack.hmac(r#"{"alg":"RS256","kid":"rsa"}"#, pem.as_bytes()),
            bad_signature.clone(),
        ),
        ("ES256K", attack.issued(r#"{"alg":"ES256K","kid":"ec"}"#), not_allowed("ES256K")),
        ("EdDSA, not listed", attack.issued(r#"{"alg":"EdDSA","kid":"ec"}"#), not_allowed("EdDSA")),
        (
            "RS256 signature called PS256",
            attack.rsa.token(r#"{"alg":"PS256","kid":"rsa"}"#, &payload(json!({}))),
            bad_signature.clone(),
        ),
        (
            "ES256 key with ES384",
            attack.issued(r#"{"alg":"ES384","kid":"ec"}"#),
            unknown_key.clone(),
        ),
        (
            "ES256 key with RS256",
            attack.issued(r#"{"alg":"RS256","kid":"ec"}"#),
            unknown_key.clone(),
        ),
        (
            "RSA key with ES256",
            attack.rsa.token(r#"{"alg":"ES256","kid":"rsa"}"#, &payload(json!({}))),
            unknown_key.clone(),
        ),
        // Keys.
        (
            "another's signature",
            attack.forged(r#"{"alg":"ES256","kid":"ec"}"#),
            bad_signature.clone(),
        ),
        ("another's signature, no kid", attack.forged(r#"{"alg":"ES256"}"#), bad_signature.clone()),
        ("a kid nobody has", attack.forged(r#"{"alg":"ES256","kid":"own"}"#), unknown_key.clone()),
        (
            "a kid that is a path",
            attack.forged(r#"{"alg":"ES256","kid":"../../dev/null"}"#),
            unknown_key.clone(),
        ),
        (
            "a kid that is SQL",
            attack.forged(r#"{"alg":"ES256","kid":"x' OR 1=1 --"}"#),
            unknown_key.clone(),
        ),
        (
            "a kid that begins like one",
            attack.forged(r#"{"alg":"ES256","kid":"e"}"#),
            unknown_key.clone(),
        ),
        (
            "a kid with NUL",
            attack.forged(r#"{"alg":"ES256","kid":"ec\u0000"}"#),
            unknown_key.clone(),
        ),
        (
            "a kid that is a number",
            attack.issued(r#"{"alg":"ES256","kid":5}"#),
            header(HeaderError::KeyId),
        ),
        (
            "a key brought along",
            attack.forged(&format!(r#"{{"alg":"ES256","jwk":{own_jwk}}}"#)),
            bad_signature.clone(),
        ),
        (
            "a key's address brought along",
            attack.forged(r#"{"alg":"ES256","kid":"own","jku":"https://evil/keys"}"#),
            unknown_key.clone(),
        ),
        (
            "certificates brought along",
            attack.forged(r#"{"alg":"ES256","kid":"ec","x5u":"https://evil","x5c":["AAAA"]}"#),
            bad_signature.clone(),
        ),
        // Headers.
        (
            "header with alg twice",
            attack.issued(r#"{"alg":"none","alg":"ES256","kid":"ec"}"#),
            flawed(Flaw::MemberTwice),
        ),
        (
            "header with kid twice",
            attack.issued(r#"{"alg":"ES256","kid":"a","kid":"ec"}"#),
            flawed(Flaw::MemberTwice),
        ),
        (
            "header with alg escaped",
            attack.issued(r#"{"alg":"ES256","kid":"ec","\u0061lg":"none"}"#),
            flawed(Flaw::MemberTwice),
        ),
        (
            "crit",
            attack.issued(r#"{"alg":"ES256","kid":"ec","crit":["exp"],"exp":1}"#),
            header(HeaderError::Critical),
        ),
        (
            "crit, empty",
            attack.issued(r#"{"alg":"ES256","kid":"ec","crit":[]}"#),
            header(HeaderError::Critical),
        ),
        (
            "crit b64",
            attack.issued(r#"{"alg":"ES256","kid":"ec","crit":["b64"],"b64":true}"#),
            header(HeaderError::Critical),
        ),
        (
            "b64 alone",
            attack.issued(r#"{"alg":"ES256","kid":"ec","b64":false}"#),
            header(HeaderError::Unencoded),
        ),
        ("header not JSON", attack.issued("ES256"), header(HeaderError::NotAnObject)),
        ("header a list", attack.issued(r#"["ES256"]"#), header(HeaderError::NotAnObject)),
        ("header empty", attack.part(0, |_| String::new()), header(HeaderError::NotAnObject)),
        ("header cut", attack.part(0, |h| h[..32].to_owned()), header(HeaderError::NotAnObject)),
        ("header padded", attack.part(0, |h| format!("{h}==")), header(HeaderError::NotBase64)),
        (
            "header with a blank",
            attack.part(0, |h| format!(" {h}")),
            header(HeaderError::NotBase64),
        ),
        (
            "header with bits left over",
            attack.part(0, with_bits_left_over),
            header(HeaderError::NotBase64),
        ),
        (
            "header nested deeply",
            attack.issued(&format!(
                r#"{{"alg":"ES256","x":{}1{}}}"#,
                "[".repeat(200),
                "]".repeat(200)
            )),
            flawed(Flaw::TooDeep),
        ),
        // Signatures.
        ("no signature", attack.part(2, |_| String::new()), bad_signature.clone()),
        (
            "signature cut by a byte",
            attack.part(2, |s| s[..s.len() - 1].to_owned()),
            bad_base64.clone(),
        ),
        ("signature cut", attack.part(2, |s| s[..84].to_owned()), bad_signature.clone()),
        ("signature of zeros", attack.part(2, |_| base64url([0; 64])), bad_signature.clone()),
        (
            "signature too long",
            attack.part(2, |s| s[..84].to_owned() + "AAAA"),
            bad_signature.clone(),
        ),
        ("signature padded", attack.part(2, |s| format!("{s}==")), bad_base64.clone()),
        ("signature with a newline", attack.part(2, |s| format!("{s}\n")), bad_base64.clone()),
        ("signature with bits left over", attack.part(2, with_bits_left_over), bad_base64.clone()),
        (
            "signature in another alphabet",
            attack.part(2, |s| format!("+{}", &s[1..])),
            bad_base64.clone(),
        ),
        (
            "payload swapped",
            attack.part(1, |_| base64url(payload(json!({"sub": "root"})))),
            bad_signature.clone(),
        ),
        // Payloads that the issuer was made to sign.
        (
            "sub twice",
            attack.says(&payload(json!({})).replacen('{', r#"{"sub":"root","#, 1)),
            twice.clone(),
        ),
        (
            "iss twice",
            attack
                .says(r#"{"iss":"https://evil","iss":"https://idp","aud":"kubernetes","exp":9e9}"#),
            twice.clone(),
        ),
        (
            "exp in two spellings",
            attack.says(&payload(json!({"exp": 5, "EXP": 9_000_000_000_i64}))),
            twice.clone(),
        ),
        (
            "a mapped claim twice",
            attack.says(&payload(json!({})).replacen('{', r#"{"groups":"a","groups":"b","#, 1)),
            twice.clone(),
        ),
        (
            "nested deeply",
            attack.says(&payload(json!({})).replacen(
                '{',
                &format!(r#"{{"x":{}1{},"#, "[".repeat(10_000), "]".repeat(10_000)),
                1,
            )),
            signed_flawed(Flaw::TooDeep),
        ),
    ];
    for (name, token, expected) in rows {
        assert_eq!(refusal(&verifier(), &attack.keys, &token), Some(expected), "{name}");
    }
}

#[test]
fn a_signed_payload_that_is_not_utf8_is_refused() {
    let signer = Signer::new(Algorithm::Es256);
    let payload = [payload(json!({})).replace("jane\"}", "").as_bytes(), b"\xe9\"}"].concat();
    let input = format!("{}.{}", base64url(HEADER), base64url(payload));
    let token = format!("{input}.{}", base64url(signer.sign(input.as_bytes())));
    let expected = VerifyError::Claims(ClaimError::Malformed(Flaw::NotUtf8));
    assert_eq!(refusal(&verifier(), &keys(&[signer.jwk("k")]), &token), Some(expected));
}

#[test]
fn phrases_are_short_and_hold_nothing_of_the_token() {
    let long = "a".repeat(10_000);
    let signer = Signer::new(Algorithm::Es256);
    let keys = keys(&[signer.jwk("k")]);
    for (header, payload) in [
        (format!(r#"{{"alg":"{long}"}}"#), payload(json!({}))),
        (format!(r#"{{"alg":"ES256","kid":"{long}"}}"#), payload(json!({}))),
        (HEADER.to_owned(), payload(json!({ "aud": long }))),
        (HEADER.to_owned(), payload(json!({ "exp": long }))),
        (HEADER.to_owned(), payload(json!({ "aud": { &*long: 1 } }))),
        (HEADER.to_owned(), payload(json!({ "_claim_names": { &*long: &long } }))),
        (HEADER.to_owned(), payload(json!({ "iss": long }))),
    ] {
        let error = refusal(&verifier(), &keys, &signer.token(&header, &payload)).unwrap();
        let phrase = error.to_string();
        assert!(phrase.len() < 100 && !phrase.contains("aaaa"), "{phrase}");
    }
}
