//! `countersign serve`: the server, from its configuration to its last answer.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::app::{self, Pace, Running};
use crate::config::{self, Problems};
use crate::lifecycle::{self, Notifier};

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
    start_logging();
    report_panics(|| ());
    let loaded = match config::load(&args.config) {
        Ok(loaded) => loaded,
        Err(problems) => {
            blame(&args.config, &problems);
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    if let Err(error) = lifecycle::open_as_many_files_as_allowed() {
        tracing::warn!(%error, "the limit of open files stays: it may allow fewer connections");
    }
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
    let notifier = Notifier::of_this_process().unwrap_or_else(|error| {
        tracing::error!(%error, "NOTIFY_SOCKET is no socket: nobody will be told that we are ready");
        Notifier::default()
    });
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
        tokio::spawn(notifier.clone().live());
        let running = match app::start(loaded, Pace::default()).await {
            Ok(running) => running,
            Err(error) => {
                let file = args.config.display().to_string();
                tracing::error!(file, error = %error, "could not start");
                return ExitCode::FAILURE;
            }
        };
        report_panics(running.panics());
        let look_again = async {
            loop {
                hangups.next().await;
                // Files are read in the background: what was wrong with them is told in other ways.
                let is_serving = running.is_serving();
                if is_serving {
                    notifier.reloading();
                }
                running.look();
                if is_serving {
                    notifier.ready(&serving_on(&running));
                }
            }
        };
        tokio::select! {
            () = terminated => {}
            () = look_again => {}
            () = announce(&running, &notifier) => {}
        }
        running.drain();
        notifier.stopping(&running.status());
        running.ended().await;
        ExitCode::SUCCESS
    })
}

/// Tells systemd what is waited for, as often as that changes, then that we serve. Never ends.
async fn announce(running: &Running, notifier: &Notifier) {
    let (mut serves, mut told) = (pin!(running.serves()), None);
    loop {
        let status = running.status();
        if told.as_ref() != Some(&status) {
            notifier.status(&status);
            told = Some(status);
        }
        tokio::select! {
            () = serves.as_mut() => break,
            () = tokio::time::sleep(STATUS_INTERVAL) => {}
        }
    }
    notifier.ready(&serving_on(running));
    std::future::pending().await
}

fn serving_on(running: &Running) -> String {
    format!("serving on {}", running.webhook)
}

/// How often to see whether something else is waited for.
const STATUS_INTERVAL: Duration = Duration::from_millis(500);

/// How many mistakes of a configuration are told at once: more would scroll the first away.
const SCREENFUL: usize = 20;

/// Says what is wrong with the configuration: as `check` does on a terminal, else in the log.
fn blame(file: &Path, problems: &Problems) {
    let on_terminal = io::stderr().is_terminal();
    for problem in problems.iter().take(SCREENFUL) {
        match on_terminal {
            true => eprintln!("{}: {problem}", problem.place()),
            false => tracing::error!(
                file = problem.place(),
                error = %problem,
                "the configuration is wrong"
            ),
        }
    }
    let Some(more) = problems.len().checked_sub(SCREENFUL).filter(|more| *more > 0) else { return };
    let file = file.display();
    let text = format!("and {more} more mistakes: `countersign check {file}` lists all of them");
    match on_terminal {
        true => eprintln!("{text}"),
        false => tracing::error!("{text}"),
    }
}

/// The variable that sets how much is logged: `error`, `warn`, `info` (the default) or `debug`.
const LOG_LEVEL: &str = "COUNTERSIGN_LOG";

/// Logs JSON, or text on a terminal.
///
/// The level is that of our own lines; libraries stay at `warn`, since nobody promised that their
/// lower levels never print what goes through them. Nothing silences errors: whoever finds the process
/// ended looks for them.
fn start_logging() {
    let level = std::env::var(LOG_LEVEL).ok();
    let ours = level.as_deref().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(env!("CARGO_CRATE_NAME"), ours.clamp(LevelFilter::ERROR, LevelFilter::DEBUG));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry();
    if std::io::stderr().is_terminal() {
        registry.with(lines.with_target(false).with_filter(filter)).init();
    } else {
        let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
        registry.with(lines.with_filter(filter)).init();
    }
}

/// Logs where each panic is from now on, and has it counted.
///
/// A panic ends one task. Its message may quote what the task was working on; its place may not.
fn report_panics(count: impl Fn() + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |panic| {
        count();
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "a task panicked: this is a bug");
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn each_panic_is_counted() {
        let before = std::panic::take_hook();
        let counted = Arc::new(AtomicUsize::new(0));
        let counting = counted.clone();
        report_panics(move || {
            counting.fetch_add(1, Ordering::Relaxed);
        });
        let ended = std::thread::spawn(|| panic!("a panic of a test")).join();
        std::panic::set_hook(before);
        assert!(ended.is_err());
        // Other tests may panic at the same time.
        assert!(counted.load(Ordering::Relaxed) >= 1);
    }
}
