//! `countersign serve`: the server, from its configuration to its last answer.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::app::{self, Pace};
use crate::{config, lifecycle};

use super::BAD_CONFIGURATION;

/// The arguments of `serve`.
#[derive(clap::Args)]
pub struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Serves until SIGTERM or SIGINT, then drains. SIGHUP has every file looked at at once.
pub fn run(args: &Args) -> ExitCode {
    let loaded = match config::load(&args.config) {
        Ok(loaded) => loaded,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    start_logging();
    for warning in &loaded.warnings {
        tracing::warn!(file = warning.place(), %warning, "configuration");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime could not be started");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        // Before anything is served: from here on a signal drains.
        let (terminated, mut hangups) = match lifecycle::terminated()
            .and_then(|terminated| Ok((terminated, lifecycle::hangups()?)))
        {
            Ok(signals) => signals,
            Err(error) => {
                tracing::error!(%error, "the signal handlers could not be installed");
                return ExitCode::FAILURE;
            }
        };
        let running = match app::start(loaded, Pace::default()).await {
            Ok(running) => running,
            Err(error) => {
                tracing::error!(error = %error, "could not start");
                return ExitCode::FAILURE;
            }
        };
        let mut terminated = pin!(terminated);
        loop {
            tokio::select! {
                () = terminated.as_mut() => break,
                () = hangups.next() => running.look(),
            }
        }
        running.drain();
        running.ended().await;
        ExitCode::SUCCESS
    })
}

/// The variable that sets how much is logged: `error`, `warn`, `info` (the default) or `debug`.
const LOG_LEVEL: &str = "COUNTERSIGN_LOG";

/// Logs JSON, or text on a terminal.
///
/// The level is that of our own lines; libraries stay at `warn`, since nobody promised that their
/// lower levels never print what goes through them.
fn start_logging() {
    let level = std::env::var(LOG_LEVEL).ok();
    let ours = level.as_deref().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(env!("CARGO_CRATE_NAME"), ours.min(LevelFilter::DEBUG));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry();
    if std::io::stderr().is_terminal() {
        registry.with(lines.with_target(false).with_filter(filter)).init();
    } else {
        let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
        registry.with(lines.with_filter(filter)).init();
    }
    // A panic ends one task. Its message may quote what the task was working on; its place may not.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "a task panicked: this is a bug");
    }));
}
