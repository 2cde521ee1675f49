//! When to retry. Pure: a function of the attempt, the response and a random number.

use std::time::Duration;

/// The upper limit of the delay after the first attempt; it doubles with each further attempt.
const FIRST: Duration = Duration::from_millis(200);

/// The upper limit of every delay, unless the service asks for a longer one.
const LONGEST: Duration = Duration::from_secs(30);

/// Returns the delay after the `attempt`-th attempt (the first is 1): the delay that the service `asked` for, or else
/// a random part of a limit that doubles with each attempt, so that many callers do not retry at the same time.
/// `random` is any number.
pub(crate) fn wait(attempt: u32, asked: Option<Duration>, random: u64) -> Duration {
    asked.unwrap_or_else(|| part_of(limit(attempt), random))
}

fn limit(attempt: u32) -> Duration {
    let doubled = 2_u32.checked_pow(attempt.saturating_sub(1)).and_then(|factor| FIRST.checked_mul(factor));
    doubled.unwrap_or(LONGEST).min(LONGEST)
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
        let limits = [1, 2, 3, 8, 9, 40, u32::MAX].map(|attempt| wait(attempt, None, u64::MAX).as_millis());
        assert_eq!(limits, [199, 399, 799, 25_599, 29_999, 29_999, 29_999]);
    }

    #[test]
    fn the_delay_is_spread_over_the_whole_limit() {
        assert_eq!(wait(1, None, 0), Duration::ZERO);
        assert_eq!(wait(1, None, 1 << 63), FIRST / 2);
    }

    #[test]
    fn a_delay_that_the_service_asks_for_is_used() {
        let asked = Some(Duration::from_secs(3600));
        assert_eq!(wait(1, asked, 0), Duration::from_secs(3600));
        assert_eq!(wait(9, Some(Duration::ZERO), u64::MAX), Duration::ZERO);
    }
}
