//! A directory whose files are read again when their content changes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::{FileError, Rhythm, Seen, content};

/// The most files that are read.
pub const MAX_FILES: usize = 10_000;

/// A watched directory: the files in it, and not those in directories within.
///
/// Symbolic links are followed, as those of a ConfigMap; one that leads nowhere is a file that is
/// not there.
#[derive(Debug)]
pub struct DirectoryWatch {
    path: PathBuf,
    wanted: fn(&OsStr) -> bool,
    seen: Arc<BTreeMap<OsString, Seen>>,
    failure: Option<io::ErrorKind>,
}

/// What is new about one file.
#[derive(Debug)]
pub struct Change {
    /// Its path: that of the directory, and its name.
    pub file: PathBuf,
    /// What is in it now, or why that cannot be read; absent if it is gone.
    pub content: Option<Result<Bytes, FileError>>,
}

/// Why a directory cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the directory cannot be read: {0}")]
pub struct DirectoryError(io::Error);

/// What one look at the directory found.
struct Look {
    seen: BTreeMap<OsString, Seen>,
    changes: Vec<Change>,
}

impl DirectoryWatch {
    /// Reads every file whose name is `wanted` for the first time, blocking, and watches them from
    /// then on. The files come in the order of their names.
    pub fn open(
        path: impl Into<PathBuf>,
        wanted: fn(&OsStr) -> bool,
    ) -> (Self, Result<Vec<Change>, DirectoryError>) {
        let mut watch = Self { path: path.into(), wanted, seen: Arc::default(), failure: None };
        let look = look(&watch.path, wanted, &watch.seen);
        let changes = watch.note(look);
        (watch, changes)
    }

    /// Waits until files differ from what was reported last, and reports those, in the order of their
    /// names; or until the directory cannot be read, or can again. Looks in this `rhythm`.
    /// Nothing is lost by dropping the future.
    pub async fn changed(&mut self, rhythm: &Rhythm) -> Result<Vec<Change>, DirectoryError> {
        loop {
            rhythm.beat().await;
            let (path, wanted, seen) = (self.path.clone(), self.wanted, self.seen.clone());
            let looking = tokio::task::spawn_blocking(move || look(&path, wanted, &seen));
            // Looking does not panic; it may only be cancelled, by the end of the runtime.
            let Ok(look) = looking.await else { return std::future::pending().await };
            let failure = look.as_ref().err().map(io::Error::kind);
            let as_before = self.failure == failure;
            if !as_before || look.as_ref().is_ok_and(|look| !look.changes.is_empty()) {
                return self.note(look);
            }
        }
    }

    fn note(&mut self, look: io::Result<Look>) -> Result<Vec<Change>, DirectoryError> {
        self.failure = look.as_ref().err().map(io::Error::kind);
        let Look { seen, changes } = look.map_err(DirectoryError)?;
        self.seen = Arc::new(seen);
        Ok(changes)
    }
}

