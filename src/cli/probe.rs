//! `countersign probe`: asks a running countersign whether it is well.
//!
//! For exec probes, which reach a pod's own socket where a port may be another pod's, and for people.
//! It ends in time whatever the other end does.

pub(super) mod review;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::Instant;

use crate::fetch::Plain;

/// clap says it first.
const NO_PLACE: &str = "want --socket PATH or --address HOST:PORT";

/// Asks a running countersign whether it is well
///
/// Exits with 0 if it is. Otherwise says on standard error what is not, and exits with 1.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    readyz: Option<Admin>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Whether reviews may come [default]
    Readyz(Admin),
    /// Whether the process answers
    Livez(Admin),
    /// Whether a token is authenticated, asked as kube-apiserver asks
    Review(review::Args),
}

/// Where the admin listener is.
#[derive(Debug, clap::Args)]
struct Admin {
    /// The configuration's admin.socket
    #[arg(
        long,
        value_name = "PATH",
        required_unless_present = "address",
        conflicts_with = "address"
    )]
    socket: Option<PathBuf>,
    /// The configuration's admin.address
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// How long to wait for an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("the runtime could not be started: {error}")),
    };
    runtime.block_on(async {
        match (&args.what, &args.readyz) {
            (Some(What::Review(args)), _) => review::run(args).await,
            (Some(What::Livez(admin)), _) => ask(admin, "/livez").await,
            (Some(What::Readyz(admin)), _) | (None, Some(admin)) => ask(admin, "/readyz").await,
            (None, None) => failed(NO_PLACE),
        }
    })
}

async fn ask(admin: &Admin, path: &str) -> ExitCode {
    let (place, name) = match (&admin.socket, &admin.address) {
        (Some(socket), _) => (Plain::Socket(socket.clone()), socket.display().to_string()),
        (None, Some(address)) => (Plain::Address(address.clone()), address.clone()),
        (None, None) => return failed(NO_PLACE),
    };
    match place.get(path, deadline(admin.timeout)).await {
        Ok(answer) if answer.status().is_success() => ExitCode::SUCCESS,
        Ok(answer) => failed(String::from_utf8_lossy(answer.body()).trim_end()),
        Err(error) => failed(&format!("{name}: {error}")),
    }
}

fn deadline(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

fn failed(text: &str) -> ExitCode {
    eprintln!("{text}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Line::try_parse_from(std::iter::once("probe").chain(line.split_whitespace()))
            .map(|line| line.args)
    }

    #[test]
    fn readyz_need_not_be_said() {
        for line in ["--socket /run/s", "--address localhost:9443 --timeout 3"] {
            let args = parse(line).unwrap();
            assert!(matches!(args, Args { what: None, readyz: Some(_) }), "{line}: {args:?}");
        }
        for line in ["readyz --socket /run/s", "livez --address [::1]:9443"] {
            let args = parse(line).unwrap();
            assert!(matches!(args, Args { what: Some(_), readyz: None }), "{line}: {args:?}");
        }
    }

    #[test]
    fn one_place_is_required() {
        for line in [
            "",
            "readyz",
            "livez --timeout 3",
            "--socket a --address b",
            "readyz --socket a --address b",
            "--socket a --timeout 0",
            "--socket a livez",
            "healthz --socket a",
            "review --kubeconfig k",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
