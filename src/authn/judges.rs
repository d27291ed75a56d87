//! Threads on which tokens are judged.
//!
//! A signature takes longer than all else that a review costs. Judged where they arrive, many tokens
//! would hold up every remembered answer that could be given meanwhile, and an API server has but one
//! connection. So the other half of the processors judges: whatever is sent here, however much of it,
//! those who are remembered are answered at once.

use std::fmt;
use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

/// The threads, made when they are first needed; absent if the system has none to give.
pub struct Judges(LazyLock<Option<Runtime>>);

impl Judges {
    /// Half as many as the machine has processors.
    pub fn of_this_machine() -> Self {
        Self(LazyLock::new(|| {
            let number = available_parallelism().map_or(1, NonZero::get).div_ceil(2);
            let threads = Builder::new_multi_thread().worker_threads(number).enable_all().build();
            threads.inspect_err(|error| tracing::warn!(%error, "no threads to judge on")).ok()
        }))
    }

    /// Begins `judging`, here or, without threads, on those of the caller. Nobody's hanging up cancels
    /// it.
    pub(super) fn begin(&self, judging: impl Future<Output = ()> + Send + 'static) {
        match &*self.0 {
            Some(threads) => threads.spawn(judging),
            None => tokio::spawn(judging),
        };
    }
}

impl Drop for Judges {
    fn drop(&mut self) {
        // Whoever drops it may be a task, which must not wait for threads.
        if let Some(threads) = LazyLock::get_mut(&mut self.0).and_then(Option::take) {
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
        let judges = Judges::of_this_machine();
        let (done, is_done) = mpsc::channel();
        judges.begin(async move { done.send(()).unwrap() });
        // This runtime has one thread, and here it does nothing else.
        is_done.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}
