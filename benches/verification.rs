//! What a token costs that is not in the cache: from its bytes to a user, against the bare signature
//! check of OpenSSL.

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use countersign::claims::expression::Budget;
use countersign::claims::{ClaimMapping, ClaimOrExpression, PrefixedClaim, reserved};
use countersign::token::{Algorithm, Jwks, UnverifiedJwt, Verifier};
use countersign::transcript::Transcript;

use crate::Effort;
use crate::table::{Goal, Pair, Table, Unit, microseconds};
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
        let rounds: Vec<Pair> = (0..effort.rounds * 3)
            .map(|_| {
                let signature = timed(effort.calls, || subject.signature());
                (signature, timed(effort.calls, || subject.review()))
            })
            .collect();
        table.compare(algorithm.as_str(), Unit::Microseconds, &rounds, goal);
    }
}

/// What one of so many calls takes, in microseconds.
pub fn timed(calls: u32, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..calls).for_each(|_| call());
    microseconds(start.elapsed() / calls)
}

/// One token, and both ways to look at it.
struct Subject {
    key: Key,
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
