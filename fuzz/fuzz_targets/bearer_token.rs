//! Bearer tokens: what nobody signed is never proven, what was signed is judged whatever it says, and no
//! error shows a part of the token. With and without notes of what was checked, the verdict is the same.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use countersign::claims::expression::Budget;
use countersign::claims::{
    ClaimMapping, ClaimOrExpression, Claims, ExtraMapping, PrefixedClaim, PrefixedClaimOrExpression,
};
use countersign::token::{Algorithm, Jwks, SigningKey, UnverifiedJwt, Verifier, VerifyError};
use countersign::transcript::Transcript;

const ISSUER: &str = "https://issuer.test";

struct Issuer {
    key: SigningKey,
    keys: Jwks,
    verifier: Verifier,
    mapping: ClaimMapping,
}

static TRUSTED: LazyLock<Issuer> = LazyLock::new(|| {
    let pem = || rcgen::KeyPair::generate().unwrap().serialize_pem();
    let key = SigningKey::from_pem(pem().as_bytes()).unwrap();
    let other = SigningKey::from_pem(pem().as_bytes()).unwrap();
    let keys = [&key, &other].map(|key| serde_json::to_value(key.jwk()).unwrap());
    let document = serde_json::json!({ "keys": keys }).to_string();
    let (keys, _) = Jwks::parse(document.as_bytes()).unwrap();
    let verifier = Verifier {
        issuer: ISSUER.to_owned(),
        audiences: Some(vec!["a".to_owned()]),
        algorithms: [Algorithm::from_name("ES256"), Algorithm::from_name("RS256")]
            .map(Option::unwrap)
            .into(),
        clock_skew: Duration::from_secs(1),
        max_token_lifetime: Duration::from_secs(1 << 40),
        issued_at_leeway: Some(Duration::from_secs(60)),
    };
    let by = |claim: &str| {
        let (claim, prefix) = (claim.to_owned(), "p:".to_owned());
        PrefixedClaimOrExpression::Claim(PrefixedClaim { claim, prefix })
    };
    let mapping = ClaimMapping {
        username: by("email"),
        groups: Some(by("groups")),
        uid: Some(ClaimOrExpression::Claim("sub".to_owned())),
        extra: vec![ExtraMapping {
            key: "example.com/tenant".to_owned(),
            value: ClaimOrExpression::Claim("tenant".to_owned()),
        }],
    };
    Issuer { key, keys, verifier, mapping }
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else { return };
    let Issuer { key, verifier, .. } = &*TRUSTED;
    let (token, is_signed) = match kind % 2 {
        0 => (String::from_utf8_lossy(rest).into_owned(), false),
        _ => (key.sign(rest).unwrap(), true),
    };
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let (judged, noted) =
        (judge(&token, now, Transcript::off()), judge(&token, now, Transcript::on()));
    match (&judged, &noted) {
        (Some(Ok(user)), Some(Ok(again))) => assert_eq!(user, again),
        (Some(Err(error)), Some(Err(again))) => {
            assert_eq!(error, again);
            assert!(error.len() < 400, "{error}");
            // No phrase of ours is so long without a space, and no part of a token has one.
            let shows =
                |part: &[u8]| error.as_bytes().windows(part.len()).any(|shown| shown == part);
            let parts = token.as_bytes().windows(32).filter(|part| !part.contains(&b' '));
            assert!(!parts.into_iter().take(5000).any(shows), "{error}");
        }
        (None, None) => {}
        _ => panic!("{judged:?}, and with notes {noted:?}"),
    }
    if let Some(Ok((issuer, username))) = judged {
        assert!(is_signed, "nobody signed it");
        assert_eq!(issuer, verifier.issuer);
        assert!(username.is_none_or(|name| name.starts_with("p:") && name.len() > 2));
    }
});

type Judged = Result<(String, Option<String>), String>;

/// Issuer and user of a token that is proven. Absent: it is no JWT of anybody.
fn judge(token: &str, now: SystemTime, transcript: Transcript) -> Option<Judged> {
    let Issuer { keys, verifier, mapping, .. } = &*TRUSTED;
    let jwt = UnverifiedJwt::parse(token)?;
    let proven = |claims: Claims| {
        let user = mapping.user(&claims, &mut Budget::new(), &transcript);
        let issuer = claims.issuer().to_owned();
        (issuer, user.ok().map(|user| user.username))
    };
    let verdict = verifier.verify(&jwt, keys, now, &transcript).map(proven);
    let verdict = verdict.map_err(|error: VerifyError| error.to_string());
    transcript.read();
    Some(verdict)
}
