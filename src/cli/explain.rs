//! `countersign explain`: one token, what was checked of it, and what to change where.
//!
//! The token goes through what a server of the configuration would put it through, with keys fetched
//! for it, and everything on its way is told: what was expected, and what was found. What claims say
//! is shown to those who ask for it only, and the token itself to nobody.

mod nearest;
mod place;
mod remedy;
mod report;
mod server;
mod text;
mod unproven;
mod veil;
mod words;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use crate::app::{self, Pace};
use crate::config::{self, Loaded};

use super::token::{self, AN_ARGUMENT};
use super::{BAD_CONFIGURATION, USAGE};

use report::{Question, Report};
use server::Server;
use text::Style;

/// Says of one token what was checked, why it is refused and what to change
///
/// The token is read from a file or standard input. It is judged as `serve` would judge it for an
/// API server, with the issuer's keys really fetched, but nothing listens and nothing is remembered.
/// Exits with 0 if it is authenticated, with --server by both, and with 1 if not.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// One of the audiences that it should be good for [default: the configuration's apiAudiences]
    #[arg(long = "audience", value_name = "A")]
    audiences: Vec<String>,
    /// How to say it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,
    /// Show what claims say, and not only their names and types
    #[arg(long)]
    show_claims: bool,
    /// Ask a running server, too, through the kubeconfig that kube-apiserver has for it
    #[arg(long, value_name = "KUBECONFIG")]
    server: Option<PathBuf>,
    /// The file that has the token; - for standard input
    #[arg(value_name = "TOKEN-FILE", default_value = "-")]
    token: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    // A panic's message may quote what was being worked on.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("this is a bug, please report it: a panic at {place}");
    }));
    match explain(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{}", failure.text);
            ExitCode::from(failure.code)
        }
    }
}

/// Why nothing could be explained.
struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    fn usage(text: impl Into<String>) -> Self {
        Self { text: format!("error: {}", text.into()), code: USAGE }
    }

    fn failed(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 1 }
    }
}

/// Whether the token is authenticated, by everybody who was asked.
fn explain(args: &Args) -> Result<bool, Failure> {
    let token = read(&args.token)?;
    let Loaded { config, .. } = config::load(&args.config)
        .map_err(|problems| Failure { text: problems.to_string(), code: BAD_CONFIGURATION })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::failed(format!("the runtime could not be started: {error}")))?;

    let (examination, server) = runtime.block_on(async {
        let examined =
            app::examine(config.clone(), Pace::default(), token.clone(), &args.audiences);
        let examination = examined
            .await
            .map_err(|error| Failure { text: error.to_string(), code: BAD_CONFIGURATION })?;
        let server = match &args.server {
            None => None,
            Some(kubeconfig) => Some(Server::ask(kubeconfig, &token, &args.audiences).await),
        };
        Ok((examination, server))
    })?;

    let question = Question { config: &config, token: &token, show_claims: args.show_claims };
    let report = Report::new(&question, &examination, server);
    let mut out = io::stdout().lock();
    let written = match args.output {
        Output::Json => serde_json::to_writer_pretty(&mut out, &report)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
        Output::Text => text::write(&report, Style::of_this_terminal(), &mut out),
    };
    written
        .map_err(|error| Failure::failed(format!("the output could not be written: {error}")))?;
    Ok(report.is_authenticated())
}

fn read(file: &Path) -> Result<crate::secret::Secret, Failure> {
    if !file.exists() && token::looks_like_one(&file.to_string_lossy()) {
        return Err(Failure::usage(AN_ARGUMENT));
    }
    if file.as_os_str() == "-" && io::stdin().is_terminal() {
        eprintln!("reading the token from standard input: paste it, then Enter and Ctrl-D");
    }
    token::read(file).map_err(|error| {
        Failure::usage(format!("the token file {error}. Its name is the argument: never the token"))
    })
}