/// Reads everything, and keeps the content of what differs from `before`.
fn look(
    path: &Path,
    wanted: fn(&OsStr) -> bool,
    before: &BTreeMap<OsString, Seen>,
) -> io::Result<Look> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let name = entry?.file_name();
        if wanted(&name) {
            names.push(name);
        }
        if names.len() > MAX_FILES {
            let text = format!("it holds more than {MAX_FILES} files");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
    }
    let mut seen = BTreeMap::new();
    let mut changes = BTreeMap::new();
    for name in names {
        let file = path.join(&name);
        let content = match content(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            content => content.map(Bytes::from).map_err(FileError),
        };
        let now = Seen::of(&content);
        if before.get(&name) != Some(&now) {
            changes.insert(name.clone(), Change { file, content: Some(content) });
        }
        seen.insert(name, now);
    }
    for name in before.keys().filter(|name| !seen.contains_key(*name)) {
        changes.insert(name.clone(), Change { file: path.join(name), content: None });
    }
    Ok(Look { seen, changes: changes.into_values().collect() })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tokio::time::timeout;

    use super::super::tests::{Directory, WHILE, often};
    use super::*;

    fn is_yaml(name: &OsStr) -> bool {
        name.to_str().is_some_and(|name| name.ends_with(".yaml") && !name.starts_with('.'))
    }

    /// `name=content`, `name!` if it cannot be read, `name-` if it is gone.
    fn told(changes: Result<Vec<Change>, DirectoryError>) -> Vec<String> {
        let tell = |Change { file, content }| {
            let name = file.file_name().and_then(OsStr::to_str).unwrap();
            match content {
                None => format!("{name}-"),
                Some(Err(_)) => format!("{name}!"),
                Some(Ok(content)) => format!("{name}={}", String::from_utf8_lossy(&content)),
            }
        };
        changes.unwrap().into_iter().map(tell).collect()
    }

    #[tokio::test]
    async fn each_file_is_reported_when_it_changes_and_no_other() {
        let directory = Directory::new("directory");
        let path = |name: &str| directory.0.join(name);
        for name in ["b.yaml", "a.yaml", ".hidden.yaml", "notes.txt"] {
            fs::write(path(name), "1").unwrap();
        }
        let (mut watch, first) = DirectoryWatch::open(&directory.0, is_yaml);
        assert_eq!(told(first), ["a.yaml=1", "b.yaml=1"]);
        fs::write(path("notes.txt"), "2").unwrap();
        fs::write(path("a.yaml"), "1").unwrap();
        let same = timeout(WHILE, watch.changed(&often())).await;
        assert!(same.is_err(), "{same:?}");

        fs::remove_file(path("a.yaml")).unwrap();
        assert_eq!(told(watch.changed(&often()).await), ["a.yaml-"]);
        fs::create_dir(path("c.yaml")).unwrap();
        assert_eq!(told(watch.changed(&often()).await), ["c.yaml!"]);
        fs::rename(path("b.yaml"), path("d.yaml")).unwrap();
        assert_eq!(told(watch.changed(&often()).await), ["b.yaml-", "d.yaml=1"]);
    }

    #[tokio::test]
    async fn a_config_map_is_followed() {
        let directory = Directory::new("directory-link");
        let path = |name: &str| directory.0.join(name);
        for (version, files) in [("..1", &["a.yaml", "b.yaml"][..]), ("..2", &["b.yaml"])] {
            fs::create_dir(path(version)).unwrap();
            for file in files {
                fs::write(path(version).join(file), version).unwrap();
            }
        }
        symlink("..1", path("..data")).unwrap();
        for name in ["a.yaml", "b.yaml"] {
            symlink(format!("..data/{name}"), path(name)).unwrap();
        }
        let (mut watch, first) = DirectoryWatch::open(&directory.0, is_yaml);
        assert_eq!(told(first), ["a.yaml=..1", "b.yaml=..1"]);
        symlink("..2", path("..next")).unwrap();
        fs::rename(path("..next"), path("..data")).unwrap();
        // The link is there still, as for a moment it is in a ConfigMap; what it means is gone.
        assert_eq!(told(watch.changed(&often()).await), ["a.yaml-", "b.yaml=..2"]);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_reported_once_and_when_it_can_again() {
        let directory = Directory::new("directory-broken");
        let path = directory.0.join("objects");
        let (mut watch, first) = DirectoryWatch::open(&path, is_yaml);
        assert!(first.unwrap_err().to_string().contains("No such file"));
        let same = timeout(WHILE, watch.changed(&often())).await;
        assert!(same.is_err(), "{same:?}");
        fs::create_dir(&path).unwrap();
        assert_eq!(told(watch.changed(&often()).await), [""; 0]);
        fs::write(path.join("a.yaml"), "1").unwrap();
        assert_eq!(told(watch.changed(&often()).await), ["a.yaml=1"]);
        fs::rename(&path, directory.0.join("elsewhere")).unwrap();
        watch.changed(&often()).await.unwrap_err();
        fs::rename(directory.0.join("elsewhere"), &path).unwrap();
        assert_eq!(told(watch.changed(&often()).await), [""; 0], "nothing has changed meanwhile");
    }

    #[test]
    fn the_number_of_files_is_bounded() {
        let directory = Directory::new("directory-large");
        for number in 0..=MAX_FILES {
            fs::File::create(directory.0.join(format!("{number}.yaml"))).unwrap();
        }
        let error = DirectoryWatch::open(&directory.0, is_yaml).1.unwrap_err();
        assert!(error.to_string().contains("more than 10000 files"), "{error}");
    }
}
