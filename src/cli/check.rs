//! `countersign check`: what a configuration is worth, before it is served.
//!
//! It reads what `serve` would read and opens what that would open, and contacts nobody.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::{self, Config, Problems, Warning};

use super::BAD_CONFIGURATION;

/// Validates configurations
///
/// Prints every mistake with its line and field, and exits with 78 if there is one.
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
        match config::load(file) {
            Ok((config, warnings)) => praise(file, &config, &warnings, out)?,
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
    config: &Config,
    warnings: &[Warning],
    out: &mut impl Write,
) -> io::Result<()> {
    let file = file.display();
    for warning in warnings {
        writeln!(out, "{file}:{}: warning: {warning}", warning.place.line())?;
    }
    let issuers = counted(config.authn.jwt.len(), "issuer");
    let own = config.service_account_issuer.as_ref();
    let own =
        own.map(|own| format!(", the service account issuer {}", own.url)).unwrap_or_default();
    let tokens = if config.authn.token_file.is_some() { " and a token file" } else { "" };
    let audiences = counted(config.authn.api_audiences.len(), "API audience");
    let address = config.server.address;
    writeln!(out, "{file}: ok: {issuers}{own}{tokens} for {audiences}, on {address}")
}

fn blame(file: &Path, problems: &Problems, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{problems}")?;
    writeln!(out, "{}: {}", file.display(), counted(problems.len(), "mistake"))
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(files: &[&Path]) -> (bool, String) {
        let files = files.iter().map(|file| file.to_path_buf()).collect::<Vec<_>>();
        let mut out = Vec::new();
        let right = check(&files, &mut out).unwrap();
        (right, String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_file_is_checked_and_every_mistake_named() {
        let folder = tempfile();
        let bad = folder.join("bad.yaml");
        std::fs::write(&bad, "apiVersion: v2\nkind: Configuration\n").unwrap();
        let gone = folder.join("gone.yaml");
        let (right, said) = said(&[&gone, &bad]);
        assert!(!right);
        let (gone, bad) = (gone.display(), bad.display());
        assert_eq!(
            said,
            format!(
                "{gone}: cannot be read: No such file or directory (os error 2)\n\
                 {gone}: 1 mistake\n\
                 {bad}:1: apiVersion: Unsupported value: \"v2\": supported values: \
                 \"countersign.dev/v1alpha1\"\n\
                 {bad}: 1 mistake\n"
            )
        );
    }

    fn tempfile() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("countersign-check-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }
}
