//! Keys that an issuer of our own signs with, and what it publishes of them.
//!
//! A [`SigningKey`] is read from PEM. With a private key it signs, through josekit; a public key
//! verifies only. Header, algorithm and key ID are Kubernetes' own, so that whoever takes
//! kube-apiserver's tokens takes these. Private numbers leave it in no form.

use std::fmt;
use std::sync::Arc;

use josekit::jwk::KeyPair;
use josekit::jwk::alg::ec::{EcCurve, EcKeyPair};
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jws::{ES256, ES384, ES512, JwsSigner, RS256};
use rustls_pki_types::pem::{PemObject, SectionKind};
use serde::Serialize;
use x509_parser::der_parser::oid;
use x509_parser::prelude::FromDer;
use x509_parser::public_key;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::signature::{Algorithm, Curve, KeyFlaw, PublicKey, VerifyingKey};
use super::{base64url, sha256};

/// A key of an issuer of our own.
///
/// Equal to another one if both are the same key and both sign, or neither does.
pub struct SigningKey {
    id: String,
    algorithm: Algorithm,
    public: PublicKey,
    verifying: Arc<VerifyingKey>,
    signer: Option<Box<dyn JwsSigner>>,
}

impl SigningKey {
    /// What such a key may sign with: one algorithm for each kind of key, as Kubernetes has it.
    pub const ALGORITHMS: [Algorithm; 4] =
        [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::Rs256];

    /// Reads the one key in a PEM file: a private one in PKCS#1, SEC1 or PKCS#8, or a public one in
    /// SubjectPublicKeyInfo (RFC 5280, section 4.1). RSA of 2048 to 8192 bits, P-256, P-384, P-521.
    ///
    /// # Errors
    /// What to mend, and nothing that the file says.
    pub fn from_pem(pem: &[u8]) -> Result<Self, SigningKeyError> {
        let (kind, der) = the_key(pem)?;
        let (spki, signer) = match kind {
            SectionKind::PublicKey => (der, None),
            _ => {
                let (spki, signer) = private_key(kind, &der)?;
                (spki, Some(signer))
            }
        };
        let public = public_key(&spki).ok_or(SigningKeyError::Unusable)?;
        let verifying = VerifyingKey::new(public.clone()).map_err(SigningKeyError::Flawed)?;
        let key = Self {
            // kube-apiserver's: SHA-256 over the key's PKIX form, written anew.
            id: base64url::encode(sha256(&verifying.spki().ok_or(SigningKeyError::Unusable)?)),
            algorithm: algorithm_of(&public).ok_or(SigningKeyError::Unusable)?,
            public,
            verifying: Arc::new(verifying),
            signer,
        };
        key.signs_for_itself()?;
        Ok(key)
    }

    /// Its key ID, as Kubernetes computes it: base64url of the SHA-256 of the public key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The one algorithm that it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether it has its private half.
    pub fn signs(&self) -> bool {
        self.signer.is_some()
    }

    /// Signs `payload`: a JWS in compact form (RFC 7515, section 3.1), with `alg` and `kid` in its
    /// header and nothing else.
    ///
    /// # Errors
    /// The key is a public one, or OpenSSL fails.
    pub fn sign(&self, payload: &[u8]) -> Result<String, SignError> {
        // Neither of the two has a letter that JSON escapes.
        let header = format!(r#"{{"alg":"{}","kid":"{}"}}"#, self.algorithm.as_str(), self.id);
        let mut token = base64url::encode(header);
        token.push('.');
        token.push_str(&base64url::encode(payload));
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        token.push_str(&base64url::encode(signature));
        Ok(token)
    }

    /// As it stands in the key set of its issuer (RFC 7517, section 4): public members only, in
    /// kube-apiserver's order.
    pub fn jwk(&self) -> impl Serialize {
        let number = |bytes: &[u8]| Some(base64url::encode(bytes));
        let jwk = PublishedJwk {
            usage: "sig",
            kty: "EC",
            kid: self.id.clone(),
            crv: None,
            alg: self.algorithm.as_str(),
            x: None,
            y: None,
            n: None,
            e: None,
        };
        match &self.public {
            PublicKey::Ec { curve, x, y } => {
                PublishedJwk { crv: Some(curve.as_str()), x: number(x), y: number(y), ..jwk }
            }
            PublicKey::Rsa { n, e } => {
                PublishedJwk { kty: "RSA", n: number(n), e: number(e), ..jwk }
            }
            PublicKey::Ed25519(_) | PublicKey::Ed448(_) => jwk,
        }
    }

    /// The key to verify with.
    pub(super) fn verifying(&self) -> &Arc<VerifyingKey> {
        &self.verifying
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signer = self.signer.as_ref().ok_or(SignError::PublicKey)?;
        signer.sign(message).map_err(|_| SignError::Failed)
    }

    /// A private key may come with the public half of another one: nobody could verify its tokens.
    fn signs_for_itself(&self) -> Result<(), SigningKeyError> {
        let message = b"countersign";
        match self.signature(message) {
            Err(SignError::PublicKey) => Ok(()),
            Ok(signature) if self.verifying.verify(self.algorithm, message, &signature) => Ok(()),
            _ => Err(SigningKeyError::Unusable),
        }
    }
}

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        self.public == other.public && self.signs() == other.signs()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .field("signs", &self.signs())
            .finish_non_exhaustive()
    }
}

