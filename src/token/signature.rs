//! Signature algorithms and the keys that verify them.
//!
//! A key is prepared once for each algorithm that it fits, since preparing costs more than verifying.
//! aws-lc-rs does the work where it can, and is the faster; josekit (OpenSSL) does Ed448. Both give
//! the same answers: a test compares them.

mod small_order;

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, VerificationAlgorithm};
use josekit::jwk::Jwk;
use josekit::jws::{EdDSA, JwsVerifier};

/// A signature algorithm of JWS (RFC 7518, section 3.1; RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the RFC's")]
pub enum Algorithm {
    Es256,
    Es384,
    Es512,
    Ps256,
    Ps384,
    Ps512,
    Rs256,
    Rs384,
    Rs512,
    /// Only where it is listed.
    EdDsa,
}

impl Algorithm {
    /// What an issuer may sign with if nothing is configured: upstream's nine.
    pub const DEFAULT: [Self; 9] = [
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];

    /// As it stands in `alg` and `signingAlgorithms`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of that name, matched exactly.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::DEFAULT.into_iter().chain([Self::EdDsa]).find(|algorithm| algorithm.as_str() == name)
    }

    /// What is signed in the place of a message; absent if that is the message itself.
    fn hash(self) -> Option<&'static digest::Algorithm> {
        Some(match self {
            Self::Es256 | Self::Ps256 | Self::Rs256 => &digest::SHA256,
            Self::Es384 | Self::Ps384 | Self::Rs384 => &digest::SHA384,
            Self::Es512 | Self::Ps512 | Self::Rs512 => &digest::SHA512,
            Self::EdDsa => return None,
        })
    }
}

/// The public numbers of a key (RFC 7518, section 6; RFC 8037, section 2), big-endian.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PublicKey {
    /// Modulus and exponent.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point.
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    Ed25519(Vec<u8>),
    Ed448(Vec<u8>),
}

/// An elliptic curve (RFC 7518, section 6.2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// As it stands in `crv`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// How many bytes a coordinate has, leading zeros included.
    pub(super) fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// A public key, ready to verify with.
///
/// Equal to another one if it is the same key.
pub(super) struct VerifyingKey {
    public: PublicKey,
    verifiers: Vec<(Algorithm, Backend)>,
}

enum Backend {
    AwsLc(ParsedPublicKey),
    Josekit(Box<dyn JwsVerifier>),
}

impl VerifyingKey {
    /// Prepares a key.
    pub(super) fn new(public: PublicKey) -> Result<Self, KeyFlaw> {
        let verifiers = match &public {
            PublicKey::Rsa { n, e } => rsa_verifiers(n, e)?,
            PublicKey::Ec { curve, x, y } => vec![ec_verifier(*curve, x, y)?],
            PublicKey::Ed25519(x) => {
                if x.len() != 32 {
                    return Err(KeyFlaw::Length("x"));
                }
                if small_order::ed25519(x) {
                    return Err(KeyFlaw::Inconsistent);
                }
                vec![(Algorithm::EdDsa, aws_lc(&signature::ED25519, x)?)]
            }
            PublicKey::Ed448(x) => {
                if x.len() != 57 {
                    return Err(KeyFlaw::Length("x"));
                }
                if small_order::ed448(x) {
                    return Err(KeyFlaw::Inconsistent);
                }
                vec![(Algorithm::EdDsa, Backend::Josekit(ed448(x).ok_or(KeyFlaw::Inconsistent)?))]
            }
        };
        Ok(Self { public, verifiers })
    }

    /// The numbers that it was made of.
    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Whether a signature of `algorithm` can be made with this kind of key.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        self.verifiers.iter().any(|(fit, _)| *fit == algorithm)
    }

    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match &self.public {
            PublicKey::Rsa { .. } => "RSA",
            PublicKey::Ec { curve, .. } => curve.as_str(),
            PublicKey::Ed25519(_) => "Ed25519",
            PublicKey::Ed448(_) => "Ed448",
        }
    }

    /// Its SubjectPublicKeyInfo (RFC 5280, section 4.1), in the one form that DER has; absent for
    /// Ed448.
    pub(super) fn spki(&self) -> Option<Vec<u8>> {
        self.verifiers.iter().find_map(|(_, backend)| match backend {
            Backend::AwsLc(key) => key.as_der().ok().map(|der| der.as_ref().to_owned()),
            Backend::Josekit(_) => None,
        })
    }

    /// Whether `signature` is this key's, of `algorithm`, over `message`.
    ///
    /// ECDSA signatures are r and s side by side, in full length (RFC 7518, section 3.4).
    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self.verifiers.iter().find(|(fit, _)| *fit == algorithm) {
            Some((_, Backend::AwsLc(key))) => match algorithm.hash() {
                // Not left to the key, which would copy the state of its hash before it asks for it.
                Some(hash) => {
                    key.verify_digest_sig(&digest::digest(hash, message), signature).is_ok()
                }
                None => key.verify_sig(message, signature).is_ok(),
            },
            Some((_, Backend::Josekit(key))) => key.verify(message, signature).is_ok(),
            None => false,
        }
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.public == other.public
    }
}

