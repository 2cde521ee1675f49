//! Tracks the reports that are claimed for sending.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use super::store::Entry;
use crate::conversion::Conversion;

/// One in this many claimed reports is the oldest, so that old reports do not starve under a backlog. A larger share
/// would delay the newest reports, which are the most valuable: one in eight lowers the rank correlation with
/// newest-first order to 0.75, and one in 32 to 0.94.
const OLDEST_INTERVAL: usize = 32;

/// While a flush waits, one in this many claimed reports is one that it waits for.
const FLUSHED_INTERVAL: usize = 2;

/// The ids of the claimed reports and the hashes of their keys. If two keys have the same hash, only one of the two
/// reports can be claimed at a time.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    entries: HashMap<u64, u64, BuildHasherDefault<NumberHasher>>,
    keys: HashSet<u64, BuildHasherDefault<NumberHasher>>,
    hasher: RandomState,
    /// The number of reports ever claimed.
    total: usize,
}

/// Hashes numbers that are sequential ids or randomly keyed hashes, so an attacker cannot choose them to cause
/// collisions.
#[derive(Debug, Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(self.0 ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio: nearby numbers differ in the high bits too.
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Claims {
    /// Claims a report. Returns false if the report or its key is already claimed.
    pub(crate) fn add(&mut self, entry: &Entry) -> bool {
        let Conversion { channel, message_id, .. } = &entry.conversion;
        let key = self.hasher.hash_one((channel, message_id));
        if self.entries.contains_key(&entry.id) || !self.keys.insert(key) {
            return false;
        }
        self.entries.insert(entry.id, key);
        self.total = self.total.wrapping_add(1);
        true
    }

    pub(crate) fn remove(&mut self, id: u64) {
        if let Some(key) = self.entries.remove(&id) {
            self.keys.remove(&key);
        }
    }

    /// Releases unused memory.
    pub(crate) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
        self.keys.shrink_to_fit();
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.entries.contains_key(&id)
    }

    /// Returns how many of the next `limit` reports must be the oldest.
    pub(crate) fn oldest_share(&self, limit: usize) -> usize {
        self.share(limit, OLDEST_INTERVAL)
    }

    /// Returns how many of the next `limit` reports must be ones that a flush waits for.
    pub(crate) fn flushed_share(&self, limit: usize) -> usize {
        self.share(limit, FLUSHED_INTERVAL)
    }

    fn share(&self, limit: usize, interval: usize) -> usize {
        self.total.saturating_add(limit) / interval - self.total / interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_32_claimed_reports_is_the_oldest() {
        let oldest_share = |total, limit| Claims { total, ..Claims::default() }.oldest_share(limit);
        assert_eq!((0..320).map(|total| oldest_share(total, 1)).sum::<usize>(), 10);
        assert_eq!(oldest_share(0, 320), 10);
        assert_eq!((oldest_share(30, 1), oldest_share(31, 1), oldest_share(32, 31)), (0, 1, 0));
    }
}
