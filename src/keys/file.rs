//! Public keys in a file.
//!
//! A [`FileKeySet`] is read before it is opened, and again when the file changes. A file that cannot
//! be read, or holds no usable key, leaves the last good keys in force.
//!
//! [`KeyFiles`] has all of them. A file is looked at and parsed once however many issuers have their
//! keys in it, and the files of one folder are looked at by one thread, one after the other: a file
//! that hangs holds up its neighbours, and no other folder.

use std::collections::HashMap;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::task::{JoinSet, spawn_blocking};

use crate::filewatch::{FileError, FileWatch, Rhythm};
use crate::lifecycle::caught_here;
use crate::live::Mark;
use crate::metrics::Metrics;
use crate::token::{BoxFuture, Jwks, KeySet, KeysUnavailable, Refreshed};

use super::failure::{Cause, Failure};
use super::holdings::{Holdings, Parsed, parse_here};
use super::{Health, IssuerKeys};

/// The key files of a process. Clones are the same.
#[derive(Clone)]
pub struct KeyFiles {
    rhythm: Rhythm,
    folders: Arc<Mutex<HashMap<PathBuf, Weak<Folder>>>>,
}

impl KeyFiles {
    /// None yet. They will be looked at in this `rhythm`.
    pub fn new(rhythm: Rhythm) -> Self {
        Self { rhythm, folders: Arc::default() }
    }

    /// The file at `path`, read now, blocking, on the runtime of the caller.
    fn open(&self, path: &Path) -> Arc<KeyFile> {
        let folder = self.folder(path.parent().unwrap_or(path));
        let mut files = lock(&folder.files);
        if let Some(file) = files.get(path).and_then(Weak::upgrade) {
            drop(files);
            file.look();
            return file;
        }
        let file = Arc::new(KeyFile::read(path, folder.clone()));
        files.insert(path.to_owned(), Arc::downgrade(&file));
        file
    }

    fn folder(&self, path: &Path) -> Arc<Folder> {
        let mut folders = lock(&self.folders);
        if let Some(folder) = folders.get(path).and_then(Weak::upgrade) {
            return folder;
        }
        if folders.len() == folders.capacity() {
            folders.retain(|_, folder| folder.strong_count() > 0);
        }
        let folder = Arc::new_cyclic(|folder| {
            let mut looking = JoinSet::new();
            looking.spawn(look_again(folder.clone(), self.rhythm.clone()));
            Folder { files: Mutex::default(), _looking: looking }
        });
        folders.insert(path.to_owned(), Arc::downgrade(&folder));
        folder
    }
}

/// The key files in one folder.
struct Folder {
    files: Mutex<HashMap<PathBuf, Weak<KeyFile>>>,
    /// Ends with the folder, and so with the last of its files: dropping it aborts what is in it.
    _looking: JoinSet<()>,
}

/// Looks at all files of `folder`, beat for beat.
async fn look_again(folder: Weak<Folder>, rhythm: Rhythm) {
    loop {
        rhythm.beat().await;
        // It is being made still, or gone, and then so is this task.
        let Some(folder) = folder.upgrade() else { continue };
        // It does not panic; it may only be cancelled, by the end of the runtime.
        let _ = spawn_blocking(move || folder.look()).await;
    }
}

impl Folder {
    fn look(&self) {
        let mut files = Vec::new();
        lock(&self.files).retain(|_, file| match file.upgrade() {
            Some(file) => {
                files.push(file);
                true
            }
            None => false,
        });
        files.iter().for_each(|file| file.look());
    }
}

/// A file, and whose keys are in it.
struct KeyFile {
    path: PathBuf,
    state: Mutex<State>,
    _folder: Arc<Folder>,
}

struct State {
    watch: FileWatch,
    /// What was in it the last time.
    found: Result<Parsed, Failure>,
    issuers: Vec<Weak<Holdings>>,
}

impl KeyFile {
    fn read(path: &Path, folder: Arc<Folder>) -> Self {
        let (watch, content) = FileWatch::open(path);
        let state = State { watch, found: found(path, content), issuers: Vec::new() };
        Self { path: path.to_owned(), state: Mutex::new(state), _folder: folder }
    }

    /// Has the keys in it be those of `holdings` from now on.
    fn holds_those_of(&self, holdings: &Arc<Holdings>) {
        let mut state = lock(&self.state);
        holdings.end(state.found.as_ref().map(Parsed::clone), None);
        if state.issuers.len() == state.issuers.capacity() {
            state.issuers.retain(|issuer| issuer.strong_count() > 0);
        }
        state.issuers.push(Arc::downgrade(holdings));
    }

    /// Looks whether it has changed, blocking, and tells its issuers.
    fn look(&self) {
        let mut state = lock(&self.state);
        let Some(content) = state.watch.look() else { return };
        let issuers: Vec<_> = state.issuers.iter().filter_map(Weak::upgrade).collect();
        issuers.iter().for_each(|issuer| issuer.begin());
        state.found = found(&self.path, content);
        issuers.iter().for_each(|issuer| issuer.end(state.found.as_ref().map(Parsed::clone), None));
    }
}

/// The keys in `content`. A bug in reading them ends nothing else.
fn found(path: &Path, content: Result<Bytes, FileError>) -> Result<Parsed, Failure> {
    let parsed = content
        .map_err(Cause::File)
        .and_then(|content| caught_here(|| parse_here(&content)).unwrap_or(Err(Cause::Panic)));
    parsed.map_err(|cause| Failure { place: path.display().to_string(), cause })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The keys of an issuer in a file.
pub struct FileKeySet {
    holdings: Arc<Holdings>,
    /// Followed for as long as this is there.
    _file: Arc<KeyFile>,
    interval: Duration,
}

impl FileKeySet {
    pub(super) fn open(issuer: &str, path: &Path, files: &KeyFiles, metrics: Arc<Metrics>) -> Self {
        let holdings = Arc::new(Holdings::new(issuer, Some(metrics)));
        let file = files.open(path);
        file.holds_those_of(&holdings);
        Self { holdings, _file: file, interval: files.rhythm.interval() }
    }
}

impl KeySet for FileKeySet {
    fn current(&self) -> (Mark, Arc<Jwks>) {
        self.holdings.current()
    }

    /// Nobody waits: the file is looked at again very soon, whoever asks.
    fn refresh<'a>(&'a self, seen: &'a Mark) -> BoxFuture<'a, Result<Refreshed, KeysUnavailable>> {
        let failed = self.holdings.progress.borrow().failure.is_some();
        let refreshed = Refreshed { retry_at: SystemTime::now() + self.interval };
        Box::pin(ready(if failed && seen.holds() {
            Err(KeysUnavailable::Unreachable)
        } else {
            Ok(refreshed)
        }))
    }
}

impl IssuerKeys for FileKeySet {
    fn tried(&self) -> BoxFuture<'_, ()> {
        self.holdings.tried()
    }

    fn had(&self) -> BoxFuture<'_, ()> {
        self.holdings.had()
    }

    fn health(&self) -> Health {
        self.holdings.health()
    }
}

#[cfg(test)]
mod tests;
