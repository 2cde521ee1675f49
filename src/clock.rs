//! Timestamps that tolerate a wrong clock: wall-clock time together with time since boot.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::os;

/// 2020-01-01 in milliseconds since 1970. A clock with an earlier time is assumed to have never been set.
const CLOCKS_WERE_SET: i64 = 1_577_836_800_000;

/// A point in time on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Milliseconds since 1970 on the wall clock, which can be wrong and can be set.
    pub(crate) wall: i64,
    /// Milliseconds since boot, including the time during which the system was suspended.
    pub(crate) uptime: i64,
    /// An identifier of the boot; 0 if unknown.
    pub(crate) boot: i64,
}

impl Moment {
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { wall: milliseconds(since), uptime: milliseconds(os::uptime()), boot: boot() }
    }

    /// Returns the time elapsed since `then`: by uptime if both moments are known to be in the same boot; otherwise,
    /// by the wall clock if it was set at `then`; otherwise, the uptime, which is a lower bound if the system was
    /// rebooted after `then`. Returns zero if the result would be negative.
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

    /// Returns whether the wall clock appears to have been set before this moment.
    pub(crate) fn has_time_of_day(&self) -> bool {
        self.wall >= CLOCKS_WERE_SET
    }
}

/// Returns the instant `wait` after `now`, or `now` if that overflows.
pub(crate) fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}

/// Returns the instant `wait` from now, or the current instant if that overflows.
pub(crate) fn from_now(wait: Duration) -> Instant {
    after(Instant::now(), wait)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Returns an identifier of the current boot, or 0 if it cannot be read.
fn boot() -> i64 {
    // Two threads may both read the file. A lock would prevent that, but if the process forked while a thread held the
    // lock, the lock would stay locked forever in the child.
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
