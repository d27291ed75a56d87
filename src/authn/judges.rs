//! Threads on which tokens are judged.
//!
//! A signature takes longer than all else that a review costs. Judged where they arrive, many tokens
//! would hold up every remembered answer that could be given meanwhile, and an API server has but one
//! connection. So the other half of the processors judges.

use std::fmt;
use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

use crate::lifecycle::{Panicked, caught_here};

/// The threads.
pub struct Judges(Option<Runtime>);

impl Judges {
    /// Half as many as the machine has processors.
    ///
    /// # Errors
    ///
    /// Fails if the system does not give as many threads, or no files to wait with.
    pub fn of_this_machine() -> io::Result<Self> {
        let number = available_parallelism().map_or(1, NonZero::get).div_ceil(2);
        let mut threads = Builder::new_multi_thread();
        threads.worker_threads(number).enable_all();
        // Without threads tokio panics.
        match caught_here(|| threads.build()) {
            Ok(threads) => threads.map(|threads| Self(Some(threads))),
            Err(Panicked) => Err(io::Error::other("the system gives no more threads")),
        }
    }

    /// Begins `judging`. Nobody's hanging up cancels it.
    pub(super) fn begin(&self, judging: impl Future<Output = ()> + Send + 'static) {
        // There until it is dropped.
        if let Some(threads) = &self.0 {
            threads.spawn(judging);
        }
    }
}

impl Drop for Judges {
    fn drop(&mut self) {
        // Whoever drops it may be a task, which must not wait for threads.
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

impl fmt::Debug for Judges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judges").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_is_judged_does_not_need_the_thread_of_who_asked() {
        let judges = Judges::of_this_machine().unwrap();
        let (done, is_done) = mpsc::channel();
        judges.begin(async move { done.send(()).unwrap() });
        // This runtime has one thread, and here it does nothing else.
        is_done.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}
