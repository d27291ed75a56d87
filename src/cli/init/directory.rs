//! The directory that `countersign init` fills.
//!
//! A file appears in it whole or not at all, and none that is there is replaced: an open
//! [`Directory`] is locked against other runs, and its user writes only what it has found missing.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file or the directory itself could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot {action} {}: {source}; --dir must name a directory that you may read and write",
    path.display()
)]
pub struct DirectoryError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// An open directory, locked until it is dropped.
pub struct Directory {
    root: PathBuf,
    handle: File,
    made: Vec<String>,
}

impl Directory {
    /// Opens `path`, made with mode 0700 if it is not there, and waits for its lock.
    ///
    /// # Errors
    ///
    /// When it is no directory, or cannot be made, opened or locked.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let error = |action| move |source| DirectoryError { action, path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(error("make"))?;
        // The absolute path: kube-apiserver is started somewhere else.
        let root = path.canonicalize().map_err(error("open"))?;
        let handle = File::open(&root).map_err(error("open"))?;
        handle.lock().map_err(error("lock"))?;
        Ok(Self { root, handle, made: Vec::new() })
    }

    /// Its absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The absolute path of a file in it.
    pub fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// The files that were written, in that order.
    pub fn made(&self) -> &[String] {
        &self.made
    }

    /// The text of a file, if it is there.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    pub fn read(&self, file: &str) -> Result<Option<String>, DirectoryError> {
        match fs::read_to_string(self.path(file)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(DirectoryError { action: "read", path: self.path(file), source }),
        }
    }

    /// Writes a file that everybody may read.
    ///
    /// # Errors
    ///
    /// When it cannot be written; then it is not there.
    pub fn write(&mut self, file: &str, text: &str) -> Result<(), DirectoryError> {
        self.write_with_mode(file, text, 0o644)
    }

    /// Writes a file that nobody but its owner may read, at any moment.
    ///
    /// # Errors
    ///
    /// When it cannot be written; then it is not there.
    pub fn write_private(&mut self, file: &str, text: &str) -> Result<(), DirectoryError> {
        self.write_with_mode(file, text, 0o600)
    }

    fn write_with_mode(&mut self, file: &str, text: &str, mode: u32) -> Result<(), DirectoryError> {
        let path = self.path(file);
        let draft = self.path(&format!(".{file}.draft"));
        let write = || {
            // Under the lock a draft can only be one that a crash has left.
            match fs::remove_file(&draft) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut opened =
                OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
            opened.write_all(text.as_bytes())?;
            opened.sync_all()?;
            fs::rename(&draft, &path)
        };
        write().map_err(|source| DirectoryError { action: "write", path: path.clone(), source })?;
        self.made.push(file.to_owned());
        Ok(())
    }

    /// Makes what was written survive the machine.
    ///
    /// # Errors
    ///
    /// When the system cannot promise it.
    pub fn sync(&self) -> Result<(), DirectoryError> {
        self.handle.sync_all().map_err(|source| DirectoryError {
            action: "sync",
            path: self.root.clone(),
            source,
        })
    }
}
