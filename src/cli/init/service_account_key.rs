//! The key that signs service account tokens: what `serviceAccountIssuer.signingKeyFiles` names.
//!
//! It is made once, and no option makes it anew: tokens that it has signed are good until they end,
//! so that a successor has to be known to every countersign before it signs. Nobody is given its
//! public half: countersign publishes that itself, at `/openid/v1/jwks`.

use super::InitError;
use super::certificates;
use super::directory::Directory;

/// Its name, which is the one that kubeadm gives to a cluster's own.
pub const FILE: &str = "sa.key";

/// Makes it, unless it is there.
///
/// # Errors
///
/// When there is no telling whether it is there, or the system has no randomness to give.
pub fn make(directory: &mut Directory) -> Result<(), InitError> {
    if directory.read(FILE)?.is_none() {
        let key = certificates::key()
            .map_err(|source| InitError::Unmakeable { path: directory.path(FILE), source })?;
        directory.write_private(FILE, key.serialize_pem());
    }
    Ok(())
}
