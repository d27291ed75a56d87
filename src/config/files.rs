//! The files that a configuration names.
//!
//! They are opened while the configuration is checked, so that a wrong path is a mistake of the
//! configuration and not a surprise later.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::document::{Entry, Report};
use crate::filewatch::FileWatch;

use super::finding::unreadable;

/// Where relative paths start, and what is part of the configuration.
pub struct Files {
    folder: PathBuf,
    hash: blake3::Hasher,
    /// A file that many name, and is the same each time, once.
    watches: HashSet<FileWatch>,
}

/// A file that was read.
pub struct Named {
    /// Its path as the process can use it.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Bytes,
    watch: FileWatch,
}

impl Files {
    /// Beside the configuration `file`, whose bytes are hashed.
    pub fn beside(file: &Path, bytes: &[u8]) -> Self {
        let mut files = Self {
            folder: file.parent().map(Path::to_owned).unwrap_or_default(),
            hash: blake3::Hasher::new(),
            watches: HashSet::new(),
        };
        files.hash(bytes);
        files
    }

    /// Reads the file that `entry` names, relative to the configuration; a failure is a problem.
    pub fn read(&self, entry: &Entry<String>, report: &Report) -> Option<Named> {
        self.named(entry.value()?).map_err(|text| report.problem(&entry.place, text)).ok()
    }

    /// Where the file that is `written` would be.
    ///
    /// # Errors
    /// Says what is written instead of a path.
    pub fn path(&self, written: &str) -> Result<PathBuf, String> {
        if written.is_empty() {
            return Err("Required value: the path of a file".to_owned());
        }
        if written.contains('\n') {
            // Perhaps a key that was pasted: not to be echoed.
            return Err("wanted the path of a file, found text of several lines".to_owned());
        }
        Ok(self.folder.join(written))
    }

    fn named(&self, written: &str) -> Result<Named, String> {
        let path = self.path(written)?;
        let (watch, content) = FileWatch::open(&path);
        match content {
            Ok(bytes) => Ok(Named { path, bytes, watch }),
            Err(error) => {
                let error = io::Error::from(error);
                Err(format!("cannot read {}: {}", path.display(), unreadable(&error)))
            }
        }
    }

    /// Takes a file as a part of the configuration: another content is another configuration.
    pub fn cover(&mut self, named: Named) -> Bytes {
        self.hash(&named.bytes);
        self.watches.insert(named.watch);
        named.bytes
    }

    fn hash(&mut self, bytes: &[u8]) {
        self.hash.update(&(bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }

    /// The hash of all that is covered, in hexadecimal.
    pub fn hash_of_all(&self) -> String {
        self.hash.finalize().to_hex().to_string()
    }

    /// What tells when a covered file changes.
    pub fn into_watches(self) -> Vec<FileWatch> {
        self.watches.into_iter().collect()
    }
}
