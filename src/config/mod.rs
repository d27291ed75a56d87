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
use crate::resources::CallerSettings;
use crate::{authn, issuer, server};

use self::file::{AuthenticationFile, File};
use self::files::{Files, Named};
use self::finding::{Findings, unreadable};

pub use finding::{Finding, Problems, Warning};

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
    /// `serviceAccountIssuer`, if there is one.
    pub service_account_issuer: Option<issuer::Settings>,
    /// `callers`, in the order written.
    pub callers: Vec<CallerSettings>,
    /// BLAKE3 over the file, `authenticationConfigurationFile` and every `certificateAuthorityFile`,
    /// in hexadecimal: what makes one configuration differ from another. Certificates, keys, manifests and the token file live apart.
    pub hash: String,
}

/// What a file describes, once it has been checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Checked {
    /// All of it.
    Configuration(Box<Config>),
    /// The issuers of an `AuthenticationConfiguration`.
    Issuers(Vec<JwtSettings>),
}

/// Reads and checks the configuration in `file`, and the files that it names.
///
/// # Errors
/// Every mistake that it has.
pub fn load(file: &Path) -> Result<(Config, Vec<Warning>), Problems> {
    parse(&read(file)?, file)
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

fn read(file: &Path) -> Result<Vec<u8>, Problems> {
    std::fs::read(file).map_err(|error| {
        let text = format!("cannot be read: {}", unreadable(&error));
        Problems::from(Finding::new(file, None, text))
    })
}

/// As [`load`], with the bytes of `file` at hand: it gives the folder that relative paths start
/// from, and its name to the problems.
///
/// # Errors
/// Every mistake that they have.
pub fn parse(bytes: &[u8], file: &Path) -> Result<(Config, Vec<Warning>), Problems> {
    let document = Document::parse(bytes)
        .map_err(|error| Finding::new(file, error.line, error.to_string()))?;
    let (report, mut findings) = (Report::default(), Findings::default());
    let mut files = Files::beside(file, bytes);
    let Some(written) = File::read(&document, &report) else {
        findings.add(file, report);
        return findings.judge(None);
    };
    // The API server's own file is a document of its own, with lines and mistakes of its own.
    let named = match written.authentication_configuration_file.is_absent() {
        true => None,
        false => files.read(&written.authentication_configuration_file, &report),
    };
    let Some(Named { path, bytes }) = named else {
        let config = check::config(written, None, &mut files, &report);
        findings.add(file, report);
        return findings.judge(config);
    };
    files.cover(&bytes);
    let theirs = Report::default();
    let upstream = match Document::parse(&bytes) {
        Ok(document) => AuthenticationFile::read(&document, &theirs),
        Err(error) => {
            findings.not_a_document(&path, &error);
            None
        }
    };
    let upstream = upstream.map(|written| (written, &theirs));
    let config = check::config(written, upstream, &mut files, &report);
    findings.add(file, report);
    findings.add(&path, theirs);
    findings.judge(config)
}

#[cfg(test)]
mod tests;
