//! Files that are read again when their content changes: one, several, or all of a directory.
//!
//! A [`FileWatch`] looks at the content, every time, and at nothing else: neither a clock nor an
//! inode says reliably whether a file has changed, and a ConfigMap changes by swapping a symbolic
//! link. A file that cannot be read is reported once, and again when it fails in another way.

mod directory;
mod rhythm;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::task::spawn_blocking;

pub use directory::{Change, DirectoryError, DirectoryWatch, MAX_FILES};
pub use rhythm::{Hurry, Rhythm};

/// The largest file that is read.
pub const MAX_FILE_BYTES: u64 = 16 << 20;

/// A watched file. Equal to another one of the same path that reported the same last.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct FileWatch {
    path: PathBuf,
    seen: Seen,
}

/// What was reported last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Seen {
    Content(blake3::Hash),
    Failure(io::ErrorKind),
}

impl FileWatch {
    /// Reads the file at `path` for the first time, blocking, and watches it from then on.
    pub fn open(path: impl Into<PathBuf>) -> (Self, Result<Bytes, FileError>) {
        let path = path.into();
        let content = read(&path);
        (Self { path, seen: Seen::of(&content) }, content)
    }

    /// Whether the content is what was reported last, blocking.
    pub fn is_current(&self) -> bool {
        Seen::of(&read(&self.path)) == self.seen
    }

    /// Looks once more, blocking, and reports the content if it differs from what was reported last,
    /// or cannot be read.
    pub fn look(&mut self) -> Option<Result<Bytes, FileError>> {
        let content = read(&self.path);
        let seen = Seen::of(&content);
        let differs = seen != self.seen;
        self.seen = seen;
        differs.then_some(content)
    }
}

/// Waits until the content of one of several files differs from what was reported last, or cannot be
/// read. Looks in this `rhythm`. All are looked at before any is reported: whoever reads them now
/// reads what was seen, and not the later content of one whose way back would then be no change. Says
/// whether it was wished to look just then. Nothing is lost by dropping the future.
pub async fn any_changed(watches: &mut [FileWatch], rhythm: &Rhythm) -> bool {
    loop {
        let wished = rhythm.beat().await;
        let paths: Vec<_> = watches.iter().map(|watch| watch.path.clone()).collect();
        let looking = move || paths.iter().map(|path| Seen::of(&read(path))).collect();
        let looks: Vec<_> = match spawn_blocking(looking).await {
            Ok(looks) => looks,
            // Reading does not panic; it may only be cancelled, by the end of the runtime.
            Err(_) => std::future::pending().await,
        };
        let mut changed = false;
        for (watch, seen) in watches.iter_mut().zip(looks) {
            changed |= watch.seen != seen;
            watch.seen = seen;
        }
        if changed {
            return wished;
        }
    }
}