/// Why a PEM file gives no signing key. Nothing of its content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// A section has no end, or is not base64.
    #[error("is not valid PEM; copy it again, whole")]
    NotPem,
    /// There is none.
    #[error(
        "holds no key; expected PEM of a private key in PKCS#8, PKCS#1 or SEC1, not encrypted, or \
         of a public key"
    )]
    NoKey,
    /// Which of them is meant?
    #[error("holds {0} keys; give each key a file of its own")]
    SeveralKeys(usize),
    /// It is of another kind, or its halves are of two keys.
    #[error("the key cannot be used; expected RSA, or EC on the curve P-256, P-384 or P-521")]
    Unusable,
    /// Nobody should sign with it.
    #[error("the key cannot be used: {0}")]
    Flawed(KeyFlaw),
}

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is only a public key.
    #[error("the key is a public one")]
    PublicKey,
    /// OpenSSL would not.
    #[error("the token could not be signed")]
    Failed,
}

/// A public JWK, in the order of go-jose's own.
#[derive(Serialize)]
struct PublishedJwk {
    #[serde(rename = "use")]
    usage: &'static str,
    kty: &'static str,
    kid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

/// The one section that holds a key. Others, such as `EC PARAMETERS`, may stand beside it.
fn the_key(pem: &[u8]) -> Result<(SectionKind, Vec<u8>), SigningKeyError> {
    let mut keys = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        let (kind, der) = section.map_err(|_| SigningKeyError::NotPem)?;
        if label(kind).is_some() {
            keys.push((kind, der));
        }
    }
    match keys.len() {
        0 | 1 => keys.pop().ok_or(SigningKeyError::NoKey),
        several => Err(SigningKeyError::SeveralKeys(several)),
    }
}

/// What a section with a key is called.
fn label(kind: SectionKind) -> Option<&'static str> {
    match kind {
        SectionKind::PublicKey => Some("PUBLIC KEY"),
        SectionKind::PrivateKey => Some("PRIVATE KEY"),
        SectionKind::RsaPrivateKey => Some("RSA PRIVATE KEY"),
        SectionKind::EcPrivateKey => Some("EC PRIVATE KEY"),
        _ => None,
    }
}

/// A private key's public half, and what signs with it.
fn private_key(
    kind: SectionKind,
    der: &[u8],
) -> Result<(Vec<u8>, Box<dyn JwsSigner>), SigningKeyError> {
    // Of DER alone josekit could not tell a curve; of one section of PEM it can.
    let label = label(kind).unwrap_or_default();
    let base64 = base64_simd::STANDARD.encode_to_string(der);
    let pem = format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n");
    if let Ok(pair) = RsaKeyPair::from_pem(&pem) {
        let spki = pair.to_der_public_key();
        // Before josekit refuses it, in fewer words.
        if let Some(flaw) = public_key(&spki).and_then(|key| VerifyingKey::new(key).err()) {
            return Err(SigningKeyError::Flawed(flaw));
        }
        let signer = RS256.signer_from_der(pair.to_der_private_key());
        return Ok((spki, Box::new(signer.map_err(|_| SigningKeyError::Unusable)?)));
    }
    let pair = EcKeyPair::from_pem(&pem, None).map_err(|_| SigningKeyError::Unusable)?;
    let algorithm = match pair.curve() {
        EcCurve::P256 => ES256,
        EcCurve::P384 => ES384,
        EcCurve::P521 => ES512,
        EcCurve::Secp256k1 => return Err(SigningKeyError::Unusable),
    };
    let signer = algorithm.signer_from_der(pair.to_der_private_key());
    let signer = signer.map_err(|_| SigningKeyError::Unusable)?;
    Ok((pair.to_der_public_key(), Box::new(signer)))
}

/// The numbers in a SubjectPublicKeyInfo; absent if it is not one of a key that signs here.
fn public_key(spki: &[u8]) -> Option<PublicKey> {
    let (rest, info) = SubjectPublicKeyInfo::from_der(spki).ok()?;
    match info.parsed().ok()? {
        _ if !rest.is_empty() => None,
        public_key::PublicKey::RSA(key) => {
            let number = |bytes: &[u8]| bytes.iter().copied().skip_while(|b| *b == 0).collect();
            Some(PublicKey::Rsa { n: number(key.modulus), e: number(key.exponent) })
        }
        public_key::PublicKey::EC(point) => {
            let name = info.algorithm.parameters.as_ref()?.as_oid().ok()?;
            let curves = [
                (oid!(1.2.840.10045.3.1.7), Curve::P256),
                (oid!(1.3.132.0.34), Curve::P384),
                (oid!(1.3.132.0.35), Curve::P521),
            ];
            let (_, curve) = curves.into_iter().find(|(oid, _)| *oid == name)?;
            // SEC 1, section 2.3.3: not compressed.
            let (x, y) =
                point.data().strip_prefix(&[4])?.split_at_checked(curve.coordinate_bytes())?;
            Some(PublicKey::Ec { curve, x: x.to_owned(), y: y.to_owned() })
        }
        _ => None,
    }
}

fn algorithm_of(key: &PublicKey) -> Option<Algorithm> {
    match key {
        PublicKey::Rsa { .. } => Some(Algorithm::Rs256),
        PublicKey::Ec { curve: Curve::P256, .. } => Some(Algorithm::Es256),
        PublicKey::Ec { curve: Curve::P384, .. } => Some(Algorithm::Es384),
        PublicKey::Ec { curve: Curve::P521, .. } => Some(Algorithm::Es512),
        PublicKey::Ed25519(_) | PublicKey::Ed448(_) => None,
    }
}

#[cfg(test)]
mod tests;
