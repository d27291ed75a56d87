//! How often files are looked at, and the wish to look at once.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// When to look at a file again. Clones share the wish to look at once.
#[derive(Clone, Debug)]
pub struct Rhythm {
    interval: Duration,
    hurry: Hurry,
}

/// The wish to look at once. Clones are the same wish.
#[derive(Clone, Debug, Default)]
pub struct Hurry(watch::Sender<()>);

impl Hurry {
    /// Whoever waits for the time to look, of any [`Rhythm`] with this wish, looks now.
    pub fn now(&self) {
        self.0.send_replace(());
    }
}

impl Rhythm {
    /// Once per `interval`.
    pub fn every(interval: Duration) -> Self {
        Self::hurried(interval, &Hurry::default())
    }

    /// Once per `interval`, and whenever `hurry` says so.
    pub fn hurried(interval: Duration, hurry: &Hurry) -> Self {
        Self { interval, hurry: hurry.clone() }
    }

    /// The time between two looks, at most.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Waits until it is time to look, and says whether that was wished.
    pub async fn beat(&self) -> bool {
        timeout(self.interval, self.hurry.0.subscribe().changed()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_ends_every_wait_that_has_begun_and_none_after_it() {
        let hurry = Hurry::default();
        let rhythm = Rhythm::hurried(Duration::from_secs(3600), &hurry);
        let waiting = [rhythm.clone(), rhythm.clone()].map(|rhythm| {
            let mut beat = Box::pin(async move { rhythm.beat().await });
            assert!(futures_are_pending(&mut beat));
            beat
        });
        hurry.now();
        for beat in waiting {
            assert!(beat.await, "it was wished");
        }
        assert!(futures_are_pending(&mut Box::pin(rhythm.beat())));
    }

    fn futures_are_pending(future: &mut (impl Future<Output = bool> + Unpin)) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        std::pin::Pin::new(future).poll(&mut context).is_pending()
    }
}
