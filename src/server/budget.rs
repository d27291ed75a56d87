//! Counting what is held at once, so that it has a bound.
//!
//! An atomic number, not a semaphore: nobody ever waits for room here, and giving back what was
//! taken costs no lock.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much may still be taken.
#[derive(Debug)]
pub(super) struct Budget(AtomicUsize);

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self(AtomicUsize::new(limit))
    }

    /// Takes `amount`, if there is as much, until the [`Taken`] is dropped.
    pub(super) fn take(&self, amount: usize) -> Option<Taken<&Self>> {
        let mut taken = self.nothing();
        taken.more(amount).then_some(taken)
    }

    /// The same, for who outlives the borrow.
    pub(super) fn take_owned(self: &Arc<Self>, amount: usize) -> Option<Taken<Arc<Self>>> {
        let mut taken = Taken { budget: self.clone(), amount: 0 };
        taken.more(amount).then_some(taken)
    }

    /// Takes nothing yet.
    pub(super) fn nothing(&self) -> Taken<&Self> {
        Taken { budget: self, amount: 0 }
    }
}

/// What was taken of a [`Budget`], to be given back.
#[derive(Debug)]
pub(super) struct Taken<B: Deref<Target = Budget>> {
    budget: B,
    amount: usize,
}

impl<B: Deref<Target = Budget>> Taken<B> {
    /// Takes `amount` more, or nothing, and says which.
    pub(super) fn more(&mut self, amount: usize) -> bool {
        let taken = self
            .budget
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount));
        if taken.is_ok() {
            self.amount += amount;
        }
        taken.is_ok()
    }
}

impl<B: Deref<Target = Budget>> Drop for Taken<B> {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is_and_all_of_it_comes_back() {
        let budget = Budget::new(10);
        let mut first = budget.take(4).unwrap();
        assert!(first.more(5));
        assert!(!first.more(2));
        assert!(budget.take(2).is_none());
        let second = budget.take(1).unwrap();
        assert!(budget.take(1).is_none());
        drop((first, second));
        assert!(budget.take(10).is_some());
    }
}
