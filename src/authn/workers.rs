//! Threads for what may take long.
//!
//! Work that loops over claims is bounded, but not short enough for the threads that everybody's
//! requests run on. Half of the processors do it, in tokio's blocking pool, and one issuer has half of
//! them; of what more it wants nothing queues before another issuer's work.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// How many may work at a time.
#[derive(Debug)]
pub struct Workers {
    all: Arc<Semaphore>,
    share: usize,
}

/// One issuer's part in [`Workers`].
#[derive(Debug)]
pub(super) struct Share {
    all: Arc<Semaphore>,
    own: Arc<Semaphore>,
}

impl Workers {
    /// Half as many as the machine has processors.
    pub fn of_this_machine() -> Self {
        Self::new(available_parallelism().map_or(1, NonZero::get).div_ceil(2))
    }

    fn new(number: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(number)), share: number.div_ceil(2) }
    }

    /// A part for one issuer.
    pub(super) fn share(&self) -> Share {
        Share { all: self.all.clone(), own: Arc::new(Semaphore::new(self.share)) }
    }
}

impl Share {
    /// Runs `work` as soon as there is room for it. Whoever stops waiting does not stop the work, and
    /// it holds its room until it has ended.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        // Nobody closes them.
        let own = self.own.clone().acquire_owned().await;
        let all = self.all.clone().acquire_owned().await;
        let worked = spawn_blocking(move || {
            let _room = (own, all);
            work()
        });
        match worked.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // Cancelled, by the end of the runtime.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_issuer_leaves_room_for_others() {
        let workers = Workers::new(2);
        let (busy, other) = (Arc::new(workers.share()), workers.share());
        let (end, ended) = mpsc::channel::<()>();
        let held = busy.clone();
        let held = tokio::spawn(async move { held.run(move || ended.recv()).await });
        while busy.own.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let more = busy.clone();
        let more = tokio::spawn(async move { more.run(|| 2).await });
        assert_eq!(other.run(|| 1).await, 1, "another issuer's work is done meanwhile");
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(!more.is_finished(), "its own has to wait");
        end.send(()).unwrap();
        assert!(held.await.unwrap().is_ok());
        assert_eq!(more.await.unwrap(), 2);
    }

    #[tokio::test]
    async fn whoever_stops_waiting_does_not_free_the_room() {
        let share = Workers::new(1).share();
        let (end, ended) = mpsc::channel::<()>();
        let (done, is_done) = tokio::sync::oneshot::channel();
        let work = share.run(move || {
            let _ = ended.recv();
            let _ = done.send(());
        });
        assert!(tokio::time::timeout(Duration::from_millis(10), work).await.is_err());
        assert_eq!(share.own.available_permits(), 0);
        end.send(()).unwrap();
        is_done.await.unwrap();
        share.run(|| ()).await;
    }
}
