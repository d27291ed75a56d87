//! The files of `objectsDir`, each as it was last good.
//!
//! A manifest is what `kubectl get -o yaml` or a repository has: YAML or JSON, several documents to a
//! file, or a `List` of them. A file that is wrong keeps what it last said, and holds back no other.
//! Manifests may be Secrets: no error has a word of them but kinds and names.

mod read;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::filewatch::{Change, DirectoryError, DirectoryWatch};

use super::objects::{Kind, Name, Objects};

use read::Manifest;

/// Every file, as it was last good.
#[derive(Debug, Default)]
pub struct Manifests {
    files: BTreeMap<PathBuf, Vec<Manifest>>,
    /// What is wrong with files that are as they were no more.
    mistakes: BTreeMap<PathBuf, Vec<ManifestError>>,
}

impl Manifests {
    /// Reads the manifests in `directory` for the first time, blocking, and watches them from then
    /// on: what the watch reports is for [`apply`](Self::apply).
    ///
    /// # Errors
    /// The directory cannot be read. What is wrong with its files is beside what exists.
    pub fn open(
        directory: &Path,
    ) -> Result<(Self, DirectoryWatch, Objects, Vec<ManifestError>), DirectoryError> {
        let (watch, changes) = DirectoryWatch::open(directory, is_manifest);
        let mut manifests = Self::default();
        let (objects, errors) = manifests.apply(changes?);
        Ok((manifests, watch, objects, errors))
    }

    /// Takes in files that have changed, and says what exists now and everything that is wrong now.
    ///
    /// A file that is wrong counts as it was. Of two files with one object the first by name counts,
    /// and the other is wrong.
    pub fn apply(&mut self, changes: Vec<Change>) -> (Objects, Vec<ManifestError>) {
        for Change { file, content } in changes {
            self.mistakes.remove(&file);
            let read = match content {
                None => {
                    self.files.remove(&file);
                    continue;
                }
                Some(Err(error)) => Err(vec![ManifestError::new(&file, None, error.to_string())]),
                Some(Ok(content)) => read::file(&content, &file),
            };
            match read {
                Ok(manifests) => drop(self.files.insert(file, manifests)),
                Err(mistakes) => drop(self.mistakes.insert(file, mistakes)),
            }
        }
        let (objects, duplicates) = self.merge();
        (objects, self.mistakes.values().flatten().cloned().chain(duplicates).collect())
    }

    fn merge(&self) -> (Objects, Vec<ManifestError>) {
        let mut objects = Objects::default();
        let mut places: HashMap<(Kind, &Name), (&Path, usize)> = HashMap::new();
        let mut duplicates = Vec::new();
        for (file, manifests) in &self.files {
            for manifest in manifests {
                let key = (manifest.thing.kind(), &manifest.name);
                if let Some((other, line)) = places.get(&key) {
                    duplicates.push(manifest.duplicate(file, other, *line));
                } else {
                    places.insert(key, (file, manifest.line));
                    objects.insert(manifest.name.clone(), manifest.thing.clone());
                }
            }
        }
        (objects, duplicates)
    }
}

/// Whether a file of that name holds manifests.
fn is_manifest(name: &OsStr) -> bool {
    // What is no UTF-8 has its ending nevertheless.
    let name = name.as_encoded_bytes();
    let endings: [&[u8]; 3] = [b".yaml", b".yml", b".json"];
    !name.starts_with(b".") && endings.iter().any(|ending| name.ends_with(ending))
}

/// A mistake in a manifest: `FILE:LINE: Kind namespace/name: path: text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The file to mend.
    pub file: PathBuf,
    /// From one; absent if the file as a whole is meant.
    pub line: Option<usize>,
    text: String,
}

impl ManifestError {
    fn new(file: &Path, line: Option<usize>, text: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, text: text.into() }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.text)
    }
}

impl std::error::Error for ManifestError {}

#[cfg(test)]
mod tests;
