//! `countersign init`: the files of an installation, and what to tell kube-apiserver.
//!
//! It adds what is missing and changes nothing that is there, so that it can be run at any time;
//! only `--renew`, `--renew-ca` and `--force` replace keys and certificates, and nothing replaces a
//! configuration, a kubeconfig or the key that signs service account tokens. A file appears whole or not at all, and a private key is readable
//! by its owner alone from its first byte. A key that has lost its certificate gets a new one; a
//! certificate that has lost its key is an error, since nothing could be made of it.

mod arguments;
mod bundle;
mod certificates;
mod directory;
mod family;
mod kubeconfigs;
mod owner;
mod report;
mod rotation;
mod secrets;
mod service_account_key;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use rustls_pki_types::ServerName;
use time::OffsetDateTime;

pub use self::arguments::Args;
use self::certificates::CertificateError;
use self::directory::Directory;
use self::family::{Anew, Family};
use self::report::Done;

const STARTER_CONFIGURATION: &str = include_str!("init/config.yaml");

/// Runs the command. Exits with 0, or with 1 after saying what is wrong and what to do about it.
pub fn run(args: &Args) -> ExitCode {
    let said = match init(args, OffsetDateTime::now_utc()) {
        Ok(Said { report, secrets: None }) => io::stdout().write_all(report.as_bytes()),
        Ok(Said { report, secrets: Some(secrets) }) => io::stderr()
            .write_all(report.as_bytes())
            .and_then(|()| io::stdout().write_all(secrets.as_bytes())),
        Err(error) => {
            let _ = writeln!(io::stderr(), "countersign init: {error}");
            return ExitCode::FAILURE;
        }
    };
    said.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

/// What to print.
#[derive(Debug)]
struct Said {
    report: String,
    secrets: Option<String>,
}

/// Why not everything is there.
#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error(transparent)]
    Directory(#[from] directory::DirectoryError),
    #[error(
        "{certificate} is there without its key: put {key} back, or remove {certificate} to have \
         both made anew",
        certificate = certificate.display(), key = key.display()
    )]
    KeyMissing { certificate: PathBuf, key: PathBuf },
    #[error(
        "{key} is not the key of {certificate}: put the right one there, or have both made anew \
         with --renew",
        certificate = certificate.display(), key = key.display()
    )]
    NotItsKey { certificate: PathBuf, key: PathBuf },
    #[error(
        "{authority} is gone, but {leaf} was signed by it: put it back with its key, or have all of \
         them made anew with --force",
        authority = authority.display(), leaf = leaf.display()
    )]
    AuthorityMissing { authority: PathBuf, leaf: PathBuf },
    #[error("{authority} and its key are not there, so that there is nothing to renew: run it \
         without --renew-ca", authority = authority.display())]
    NothingToRenew { authority: PathBuf },
    #[error("{path} cannot be used: {source}; put the right file there, or have everything made \
         anew with --force", path = path.display())]
    Unusable { path: PathBuf, source: CertificateError },
    #[error("{path} was made before, and not for {wanted}: {remedy}", path = path.display())]
    NotFor { path: PathBuf, wanted: String, remedy: &'static str },
    #[error("cannot make {path}: {source}", path = path.display())]
    Unmakeable { path: PathBuf, source: CertificateError },
}

/// Makes what is missing, and what is to be anew.
fn init(args: &Args, now: OffsetDateTime) -> Result<Said, InitError> {
    let mut directory = Directory::open(&args.dir)?;
    let families = [
        Family::serving(server_names(&directory, args)?),
        Family::clients(&directory, &args.clients)?,
    ];
    let (done, anew) = if args.force {
        (Done::Forced, Anew::Everything)
    } else if args.renew {
        (Done::Renewed, Anew::Leaves)
    } else if args.renew_ca {
        let step = rotation::advance(&mut directory, &families, now)?;
        (Done::Advanced(step), Anew::Missing)
    } else {
        (Done::Completed, Anew::Missing)
    };
    for family in &families {
        family.make(&mut directory, anew, now)?;
    }
    kubeconfigs::write(&mut directory, args)?;
    if directory.read("config.yaml")?.is_none() {
        directory.write("config.yaml", STARTER_CONFIGURATION.to_owned());
    }
    if args.service_account_key {
        service_account_key::make(&mut directory)?;
    }
    if let Some(owner) = args.owner {
        directory.give_to(owner);
    }
    let made = directory.publish()?;
    let report = report::report(&directory, args, &made, &done, &families, now)?;
    let secrets = match args.secret {
        true => Some(secrets::secrets(&directory, args)?),
        false => None,
    };
    Ok(Said { report, secrets })
}

/// What a new serving certificate is for, each name once: what the present one is for, too, since
/// somebody may use it. Refuses a present one that lacks a name that was asked for and is to stay:
/// keeping it in silence would look as if it had been granted.
fn server_names(directory: &Directory, args: &Args) -> Result<Vec<ServerName<'static>>, InitError> {
    let mut names: Vec<_> =
        ["localhost", "127.0.0.1", "::1"].into_iter().flat_map(ServerName::try_from).collect();
    let mut add = |name| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    if let Some(certificate) = directory.read("tls.crt")? {
        match bundle::parse_first(&certificate) {
            Ok(present) => {
                let lacks = args.names().find(|name| !present.names.contains(name));
                if let Some(lacks) = lacks.filter(|_| !args.force && !args.renew) {
                    return Err(InitError::NotFor {
                        path: directory.path("tls.crt"),
                        wanted: lacks.to_str().into_owned(),
                        remedy: "--renew makes one for it and for all names so far",
                    });
                }
                present.names.into_iter().for_each(&mut add);
            }
            Err(_) if args.force => {}
            Err(source) => {
                return Err(InitError::Unusable { path: directory.path("tls.crt"), source });
            }
        }
    }
    args.names().for_each(add);
    Ok(names)
}

#[cfg(test)]
mod tests;
