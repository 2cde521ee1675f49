//! Computes the delay before a retry from the number of failures, the delay that the service asks for and a random
//! number.

use std::time::Duration;

/// The upper limit of the delay after the first failure. The limit doubles with each further failure, up to
/// [`LONGEST`].
const FIRST: Duration = Duration::from_millis(200);

/// The upper limit of every delay, unless the service asks for a longer one.
const LONGEST: Duration = Duration::from_secs(30);

/// The number of failures so far, which determines the limit of the next delay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Counts a failure and returns the delay before the next attempt. The delay is a random part of a limit that
    /// doubles with each failure, up to [`LONGEST`]. It is random so that many callers do not retry at the same time.
    /// If the service `asked` for a longer delay, returns that delay. `random` selects the part: 0 selects no delay,
    /// and `u64::MAX` almost the whole limit.
    pub(crate) fn delay(&mut self, asked: Option<Duration>, random: u64) -> Duration {
        let doubled = 2_u32.checked_pow(self.failures).and_then(|factor| FIRST.checked_mul(factor));
        self.failures = self.failures.saturating_add(1);
        part_of(doubled.unwrap_or(LONGEST).min(LONGEST), random).max(asked.unwrap_or_default())
    }
}

/// Returns the fraction `random / 2^64` of `whole`.
pub(crate) fn part_of(whole: Duration, random: u64) -> Duration {
    let nanoseconds = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
    let part = (u128::from(nanoseconds) * u128::from(random)) >> 64;
    Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_doubles_up_to_its_cap() {
        let limit = |failures| Backoff { failures }.delay(None, u64::MAX).as_millis();
        let limits = [0, 1, 2, 7, 8, 39, u32::MAX].map(limit);
        assert_eq!(limits, [199, 399, 799, 25_599, 29_999, 29_999, 29_999]);
    }

    #[test]
    fn the_delay_is_spread_over_the_whole_limit() {
        assert_eq!(Backoff::default().delay(None, 0), Duration::ZERO);
        assert_eq!(Backoff::default().delay(None, 1 << 63), FIRST / 2);
    }

    #[test]
    fn a_delay_that_the_service_asks_for_lengthens_ours_and_never_shortens_it() {
        let hour = Duration::from_secs(3600);
        assert_eq!(Backoff::default().delay(Some(hour), 0), hour);
        assert_eq!(Backoff { failures: 8 }.delay(Some(hour), u64::MAX), hour);
        for asked in [Some(Duration::ZERO), Some(Duration::from_millis(1)), None] {
            assert_eq!(Backoff { failures: 8 }.delay(asked, 1 << 63), Duration::from_secs(15));
        }
    }

    #[test]
    fn a_service_that_asks_for_no_delay_gets_few_requests_in_ten_seconds() {
        let (mut backoff, mut elapsed) = (Backoff::default(), Duration::ZERO);
        let requests = (1..).take_while(|_| {
            // Each delay is a tenth of its limit. The sum of random delays is almost always greater.
            elapsed += backoff.delay(Some(Duration::ZERO), u64::MAX / 10);
            elapsed < Duration::from_secs(10)
        });
        assert!(requests.count() < 25);
    }

    #[test]
    fn each_failure_counts_whatever_its_delay() {
        let mut backoff = Backoff::default();
        backoff.delay(Some(Duration::ZERO), 0);
        assert_eq!(backoff.delay(None, 1 << 63), FIRST);
    }
}
