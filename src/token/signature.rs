//! Signature algorithms and keys.

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
}
