//! What a token costs that is not in the cache: from its bytes to a user, against the bare signature
//! check of OpenSSL; and against that, too, the bare check of AWS-LC, than which nothing here can be
//! cheaper.

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::signature::ParsedPublicKey;
use countersign::claims::expression::Budget;
use countersign::claims::{ClaimMapping, ClaimOrExpression, PrefixedClaim, reserved};
use countersign::token::{Algorithm, Jwks, UnverifiedJwt, Verifier};
use countersign::transcript::Transcript;

use crate::Effort;
use crate::table::{Goal, Table, Unit, microseconds};
use crate::tokens::{AUDIENCE, ISSUER, Key, claims};

pub fn measure(effort: Effort, table: &mut Table) {
    table.group("A token's bytes to a user", "OpenSSL alone", "countersign");
    for (algorithm, goal) in [
        (Algorithm::Rs256, Goal::Ratio(0.90)),
        (Algorithm::Ps256, Goal::None),
        (Algorithm::Es256, Goal::Ratio(0.85)),
        (Algorithm::EdDsa, Goal::Ratio(0.40)),
    ] {
        let subject = Subject::new(algorithm);
        let (mut whole, mut floor) = (Vec::new(), Vec::new());
        // Turns too short for the system to have its own between them.
        for _ in 0..effort.turns {
            let openssl = timed(CALLS, || subject.signature());
            whole.push((openssl, timed(CALLS, || subject.review())));
            floor.push((openssl, timed(CALLS, || subject.signature_alone())));
        }
        table.compare(algorithm.as_str(), Unit::Microseconds, &whole, goal);
        let name = format!("{}: AWS-LC's check alone", algorithm.as_str());
        table.compare(&name, Unit::Microseconds, &floor, Goal::None);
    }
}

/// In one turn.
pub const CALLS: u32 = 50;

/// What one of so many calls takes, in microseconds.
pub fn timed(calls: u32, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..calls).for_each(|_| call());
    microseconds(start.elapsed() / calls)
}

/// One token, and both ways to look at it.
struct Subject {
    key: Key,
    aws_lc: ParsedPublicKey,
    token: String,
    signature: Vec<u8>,
    keys: Jwks,
    verifier: Verifier,
    mapping: ClaimMapping,
}

impl Subject {
    fn new(algorithm: Algorithm) -> Self {
        let key = Key::new(algorithm);
        let token = key.token(claims());
        let signature = token.rsplit_once('.').unwrap().1;
        Self {
            aws_lc: key.aws_lc(),
            signature: base64_simd::URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap(),
            keys: Jwks::parse(key.set.as_bytes()).unwrap().0,
            verifier: Verifier {
                issuer: ISSUER.to_owned(),
                audiences: Some(vec![AUDIENCE.to_owned()]),
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
            key,
            token,
        }
    }

    /// The signature alone, with the key prepared.
    fn signature(&self) {
        let signed = self.token.rsplit_once('.').unwrap().0;
        self.key.openssl.verify(signed.as_bytes(), black_box(&self.signature)).unwrap();
    }

    /// The same, by AWS-LC.
    fn signature_alone(&self) {
        let signed = self.token.rsplit_once('.').unwrap().0;
        self.aws_lc.verify_sig(signed.as_bytes(), black_box(&self.signature)).unwrap();
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
