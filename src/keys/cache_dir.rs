//! Key sets on disk (`keys.cacheDir`): what a process that starts during an outage begins with.
//!
//! A [`CacheFile`] belongs to one source on the network. It holds the public members of the usable
//! keys, nothing else of what was fetched, and is replaced whole: of several processes that share the
//! folder the last one wins, and nobody reads half of a file.
//!
//! What is read from it verifies tokens, so it is believed only if nobody else can have written it,
//! and it says that it is of this issuer, from this address, and not of the future.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::debug;

use crate::fetch::CertificateAuthority;
use crate::token::{self, Jwks, PublicJwk};

use super::failure::Cause;
use super::holdings::{Parsed, parse_here};
use super::settings::Settings;
use super::source::{Location, Source};

/// The largest file that is written or read.
const MAX_FILE_BYTES: usize = 1 << 20;
/// How much earlier than another clock of the same folder ours may be.
const MAX_SKEW: Duration = Duration::from_mins(5);
/// How long a file lives that no source of ours has. A process that uses it writes it at least
/// hourly, so this is time enough for one that shares the folder and knows other issuers.
const FORGOTTEN: Duration = Duration::from_hours(24);
/// What all names end with.
const SUFFIX: &str = ".jwks.json";
/// How many hexadecimal digits of a hash they begin with.
const DIGITS: usize = 32;

/// The file of one source.
#[derive(Clone, Debug)]
pub(super) struct CacheFile {
    issuer: String,
    address: String,
    name: String,
}

/// What is written. Beside its first members it is a key set.
#[derive(Serialize)]
struct Content<'a> {
    issuer: &'a str,
    address: &'a str,
    #[serde(rename = "fetchedAt")]
    fetched_at: String,
    keys: Vec<PublicJwk<'a>>,
}

/// What it says of itself.
#[derive(Deserialize)]
struct Label {
    issuer: String,
    address: String,
    #[serde(rename = "fetchedAt")]
    fetched_at: String,
}

/// A file of the folder that could not be read, believed or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub(super) struct CacheFileError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is not a regular file")]
    NotAFile,
    #[error(
        "somebody else can have written it: its owner is neither this user nor root, or everybody may write"
    )]
    Strange,
    #[error("it is larger than 1 MiB")]
    TooLarge,
    #[error("it is not as countersign wrote it")]
    Torn,
    #[error("it is of another issuer or address")]
    OtherSource,
    #[error("it was fetched in the future, at {0}: is the clock right?")]
    Future(String),
    #[error("{0}")]
    Keys(Cause),
}

impl CacheFile {
    /// That of `source`; there is none for keys that are in a file anyhow.
    pub(super) fn of(source: &Source) -> Option<Self> {
        let address = match &source.location {
            Location::File { .. } => return None,
            Location::Discovery { url } | Location::Jwks { url } => url.clone(),
        };
        // Keys that came with the trust in one authority are nothing to the trust in another.
        let authority = source.certificate_authority.as_ref().map_or("", CertificateAuthority::pem);
        let mut hasher = blake3::Hasher::new();
        for part in [&*source.issuer, &*address, authority] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut name: String = hasher.finalize().to_hex().chars().take(DIGITS).collect();
        name.push_str(SUFFIX);
        Some(Self { issuer: source.issuer.clone(), address, name })
    }

