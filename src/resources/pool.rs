//! Work that takes long, done by half of the processors and never by a thread that serves: such a
//! thread would answer nobody meanwhile.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::api::Status;
use crate::metrics::Metrics;

/// Does one kind of work, a bounded amount of it at once.
pub struct Pool {
    /// Room for work that is done, or waits to be.
    room: Semaphore,
    workers: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl Pool {
    /// A pool in which at most `room` pieces of work are done or wait.
    pub fn new(room: usize, metrics: Arc<Metrics>) -> Self {
        let workers = available_parallelism().map_or(1, NonZero::get).div_ceil(2);
        Self { room: Semaphore::new(room), workers: Arc::new(Semaphore::new(workers)), metrics }
    }

    /// Does `work`, also if the caller hangs up once it has begun.
    ///
    /// # Errors
    ///
    /// 503 without room, 500 if it panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Status> {
        let _place = self.room.try_acquire().map_err(|_| {
            self.metrics.requests_shed.inc();
            Status::overloaded()
        })?;
        let failed = || Status::internal_error("a bug, which is in the log");
        let worker = self.workers.clone().acquire_owned().await.map_err(|_| failed())?;
        let working = spawn_blocking(move || {
            let result = work();
            // Not before: the caller may have hung up meanwhile, and its work goes on.
            drop(worker);
            result
        });
        working.await.map_err(|_| failed())
    }
}
