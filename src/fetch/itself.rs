//! Trust in the very certificate that the operator configured.
//!
//! A self-signed certificate that is its own authority (`openssl req -x509`) is what many a provider
//! inside a company serves, and Go takes it when it is configured as `certificateAuthority`. webpki
//! refuses an authority's certificate as a server's. Here the one exception: a certificate that is,
//! byte for byte, one of those configured needs no further signature, but still the right name and
//! the right time.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::presented::Presented;

/// webpki, and beside it the configured certificates themselves.
#[derive(Debug)]
pub(super) struct OrItself {
    pub(super) webpki: Arc<WebPkiServerVerifier>,
    pub(super) configured: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for OrItself {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = if self.configured.iter().any(|configured| configured == end_entity) {
            verify_itself(end_entity, server_name, now)
        } else {
            let webpki = &self.webpki;
            webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        verified.map_err(|error| {
            Presented::in_error(error, end_entity, intermediates, &self.configured, now)
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

fn verify_itself(
    certificate: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    verify_server_name(&ParsedCertificate::try_from(certificate)?, server_name)?;
    verify_time(certificate, now)?;
    Ok(ServerCertVerified::assertion())
}

fn verify_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = certificate.validity();
    if now < validity.not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}
