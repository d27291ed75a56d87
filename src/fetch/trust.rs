//! Whom a [`Fetcher`] trusts, and how this machine reaches the world.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use hyper_util::client::proxy::matcher::Matcher;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::Fetcher;
use super::itself::OrItself;

/// What this machine knows of the world outside: its root certificates and its proxies.
///
/// Made once and shared, because roots are many and issuers more: those of the system, and those of
/// each [`CertificateAuthority`], are read once, when the first [`Fetcher`] that needs them fetches.
pub struct Network {
    system: Arc<Trust>,
    /// For as long as somebody has a fetcher with it.
    configured: Mutex<HashMap<CertificateAuthority, Weak<Trust>>>,
    proxies: Arc<Matcher>,
}

/// Whom a fetcher trusts; absent if it should be the system's roots and there are none.
pub(super) type Trust =
    LazyLock<Option<Arc<ClientConfig>>, Box<dyn FnOnce() -> Option<Arc<ClientConfig>> + Send>>;

impl Network {
    /// As the environment and the system say.
    pub fn of_this_machine() -> Self {
        let system = || client(system_roots()?, Vec::new(), None).ok();
        Self {
            system: Arc::new(Trust::new(Box::new(system))),
            configured: Mutex::default(),
            proxies: Arc::new(Matcher::from_env()),
        }
    }

    /// A fetcher that trusts only `certificate_authority`, or the system's roots if there is none. A
    /// system without roots is an error of the first fetch that needs them.
    pub fn fetcher(&self, certificate_authority: Option<&CertificateAuthority>) -> Fetcher {
        let trust = certificate_authority.map(|authority| self.trust_in(authority));
        let trust = trust.unwrap_or_else(|| self.system.clone());
        Fetcher { trust, proxies: self.proxies.clone() }
    }

    fn trust_in(&self, authority: &CertificateAuthority) -> Arc<Trust> {
        let mut configured = self.configured.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trust) = configured.get(authority).and_then(Weak::upgrade) {
            return trust;
        }
        if configured.len() == configured.capacity() {
            // Rarely, so that ten thousand of them are not looked through for each.
            configured.retain(|_, trust| trust.strong_count() > 0);
        }
        let trust = authority.clone();
        let trust = Arc::new(Trust::new(Box::new(move || trust.client())));
        configured.insert(authority.clone(), Arc::downgrade(&trust));
        trust
    }

    #[cfg(test)]
    pub(super) fn through(proxies: Matcher) -> Self {
        Self { proxies: Arc::new(proxies), ..Self::of_this_machine() }
    }
}

/// PEM certificates to trust in, which have been checked. Clones share the text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateAuthority(Arc<str>);

impl CertificateAuthority {
    /// The certificates of `pem`.
    ///
    /// # Errors
    ///
    /// Fails if it is not certificates.
    pub fn parse(pem: &str) -> Result<Self, CertificateAuthorityError> {
        roots(pem).map(|_| Self(pem.into()))
    }

    /// As it was written.
    pub fn pem(&self) -> &str {
        &self.0
    }

    /// Absent never: they were good before.
    fn client(&self) -> Option<Arc<ClientConfig>> {
        client(roots(self.pem()).ok()?, certificates(self.pem()), None).ok()
    }
}

impl Borrow<str> for CertificateAuthority {
    fn borrow(&self) -> &str {
        self.pem()
    }
}

/// Why text is not a certificate authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateAuthorityError {
    /// It has no PEM block of a certificate.
    #[error("the certificate authority holds no PEM certificate")]
    Empty,
    /// It has one that is not a certificate.
    #[error("certificate {number} of the certificate authority is not a valid one")]
    Invalid {
        /// Which one, counted from 1.
        number: usize,
    },
}

pub(super) fn roots(pem: &str) -> Result<RootCertStore, CertificateAuthorityError> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in CertificateDer::pem_slice_iter(pem.as_bytes()).enumerate() {
        let added = certificate.is_ok_and(|certificate| roots.add(certificate).is_ok());
        if !added {
            return Err(CertificateAuthorityError::Invalid { number: index + 1 });
        }
    }
    if roots.is_empty() { Err(CertificateAuthorityError::Empty) } else { Ok(roots) }
}

/// The certificates that [`roots`] has found good.
pub(super) fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).flatten().collect()
}

pub(super) fn system_roots() -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    // A file that cannot be read among others that can is no reason to trust nobody.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    (!roots.is_empty()).then_some(roots)
}

/// TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1, with servers that `roots` vouch for or that show one of
/// the `configured` certificates themselves. Without resumption, so that every connection looks at
/// the certificate again, and ten thousand issuers keep no sessions.
///
/// Fails only if the `identity` to show cannot be used: the provider supports both versions, and
/// there are roots.
pub(super) fn client(
    roots: RootCertStore,
    configured: Vec<CertificateDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let webpki = webpki.build().map_err(|error| rustls::Error::General(error.to_string()))?;
    let verifier = OrItself { webpki, configured };
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}
