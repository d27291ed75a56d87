//! Certificates, made anew in each run: one authority for each role, so that a certificate of one
//! role proves nothing in another.

use std::sync::{Arc, LazyLock};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// Signs the serving certificates of countersign.
pub static SERVERS: LazyLock<Authority> = LazyLock::new(|| Authority::new("servers"));
/// Signs the certificates of those who may ask countersign.
pub static CLIENTS: LazyLock<Authority> = LazyLock::new(|| Authority::new("clients"));
/// Signs the serving certificates of identity providers.
pub static PROVIDERS: LazyLock<Authority> = LazyLock::new(|| Authority::new("providers"));

/// A certificate authority.
pub struct Authority {
    issuer: rcgen::Issuer<'static, KeyPair>,
    /// Its certificate.
    pub pem: String,
}

/// A certificate and its key, PEM.
pub struct Leaf {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: rcgen::Issuer::new(params, key), pem }
    }

    /// A certificate for a server on this machine.
    pub fn server(&self) -> Leaf {
        self.server_until(2999)
    }

    /// A certificate for a server of that name.
    pub fn server_named(&self, name: &str) -> Leaf {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        self.sign(params, "server", ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a server on this machine, until the beginning of that year.
    pub fn server_until(&self, year: i32) -> Leaf {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        self.sign(params, "server", ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a client of that common name.
    pub fn client(&self, common_name: &str) -> Leaf {
        self.sign(CertificateParams::default(), common_name, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// The same, of an organization.
    pub fn member(&self, common_name: &str, organization: &str) -> Leaf {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::OrganizationName, organization);
        self.sign(params, common_name, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// What a client that trusts this authority alone, and shows `leaf`, connects with.
    pub fn trusting(&self, leaf: Option<&Leaf>, protocol: &str) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match leaf {
            Some(leaf) => config.with_client_auth_cert(leaf.chain(), leaf.key()).unwrap(),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Arc::new(config)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
    ) -> Leaf {
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages.push(usage);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Leaf { certificate, key: key.serialize_pem() }
    }
}

impl Leaf {
    /// What a server that shows this certificate accepts with.
    pub fn serving(&self) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain(), self.key())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()]
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
