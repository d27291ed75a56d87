//! The signals that the process hears, and the word that spreads its end.
//!
//! Whoever holds a [`Drain`] can wait for it: the listeners stop accepting, the connections finish
//! what they have, and readiness turns red. It begins once and is never taken back.

mod notifier;
mod panics;

use std::future::Future;
use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

pub use notifier::Notifier;
pub use panics::{Panicked, caught, caught_here, kept_up};

/// Whether the process has begun to end. Cloning gives another handle on the same word.
#[derive(Clone, Debug, Default)]
pub struct Drain(watch::Sender<bool>);

impl Drain {
    /// Begins the end. Beginning it again changes nothing.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether the end has begun: such a process is not ready.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the end has begun.
    pub async fn begun(&self) {
        // Fails only without a sender, and that is `self`.
        let _ = self.0.subscribe().wait_for(|begun| *begun).await;
    }
}

/// The signals that ask for another look at every file. Until this is called SIGHUP ends the process.
///
/// # Errors
///
/// Fails if the handler cannot be installed.
pub fn hangups() -> io::Result<Hangups> {
    Ok(Hangups(signal(SignalKind::hangup())?))
}

/// SIGHUP, as often as it comes.
pub struct Hangups(Signal);

impl Hangups {
    /// Waits for the next one.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // The runtime is about to end.
            std::future::pending().await
        }
    }
}

/// Waits for SIGTERM or SIGINT, either of which no longer kills the process once this has returned.
///
/// # Errors
///
/// Fails if the handlers cannot be installed.
pub fn terminated() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Lets this process have as many files open as it may allow itself, as Go's do from their start:
/// each connection is one, and the usual limit is there for programs of another age.
///
/// # Errors
///
/// Fails if the system does not let it.
pub fn open_as_many_files_as_allowed() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_who_wait_hear_it_and_so_do_those_who_come_later() {
        let drain = Drain::default();
        let waiting = tokio::spawn({
            let drain = drain.clone();
            async move { drain.begun().await }
        });
        assert!(!drain.has_begun());
        drain.clone().begin();
        waiting.await.unwrap();
        assert!(drain.has_begun());
        drain.begun().await;
    }

    #[tokio::test]
    async fn sigterm_is_heard_also_before_anybody_waits() {
        let terminated = terminated().unwrap();
        let kill = format!("kill -TERM {}", std::process::id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        terminated.await;
    }
}
