//! What a token costs that is not in the cache: from its bytes to a user, against the bare signature
//! check of OpenSSL.
//!
//! Both are timed in turns, in one run, so that a busy machine slows both: what counts is the median
//! of the ratios. The goals are those of the design, section 7.
//!
//! Below: what four plain expressions take, from a token's claims to their results, against claims and
//! prefixes that do about as much. Their goal is a time, whatever the ratio.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs
)]

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use countersign::claims::expression::{Budget, Environment, Expression, Returns};
use countersign::claims::{
    ClaimMapping, ClaimOrExpression, ClaimRule, Claims, JsonObject, Message, PrefixedClaim,
    PrefixedClaimOrExpression, RequiredClaim, UserRule, Validation, reserved,
};
use countersign::token::{Algorithm, Jwks, UnverifiedJwt, Verifier};
use countersign::transcript::Transcript;
use josekit::jwk::Jwk;
use josekit::jwk::alg::{ec::EcCurve, ed::EdCurve};
use josekit::jws::{self, JwsHeader, JwsSigner, JwsVerifier};
use josekit::jwt::{self, JwtPayload};
use serde_json::json;

const ISSUER: &str = "https://idp.example.com";
const ROUNDS: usize = 15;
const CALLS: u32 = 300;

fn main() {
    println!("{:8} {:>12} {:>12} {:>7} {:>6}", "alg", "openssl", "countersign", "ratio", "goal");
    for (algorithm, goal) in
        [(Algorithm::Rs256, 0.90), (Algorithm::Es256, 0.85), (Algorithm::EdDsa, 0.40)]
    {
        let subject = Subject::new(algorithm);
        let mut rounds: Vec<_> = (0..ROUNDS)
            .map(|_| (timed(|| subject.bare_check()), timed(|| subject.review())))
            .collect();
        rounds.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        let median = &rounds[ROUNDS / 2];
        println!(
            "{:8} {:>12.1?} {:>12.1?} {:>7.2} {goal:>6.2}",
            algorithm.as_str(),
            median.0,
            median.1,
            ratio(median),
        );
    }
    println!("\n{:8} {:>12} {:>12} {:>7} {:>6}", "", "claims", "expressions", "ratio", "goal");
    let claims = JsonObject::parse(claims().to_string().into()).unwrap();
    let claims = Claims::parse(claims.into()).unwrap();
    let (plain, expressions) = (Mapping::plain(), Mapping::expressions());
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| (timed(|| plain.map(&claims)), timed(|| expressions.map(&claims))))
        .collect();
    rounds.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let median = &rounds[ROUNDS / 2];
    let (plain, expressions) = median;
    let ratio = ratio(median);
    println!("{:8} {plain:>12.2?} {expressions:>12.2?} {ratio:>7.2} {:>6}", "four", "10µs");
}

fn ratio((bare, ours): &(Duration, Duration)) -> f64 {
    ours.as_secs_f64() / bare.as_secs_f64()
}

fn timed(mut call: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..CALLS).for_each(|_| call());
    start.elapsed() / CALLS
}

/// One token, and both ways to look at it.
struct Subject {
    token: String,
    keys: Jwks,
    verifier: Verifier,
    mapping: ClaimMapping,
    openssl: Box<dyn JwsVerifier>,
    signature: Vec<u8>,
}

impl Subject {
    fn new(algorithm: Algorithm) -> Self {
        let mut key = match algorithm {
            Algorithm::Es256 => Jwk::generate_ec_key(EcCurve::P256),
            Algorithm::EdDsa => Jwk::generate_ed_key(EdCurve::Ed25519),
            _ => Jwk::generate_rsa_key(2048),
        }
        .unwrap();
        key.set_key_id("k1");
        let mut public = key.to_public_key().unwrap();
        public.set_key_id("k1");
        let (signer, openssl): (Box<dyn JwsSigner>, Box<dyn JwsVerifier>) = match algorithm {
            Algorithm::Es256 => (
                Box::new(jws::ES256.signer_from_jwk(&key).unwrap()),
                Box::new(jws::ES256.verifier_from_jwk(&public).unwrap()),
            ),
            Algorithm::EdDsa => (
                Box::new(jws::EdDSA.signer_from_jwk(&key).unwrap()),
                Box::new(jws::EdDSA.verifier_from_jwk(&public).unwrap()),
            ),
            _ => (
                Box::new(jws::RS256.signer_from_jwk(&key).unwrap()),
                Box::new(jws::RS256.verifier_from_jwk(&public).unwrap()),
            ),
        };
        let token = jwt::encode_with_signer(&claims(), &header(), &*signer).unwrap();
        let signature = token.rsplit_once('.').unwrap().1;
        let signature = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
        let set = json!({ "keys": [public.as_ref()] }).to_string();
        Self {
            keys: Jwks::parse(set.as_bytes()).unwrap().0,
            verifier: Verifier {
                issuer: ISSUER.to_owned(),
                audiences: Some(vec!["kubernetes".to_owned()]),
                algorithms: vec![algorithm],
                clock_skew: Duration::ZERO,
                max_token_lifetime: Duration::ZERO,
                issued_at_leeway: None,
            },
            mapping: ClaimMapping {
                username: PrefixedClaim { claim: "email".into(), prefix: "idp:".into() }.into(),
                groups: Some(
                    PrefixedClaim { claim: "groups".into(), prefix: "idp:".into() }.into(),
                ),
                uid: Some(ClaimOrExpression::Claim("sub".into())),
                extra: Vec::new(),
            },
            token,
            openssl,
            signature,
        }
    }

