//! A value that changes at run time, and the proof that it has not.
//!
//! A [`Live`] holds the last good value of something that comes from outside: a key set, a token
//! file, a certificate. Whatever was concluded from it carries a [`Mark`]; once the mark no longer
//! holds, the conclusion has to be drawn again. This is how a withdrawn key takes its cached answers
//! with it.
//!
//! The order is the promise: a reader takes the mark and *then* the value, a publisher stores the
//! value and *then* moves the mark. A reader can so be told too early that its value is old, and
//! never too late.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smallvec::SmallVec;
use tokio::sync::watch;

/// A published value and its readers. Cloning gives another handle on the same value.
pub struct Live<T> {
    value: watch::Sender<Arc<T>>,
    generation: Arc<AtomicU64>,
}

impl<T> Live<T> {
    /// Publishes a first value.
    pub fn new(value: T) -> Self {
        Self { value: watch::Sender::new(Arc::new(value)), generation: Arc::new(AtomicU64::new(0)) }
    }

    /// The mark and the value as they are now.
    pub fn read(&self) -> (Mark, Arc<T>) {
        let mark = Mark {
            seen: self.generation.load(Ordering::Acquire),
            generation: self.generation.clone(),
        };
        (mark, self.value.borrow().clone())
    }

    /// The value as it is now, for readers that conclude nothing from it.
    pub fn get(&self) -> Arc<T> {
        self.value.borrow().clone()
    }

    /// Waits until something else than `value` is published, and returns it.
    ///
    /// Ends only by being dropped if nothing is ever published.
    pub async fn changed_from(&self, value: &Arc<T>) -> Arc<T> {
        let mut values = self.value.subscribe();
        if values.wait_for(|now| !Arc::ptr_eq(now, value)).await.is_err() {
            // The sender is `self`: it cannot have been dropped while we wait.
            return std::future::pending().await;
        }
        self.get()
    }
}

impl<T: PartialEq> Live<T> {
    /// Publishes `value` if it differs from the present one, and says whether it did.
    ///
    /// An equal value moves no mark: nobody can empty the caches by asking for a refresh.
    pub fn publish(&self, value: impl Into<Arc<T>>) -> bool {
        let value = value.into();
        let changed = self.value.send_if_modified(|now| {
            let differs = *now != value;
            if differs {
                *now = value;
            }
            differs
        });
        if changed {
            self.generation.fetch_add(1, Ordering::Release);
        }
        changed
    }
}

impl<T> Live<T> {
    /// Publishes `value`, for who knows already that it differs from the present one.
    pub fn replace(&self, value: T) {
        self.value.send_replace(Arc::new(value));
        self.generation.fetch_add(1, Ordering::Release);
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), generation: self.generation.clone() }
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// What a [`Live`] value looked like when it was read.
#[derive(Clone, Debug)]
pub struct Mark {
    generation: Arc<AtomicU64>,
    seen: u64,
}

impl Mark {
    /// Whether the value that this mark was taken with is still the published one.
    pub fn holds(&self) -> bool {
        self.generation.load(Ordering::Acquire) == self.seen
    }
}

/// The marks of everything that one conclusion rests on.
///
/// Mostly one, and there is one in each remembered answer.
pub type Marks = SmallVec<[Mark; 1]>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_holds_until_a_different_value_is_published() {
        let live = Live::new(1);
        let (mark, value) = live.read();
        assert_eq!(*value, 1);
        assert!(!live.publish(1), "an equal value is no change");
        assert!(mark.holds());
        assert!(live.publish(2));
        assert!(!mark.holds());
        assert_eq!(*live.read().1, 2);
        assert!(live.read().0.holds());
    }

    #[tokio::test]
    async fn a_waiter_sees_the_change() {
        let live = Live::new("old");
        let old = live.get();
        let waiter = tokio::spawn({
            let live = live.clone();
            async move { *live.changed_from(&old).await }
        });
        live.publish("new");
        assert_eq!(waiter.await.unwrap(), "new");
    }
}