impl Seen {
    fn of(content: &Result<Bytes, FileError>) -> Self {
        match content {
            Ok(content) => Self::Content(blake3::hash(content)),
            Err(FileError(error)) => Self::Failure(error.kind()),
        }
    }
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the file cannot be read: {0}")]
pub struct FileError(io::Error);

impl From<FileError> for io::Error {
    fn from(FileError(error): FileError) -> Self {
        error
    }
}

fn read(path: &Path) -> Result<Bytes, FileError> {
    content(path).map(Bytes::from).map_err(FileError)
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: to open a pipe without a writer blocks for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut content = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 16 MiB"));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// A few looks.
    pub(super) const WHILE: Duration = Duration::from_millis(20);

    pub(super) fn often() -> Rhythm {
        Rhythm::every(Duration::from_millis(1))
    }

    /// An empty directory that is gone after the test.
    pub(super) struct Directory(pub(super) PathBuf);

    impl Directory {
        pub(super) fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("countersign-{name}-{}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Looks at `watch` until it has changed.
    async fn changed(watch: &mut FileWatch) -> Result<Bytes, FileError> {
        loop {
            often().beat().await;
            if let Some(content) = watch.look() {
                return content;
            }
        }
    }

    #[tokio::test]
    async fn a_file_is_reported_when_its_content_changes_and_only_then() {
        let directory = Directory::new("filewatch");
        let path = directory.0.join("keys");
        std::fs::write(&path, "old").unwrap();
        let (mut watch, first) = FileWatch::open(&path);
        assert_eq!(first.unwrap(), "old");

        // Another inode and time, the same content: no change. The next one is.
        let replace = |content| {
            std::fs::write(directory.0.join("next"), content).unwrap();
            std::fs::rename(directory.0.join("next"), &path).unwrap();
        };
        replace("old");
        let same = timeout(WHILE, changed(&mut watch)).await;
        assert!(same.is_err(), "{same:?}");
        replace("new");
        assert_eq!(changed(&mut watch).await.unwrap(), "new");
    }

    #[tokio::test]
    async fn a_swapped_link_is_followed_as_in_a_config_map() {
        let directory = Directory::new("filewatch-link");
        for version in ["1", "2"] {
            std::fs::create_dir(directory.0.join(version)).unwrap();
            std::fs::write(directory.0.join(version).join("keys"), version).unwrap();
        }
        symlink("1", directory.0.join("..data")).unwrap();
        symlink("..data/keys", directory.0.join("keys")).unwrap();
        let (mut watch, first) = FileWatch::open(directory.0.join("keys"));
        assert_eq!(first.unwrap(), "1");
        symlink("2", directory.0.join("..next")).unwrap();
        std::fs::rename(directory.0.join("..next"), directory.0.join("..data")).unwrap();
        assert_eq!(changed(&mut watch).await.unwrap(), "2");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_reported_and_then_what_can() {
        let directory = Directory::new("filewatch-broken");
        let path = directory.0.join("keys");
        let (mut watch, first) = FileWatch::open(&path);
        assert!(first.unwrap_err().to_string().contains("No such file"));
        std::fs::create_dir(&path).unwrap();
        let error = changed(&mut watch).await.unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
        std::fs::remove_dir(&path).unwrap();
        File::create(&path).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
        let error = changed(&mut watch).await.unwrap_err();
        assert!(error.to_string().contains("larger than 16 MiB"), "{error}");
        File::create(&path).unwrap().set_len(MAX_FILE_BYTES).unwrap();
        assert_eq!(changed(&mut watch).await.unwrap().len() as u64, MAX_FILE_BYTES);
    }

    #[tokio::test]
    async fn one_of_several_is_enough_and_none_is_forgotten() {
        let directory = Directory::new("filewatch-several");
        let paths = ["a", "b"].map(|name| directory.0.join(name));
        let mut watches = paths.each_ref().map(|path| {
            std::fs::write(path, "1").unwrap();
            FileWatch::open(path).0
        });
        for path in paths.iter().rev() {
            std::fs::write(path, "2").unwrap();
            any_changed(&mut watches, &often()).await;
        }
        let same = timeout(WHILE, any_changed(&mut watches, &often())).await;
        assert!(same.is_err(), "both have been reported");
    }

    /// Once it has been read with another that had changed, it may be in force.
    #[tokio::test]
    async fn the_way_back_is_a_change_too() {
        let directory = Directory::new("filewatch-back");
        let paths = ["a", "b"].map(|name| directory.0.join(name));
        let write = |content| paths.each_ref().map(|path| std::fs::write(path, content).unwrap());
        write("1");
        let mut watches = paths.each_ref().map(|path| FileWatch::open(path).0);
        write("2");
        any_changed(&mut watches, &often()).await;
        std::fs::write(&paths[1], "1").unwrap();
        timeout(Duration::from_secs(5), any_changed(&mut watches, &often())).await.unwrap();
    }

    #[test]
    fn what_is_no_regular_file_is_not_even_opened() {
        let (_, content) = FileWatch::open("/dev/null");
        assert!(content.unwrap_err().to_string().contains("not a regular file"));
    }
}
