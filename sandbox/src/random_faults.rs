//! Random errors, delays and disconnects that a seed makes reproducible.

use std::time::Duration;

/// The faults that [`Behaviour::Erratic`](crate::Behaviour::Erratic) injects. `errors`, `disconnects` and `delays` are
/// averages per thousand requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomFaults {
    /// The seed. Requests with the same number get the same fault in every run with this seed.
    pub seed: u64,
    /// The number of requests that get 408, 429 (with `Retry-After: 0`), 500 or 503.
    pub errors: u16,
    /// The number of requests that are validated, but whose connection is then closed without a response.
    pub disconnects: u16,
    /// The number of requests that are validated, but whose response is delayed by less than `max_delay`.
    pub delays: u16,
    /// The exclusive upper limit of a delay; zero means no delay.
    pub max_delay: Duration,
}

/// The fault injected into one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RandomFault {
    Error(u16),
    Disconnect,
    Delay(Duration),
}

impl RandomFaults {
    /// Returns faults with this seed. On average, of a thousand requests, 20 get an error status, 5 get no response
    /// because the connection is closed, and 50 are delayed by up to 20 ms.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { seed, errors: 20, disconnects: 5, delays: 50, max_delay: Duration::from_millis(20) }
    }

    /// Returns the fault for request `number`, if there is one.
    pub(crate) fn draw(&self, number: u64) -> Option<RandomFault> {
        let random = split_mix(self.seed ^ split_mix(number));
        let (draw, more) = (random % 1000, random / 1000);
        let errors = u64::from(self.errors);
        let disconnects = errors.saturating_add(self.disconnects.into());
        let delays = disconnects.saturating_add(self.delays.into());
        match draw {
            draw if draw < errors => Some(RandomFault::Error(error_status(more))),
            draw if draw < disconnects => Some(RandomFault::Disconnect),
            draw if draw < delays => Some(RandomFault::Delay(below(self.max_delay, more))),
            _ => None,
        }
    }
}

fn error_status(random: u64) -> u16 {
    match random % 4 {
        0 => 408,
        1 => 429,
        2 => 500,
        _ => 503,
    }
}

fn below(limit: Duration, random: u64) -> Duration {
    let nanoseconds = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(random.checked_rem(nanoseconds).unwrap_or(0))
}

/// Returns the first output of SplitMix64 with the seed `number`.
fn split_mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
        mixed = (mixed ^ (mixed >> shift)).wrapping_mul(factor);
    }
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_as_frequent_as_configured() {
        let faults = RandomFaults { errors: 100, disconnects: 200, delays: 300, ..RandomFaults::seeded(7) };
        let mut counts = [0_u32; 4];
        for number in 0..10_000 {
            counts[match faults.draw(number) {
                Some(RandomFault::Error(status)) => {
                    assert!([408, 429, 500, 503].contains(&status));
                    0
                }
                Some(RandomFault::Disconnect) => 1,
                Some(RandomFault::Delay(delay)) => {
                    assert!(delay < faults.max_delay);
                    2
                }
                None => 3,
            }] += 1;
        }
        for (count, expected) in counts.into_iter().zip([1000, 2000, 3000, 4000]) {
            assert!(count.abs_diff(expected) < 200, "{counts:?}");
        }
    }

    #[test]
    fn equal_seeds_give_equal_faults_and_different_seeds_give_different_faults() {
        let faults = |seed| (0..1000).map(|number| RandomFaults::seeded(seed).draw(number)).collect::<Vec<_>>();
        assert_eq!(faults(1), faults(1));
        assert_ne!(faults(1), faults(2));
    }

    #[test]
    fn a_fault_with_frequency_0_never_occurs() {
        let faults = RandomFaults { seed: 1, errors: 0, disconnects: 0, delays: 1000, max_delay: Duration::ZERO };
        assert!((0..1000).all(|number| faults.draw(number) == Some(RandomFault::Delay(Duration::ZERO))));
    }
}
