//! Where keys come from.

use std::path::PathBuf;

use crate::fetch::CertificateAuthority;

/// Where an issuer's keys come from. Compared on reload: an equal source keeps its warm keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `issuer.url`, byte for byte: the name in logs and metrics, and what a discovery document
    /// must say.
    pub issuer: String,
    /// Which way leads to them.
    pub location: Location,
    /// `certificateAuthority` or what is in `certificateAuthorityFile`, which replaces the system's
    /// roots for discovery and keys alike.
    pub certificate_authority: Option<CertificateAuthority>,
}

/// The way to an issuer's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `<issuer>/.well-known/openid-configuration`, or `issuer.discoveryURL`, and from there
    /// `jwks_uri` (OpenID Connect Discovery 1.0, section 4).
    Discovery {
        /// The document's address.
        url: String,
    },
    /// `issuer.jwksURL`.
    Jwks {
        /// The key set's address.
        url: String,
    },
    /// `issuer.jwksFile`, read again when it changes.
    File {
        /// Absolute, or relative to the process.
        path: PathBuf,
    },
}
