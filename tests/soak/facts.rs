//! What is true, and since when.
//!
//! A change of a file is noticed some time after it, and that of a key set with the next fetch. Until then
//! the old answer is as right as the new one, and both are right to a question that was on its way.

use std::time::Duration;

use tokio::time::Instant;

/// Something that changes.
pub struct Fact<T> {
    history: Vec<(Instant, T)>,
    /// How long a change may take to be noticed.
    notice: Duration,
}

impl<T: Clone + PartialEq> Fact<T> {
    pub fn new(value: T, notice: Duration) -> Self {
        Self { history: vec![(Instant::now(), value)], notice }
    }

    /// It is so from now on.
    pub fn becomes(&mut self, value: T) {
        self.history.push((Instant::now(), value));
        let kept = self.history.len().saturating_sub(20);
        self.history.drain(..kept);
    }

    pub fn now(&self) -> &T {
        &self.history.last().unwrap().1
    }

    /// Whether it could be seen as `value` by a question that was asked at `asked` and is answered now.
    pub fn may_be(&self, value: &T, asked: Instant) -> bool {
        let ends = self.history.iter().skip(1).map(|(end, _)| Some(*end)).chain([None]);
        self.history.iter().zip(ends).any(|((_, held), end)| {
            held == value && end.is_none_or(|end| end + self.notice >= asked)
        })
    }

    /// Whether it could be seen as another.
    pub fn may_be_other(&self, value: &T, asked: Instant) -> bool {
        self.possible(asked).iter().any(|other| other != value)
    }

    /// Every value that it could be seen as.
    pub fn possible(&self, asked: Instant) -> Vec<T> {
        let values = self.history.iter().map(|(_, value)| value);
        values.filter(|value| self.may_be(value, asked)).cloned().collect()
    }
}
