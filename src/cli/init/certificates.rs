//! Certificates as they are made: those of authorities, and of servers and clients.
//!
//! Keys are P-256. An authority signs leaves only, and only for its own purpose: that of the
//! serving certificate vouches for nobody's identity, and that of the clients for no server.

use std::net::IpAddr;

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SerialNumber,
};
use rustls_pki_types::ServerName;
use time::{Duration, OffsetDateTime};

use super::bundle::Certificate;

const AUTHORITY_LIFETIME: Duration = Duration::days(3653);
/// How long a certificate is good that is not an authority's.
pub const LEAF_LIFETIME: Duration = Duration::days(365);
/// How far back a certificate begins, for machines whose clocks are behind.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// Why a certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// There is no PEM block, or its content is no certificate.
    #[error("it is not a PEM certificate")]
    Unreadable,
    /// The certificate does not say that it may sign others.
    #[error("it is not the certificate of an authority (no CA:TRUE)")]
    NotAnAuthority,
    /// No certificate is for this key.
    #[error("the key beside it is not the key that it certifies")]
    OtherKey,
    /// The authority has outlived its time.
    #[error("it expired at {0}")]
    Expired(OffsetDateTime),
    /// The key is of a kind that cannot sign here, or is no key.
    #[error(transparent)]
    Rcgen(#[from] rcgen::Error),
}

/// A fresh key.
///
/// # Errors
///
/// When the system has no randomness to give.
pub fn key() -> Result<KeyPair, CertificateError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

/// What signs leaves.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    not_after: OffsetDateTime,
}

impl Authority {
    /// A new authority that vouches for itself, and its certificate as PEM.
    ///
    /// # Errors
    ///
    /// When `key` cannot sign.
    pub fn new(
        name: &str,
        key: KeyPair,
        now: OffsetDateTime,
    ) -> Result<(Self, String), CertificateError> {
        let mut params = params(name, &key, now);
        params.not_after = now + AUTHORITY_LIFETIME;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?.pem();
        let not_after = params.not_after;
        Ok((Self { issuer: Issuer::new(params, key), not_after }, certificate))
    }

    /// An authority that was made before: the one of `bundle` that is for `key`.
    ///
    /// # Errors
    ///
    /// When what it signs would be refused: it is none, it has expired, or `key` is not its own.
    pub fn read(
        bundle: &[Certificate],
        key: KeyPair,
        now: OffsetDateTime,
    ) -> Result<Self, CertificateError> {
        let own = bundle.iter().find(|certificate| certificate.is_of(&key));
        let own = own.ok_or(CertificateError::OtherKey)?;
        if !own.is_authority {
            return Err(CertificateError::NotAnAuthority);
        }
        if own.not_after <= now {
            return Err(CertificateError::Expired(own.not_after));
        }
        let issuer = Issuer::from_ca_cert_der(&own.der.as_slice().into(), key)?;
        Ok(Self { issuer, not_after: own.not_after })
    }

    /// The certificate, as PEM, of a server with these names.
    ///
    /// # Errors
    ///
    /// When a name does not fit into a certificate.
    pub fn server(
        &self,
        key: &KeyPair,
        names: &[ServerName<'_>],
        now: OffsetDateTime,
    ) -> Result<String, CertificateError> {
        let mut leaf = self.leaf("countersign", key, ExtendedKeyUsagePurpose::ServerAuth, now);
        leaf.subject_alt_names = names.iter().map(subject_alt_name).collect::<Result<_, _>>()?;
        Ok(leaf.signed_by(key, &self.issuer)?.pem())
    }

    /// The certificate, as PEM, of a client that is called `name`.
    ///
    /// # Errors
    ///
    /// When the authority's key cannot sign.
    pub fn client(
        &self,
        name: &str,
        key: &KeyPair,
        now: OffsetDateTime,
    ) -> Result<String, CertificateError> {
        let leaf = self.leaf(name, key, ExtendedKeyUsagePurpose::ClientAuth, now);
        Ok(leaf.signed_by(key, &self.issuer)?.pem())
    }

    fn leaf(
        &self,
        name: &str,
        key: &KeyPair,
        purpose: ExtendedKeyUsagePurpose,
        now: OffsetDateTime,
    ) -> CertificateParams {
        let mut params = params(name, key, now);
        params.not_after = self.not_after.min(now + LEAF_LIFETIME);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        params
    }
}

fn params(name: &str, key: &KeyPair, now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = now - CLOCK_SKEW;
    params.serial_number = Some(serial_number(key, now));
    params.use_authority_key_identifier_extension = true;
    params
}

/// As unguessable as the key is new, and another one each time that a key is certified again
/// (RFC 5280, section 4.1.2.2: unique under one issuer, at most 20 octets, positive).
fn serial_number(key: &KeyPair, now: OffsetDateTime) -> SerialNumber {
    let mut hash = blake3::Hasher::new();
    hash.update(&key.subject_public_key_info());
    hash.update(&now.unix_timestamp_nanos().to_be_bytes());
    let mut serial = [0; 16];
    hash.finalize_xof().fill(&mut serial);
    serial[0] &= 0x7f;
    SerialNumber::from_slice(&serial)
}

fn subject_alt_name(name: &ServerName<'_>) -> Result<SanType, CertificateError> {
    Ok(match name {
        ServerName::IpAddress(address) => SanType::IpAddress(IpAddr::from(*address)),
        name => SanType::DnsName(Ia5String::try_from(&*name.to_str())?),
    })
}
