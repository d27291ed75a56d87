//! The directory that `countersign init` fills.
//!
//! Nothing in it changes before [`Directory::publish`]: what is written before is only seen by
//! [`Directory::read`]. Then every file is written beside its place, and when all of them are safe
//! on the disk they take their places one right after the other, each whole. So a full disk changes
//! nothing, and a key and its certificate disagree for as long as two renames take; both ends read
//! a pair again that does not match. An open directory is locked against other runs.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::owner::{self, Owner};

/// A file or the directory itself could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}; {remedy}", path.display())]
pub struct DirectoryError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
    remedy: &'static str,
}

impl DirectoryError {
    /// For use with `map_err`.
    fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let remedy = match action {
            "give away" => "--owner needs root",
            _ => "--dir must name a directory that you may read and write",
        };
        let path = path.to_owned();
        move |source| Self { action, path, source, remedy }
    }
}

/// An open directory, locked until it is dropped.
pub struct Directory {
    root: PathBuf,
    handle: File,
    changes: Vec<Change>,
    owner: Option<Owner>,
}

/// What is to become of a file.
struct Change {
    file: String,
    to: To,
}

enum To {
    Text { text: String, private: bool },
    Nothing,
}

impl Directory {
    /// Opens `path`, made with mode 0700 if it is not there, and waits for its lock.
    ///
    /// # Errors
    ///
    /// When it is no directory, or cannot be made, opened or locked.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let error = |action| DirectoryError::of(action, path);
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(error("make"))?;
        // The absolute path: kube-apiserver is started somewhere else.
        let root = path.canonicalize().map_err(error("open"))?;
        let handle = File::open(&root).map_err(error("open"))?;
        handle.lock().map_err(error("lock"))?;
        Ok(Self { root, handle, changes: Vec::new(), owner: None })
    }

    /// Its absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The absolute path of a file in it.
    pub fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// The text of a file, if it is there or was written.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    pub fn read(&self, file: &str) -> Result<Option<String>, DirectoryError> {
        if let Some(change) = self.changes.iter().find(|change| change.file == file) {
            return Ok(match &change.to {
                To::Text { text, .. } => Some(text.clone()),
                To::Nothing => None,
            });
        }
        match fs::read_to_string(self.path(file)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DirectoryError::of("read", &self.path(file))(error)),
        }
    }

    /// The names of the files that are there and end with `extension`, without it.
    ///
    /// # Errors
    ///
    /// When the directory cannot be listed.
    pub fn stems(&self, extension: &str) -> Result<Vec<String>, DirectoryError> {
        let list = || -> io::Result<Vec<String>> {
            let mut stems = Vec::new();
            for entry in fs::read_dir(&self.root)? {
                let name = entry?.file_name();
                let stem = name.to_str().and_then(|name| name.strip_suffix(extension));
                stems.extend(stem.map(str::to_owned));
            }
            stems.sort();
            Ok(stems)
        };
        list().map_err(DirectoryError::of("list", &self.root))
    }

    /// A file that everybody may read, from [`publish`](Self::publish) on.
    pub fn write(&mut self, file: &str, text: String) {
        self.change(file, To::Text { text, private: false });
    }

    /// A file that nobody but its owner may read, at any moment.
    pub fn write_private(&mut self, file: &str, text: String) {
        self.change(file, To::Text { text, private: true });
    }

    /// A file that is not to be there, after all others are.
    pub fn remove(&mut self, file: &str) {
        self.change(file, To::Nothing);
    }

    /// Gives what countersign reads to the user that it runs as, and lets them find it.
    pub fn give_to(&mut self, owner: Owner) {
        self.owner = Some(owner);
    }

    fn change(&mut self, file: &str, to: To) {
        self.changes.retain(|change| change.file != file);
        self.changes.push(Change { file: file.to_owned(), to });
    }

    /// Makes it all true, in the order in which it was written, and such that it survives the
    /// machine. Returns the files that were written.
    ///
    /// # Errors
    ///
    /// When a file cannot be written or given away, and then none has changed; or the system fails
    /// amidst the renames.
    pub fn publish(&mut self) -> Result<Vec<String>, DirectoryError> {
        let changes = std::mem::take(&mut self.changes);
        let mut drafts = Vec::new();
        let prepared =
            self.write_drafts(&changes, &mut drafts).and_then(|()| self.give_away(&drafts));
        if let Err(error) = prepared {
            for (draft, _) in drafts {
                // One that stays is in nobody's way.
                let _ = fs::remove_file(draft);
            }
            return Err(error);
        }
        for (draft, path) in &drafts {
            fs::rename(draft, path).map_err(DirectoryError::of("write", path))?;
        }
        for Change { file, to } in &changes {
            let To::Nothing = to else { continue };
            let path = self.path(file);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(DirectoryError::of("remove", &path)(error));
                }
                _ => {}
            }
        }
        self.handle.sync_all().map_err(DirectoryError::of("sync", &self.root))?;
        let written = changes.into_iter().filter(|change| matches!(change.to, To::Text { .. }));
        Ok(written.map(|change| change.file).collect())
    }

    /// Writes every file beside its place. `drafts` are those that were begun, and their places.
    fn write_drafts(
        &self,
        changes: &[Change],
        drafts: &mut Vec<(PathBuf, PathBuf)>,
    ) -> Result<(), DirectoryError> {
        for Change { file, to } in changes {
            let To::Text { text, private } = to else { continue };
            let (draft, path) = (self.path(&format!(".{file}.draft")), self.path(file));
            drafts.push((draft.clone(), path.clone()));
            write_draft(&draft, &path, text, *private)
                .map_err(DirectoryError::of("write", &path))?;
        }
        Ok(())
    }

    /// Gives the owner the drafts, or else the files, that are to be theirs. That comes before the
    /// renames, so that the server is at no moment locked out of its key.
    fn give_away(&self, drafts: &[(PathBuf, PathBuf)]) -> Result<(), DirectoryError> {
        let Some(owner) = self.owner else { return Ok(()) };
        for file in owner::SERVED.into_iter().chain(owner::SERVED_IF_THERE) {
            let path = self.path(file);
            let draft = drafts.iter().find(|(_, place)| *place == path).map(|(draft, _)| draft);
            match owner.give(draft.unwrap_or(&path)) {
                Err(error)
                    if error.kind() == ErrorKind::NotFound
                        && owner::SERVED_IF_THERE.contains(&file) => {}
                given => given.map_err(DirectoryError::of("give away", &path))?,
            }
        }
        owner::make_searchable(&self.root).map_err(DirectoryError::of("give away", &self.root))
    }
}

/// Writes what is to stand at `path`. What replaces a file takes over its owner, who would
/// otherwise be locked out of his own key, and its mode, which for a key never includes everybody.
fn write_draft(draft: &Path, path: &Path, text: &str, private: bool) -> io::Result<()> {
    // Under the lock a draft can only be one that a crash has left.
    match fs::remove_file(draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let replaced = match fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mode = if private || replaced.is_some() { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(draft)?;
    file.write_all(text.as_bytes())?;
    if let Some(replaced) = replaced {
        let ours = file.metadata()?;
        if (ours.uid(), ours.gid()) != (replaced.uid(), replaced.gid()) {
            fchown(&file, Some(replaced.uid()), Some(replaced.gid()))?;
        }
        let most = if private { 0o660 } else { 0o666 };
        file.set_permissions(Permissions::from_mode(replaced.mode() & most))?;
    }
    file.sync_all()
}
