//! What another process writes is noticed a moment before it can be read. So it is looked for again, a few times.

use std::time::{Duration, Instant};

use crate::clock::after;

/// How soon after a write was noticed it is looked for again, and how late for the last time.
const FIRST: Duration = Duration::from_millis(1);
const LAST: Duration = Duration::from_millis(100);

/// When to look again, and after which wait.
#[derive(Debug, Default)]
pub(super) struct SecondLook(Option<(Instant, Duration)>);

impl SecondLook {
    /// To be called at each look, for which something may have been noticed.
    pub(super) fn plan(&mut self, now: Instant, has_noticed: bool) {
        let wait = match self.0 {
            _ if has_noticed => Some(FIRST),
            Some((due, wait)) if now >= due => Some(wait.saturating_mul(10)).filter(|wait| *wait <= LAST),
            Some(_) => return,
            None => None,
        };
        self.0 = wait.map(|wait| (after(now, wait), wait));
    }

    /// When to look again, if at all.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.map(|(due, _)| due)
    }
}
