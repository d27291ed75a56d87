//! The command line: one file for each command.
//!
//! Exit codes: 0 fine, 1 failed, 64 usage, 78 bad configuration.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is where we talk to a terminal"
)]

mod check;
mod init;
mod probe;
mod serve;

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
    /// Makes certificates, a webhook kubeconfig and a starter configuration.
    Init(init::Args),
    /// Asks a running countersign whether it is well.
    Probe(probe::Args),
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no mistakes, although clap hands them out as errors.
            let code = if error.use_stderr() { USAGE } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match arguments.command {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Probe(args) => probe::run(&args),
    }
}
