//! Decides whether the WAL is idle. The caller supplies the time.

use std::time::{Duration, Instant};

use crate::reporter::outbox::sqlite::file::file_set::IndexHeader;

/// The last index header seen, and the time at which it was first seen.
#[derive(Debug, Default)]
pub(crate) struct IdleWal(Option<(IndexHeader, Instant)>);

impl IdleWal {
    /// Returns whether `header`, the current index header, has been the same in all calls for at least `idle`, which
    /// means that no process has written to the WAL.
    pub(crate) fn is_idle(&mut self, header: IndexHeader, idle: Duration, now: Instant) -> bool {
        match self.0 {
            Some((known, since)) if known == header => now.saturating_duration_since(since) >= idle,
            _ => {
                self.0 = Some((header, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wal_is_idle_only_if_it_has_not_changed_for_the_given_time() {
        let (mut wal, start, idle) = (IdleWal::default(), Instant::now(), Duration::from_secs(60));
        let header = |change: u8| IndexHeader::for_tests(change);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!wal.is_idle(header(1), idle, at(0)));
        assert!(!wal.is_idle(header(1), idle, at(59)));
        assert!(!wal.is_idle(header(2), idle, at(60)));
        assert!(!wal.is_idle(header(3), idle, at(120)), "a changed WAL must not count as idle");
        assert!(!wal.is_idle(header(3), idle, at(179)));
        assert!(wal.is_idle(header(3), idle, at(180)));
    }
}