impl Eq for VerifyingKey {}

impl PartialOrd for VerifyingKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for VerifyingKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.public.cmp(&other.public)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: Vec<_> = self.verifiers.iter().map(|(algorithm, _)| algorithm).collect();
        f.debug_struct("VerifyingKey").field("algorithms", &algorithms).finish_non_exhaustive()
    }
}

/// Why a key of a key set is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFlaw {
    /// It is not a JWK: what the parser says about it.
    #[error("it is not a JSON Web Key: {0}")]
    NotAKey(String),
    /// Its `kty` is not RSA, EC or OKP.
    #[error("its kty is not one of RSA, EC, OKP")]
    KeyType,
    /// Its `kty` is `oct`: whoever can verify with it can also sign.
    #[error("it is a symmetric key, which verifies nothing here")]
    Symmetric,
    /// It has `d`: whoever can read the key set can sign.
    #[error("it is a private key: it must not be published, and be replaced")]
    Private,
    /// Its `crv` is not one that is verified with.
    #[error("its crv is not one of P-256, P-384, P-521 (EC), Ed25519, Ed448 (OKP)")]
    Curve,
    /// Its `alg` is not one that a key of its kind signs with here.
    #[error("its alg is not one of a signature that its kty and crv can make")]
    Algorithm,
    /// A parameter of its `kty` is not there.
    #[error("its {0} is missing")]
    Missing(&'static str),
    /// A parameter is not base64url.
    #[error("its {0} is not base64url")]
    NotBase64(&'static str),
    /// A parameter has too few or too many bytes for its curve.
    #[error("its {0} has not the length that its crv demands")]
    Length(&'static str),
    /// An RSA modulus that is too short to be safe, or too long to be quick.
    #[error("its modulus has {0} bits, not 2048 to 8192")]
    ModulusBits(usize),
    /// It is no key that anybody could have made: the point is not on the curve or of small order,
    /// or n or e is even.
    #[error("its numbers are no valid public key")]
    Inconsistent,
    /// The key set has more keys than are looked at: so many, from this one on.
    #[error("it is the first of {0} that are too many")]
    TooMany(usize),
}

const RSA_ALGORITHMS: [(Algorithm, &RsaParameters); 6] = [
    (Algorithm::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::Rs384, &signature::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::Rs512, &signature::RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::Ps256, &signature::RSA_PSS_2048_8192_SHA256),
    (Algorithm::Ps384, &signature::RSA_PSS_2048_8192_SHA384),
    (Algorithm::Ps512, &signature::RSA_PSS_2048_8192_SHA512),
];

fn rsa_verifiers(n: &[u8], e: &[u8]) -> Result<Vec<(Algorithm, Backend)>, KeyFlaw> {
    // aws-lc-rs looks at these only when it verifies, and wants no leading zeros.
    let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
    let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err(KeyFlaw::ModulusBits(bits));
    }
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    if !odd(n) || !odd(e) || e == [1] || e.len() > 4 {
        return Err(KeyFlaw::Inconsistent);
    }
    let components = PublicKeyComponents { n, e };
    let prepare = |&(algorithm, parameters)| {
        let key = components.to_parsed_public_key(parameters);
        key.map(|key| (algorithm, Backend::AwsLc(key))).map_err(|_| KeyFlaw::Inconsistent)
    };
    RSA_ALGORITHMS.iter().map(prepare).collect()
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn ec_verifier(curve: Curve, x: &[u8], y: &[u8]) -> Result<(Algorithm, Backend), KeyFlaw> {
    for (name, coordinate) in [("x", x), ("y", y)] {
        if coordinate.len() != curve.coordinate_bytes() {
            return Err(KeyFlaw::Length(name));
        }
    }
    let (algorithm, how): (_, &'static dyn VerificationAlgorithm) = match curve {
        Curve::P256 => (Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED),
        Curve::P384 => (Algorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED),
        Curve::P521 => (Algorithm::Es512, &signature::ECDSA_P521_SHA512_FIXED),
    };
    // SEC 1, section 2.3.4: an uncompressed point.
    let point = [&[4], x, y].concat();
    Ok((algorithm, aws_lc(how, &point)?))
}

fn aws_lc(how: &'static dyn VerificationAlgorithm, key: &[u8]) -> Result<Backend, KeyFlaw> {
    ParsedPublicKey::new(how, key).map(Backend::AwsLc).map_err(|_| KeyFlaw::Inconsistent)
}

fn ed448(x: &[u8]) -> Option<Box<dyn JwsVerifier>> {
    let mut key = Jwk::new("OKP");
    key.set_curve("Ed448");
    let x = base64_simd::URL_SAFE_NO_PAD.encode_to_string(x);
    key.set_parameter("x", Some(x.into())).ok()?;
    let verifier = EdDSA.verifier_from_jwk(&key).ok()?;
    Some(Box::new(verifier))
}

#[cfg(test)]
mod tests;
