//! Every interval of this floor. No configuration file sets one.

use std::time::Duration;

/// How fast keys are fetched, awaited and tried again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// From the begin of one fetch to the begin of the next that a token may cause. Default 10 s.
    pub cooldown: Duration,
    /// How long a review waits for a fetch. Default 3 s.
    pub patience: Duration,
    /// The shortest time between fetches, whatever `Cache-Control` says. Default 1 m.
    pub min_refresh: Duration,
    /// The longest time between fetches, whatever `Cache-Control` says. Default 1 h.
    pub max_refresh: Duration,
    /// The time between fetches if `Cache-Control` says nothing. Default 10 m.
    pub default_refresh: Duration,
    /// How long to wait after a failed fetch; doubled with every further one. Default 1 s.
    pub first_backoff: Duration,
    /// How long to wait after a failed fetch at most. Default 1 m.
    pub max_backoff: Duration,
    /// How long a fetch may take, discovery included. Default 10 s.
    pub fetch_timeout: Duration,
    /// How long the keys of a foreign issuer are kept when nobody asks for them. Default 10 min.
    pub foreign_idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            cooldown: Duration::from_secs(10),
            patience: Duration::from_secs(3),
            min_refresh: Duration::from_secs(60),
            max_refresh: Duration::from_secs(3600),
            default_refresh: Duration::from_secs(600),
            first_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(60),
            fetch_timeout: Duration::from_secs(10),
            foreign_idle: Duration::from_secs(600),
        }
    }
}

impl Pace {
    /// From a good fetch to the next. `dice` in 0..=1 takes up to a tenth off, so that issuers that
    /// were opened together are not fetched together for ever.
    pub(super) fn refresh_after(&self, fresh_for: Option<Duration>, dice: f64) -> Duration {
        let fresh_for = fresh_for.unwrap_or(self.default_refresh);
        fresh_for.max(self.min_refresh).min(self.max_refresh).mul_f64(1.0 - dice / 10.0)
    }

    /// From the last of so many failed fetches in a row, at least one, to the next. `dice` in 0..=1
    /// takes up to half off.
    pub(super) fn retry_after(&self, failures: u32, dice: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let backoff = self.first_backoff.saturating_mul(doubled).min(self.max_backoff);
        backoff.mul_f64(1.0 - dice / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn keys_are_fetched_again_when_their_issuer_says_within_a_minute_and_an_hour() {
        let pace = Pace::default();
        assert_eq!(pace.refresh_after(None, 0.0), 600 * SECOND);
        assert_eq!(pace.refresh_after(Some(300 * SECOND), 0.0), 300 * SECOND);
        assert_eq!(pace.refresh_after(Some(Duration::ZERO), 0.0), 60 * SECOND);
        assert_eq!(pace.refresh_after(Some(Duration::MAX), 0.0), 3600 * SECOND);
        assert_eq!(pace.refresh_after(Some(300 * SECOND), 1.0), 270 * SECOND);
    }

    #[test]
    fn failures_in_a_row_are_retried_ever_later_up_to_a_minute() {
        let after = |failures| Pace::default().retry_after(failures, 0.0).as_secs();
        assert_eq!([1, 2, 3, 6, 7, 8, u32::MAX].map(after), [1, 2, 4, 32, 60, 60, 60]);
        assert_eq!(Pace::default().retry_after(1, 1.0), SECOND / 2);
    }
}