    /// Its keys and when they were fetched; absent if there is no such file. Blocking.
    pub(super) fn read(
        &self,
        folder: &Path,
        now: SystemTime,
    ) -> Result<Option<(Parsed, SystemTime)>, CacheFileError> {
        let path = folder.join(&self.name);
        match content(&path).and_then(|content| self.believe(&content, now)) {
            Ok(read) => Ok(Some(read)),
            Err(Problem::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(problem) => Err(CacheFileError { path, problem }),
        }
    }

    fn believe(&self, content: &[u8], now: SystemTime) -> Result<(Parsed, SystemTime), Problem> {
        let label: Label = serde_json::from_slice(content).map_err(|_| Problem::Torn)?;
        if label.issuer != self.issuer || label.address != self.address {
            return Err(Problem::OtherSource);
        }
        let fetched = OffsetDateTime::parse(&label.fetched_at, &Rfc3339);
        let fetched = SystemTime::from(fetched.map_err(|_| Problem::Torn)?);
        if fetched.duration_since(now).is_ok_and(|ahead| ahead > MAX_SKEW) {
            return Err(Problem::Future(label.fetched_at));
        }
        let parsed = parse_here(content).map_err(Problem::Keys)?;
        Ok((parsed, fetched.min(now)))
    }

    /// Writes `keys`. Makes the folder if only that is missing. Blocking.
    pub(super) fn write(
        &self,
        folder: &Path,
        keys: &Jwks,
        fetched: SystemTime,
    ) -> Result<(), CacheFileError> {
        let fetched_at = OffsetDateTime::from(fetched).replace_nanosecond(0);
        let content = Content {
            issuer: &self.issuer,
            address: &self.address,
            // Fails for the year 10000.
            fetched_at: fetched_at.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default(),
            keys: keys.public(),
        };
        let path = folder.join(&self.name);
        let replaced = serde_json::to_vec(&content).map_err(io::Error::from).map_err(Problem::Io);
        let replaced = replaced.and_then(|content| replace(folder, &self.name, &content));
        replaced.map_err(|problem| CacheFileError { path, problem })
    }
}

/// Removes from `keys.cacheDir` what departed issuers and processes have left, in the background:
/// files such as these that nobody has written for a day, but for those of `sources`.
pub fn forget_departed<'a>(settings: &Settings, sources: impl IntoIterator<Item = &'a Source>) {
    let Some(folder) = settings.cache_dir.clone() else { return };
    let files = sources.into_iter().filter_map(CacheFile::of);
    let kept: HashSet<_> = files.map(|file| file.name).collect();
    tokio::task::spawn_blocking(move || {
        if let Err(error) = sweep(&folder, &kept, SystemTime::now()) {
            // A folder that is not there yet is one of the reasons.
            debug!(%error, "keys.cacheDir could not be swept");
        }
    });
}

fn sweep(folder: &Path, kept: &HashSet<String>, now: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let departed = name.to_str().is_some_and(|name| is_ours(name) && !kept.contains(name));
        let written = entry.metadata()?.modified()?;
        if departed && now.duration_since(written).is_ok_and(|age| age > FORGOTTEN) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a file of that name was written here: a cache file, or the draft of one.
fn is_ours(name: &str) -> bool {
    let (draft, name) = name.strip_prefix('.').map_or((false, name), |name| (true, name));
    let Some((digits, rest)) = name.split_once('.') else { return false };
    digits.len() == DIGITS
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        && (draft || rest == "jwks.json")
        && rest.starts_with("jwks.json")
}

fn content(path: &Path) -> Result<Vec<u8>, Problem> {
    // Before it is opened: to open a pipe without a writer blocks for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(Problem::NotAFile);
    }
    let file = File::open(path)?;
    let found = file.metadata()?;
    let strange = ![geteuid().as_raw(), 0].contains(&found.uid());
    if strange || found.mode() & 0o002 != 0 {
        return Err(Problem::Strange);
    }
    let mut content = Vec::new();
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut content)?;
    if content.len() > MAX_FILE_BYTES { Err(Problem::TooLarge) } else { Ok(content) }
}

/// Replaces a file whole, by a draft that is on the disk before it gets the name.
fn replace(folder: &Path, name: &str, content: &[u8]) -> Result<(), Problem> {
    if content.len() > MAX_FILE_BYTES {
        return Err(Problem::TooLarge);
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let draft = folder.join(format!(".{name}.{:016x}", u64::from_ne_bytes(token::random())));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, folder.join(name)));
    if written.is_err() {
        // There may be none; and what is left of one is swept in the end.
        let _ = fs::remove_file(&draft);
    }
    Ok(written?)
}

#[cfg(test)]
mod tests;
