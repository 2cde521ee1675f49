//! Group commit: the reports of many threads in one transaction, with one flush to the disk.
//!
//! One of the threads is the committer: it commits the waiting reports while the next ones queue.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::conversion::Conversion;
use crate::error::Error;

/// The maximum of reports in one transaction.
const MAX_GROUP_SIZE: usize = 256;

/// Stores many reports; returns for each whether the oldest was dropped for it.
type PutAll<'a> = &'a dyn Fn(&[Conversion]) -> Vec<Result<bool, Error>>;

/// Threads that wait for the disk together.
#[derive(Debug, Default)]
pub(crate) struct GroupCommit {
    state: Mutex<State>,
    finished: Condvar,
    /// Whether the last flush failed. The kernel then considers unwritten pages clean and does not flush them again.
    needs_rewrite: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    last_slot: u64,
    waiting: Vec<(u64, Conversion)>,
    is_committing: bool,
    results: HashMap<u64, Result<bool, Error>>,
}

/// The thread that commits for the others. If it fails before it stores their results, they get an internal error.
struct Committer<'a> {
    group: &'a GroupCommit,
    slots: Vec<u64>,
}

impl GroupCommit {
    /// Stores `conversion` with `put_all`, together with those of other threads. If that does not start by `deadline`,
    /// gives up and returns `busy`.
    pub(crate) fn put(
        &self,
        conversion: &Conversion,
        deadline: Instant,
        put_all: PutAll<'_>,
        busy: &dyn Fn() -> Error,
    ) -> Result<bool, Error> {
        let mut state = self.state();
        state.last_slot = state.last_slot.wrapping_add(1);
        let slot = state.last_slot;
        state.waiting.push((slot, conversion.clone()));
        loop {
            if let Some(result) = state.results.remove(&slot) {
                return result;
            }
            if !state.is_committing {
                state = self.commit_group(state, put_all);
                continue;
            }
            let is_waiting = state.waiting.iter().any(|(other, _)| *other == slot);
            let left = deadline.saturating_duration_since(Instant::now());
            if !is_waiting {
                state = self.finished.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else if left.is_zero() {
                state.waiting.retain(|(other, _)| *other != slot);
                return Err(busy());
            } else {
                state = self.finished.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    fn commit_group<'a>(&'a self, mut state: MutexGuard<'a, State>, put_all: PutAll<'_>) -> MutexGuard<'a, State> {
        state.is_committing = true;
        let count = state.waiting.len().min(MAX_GROUP_SIZE);
        let (slots, conversions): (Vec<u64>, Vec<Conversion>) = state.waiting.drain(..count).unzip();
        drop(state);
        let committer = Committer { group: self, slots };
        let results = put_all(&conversions);
        committer.finish(results);
        self.state()
    }

    /// Flushes the WAL. If the last flush failed, `rewrite` first writes all of it again. One thread does this at a
    /// time.
    pub(crate) fn flush(&self, wal: &File, rewrite: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
        let rewritten = if self.needs_rewrite.load(Ordering::Acquire) { rewrite() } else { Ok(()) };
        let flushed = rewritten.and_then(|()| wal.sync_data());
        #[cfg(feature = "testing")]
        crate::reporter::testing::SYNCS.fetch_add(1, Ordering::SeqCst);
        self.needs_rewrite.store(flushed.is_err(), Ordering::Release);
        flushed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Committer<'_> {
    fn finish(mut self, results: Vec<Result<bool, Error>>) {
        let slots = std::mem::take(&mut self.slots);
        self.group.state().results.extend(slots.into_iter().zip(results));
    }
}

impl Drop for Committer<'_> {
    fn drop(&mut self) {
        let mut state = self.group.state();
        for slot in self.slots.drain(..) {
            state.results.insert(slot, Err(Error::bug()));
        }
        state.is_committing = false;
        drop(state);
        self.group.finished.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;
    use crate::conversion::{Channel, MessageId};
    use crate::error::Kind;

    fn report(id: usize) -> Conversion {
        let message_id = MessageId::new(&id.to_string()).unwrap();
        Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }
    }

    fn busy() -> Error {
        Error::new(Kind::OutboxBusy, "busy")
    }

    fn far_deadline() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn reports_queued_during_a_commit_form_the_next_group() {
        let (group, groups, put) = (GroupCommit::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        // The first group lasts until all others wait.
        let put_all = |reports: &[Conversion]| {
            while groups.load(Ordering::SeqCst) == 0 && group.state().waiting.len() < 15 {}
            groups.fetch_add(1, Ordering::SeqCst);
            put.fetch_add(reports.len(), Ordering::SeqCst);
            reports.iter().map(|report| Ok(report.message_id.as_str() == "7")).collect()
        };
        std::thread::scope(|scope| {
            for id in 0..16 {
                let (group, put_all) = (&group, &put_all);
                scope.spawn(move || assert_eq!(group.put(&report(id), far_deadline(), put_all, &busy), Ok(id == 7)));
            }
        });
        assert_eq!((groups.into_inner(), put.into_inner()), (2, 16));
        assert!(group.state().results.is_empty());
    }

    #[test]
    fn timeout_removes_the_report_from_the_queue() {
        let group = GroupCommit::default();
        let put_all = |reports: &[Conversion]| {
            assert_eq!(group.put(&report(2), Instant::now(), &|_| panic!("two committers"), &busy), Err(busy()));
            reports.iter().map(|_| Ok(false)).collect()
        };
        assert_eq!(group.put(&report(1), far_deadline(), &put_all, &busy), Ok(false));
        assert!(group.state().waiting.is_empty());
    }

    #[test]
    fn committer_that_panics_is_replaced() {
        let group = GroupCommit::default();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            group.put(&report(1), far_deadline(), &|_| panic!("on purpose"), &busy)
        }));
        assert!(panicked.is_err());
        let put_all = |reports: &[Conversion]| reports.iter().map(|_| Ok(true)).collect();
        assert_eq!(group.put(&report(2), far_deadline(), &put_all, &busy), Ok(true));
    }

    #[test]
    fn wal_is_rewritten_after_a_failed_flush() {
        let unsyncable = File::open("/proc/self/stat").unwrap();
        let (group, rewritten) = (GroupCommit::default(), AtomicUsize::new(0));
        let rewrite = || {
            rewritten.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        assert!(group.flush(&unsyncable, &rewrite).is_err());
        assert_eq!(rewritten.load(Ordering::SeqCst), 0);
        assert!(group.flush(&unsyncable, &rewrite).is_err());
        let whole = File::create(std::path::Path::new(env!("OUT_DIR")).join("flushed")).unwrap();
        assert!(group.flush(&whole, &rewrite).is_ok() && group.flush(&whole, &rewrite).is_ok());
        assert_eq!(rewritten.load(Ordering::SeqCst), 2);
    }
}
