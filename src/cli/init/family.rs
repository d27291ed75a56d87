//! An authority and the certificates that it signs: `NAME.crt` and `NAME.key` of each.

use rcgen::KeyPair;
use rustls_pki_types::ServerName;
use time::OffsetDateTime;

use super::InitError;
use super::bundle;
use super::certificates::{self, Authority};
use super::directory::Directory;

/// The client that is always there.
pub const API_SERVER: &str = "kube-apiserver";

/// An authority and its leaves.
pub struct Family {
    /// Whose `.crt` and `.key` are the authority's.
    pub authority: &'static str,
    /// What the authority is called in certificates.
    pub name: &'static str,
    /// What it signs.
    pub leaves: Vec<Leaf>,
}

/// A certificate that signs nothing.
pub struct Leaf {
    /// Whose `.crt` and `.key` are its own; a client's common name as well.
    pub stem: String,
    purpose: Purpose,
}

enum Purpose {
    Server(Vec<ServerName<'static>>),
    Client,
}

/// How much is made although it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anew {
    /// None of it.
    Missing,
    /// The leaves and their keys.
    Leaves,
    /// The authority and its key as well.
    Everything,
}

impl Family {
    /// countersign's serving certificate, for `names`, and whom kube-apiserver trusts for it.
    pub fn serving(names: Vec<ServerName<'static>>) -> Self {
        let leaf = Leaf { stem: "tls".to_owned(), purpose: Purpose::Server(names) };
        Self { authority: "ca", name: "countersign serving CA", leaves: vec![leaf] }
    }

    /// The certificates of clients, and whom countersign trusts for them: kube-apiserver, those
    /// that are `asked` for, and those that were asked for before.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read.
    pub fn clients(directory: &Directory, asked: &[String]) -> Result<Self, InitError> {
        let authority = "client-ca";
        let mut stems = vec![API_SERVER.to_owned()];
        stems.extend_from_slice(asked);
        // One that cannot be read is complained of where it is needed.
        let bundle = directory.read(&certificate_file(authority))?;
        let bundle = bundle.and_then(|text| bundle::parse(&text).ok()).unwrap_or_default();
        for stem in directory.stems(".crt")? {
            let Some(text) = directory.read(&certificate_file(&stem))? else { continue };
            let ours = bundle::parse_first(&text).is_ok_and(|certificate| {
                !certificate.is_authority
                    && certificate.subject == format!("CN={stem}")
                    && bundle.iter().any(|authority| certificate.is_signed_by(authority))
            });
            if ours {
                stems.push(stem);
            }
        }
        let mut leaves: Vec<Leaf> = Vec::with_capacity(stems.len());
        for stem in stems {
            if leaves.iter().all(|leaf| leaf.stem != stem) {
                leaves.push(Leaf { stem, purpose: Purpose::Client });
            }
        }
        Ok(Self { authority, name: "countersign client CA", leaves })
    }

    /// Makes what is missing, and what is to be anew. Keys are written before their certificates,
    /// so that a crash amidst first files leaves a key without certificate, which the next run
    /// mends; amidst a renewal it leaves a pair that does not match, which the next renewal mends.
    ///
    /// # Errors
    ///
    /// When what is there cannot be built upon.
    pub fn make(
        &self,
        directory: &mut Directory,
        anew: Anew,
        now: OffsetDateTime,
    ) -> Result<(), InitError> {
        let (certificate, key) = match anew {
            Anew::Everything => {
                directory.remove(&next_key_file(self.authority));
                directory.remove(&old_certificate_file(self.authority));
                (None, None)
            }
            _ => read_pair(directory, self.authority)?,
        };
        let mut wanted = Vec::new();
        for leaf in &self.leaves {
            let file = certificate_file(&leaf.stem);
            if key.is_none() && anew != Anew::Everything && directory.read(&file)?.is_some() {
                return Err(InitError::AuthorityMissing {
                    authority: directory.path(&certificate_file(self.authority)),
                    leaf: directory.path(&file),
                });
            }
            if anew != Anew::Missing || !leaf.is_complete(directory)? {
                wanted.push(leaf);
            }
        }
        if certificate.is_some() && wanted.is_empty() {
            return Ok(());
        }
        let authority = self.authority(directory, certificate, key, now)?;
        for leaf in wanted {
            leaf.make(directory, &authority, anew, now)?;
        }
        Ok(())
    }

