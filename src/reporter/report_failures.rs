//! What single reports have been through: one that alone fails while others are taken rests, longer each time; one that fails
//! in a way that parks is refused in the end. Pure: time comes from the caller.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::clock::after;

/// The most reports whose troubles are remembered.
const MOST: usize = 10_000;

/// How often a report alone is answered in a way that parks before it is refused.
const STRIKES: u32 = 4;

/// The reports that failed and have not been taken since.
#[derive(Debug)]
pub(crate) struct ReportFailures {
    /// How long a report rests that alone keeps failing, first, second, and each later time.
    rests: [Duration; 3],
    /// How many reports have been taken.
    successes: u64,
    of: HashMap<u64, ReportFailure>,
}

/// What a single report has been through.
#[derive(Debug, Clone, Copy)]
struct ReportFailure {
    /// How often it failed while others were taken, and how often of these in a way that parks.
    strikes: u32,
    useless: u32,
    /// How many reports had been taken when it last failed.
    successes: u64,
    due: Instant,
}

impl ReportFailures {
    pub(crate) fn new(rests: [Duration; 3]) -> Self {
        Self { rests, successes: 0, of: HashMap::new() }
    }

    /// Whether report `id` failed before.
    pub(crate) fn has(&self, id: u64) -> bool {
        self.of.contains_key(&id)
    }

    /// Whether report `id` rests for now.
    pub(crate) fn rests(&self, id: u64, now: Instant) -> bool {
        self.of.get(&id).is_some_and(|trouble| trouble.due > now)
    }

    /// When the next report has rested.
    pub(crate) fn next(&self, now: Instant) -> Option<Instant> {
        self.of.values().map(|trouble| trouble.due).filter(|due| *due > now).min()
    }

    /// None rests any longer.
    pub(crate) fn end_rests(&mut self, now: Instant) {
        self.of.values_mut().for_each(|trouble| trouble.due = now);
    }

    /// None rests any longer of those that failed only while all did.
    pub(crate) fn end_first_rests(&mut self, now: Instant) {
        self.of.values_mut().filter(|trouble| trouble.strikes <= 1).for_each(|trouble| trouble.due = now);
    }

    /// Report `id` has its fate.
    pub(crate) fn forget(&mut self, id: u64) {
        self.of.remove(&id);
    }

    /// The service took a report: those that failed, and fail again, do so alone.
    pub(crate) fn another_was_taken(&mut self) {
        self.successes = self.successes.saturating_add(1);
    }

    /// Report `id` failed. It rests for `alone` the first time, which is for the case that there is no other.
    pub(crate) fn note(&mut self, id: u64, now: Instant, alone: Duration) {
        self.strike(id, now, alone, 0);
    }

    /// As [`ReportFailures::note`], in a way that parks. True: that happened often enough while others were taken, and it is to be
    /// refused.
    pub(crate) fn note_useless(&mut self, id: u64, now: Instant, alone: Duration) -> bool {
        self.strike(id, now, alone, 1) >= STRIKES
    }

    /// Tells how often the report was answered in a way that parks while others were taken.
    fn strike(&mut self, id: u64, now: Instant, alone: Duration, useless: u32) -> u32 {
        if self.of.len() >= MOST {
            self.of.clear();
        }
        let successes = self.successes;
        let trouble = self.of.entry(id).or_insert(ReportFailure { strikes: 0, useless: 0, successes, due: now });
        let is_alone = trouble.strikes == 0 || successes > trouble.successes;
        if is_alone {
            trouble.strikes = trouble.strikes.saturating_add(1);
            trouble.useless = trouble.useless.saturating_add(useless);
        }
        let own = usize::try_from(trouble.strikes).unwrap_or(usize::MAX).checked_sub(2);
        let rest = own.map_or(alone, |index| *self.rests.get(index).unwrap_or(&self.rests[2]));
        trouble.successes = successes;
        trouble.due = after(now, rest);
        trouble.useless
    }
}
