//! The configuration: files in, every floor's own settings out. Nothing below knows it.
//!
//! A file is read as it is written (`file`) and then checked into a [`Config`] (`check`).
//! Both go on after a mistake, so that [`Problems`] lists them all. The API server's own
//! `AuthenticationConfiguration` has the same reader and checker of its `jwt` list, and upstream's
//! keys only.

mod check;
mod file;
mod files;
mod finding;
mod units;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::authn::JwtSettings;
use crate::document::{Document, Report};
use crate::filewatch::FileWatch;
use crate::resources::CallerSettings;
use crate::{authn, issuer, keys, server};

use self::file::{AuthenticationFile, File};
use self::files::Files;
use self::finding::{Findings, unreadable};

pub use finding::{Finding, Problems, Warning, counted};

/// A configuration that has been checked: it cannot be wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `listen` and `limits`.
    pub server: server::Settings,
    /// `listen.clientNames`: whose certificates may ask `/authenticate`; absent without
    /// `listen.clientCAFile`, when anybody who reaches the listener may.
    pub client_names: Option<Vec<String>>,
    /// `admin.address`.
    pub admin: SocketAddr,
    /// `admin.socket`, where the same is served.
    pub admin_socket: Option<PathBuf>,
    /// `apiAudiences`, `jwt` and that of `authenticationConfigurationFile`, `tokenFile`.
    pub authn: authn::Settings,
    /// `cache`.
    pub cache: authn::CacheSettings,
    /// `keys`.
    pub keys: keys::Settings,
    /// `serviceAccountIssuer`, if there is one.
    pub service_account_issuer: Option<issuer::Settings>,
    /// `callers`, in the order written.
    pub callers: Vec<CallerSettings>,
    /// `readiness.requireIssuers`.
    pub require_issuers: RequireIssuers,
    /// BLAKE3 over the file, `authenticationConfigurationFile` and every `certificateAuthorityFile`,
    /// in hexadecimal. Certificates, keys, manifests and the token file live apart.
    pub hash: String,
}

/// What is asked of the issuers before the first review is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequireIssuers {
    /// The first attempt to get each one's keys has ended, well or badly.
    Tried,
    /// And one of them, if there are any, has keys.
    Any,
    /// And all of them have keys.
    All,
}

impl RequireIssuers {
    /// Every one there is.
    pub const ALL: [Self; 3] = [Self::Tried, Self::Any, Self::All];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tried => "Tried",
            Self::Any => "Any",
            Self::All => "All",
        }
    }
}

/// A good configuration, and what tells when to read it again.
#[derive(Debug)]
pub struct Loaded {
    /// What is in it.
    pub config: Config,
    /// What is odd in it.
    pub warnings: Vec<Warning>,
    /// Where it is.
    pub file: PathBuf,
    /// The file and all that the hash covers, as they were read.
    pub watches: Vec<FileWatch>,
}

/// What a file describes, once it has been checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Checked {
    /// All of it.
    Configuration(Box<Config>),
    /// The issuers of an `AuthenticationConfiguration`.
    Issuers(Vec<JwtSettings>),
}

/// How often files are read again that have changed while they were read.
const MAX_READINGS: usize = 3;

/// Reads and checks the configuration in `file`, and the files that it names, blocking.
///
/// # Errors
/// Every mistake that it has.
pub fn load(file: &Path) -> Result<Loaded, Problems> {
    let mut readings = 1;
    loop {
        let (watch, content) = FileWatch::open(file);
        let bytes = content.map_err(|error| cannot_be_read(file, &error.into()))?;
        let ((config, mut watches), warnings) = parse_watched(&bytes, file)?;
        watches.push(watch);
        // A ConfigMap is swapped whole: what was read before and after that does not belong together.
        if readings == MAX_READINGS || watches.iter().all(FileWatch::is_current) {
            return Ok(Loaded { config, warnings, file: file.to_owned(), watches });
        }
        readings += 1;
    }
}

/// As [`load`], of either kind.
///
/// # Errors
/// Every mistake that it has.
pub fn check(file: &Path) -> Result<(Checked, Vec<Warning>), Problems> {
    let bytes = read(file)?;
    match Document::parse(&bytes) {
        Ok(document) if AuthenticationFile::is(&document) => {
            let (mut findings, report) = (Findings::default(), Report::default());
            // It names none, but its checker is that of a kind which does.
            let mut files = Files::beside(file, &bytes);
            let issuers = AuthenticationFile::read(&document, &report)
                .and_then(|written| check::authentication(written, &mut files, &report));
            findings.add(file, report);
            let (issuers, warnings) = findings.judge(issuers)?;
            Ok((Checked::Issuers(issuers), warnings))
        }
        _ => {
            let (config, warnings) = parse(&bytes, file)?;
            Ok((Checked::Configuration(Box::new(config)), warnings))
        }
    }
}

/// Once, and so from a pipe, too.
fn read(file: &Path) -> Result<Vec<u8>, Problems> {
    std::fs::read(file).map_err(|error| cannot_be_read(file, &error))
}

fn cannot_be_read(file: &Path, error: &std::io::Error) -> Problems {
    Finding::new(file, None, format!("cannot be read: {}", unreadable(error))).into()
}

/// Checks the configuration in `bytes`, which are those of `file`: it gives the folder that relative
/// paths start from, and its name to the problems.
///
/// # Errors
/// Every mistake that they have.
pub fn parse(bytes: &[u8], file: &Path) -> Result<(Config, Vec<Warning>), Problems> {
    parse_watched(bytes, file).map(|((config, _), warnings)| (config, warnings))
}

/// A configuration, and the files that it is made of.
type Watched = (Config, Vec<FileWatch>);

fn parse_watched(bytes: &[u8], file: &Path) -> Result<(Watched, Vec<Warning>), Problems> {
    let document = Document::parse(bytes)
        .map_err(|error| Finding::new(file, error.line, error.to_string()))?;
    let (report, mut findings) = (Report::default(), Findings::default());
    let mut files = Files::beside(file, bytes);
    let Some(written) = File::read(&document, &report) else {
        findings.add(file, report);
        return findings.judge(None);
    };
    // The API server's own file is a document of its own, with lines and mistakes of its own.
    let (theirs, entry) = (Report::default(), &written.authentication_configuration_file);
    let named = if entry.is_absent() { None } else { files.read(entry, &report) };
    let path = named.as_ref().map(|named| named.path.clone());
    let upstream = named.and_then(|named| match Document::parse(&files.cover(named)) {
        Ok(document) => AuthenticationFile::read(&document, &theirs),
        Err(error) => {
            path.iter().for_each(|path| findings.not_a_document(path, &error));
            None
        }
    });
    let upstream = upstream.map(|written| (written, &theirs));
    let config = check::config(written, upstream, &mut files, &report);
    findings.add(file, report);
    if let Some(path) = path {
        findings.add(&path, theirs);
    }
    findings.judge(config.map(|config| (config, files.into_watches())))
}

#[cfg(test)]
mod tests;