    fn authority(
        &self,
        directory: &mut Directory,
        certificate: Option<String>,
        key: Option<String>,
        now: OffsetDateTime,
    ) -> Result<Authority, InitError> {
        let file = certificate_file(self.authority);
        let path = directory.path(&file);
        let key = read_or_make_key(directory, self.authority, key)?;
        if let Some(certificate) = certificate {
            return bundle::parse(&certificate)
                .and_then(|bundle| Authority::read(&bundle, key, now))
                .map_err(|source| InitError::Unusable { path, source });
        }
        let (authority, certificate) = Authority::new(self.name, key, now)
            .map_err(|source| InitError::Unmakeable { path, source })?;
        directory.write(&file, certificate);
        Ok(authority)
    }
}

impl Leaf {
    /// Whether there is nothing to be made of it.
    fn is_complete(&self, directory: &Directory) -> Result<bool, InitError> {
        let (Some(certificate), Some(key)) = read_pair(directory, &self.stem)? else {
            return Ok(false);
        };
        let path = directory.path(&certificate_file(&self.stem));
        let certificate = bundle::parse_first(&certificate)
            .map_err(|source| InitError::Unusable { path: path.clone(), source })?;
        let key_path = directory.path(&key_file(&self.stem));
        let key = KeyPair::from_pem(&key).map_err(|error| InitError::Unusable {
            path: key_path.clone(),
            source: error.into(),
        })?;
        if !certificate.is_of(&key) {
            return Err(InitError::NotItsKey { certificate: path, key: key_path });
        }
        Ok(true)
    }

    fn make(
        &self,
        directory: &mut Directory,
        authority: &Authority,
        anew: Anew,
        now: OffsetDateTime,
    ) -> Result<(), InitError> {
        let key = match anew {
            Anew::Missing => directory.read(&key_file(&self.stem))?,
            Anew::Leaves | Anew::Everything => None,
        };
        let key = read_or_make_key(directory, &self.stem, key)?;
        let certificate = match &self.purpose {
            Purpose::Server(names) => authority.server(&key, names, now),
            Purpose::Client => authority.client(&self.stem, &key, now),
        };
        let file = certificate_file(&self.stem);
        let certificate = certificate
            .map_err(|source| InitError::Unmakeable { path: directory.path(&file), source })?;
        directory.write(&file, certificate);
        Ok(())
    }
}

/// The PEM of a certificate and of its key, of which the certificate may be missing.
///
/// # Errors
///
/// When there is a certificate without its key.
pub fn read_pair(
    directory: &Directory,
    stem: &str,
) -> Result<(Option<String>, Option<String>), InitError> {
    let (certificate, key) = (certificate_file(stem), key_file(stem));
    match (directory.read(&certificate)?, directory.read(&key)?) {
        (Some(_), None) => Err(InitError::KeyMissing {
            certificate: directory.path(&certificate),
            key: directory.path(&key),
        }),
        pair => Ok(pair),
    }
}

fn read_or_make_key(
    directory: &mut Directory,
    stem: &str,
    pem: Option<String>,
) -> Result<KeyPair, InitError> {
    let file = key_file(stem);
    let path = directory.path(&file);
    if let Some(pem) = pem {
        return KeyPair::from_pem(&pem)
            .map_err(|error| InitError::Unusable { path, source: error.into() });
    }
    let key = certificates::key().map_err(|source| InitError::Unmakeable { path, source })?;
    directory.write_private(&file, key.serialize_pem());
    Ok(key)
}

/// Where a certificate is.
pub fn certificate_file(stem: &str) -> String {
    format!("{stem}.crt")
}

/// Where its key is.
pub fn key_file(stem: &str) -> String {
    format!("{stem}.key")
}

/// Where the key of an authority's successor is, until it signs.
pub fn next_key_file(authority: &str) -> String {
    format!("{authority}-next.key")
}

/// Where the certificate of an authority's predecessor is, until it is trusted no more.
pub fn old_certificate_file(authority: &str) -> String {
    format!("{authority}-old.crt")
}
