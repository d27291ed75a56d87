//! What the configuration says of all key sets, and what they share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::live::Live;

/// How many files of `keys.cacheDir` are read or written at a time. A disk that hangs so holds up no
/// more threads than these.
const DISK_AT_ONCE: usize = 8;

/// `keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `keys.maxStale`: how long keys from the network are used after they were last got. Default:
    /// absent, for ever.
    pub max_stale: Option<Duration>,
    /// `keys.cacheDir`: the folder where the last good keys from the network are kept for the next
    /// start. Default: none.
    pub cache_dir: Option<PathBuf>,
}

/// What all key sets of a process share. Clones are the same.
#[derive(Clone)]
pub struct Shared {
    settings: Live<Settings>,
    disk: Arc<Semaphore>,
}

impl Shared {
    /// For the key sets of a process, by these settings at first.
    pub fn new(settings: Settings) -> Self {
        Self { settings: Live::new(settings), disk: Arc::new(Semaphore::new(DISK_AT_ONCE)) }
    }

    /// Lets all key sets go by other settings from now on, and says whether they are others.
    pub fn publish(&self, settings: Settings) -> bool {
        self.settings.publish(settings)
    }

    /// The settings as they are now.
    pub(super) fn settings(&self) -> Arc<Settings> {
        self.settings.get()
    }

    /// Waits until there are other settings than these.
    pub(super) async fn changed_from(&self, settings: &Arc<Settings>) {
        self.settings.changed_from(settings).await;
    }

    /// Does what may wait for the disk, when it is its turn; absent if it panicked.
    pub(super) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        // Never closed. It goes along, so that work which nobody waits for any more still counts.
        let turn = self.disk.clone().acquire_owned().await.ok()?;
        let working = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        working.await.ok()
    }
}
