//! Group commit: stores the reports of many threads in one transaction with one flush to the disk.
//!
//! One of the threads is the committer. It commits the waiting reports while later reports are queued.

use std::collections::HashMap;
use std::sync::MutexGuard;
use std::time::Instant;

use crate::conversion::Conversion;
use crate::error::Error;
use crate::sync::{Condvar, Mutex};

/// The maximum number of reports in one transaction.
const MAX_GROUP_SIZE: usize = 256;

/// The result of storing a report: whether the oldest report was dropped for it.
type Stored = Result<bool, Error>;

/// The reports that wait for a commit, and the results of the commits.
#[derive(Debug, Default)]
pub(crate) struct GroupCommit {
    state: Mutex<State>,
    finished: Condvar,
}

#[derive(Debug, Default)]
struct State {
    last_slot: u64,
    waiting: Vec<(u64, Conversion)>,
    is_committing: bool,
    results: HashMap<u64, Stored>,
}

/// The next action of a thread that waits for its report.
pub(crate) enum Step<'a> {
    /// Return this result.
    Return(Stored),
    /// Store the reports of this group, and wait again.
    Commit(Group<'a>),
    /// Give up: the report was not stored by the deadline.
    TimedOut,
}

/// The reports that this thread commits, for itself and for other threads. If the group is dropped without results,
/// each report gets an internal error.
pub(crate) struct Group<'a> {
    group_commit: &'a GroupCommit,
    slots: Vec<u64>,
    pub(crate) reports: Vec<Conversion>,
}

impl GroupCommit {
    /// Queues a report and returns its slot for [`GroupCommit::wait`].
    pub(crate) fn queue(&self, report: &Conversion) -> u64 {
        let mut state = self.state();
        state.last_slot = state.last_slot.wrapping_add(1);
        let slot = state.last_slot;
        state.waiting.push((slot, report.clone()));
        slot
    }

    /// Waits until the report in `slot` is stored, until this thread must commit, or until `deadline`. After a commit
    /// of the report has started, ignores `deadline`.
    pub(crate) fn wait(&self, slot: u64, deadline: Instant) -> Step<'_> {
        let mut state = self.state();
        loop {
            if let Some(result) = state.results.remove(&slot) {
                return Step::Return(result);
            }
            if !state.is_committing {
                state.is_committing = true;
                let count = state.waiting.len().min(MAX_GROUP_SIZE);
                let (slots, reports) = state.waiting.drain(..count).unzip();
                return Step::Commit(Group { group_commit: self, slots, reports });
            }
            let is_waiting = state.waiting.iter().any(|(other, _)| *other == slot);
            let left = deadline.saturating_duration_since(Instant::now());
            if !is_waiting {
                state = self.finished.wait(state);
            } else if left.is_zero() {
                state.waiting.retain(|(other, _)| *other != slot);
                return Step::TimedOut;
            } else {
                state = self.finished.wait_timeout(state, left).0;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Group<'_> {
    /// Passes the results, in the order of the reports, to the threads that wait for them.
    pub(crate) fn finish(mut self, results: Vec<Stored>) {
        let slots = std::mem::take(&mut self.slots);
        self.group_commit.state().results.extend(slots.into_iter().zip(results));
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        let mut state = self.group_commit.state();
        for slot in self.slots.drain(..) {
            state.results.insert(slot, Err(Error::bug()));
        }
        state.is_committing = false;
        drop(state);
        self.group_commit.finished.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::conversion::{Channel, MessageId};

    fn report(id: usize) -> Conversion {
        let message_id = MessageId::new(&id.to_string()).unwrap();
        Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }
    }

    fn far_deadline() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    /// Queues a report and waits until it is stored. If this thread has to commit the group, stores it with `put_all`.
    fn put(commit: &GroupCommit, id: usize, put_all: &dyn Fn(&[Conversion]) -> Vec<Stored>) -> Stored {
        let slot = commit.queue(&report(id));
        loop {
            match commit.wait(slot, far_deadline()) {
                Step::Return(result) => return result,
                Step::Commit(group) => {
                    let results = put_all(&group.reports);
                    group.finish(results);
                }
                Step::TimedOut => panic!("the report was not stored within a minute"),
            }
        }
    }

    #[test]
    fn reports_queued_during_a_commit_form_the_next_group() {
        let (commit, groups, stored) = (GroupCommit::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        // The first commit lasts until the reports of all other threads are queued.
        let put_all = |reports: &[Conversion]| {
            while groups.load(Ordering::SeqCst) == 0 && commit.state().waiting.len() + reports.len() < 16 {}
            groups.fetch_add(1, Ordering::SeqCst);
            stored.fetch_add(reports.len(), Ordering::SeqCst);
            reports.iter().map(|report| Ok(report.message_id.as_str() == "7")).collect()
        };
        std::thread::scope(|scope| {
            for id in 0..16 {
                let (commit, put_all) = (&commit, &put_all);
                scope.spawn(move || assert_eq!(put(commit, id, put_all), Ok(id == 7)));
            }
        });
        assert!(groups.into_inner() <= 2, "the other reports must form one group");
        assert_eq!(stored.into_inner(), 16);
        assert!(commit.state().results.is_empty());
    }

    #[test]
    fn timeout_removes_the_report_from_the_queue() {
        let commit = GroupCommit::default();
        let first = commit.queue(&report(1));
        let Step::Commit(group) = commit.wait(first, far_deadline()) else {
            panic!("the first thread must commit, because no other thread does")
        };
        let second = commit.queue(&report(2));
        assert!(matches!(commit.wait(second, Instant::now()), Step::TimedOut));
        assert!(commit.state().waiting.is_empty());
        group.finish(vec![Ok(false)]);
        assert!(matches!(commit.wait(first, far_deadline()), Step::Return(Ok(false))));
    }

    #[test]
    fn committer_that_fails_is_replaced() {
        let commit = GroupCommit::default();
        let first = commit.queue(&report(1));
        drop(commit.wait(first, far_deadline()));
        let Step::Return(result) = commit.wait(first, far_deadline()) else { panic!("the report must have a result") };
        assert_eq!(result, Err(Error::bug()));
        assert_eq!(put(&commit, 2, &|reports| reports.iter().map(|_| Ok(true)).collect()), Ok(true));
    }
}
