//! The command line: one file for each command.
//!
//! Exit codes: 0 fine, 1 failed, 64 usage, 78 bad configuration.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is where we talk to a terminal"
)]

mod check;
mod explain;
mod init;
mod probe;
mod serve;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Bad usage (`EX_USAGE` of sysexits.h).
const USAGE: u8 = 64;
/// Bad configuration (`EX_CONFIG` of sysexits.h).
const BAD_CONFIGURATION: u8 = 78;

/// A Kubernetes webhook token authenticator.
#[derive(Parser)]
#[command(name = "countersign", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves reviews until it is told to end.
    Serve(serve::Args),
    /// Says what is wrong with a configuration, all of it at once.
    Check(check::Args),
    /// Says of one token what was checked, why it is refused and what to change.
    Explain(explain::Args),
    /// Makes certificates, a webhook kubeconfig and a starter configuration.
    Init(init::Args),
    /// Asks a running countersign whether it is well.
    Probe(probe::Args),
}

/// Whether somebody gave a token as an argument.
fn token_among_arguments() -> bool {
    std::env::args_os().any(|argument| token::looks_like_one(&argument.to_string_lossy()))
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no mistakes, although clap hands them out as errors.
            let code = if error.use_stderr() { USAGE } else { 0 };
            match token_among_arguments() {
                // It would quote it.
                true => eprintln!("error: {}", token::AN_ARGUMENT),
                false => drop(error.print()),
            }
            return ExitCode::from(code);
        }
    };
    match arguments.command {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Probe(args) => probe::run(&args),
    }
}