    /// The signature alone, with the key prepared, as OpenSSL checks it (through josekit, which adds
    /// at most a hundredth).
    fn bare_check(&self) {
        let signed = self.token.rsplit_once('.').unwrap().0;
        self.openssl.verify(signed.as_bytes(), black_box(&self.signature)).unwrap();
    }

    /// Everything, from the token's bytes to the user.
    fn review(&self) {
        let jwt = UnverifiedJwt::parse(black_box(&self.token)).unwrap();
        assert_eq!(jwt.issuer(), ISSUER);
        let (now, off) = (SystemTime::now(), &Transcript::off());
        let claims = self.verifier.verify(&jwt, &self.keys, now, off).unwrap();
        let user = self.mapping.user(&claims, &mut Budget::new(), off).unwrap();
        reserved::check(&user).unwrap();
        black_box(user);
    }
}

/// From claims to a user who is taken.
struct Mapping {
    claims: ClaimMapping,
    claim_rules: Vec<ClaimRule>,
    user_rules: Vec<UserRule>,
}

impl Mapping {
    fn plain() -> Self {
        let prefixed = |claim: &str| {
            let prefixed = PrefixedClaim { claim: claim.into(), prefix: "idp:".into() };
            PrefixedClaimOrExpression::Claim(prefixed)
        };
        let required = RequiredClaim { claim: "azp".into(), required_value: "kubernetes".into() };
        Self {
            claims: ClaimMapping {
                username: prefixed("preferred_username"),
                groups: Some(prefixed("groups")),
                uid: None,
                extra: Vec::new(),
            },
            claim_rules: vec![ClaimRule::Required(required)],
            user_rules: Vec::new(),
        }
    }

    fn expressions() -> Self {
        let compile = |environment, source, returns| {
            Expression::compile(environment, source, returns).unwrap()
        };
        let mapped = |source| {
            let expression = compile(Environment::Claims, source, Returns::Any);
            PrefixedClaimOrExpression::Expression(expression)
        };
        let rule = |environment, source| Validation {
            expression: compile(environment, source, Returns::Bool),
            message: Message::Expression,
        };
        let claim_rule = "claims.azp == 'kubernetes' && claims.email_verified == true";
        let user_rule = "!user.username.startsWith('system:')";
        Self {
            claims: ClaimMapping {
                username: mapped("'idp:' + claims.preferred_username"),
                groups: Some(mapped("claims.?groups.orValue([])")),
                uid: None,
                extra: Vec::new(),
            },
            claim_rules: vec![ClaimRule::Expression(rule(Environment::Claims, claim_rule))],
            user_rules: vec![UserRule(rule(Environment::User, user_rule))],
        }
    }

    fn map(&self, claims: &Claims) {
        let (budget, off) = (&mut Budget::new(), &Transcript::off());
        let claims = black_box(claims);
        let user = self.claims.user(claims, budget, off).unwrap();
        ClaimRule::check_all(&self.claim_rules, claims, budget, off).unwrap();
        UserRule::check_all(&self.user_rules, &user, budget, off).unwrap();
        black_box(user);
    }
}

fn header() -> JwsHeader {
    let mut header = JwsHeader::new();
    header.set_key_id("k1");
    header
}

/// Claims as a provider's access token has them, about a kilobyte when signed.
fn claims() -> JwtPayload {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": ISSUER, "aud": ["kubernetes", "account"], "exp": now + 3600, "iat": now, "nbf": now,
        "sub": "f3c1a5de-9d02-4a43-8a57-0d7f6a0c5a11", "azp": "kubernetes", "acr": "1",
        "jti": "5c7b7c5e-8a0e-4d0e-bb6b-2f9a54c1f0aa", "scope": "openid profile email groups",
        "email": "jane.doe@example.com", "email_verified": true, "name": "Jane Doe",
        "preferred_username": "jane", "given_name": "Jane", "family_name": "Doe",
        "groups": ["developers", "operators", "on-call"],
    });
    JwtPayload::from_map(claims.as_object().unwrap().clone()).unwrap()
}
