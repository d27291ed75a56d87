//! Certificates as they are read from files: one, or several one after the other.

use std::net::IpAddr;

use rcgen::{KeyPair, PublicKeyData};
use rustls_pki_types::ServerName;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

use super::certificates::CertificateError;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A certificate that was read.
#[derive(Debug)]
pub struct Certificate {
    /// Its PEM, with a line's end.
    pub pem: String,
    /// The same without the letters.
    pub der: Vec<u8>,
    /// Whether it may sign others.
    pub is_authority: bool,
    /// Its end.
    pub not_after: OffsetDateTime,
    /// What its holder is called.
    pub subject: String,
    /// The names that a server may use with it.
    pub names: Vec<ServerName<'static>>,
    public_key: Vec<u8>,
}

/// All certificates of a file, in its order, and at least one, without what stands between them.
///
/// # Errors
///
/// When there is none, or one of them is none.
pub fn parse(text: &str) -> Result<Vec<Certificate>, CertificateError> {
    let blocks =
        text.split_inclusive(END).filter_map(|part| part.find(BEGIN).map(|at| part.get(at..)));
    let certificates: Vec<_> =
        blocks.flatten().map(Certificate::parse).collect::<Result<_, _>>()?;
    if certificates.is_empty() {
        return Err(CertificateError::Unreadable);
    }
    Ok(certificates)
}

/// The first certificate of a file: that of the holder of the key beside it.
///
/// # Errors
///
/// When a certificate in it is none, or there is none.
pub fn parse_first(text: &str) -> Result<Certificate, CertificateError> {
    parse(text)?.into_iter().next().ok_or(CertificateError::Unreadable)
}

impl Certificate {
    fn parse(block: &str) -> Result<Self, CertificateError> {
        let Some(Ok(pem)) = Pem::iter_from_buffer(block.as_bytes()).next() else {
            return Err(CertificateError::Unreadable);
        };
        let parsed = pem.parse_x509().map_err(|_| CertificateError::Unreadable)?;
        let extension =
            parsed.subject_alternative_name().map_err(|_| CertificateError::Unreadable)?;
        let names = extension.map_or(&[][..], |extension| &extension.value.general_names);
        Ok(Self {
            pem: format!("{block}\n"),
            is_authority: parsed.is_ca(),
            not_after: parsed.validity().not_after.to_datetime(),
            subject: parsed.subject().to_string(),
            names: names.iter().filter_map(server_name).collect(),
            public_key: parsed.public_key().raw.to_vec(),
            der: pem.contents,
        })
    }

    /// Whether it is for this key.
    pub fn is_of(&self, key: &KeyPair) -> bool {
        self.public_key == key.subject_public_key_info()
    }

    /// Whether `authority` has signed it.
    pub fn is_signed_by(&self, authority: &Self) -> bool {
        match (X509Certificate::from_der(&self.der), X509Certificate::from_der(&authority.der)) {
            (Ok((_, own)), Ok((_, authority))) => {
                own.verify_signature(Some(authority.public_key())).is_ok()
            }
            _ => false,
        }
    }
}

fn server_name(name: &GeneralName<'_>) -> Option<ServerName<'static>> {
    match name {
        GeneralName::DNSName(name) => ServerName::try_from(*name).ok().map(|name| name.to_owned()),
        GeneralName::IPAddress(octets) => {
            let address = <[u8; 4]>::try_from(*octets)
                .map(IpAddr::from)
                .or_else(|_| <[u8; 16]>::try_from(*octets).map(IpAddr::from));
            address.ok().map(|address| ServerName::IpAddress(address.into()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::certificates::{Authority, key};
    use super::*;

    fn authority(name: &str) -> String {
        let now = OffsetDateTime::now_utc();
        Authority::new(name, key().unwrap(), now).unwrap().1
    }

    #[test]
    fn a_bundle_is_read_in_its_order_and_written_as_it_was() {
        let (old, new) = (authority("old"), authority("new"));
        let read = parse(&format!("# both\n{old}# the new one\n{new}\n")).unwrap();
        assert_eq!(read.iter().map(|it| &*it.subject).collect::<Vec<_>>(), ["CN=old", "CN=new"]);
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines(&read[1].pem), lines(&new));
        assert!(read[0].is_signed_by(&read[0]) && !read[0].is_signed_by(&read[1]));
    }

    #[test]
    fn what_is_no_certificate_is_not_passed_over() {
        let good = authority("good");
        let cut = good.replacen("MII", "MI", 1);
        for text in ["", "junk", &cut, &format!("{good}{cut}")] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
