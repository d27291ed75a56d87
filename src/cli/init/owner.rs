//! Whose the files are that countersign itself reads.
//!
//! The keys of the authorities and of the clients are never given away: who serves the webhook
//! cannot make certificates, nor ask it as kube-apiserver. The key that signs service account
//! tokens is: they are what it issues.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::str::FromStr;

use super::service_account_key;

/// What `countersign serve` reads of the directory.
pub const SERVED: [&str; 4] = ["tls.crt", "tls.key", "client-ca.crt", "config.yaml"];
/// What it reads besides, where it is there.
pub const SERVED_IF_THERE: [&str; 1] = [service_account_key::FILE];

/// A user, and a group if the files are to change theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    uid: u32,
    gid: Option<u32>,
}

impl FromStr for Owner {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (uid, gid) = text.split_once(':').map_or((text, None), |(uid, gid)| (uid, Some(gid)));
        let number = |text: &str| text.parse().map_err(|_| "want UID or UID:GID, as numbers");
        Ok(Self { uid: number(uid)?, gid: gid.map(number).transpose()? })
    }
}

impl Owner {
    /// Gives `path` to the user. Needs root, unless it is theirs already.
    pub fn give(self, path: &Path) -> io::Result<()> {
        let now = fs::metadata(path)?;
        if now.uid() == self.uid && self.gid.is_none_or(|gid| now.gid() == gid) {
            return Ok(());
        }
        chown(path, Some(self.uid), self.gid)
    }
}

/// Lets everybody find the files in `directory` whose names they know; it is listed and written to
/// by whom it was before.
pub fn make_searchable(directory: &Path) -> io::Result<()> {
    let mode = fs::metadata(directory)?.mode() & 0o7777;
    match mode | 0o011 {
        same if same == mode => Ok(()),
        wider => fs::set_permissions(directory, Permissions::from_mode(wider)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_user_and_perhaps_a_group() {
        assert_eq!("65532".parse(), Ok(Owner { uid: 65532, gid: None }));
        assert_eq!("65532:7".parse(), Ok(Owner { uid: 65532, gid: Some(7) }));
        for text in ["", ":", "1:", ":1", "root", "-1", "1:2:3", "4294967296"] {
            assert!(text.parse::<Owner>().is_err(), "{text}");
        }
    }
}
