//! The configuration: files in, every floor's own settings out. Nothing below knows it.
//!
//! A file is read as it is written (`file`) and then checked into a [`Config`] (`check`).
//! Both go on after a mistake, so that [`Problems`] lists them all.

mod check;
mod file;
mod files;
mod units;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::document::{Document, Remark, Report};
use crate::resources::CallerSettings;
use crate::{authn, issuer, server};

use self::file::File;
use self::files::Files;

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
    /// `apiAudiences`, `jwt`, `tokenFile`.
    pub authn: authn::Settings,
    /// `cache`.
    pub cache: authn::CacheSettings,
    /// `serviceAccountIssuer`, if there is one.
    pub service_account_issuer: Option<issuer::Settings>,
    /// `callers`, in the order written.
    pub callers: Vec<CallerSettings>,
    /// BLAKE3 over the file and every `certificateAuthorityFile`, in hexadecimal: what makes one
    /// configuration differ from another. Certificates, keys, manifests and the token file live apart.
    pub hash: String,
}

/// Something in a valid configuration that perhaps is not as meant: `path: text`.
pub type Warning = Remark;

/// Every mistake of one configuration file, one a line: `FILE:LINE: path: text`.
#[derive(Debug)]
pub struct Problems {
    file: PathBuf,
    list: Vec<Problem>,
}

#[derive(Debug)]
struct Problem {
    line: Option<usize>,
    text: String,
}

/// Reads and checks the configuration in `file`, and the files that it names.
///
/// # Errors
/// Every mistake that it has.
pub fn load(file: &Path) -> Result<(Config, Vec<Warning>), Problems> {
    match std::fs::read(file) {
        Ok(bytes) => parse(&bytes, file),
        Err(error) => Err(Problems::one(file, None, format!("cannot be read: {error}"))),
    }
}

/// As [`load`], with the bytes of `file` at hand: it gives the folder that relative paths start
/// from, and its name to the problems.
///
/// # Errors
/// Every mistake that they have.
pub fn parse(bytes: &[u8], file: &Path) -> Result<(Config, Vec<Warning>), Problems> {
    let document = Document::parse(bytes)
        .map_err(|error| Problems::one(file, error.line, error.to_string()))?;
    let report = Report::default();
    let mut files = Files::beside(file, bytes);
    let config = File::read(&document, &report)
        .and_then(|written| check::config(written, &mut files, &report));
    let (problems, warnings) = report.finish();
    match config {
        Some(config) if problems.is_empty() => Ok((config, warnings)),
        _ => Err(Problems {
            file: file.to_owned(),
            list: problems
                .into_iter()
                .map(|remark| Problem { line: Some(remark.place.line()), text: remark.to_string() })
                .collect(),
        }),
    }
}

impl Problems {
    /// How many; at least one.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    fn one(file: &Path, line: Option<usize>, text: String) -> Self {
        Self { file: file.to_owned(), list: vec![Problem { line, text }] }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{}:", self.file.display())?;
            if let Some(line) = problem.line {
                write!(f, "{line}:")?;
            }
            write!(f, " {}", problem.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests;
