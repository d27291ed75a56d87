//! `countersign check`: what a configuration is worth, before it is served.
//!
//! It reads what `serve` would read and opens what that would open, and contacts nobody. Of what is
//! right it says what will happen ([`outlook`]).

mod outlook;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::{self, Checked, Problems, Warning, counted};

use super::BAD_CONFIGURATION;

/// Validates configurations
///
/// Takes a Configuration or the API server's own AuthenticationConfiguration. Prints every mistake
/// with its line and field and exits with 78 if there is one, or else who will be trusted and what
/// their users will be called.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Checks every file, and says so on standard output.
pub fn run(args: &Args) -> ExitCode {
    match check(&args.files, &mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BAD_CONFIGURATION),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Whether all files are right; fails only if `out` does.
fn check(files: &[PathBuf], out: &mut impl Write) -> io::Result<bool> {
    let mut right = true;
    for file in files {
        match config::check(file) {
            Ok((checked, warnings)) => praise(file, &checked, &warnings, out)?,
            Err(problems) => {
                right = false;
                blame(file, &problems, out)?;
            }
        }
    }
    Ok(right)
}

fn praise(
    file: &Path,
    checked: &Checked,
    warnings: &[Warning],
    out: &mut impl Write,
) -> io::Result<()> {
    for warning in warnings {
        writeln!(out, "{}: warning: {warning}", warning.place())?;
    }
    write!(out, "{}: ok: ", file.display())?;
    match checked {
        Checked::Issuers(issuers) => {
            writeln!(out, "{}", counted(issuers.len(), "issuer"))?;
            outlook::issuers(issuers, out)
        }
        Checked::Configuration(config) => {
            let issuers = counted(config.authn.jwt.len(), "issuer");
            let own = config.service_account_issuer.as_ref();
            let own = own.map(|own| format!(", the service account issuer {}", own.url));
            let own = own.unwrap_or_default();
            let tokens = if config.authn.token_file.is_some() { " and a token file" } else { "" };
            let audiences = counted(config.authn.api_audiences.len(), "API audience");
            let address = config.server.address;
            writeln!(out, "{issuers}{own}{tokens} for {audiences}, on {address}")?;
            outlook::configuration(config, out)
        }
    }
}

fn blame(file: &Path, problems: &Problems, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{problems}")?;
    writeln!(out, "{}: {}", file.display(), counted(problems.len(), "mistake"))
}

#[cfg(test)]
mod tests;
