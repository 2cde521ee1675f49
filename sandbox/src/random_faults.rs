//! A service that answers, fails, stalls and hangs up at random, and does the same again for the same seed.

use std::time::Duration;

/// How often an erratic service does what, of a thousand requests; it answers the others as always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moods {
    /// What decides; with the same seed the request with the same number has the same fate.
    pub seed: u64,
    /// So many are answered 408, 429 (to be tried again at once), 500 or 503.
    pub failing: u16,
    /// So many are judged as always, and then the connection is closed without an answer.
    pub hanging_up: u16,
    /// So many are judged as always, and answered up to `longest_stall` later.
    pub stalling: u16,
    /// The longest that an answer is held back.
    pub longest_stall: Duration,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Fine,
    Failing(u16),
    HangingUp,
    Stalling(Duration),
}

impl Moods {
    /// The moods of a bad day: 20 of a thousand fail, 5 end with a closed connection, 50 stall for up to 20 ms.
    #[must_use]
    pub fn of_a_bad_day(seed: u64) -> Self {
        Self { seed, failing: 20, hanging_up: 5, stalling: 50, longest_stall: Duration::from_millis(20) }
    }

    /// The mood for request `number`.
    pub(crate) fn mood(&self, number: u64) -> Mood {
        let random = scatter(self.seed ^ scatter(number));
        let (draw, more) = (random % 1000, random / 1000);
        let failing = u64::from(self.failing);
        let hanging_up = failing.saturating_add(self.hanging_up.into());
        let stalling = hanging_up.saturating_add(self.stalling.into());
        match draw {
            draw if draw < failing => Mood::Failing(failure(more)),
            draw if draw < hanging_up => Mood::HangingUp,
            draw if draw < stalling => Mood::Stalling(part_of(self.longest_stall, more)),
            _ => Mood::Fine,
        }
    }
}

fn failure(random: u64) -> u16 {
    match random % 4 {
        0 => 408,
        1 => 429,
        2 => 500,
        _ => 503,
    }
}

fn part_of(whole: Duration, random: u64) -> Duration {
    let nanoseconds = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(random.checked_rem(nanoseconds).unwrap_or(0))
}

/// A number that tells nothing of `number`: each bit of it depends on all of that one's.
fn scatter(number: u64) -> u64 {
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
    fn each_mood_is_as_frequent_as_was_said() {
        let moods = Moods { failing: 100, hanging_up: 200, stalling: 300, ..Moods::of_a_bad_day(7) };
        let mut counts = [0_u32; 4];
        for number in 0..10_000 {
            counts[match moods.mood(number) {
                Mood::Failing(status) => {
                    assert!([408, 429, 500, 503].contains(&status));
                    0
                }
                Mood::HangingUp => 1,
                Mood::Stalling(stall) => {
                    assert!(stall < moods.longest_stall);
                    2
                }
                Mood::Fine => 3,
            }] += 1;
        }
        for (count, expected) in counts.into_iter().zip([1000, 2000, 3000, 4000]) {
            assert!(count.abs_diff(expected) < 200, "{counts:?}");
        }
    }

    #[test]
    fn a_seed_decides_and_another_decides_otherwise() {
        let moods = |seed| (0..1000).map(|number| Moods::of_a_bad_day(seed).mood(number)).collect::<Vec<_>>();
        assert_eq!(moods(1), moods(1));
        assert_ne!(moods(1), moods(2));
    }

    #[test]
    fn who_never_does_a_thing_never_does_it() {
        let moods = Moods { seed: 1, failing: 0, hanging_up: 0, stalling: 1000, longest_stall: Duration::ZERO };
        assert!((0..1000).all(|number| moods.mood(number) == Mood::Stalling(Duration::ZERO)));
    }
}
