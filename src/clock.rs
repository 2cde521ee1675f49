//! Timestamps that tolerate a wrong clock: wall-clock time together with time since boot.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::os;

/// 2020-01-01 in milliseconds since 1970. A clock that shows an earlier time is treated as never set.
const CLOCKS_WERE_SET: i64 = 1_577_836_800_000;

/// A point in time on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Milliseconds since 1970 on the wall clock, which can be wrong and can be set.
    pub(crate) wall: i64,
    /// Milliseconds since boot, including sleep.
    pub(crate) uptime: i64,
    /// An identifier of the boot; 0 if unknown.
    pub(crate) boot: i64,
}

impl Moment {
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { wall: milliseconds(since), uptime: milliseconds(os::uptime()), boot: boot() }
    }

    /// Returns the time elapsed since `then`: by uptime if both moments are in the same boot, and by the wall clock
    /// otherwise. If the boots differ and the wall clock was not set at `then`, returns the current uptime, which is a
    /// lower bound.
    pub(crate) fn since(&self, then: &Self) -> Duration {
        let by_uptime = self.boot == then.boot && self.boot != 0;
        let elapsed = if by_uptime {
            self.uptime.saturating_sub(then.uptime)
        } else if then.has_time_of_day() {
            self.wall.saturating_sub(then.wall)
        } else {
            self.uptime
        };
        Duration::from_millis(u64::try_from(elapsed).unwrap_or(0))
    }

    /// Returns whether the wall clock had been set by this moment.
    pub(crate) fn has_time_of_day(&self) -> bool {
        self.wall >= CLOCKS_WERE_SET
    }
}

/// Returns the instant `wait` after `now`, or `now` if that overflows.
pub(crate) fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}

/// Returns the instant `wait` from now.
pub(crate) fn from_now(wait: Duration) -> Instant {
    after(Instant::now(), wait)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Returns an identifier of the current boot, or 0 if it cannot be read.
fn boot() -> i64 {
    // Two threads may both read the file. A lock would prevent that, but it would stay locked forever in a child that
    // is forked while another thread holds it.
    static BOOT: AtomicI64 = AtomicI64::new(0);
    match BOOT.load(Ordering::Relaxed) {
        0 => {
            let opened = os::open_to_read(Path::new("/proc/sys/kernel/random/boot_id"));
            let id = opened.and_then(io::read_to_string).unwrap_or_default();
            let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(15).collect();
            let boot = i64::from_str_radix(&digits, 16).unwrap_or(0);
            BOOT.store(boot, Ordering::Relaxed);
            boot
        }
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment { wall: CLOCKS_WERE_SET + 100_000, uptime: 5_000, boot: 2 };

    #[test]
    fn within_a_boot_the_uptime_is_used_whatever_the_clock_shows() {
        for wall in [0, NOW.wall - 1, NOW.wall + 1_000_000] {
            let then = Moment { wall, uptime: 2_000, boot: 2 };
            assert_eq!(NOW.since(&then), Duration::from_secs(3));
        }
    }

    #[test]
    fn across_boots_the_wall_clock_is_used_and_never_yields_a_negative_time() {
        let before = Moment { wall: NOW.wall - 60_000, uptime: 99_000, boot: 1 };
        assert_eq!(NOW.since(&before), Duration::from_secs(60));
        assert_eq!(NOW.since(&Moment { wall: NOW.wall + 1, ..before }), Duration::ZERO);
    }

    #[test]
    fn an_unset_clock_never_overstates_the_elapsed_time() {
        let before = Moment { wall: 7_000, uptime: 7_000, boot: 1 };
        assert!(!before.has_time_of_day());
        assert_eq!(NOW.since(&before), Duration::from_secs(5));
        let now = Moment { wall: 1_000, uptime: 1_000, boot: 2 };
        assert_eq!(now.since(&NOW.with_boot(1)), Duration::ZERO);
    }

    impl Moment {
        fn with_boot(self, boot: i64) -> Self {
            Self { boot, ..self }
        }
    }

    #[test]
    fn this_machine_has_both_clocks() {
        let now = Moment::now();
        assert!(now.has_time_of_day() && now.uptime > 0 && now.boot != 0);
        assert!(Moment::now().since(&now) < Duration::from_secs(60));
    }
}
