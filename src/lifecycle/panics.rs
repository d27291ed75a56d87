//! Panics: bugs, each of which may cost one task and nothing else.
//!
//! The panic hook (`cli::serve`) logs where it was and counts it; here is what becomes of the task.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// How long a task that has panicked rests before it is begun again.
const REST: Duration = Duration::from_secs(5);

/// The work panicked; the panic hook has logged where.
#[derive(Debug)]
pub struct Panicked;

/// Does `work`, and survives its panic. Nobody but this and [`caught_here`] catches one.
///
/// # Errors
///
/// Fails if it panics.
pub async fn caught<F: Future>(work: F) -> Result<F::Output, Panicked> {
    let mut work = pin!(work);
    // Unwind safe: after a panic `work` is dropped and never polled again.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

/// As [`caught`], for work that blocks. What it changes must not matter after a panic.
///
/// # Errors
///
/// Fails if it panics.
pub fn caught_here<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

/// Does what `begin` begins, and begins it again a little later if it panics: for work that goes on
/// as long as the process, which would otherwise be missed by nobody until it is too late.
pub async fn kept_up<F: Future>(mut begin: impl FnMut() -> F) -> F::Output {
    loop {
        match caught(begin()).await {
            Ok(done) => return done,
            Err(Panicked) => tokio::time::sleep(REST).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_panics_is_begun_again_until_it_ends_well() {
        let mut begun = 0;
        let third = kept_up(|| {
            begun += 1;
            let begun = begun;
            async move {
                tokio::task::yield_now().await;
                assert!(begun == 3, "a panic of a test");
                begun
            }
        });
        assert_eq!(third.await, 3);
    }

    #[tokio::test]
    async fn what_panics_costs_its_caller_an_error() {
        assert!(caught(async { panic!("a panic of a test") }).await.is_err());
        assert_eq!(caught(async { 1 }).await.unwrap(), 1);
        assert!(caught_here(|| panic!("a panic of a test")).is_err());
        assert_eq!(caught_here(|| 1).unwrap(), 1);
    }
}
