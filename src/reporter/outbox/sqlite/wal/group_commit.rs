//! The reports of many threads in one transaction, and one flush of the log to the disk for all of them.
//!
//! One of the threads leads: it puts what has gathered, while the next ones gather.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::conversion::Conversion;
use crate::error::Error;

/// The most reports in one transaction.
const MOST: usize = 256;

/// Puts many reports, and returns for each whether the oldest was dropped for it.
type PutAll<'a> = &'a dyn Fn(&[Conversion]) -> Vec<Result<bool, Error>>;

/// Threads that wait for the disk together.
#[derive(Debug, Default)]
pub(crate) struct GroupCommit {
    state: Mutex<State>,
    ended: Condvar,
    /// Whether the last flush failed. The system then counts as written what is not on the disk, and flushes it no more.
    is_torn: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    last_ticket: u64,
    waiting: Vec<(u64, Conversion)>,
    is_led: bool,
    results: HashMap<u64, Result<bool, Error>>,
}

/// The one who puts for others. Should it fail to tell them what came of it, they are told that.
struct Committer<'a> {
    group: &'a GroupCommit,
    tickets: Vec<u64>,
}

impl GroupCommit {
    /// Has `conversion` put by `put_all`, together with those of other threads. One that is not begun with by `deadline` is
    /// given up, and `busy` told.
    pub(crate) fn put(
        &self,
        conversion: &Conversion,
        deadline: Instant,
        put_all: PutAll<'_>,
        busy: &dyn Fn() -> Error,
    ) -> Result<bool, Error> {
        let mut state = self.state();
        state.last_ticket = state.last_ticket.wrapping_add(1);
        let ticket = state.last_ticket;
        state.waiting.push((ticket, conversion.clone()));
        loop {
            if let Some(result) = state.results.remove(&ticket) {
                return result;
            }
            if !state.is_led {
                state = self.lead(state, put_all);
                continue;
            }
            let is_waiting = state.waiting.iter().any(|(other, _)| *other == ticket);
            let left = deadline.saturating_duration_since(Instant::now());
            if !is_waiting {
                state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else if left.is_zero() {
                state.waiting.retain(|(other, _)| *other != ticket);
                return Err(busy());
            } else {
                state = self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    fn lead<'a>(&'a self, mut state: MutexGuard<'a, State>, put_all: PutAll<'_>) -> MutexGuard<'a, State> {
        state.is_led = true;
        let count = state.waiting.len().min(MOST);
        let (tickets, conversions): (Vec<u64>, Vec<Conversion>) = state.waiting.drain(..count).unzip();
        drop(state);
        let committer = Committer { group: self, tickets };
        let results = put_all(&conversions);
        committer.finish(results);
        self.state()
    }

    /// Flushes the log. After a flush that failed, `mend` is to write all of it again first. One thread does this at a time.
    pub(crate) fn flush(&self, log: &File, mend: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
        let mended = if self.is_torn.load(Ordering::Acquire) { mend() } else { Ok(()) };
        let flushed = mended.and_then(|()| log.sync_data());
        #[cfg(feature = "testing")]
        crate::reporter::testing::SYNCS.fetch_add(1, Ordering::SeqCst);
        self.is_torn.store(flushed.is_err(), Ordering::Release);
        flushed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Committer<'_> {
    fn finish(mut self, results: Vec<Result<bool, Error>>) {
        let tickets = std::mem::take(&mut self.tickets);
        self.group.state().results.extend(tickets.into_iter().zip(results));
    }
}

impl Drop for Committer<'_> {
    fn drop(&mut self) {
        let mut state = self.group.state();
        for ticket in self.tickets.drain(..) {
            state.results.insert(ticket, Err(Error::bug()));
        }
        state.is_led = false;
        drop(state);
        self.group.ended.notify_all();
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

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn what_gathers_while_one_leads_is_put_at_once() {
        let (group, rounds, put) = (GroupCommit::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        // The first round lasts until all others wait.
        let put_all = |reports: &[Conversion]| {
            while rounds.load(Ordering::SeqCst) == 0 && group.state().waiting.len() < 15 {}
            rounds.fetch_add(1, Ordering::SeqCst);
            put.fetch_add(reports.len(), Ordering::SeqCst);
            reports.iter().map(|report| Ok(report.message_id.as_str() == "7")).collect()
        };
        std::thread::scope(|scope| {
            for id in 0..16 {
                let (group, put_all) = (&group, &put_all);
                scope.spawn(move || assert_eq!(group.put(&report(id), soon(), put_all, &busy), Ok(id == 7)));
            }
        });
        assert_eq!((rounds.into_inner(), put.into_inner()), (2, 16));
        assert!(group.state().results.is_empty());
    }

    #[test]
    fn who_is_not_begun_with_in_time_gives_up_and_leaves_nothing_behind() {
        let group = GroupCommit::default();
        let put_all = |reports: &[Conversion]| {
            assert_eq!(group.put(&report(2), Instant::now(), &|_| panic!("two lead"), &busy), Err(busy()));
            reports.iter().map(|_| Ok(false)).collect()
        };
        assert_eq!(group.put(&report(1), soon(), &put_all, &busy), Ok(false));
        assert!(group.state().waiting.is_empty());
    }

    #[test]
    fn a_leader_that_panics_leaves_the_lead_to_others() {
        let group = GroupCommit::default();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            group.put(&report(1), soon(), &|_| panic!("on purpose"), &busy)
        }));
        assert!(panicked.is_err());
        let put_all = |reports: &[Conversion]| reports.iter().map(|_| Ok(true)).collect();
        assert_eq!(group.put(&report(2), soon(), &put_all, &busy), Ok(true));
    }

    #[test]
    fn after_a_failed_flush_the_log_is_written_again_first() {
        let log = File::open("/proc/self/stat").unwrap();
        let (group, mended) = (GroupCommit::default(), AtomicUsize::new(0));
        let mend = || {
            mended.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        assert!(group.flush(&log, &mend).is_err());
        assert_eq!(mended.load(Ordering::SeqCst), 0);
        assert!(group.flush(&log, &mend).is_err());
        let whole = File::create(std::path::Path::new(env!("OUT_DIR")).join("flushed")).unwrap();
        assert!(group.flush(&whole, &mend).is_ok() && group.flush(&whole, &mend).is_ok());
        assert_eq!(mended.load(Ordering::SeqCst), 2);
    }
}
