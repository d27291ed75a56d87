//! New authorities, without a connection being refused: `countersign init --renew-ca`.
//!
//! Whoever verifies must trust the new authority before anybody shows a certificate of it, and
//! trust the old one until nobody does. Hence three steps, a run for each, and between two of them the
//! time that both sides need to take up the files:
//!
//! | step | `ca.crt` | `ca.key` | besides | leaves |
//! |---|---|---|---|---|
//! | before | old | old | | of the old |
//! | trust both | old, new | old | `ca-next.key` | of the old |
//! | sign with the new | old, new | new | `ca-old.crt` | of the new |
//! | drop the old | new | new | | of the new |
//!
//! What else the operator has put into `ca.crt` stays there. Both authorities, that of the server
//! and that of the clients, go together; one that a crash has left behind catches up first. Where
//! they are is read from the files alone.

use rcgen::KeyPair;
use time::OffsetDateTime;

use super::InitError;
use super::bundle::{self, Certificate};
use super::certificates::{self, Authority, CertificateError};
use super::directory::Directory;
use super::family::{
    Anew, Family, certificate_file, key_file, next_key_file, old_certificate_file, read_pair,
};

/// What a run has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Made the new authorities, to be trusted from now on.
    TrustBoth,
    /// Made leaves of the new ones.
    SignWithNew,
    /// Took the old ones out of what is trusted.
    DropOld,
}

/// Where an authority is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Settled,
    TrustsBoth,
    SignsWithNew,
}

/// Does the next step.
///
/// # Errors
///
/// When there is no authority, or what is there cannot be built upon.
pub fn advance(
    directory: &mut Directory,
    families: &[Family],
    now: OffsetDateTime,
) -> Result<Step, InitError> {
    let phases: Vec<_> =
        families.iter().map(|family| phase(directory, family)).collect::<Result<_, _>>()?;
    let any = |phase| phases.contains(&phase);
    let step = if any(Phase::SignsWithNew) && !any(Phase::TrustsBoth) {
        Step::DropOld
    } else if any(Phase::Settled) {
        Step::TrustBoth
    } else {
        Step::SignWithNew
    };
    for (family, phase) in families.iter().zip(phases) {
        match (step, phase) {
            (Step::TrustBoth, Phase::Settled) => trust_both(directory, family, now)?,
            (Step::SignWithNew, Phase::TrustsBoth) => sign_with_new(directory, family, now)?,
            (Step::DropOld, Phase::SignsWithNew) => drop_old(directory, family, now)?,
            _ => {} // ahead of the other
        }
    }
    Ok(step)
}

fn phase(directory: &Directory, family: &Family) -> Result<Phase, InitError> {
    let (bundle, _) = read_authority(directory, family)?;
    if let Some(next) = directory.read(&next_key_file(family.authority))? {
        let next = read_key(directory, &next_key_file(family.authority), &next)?;
        // Without its certificate it is what a crash amidst the first step has left.
        if bundle.iter().any(|certificate| certificate.is_of(&next)) {
            return Ok(Phase::TrustsBoth);
        }
    }
    Ok(match directory.read(&old_certificate_file(family.authority))? {
        Some(_) => Phase::SignsWithNew,
        None => Phase::Settled,
    })
}

fn trust_both(
    directory: &mut Directory,
    family: &Family,
    now: OffsetDateTime,
) -> Result<(), InitError> {
    let (mut bundle, _) = read_authority(directory, family)?;
    let (file, key_file) = (certificate_file(family.authority), next_key_file(family.authority));
    let made = certificates::key().and_then(|key| {
        let pem = key.serialize_pem();
        let (_, certificate) = Authority::new(family.name, key, now)?;
        bundle.extend(bundle::parse(&certificate)?);
        Ok(pem)
    });
    let key =
        made.map_err(|source| InitError::Unmakeable { path: directory.path(&file), source })?;
    directory.write_private(&key_file, key);
    directory.write(&file, text(&bundle));
    Ok(())
}

fn sign_with_new(
    directory: &mut Directory,
    family: &Family,
    now: OffsetDateTime,
) -> Result<(), InitError> {
    let (bundle, key) = read_authority(directory, family)?;
    let (next_file, old_file) =
        (next_key_file(family.authority), old_certificate_file(family.authority));
    // Once it is there, a crash may have come between, and `ca.key` may be the new one.
    if directory.read(&old_file)?.is_none() {
        let old = bundle.iter().find(|certificate| certificate.is_of(&key));
        let old = old.ok_or_else(|| InitError::Unusable {
            path: directory.path(&certificate_file(family.authority)),
            source: CertificateError::OtherKey,
        })?;
        directory.write(&old_file, old.pem.clone());
    }
    if let Some(next) = directory.read(&next_file)? {
        directory.write_private(&key_file(family.authority), next);
        directory.remove(&next_file);
    }
    family.make(directory, Anew::Leaves, now)
}

fn drop_old(
    directory: &mut Directory,
    family: &Family,
    now: OffsetDateTime,
) -> Result<(), InitError> {
    let (mut bundle, key) = read_authority(directory, family)?;
    let (file, old_file) =
        (certificate_file(family.authority), old_certificate_file(family.authority));
    if let Some(old) = directory.read(&old_file)? {
        let path = directory.path(&old_file);
        let old = bundle::parse(&old).map_err(|source| InitError::Unusable { path, source })?;
        bundle.retain(|certificate| old.iter().all(|old| old.der != certificate.der));
    }
    // The one that signs must be among those that are left.
    Authority::read(&bundle, key, now)
        .map_err(|source| InitError::Unusable { path: directory.path(&file), source })?;
    directory.write(&file, text(&bundle));
    directory.remove(&old_file);
    Ok(())
}

fn read_authority(
    directory: &Directory,
    family: &Family,
) -> Result<(Vec<Certificate>, KeyPair), InitError> {
    let path = directory.path(&certificate_file(family.authority));
    let (Some(bundle), Some(key)) = read_pair(directory, family.authority)? else {
        return Err(InitError::NothingToRenew { authority: path });
    };
    let bundle = bundle::parse(&bundle).map_err(|source| InitError::Unusable { path, source })?;
    Ok((bundle, read_key(directory, &key_file(family.authority), &key)?))
}

fn read_key(directory: &Directory, file: &str, pem: &str) -> Result<KeyPair, InitError> {
    KeyPair::from_pem(pem)
        .map_err(|error| InitError::Unusable { path: directory.path(file), source: error.into() })
}

fn text(bundle: &[Certificate]) -> String {
    bundle.iter().map(|certificate| certificate.pem.as_str()).collect()
}
