//! Group commit: stores the reports of many threads in one transaction, with at most one flush to the disk.
//!
//! A thread that finds the outbox in use, or whose report must be flushed to the disk, queues its report. One of the
//! queued threads is the committer, which waits for the lock of the outbox. The thread that gets the lock, the
//! committer or another one, stores the queued reports, up to [`MAX_GROUP_SIZE`] at once.
//!
//! Unless submits wait for the disk, the next group begins only when all threads of the last one have returned or a
//! timeout has expired. Otherwise, a few threads would submit again and again while the others wait for a processor.

use std::cell::Cell;
use std::collections::VecDeque;
use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use crate::conversion::Conversion;
use crate::error::Error;
use crate::sync::{Condvar, Mutex};

/// The maximum number of reports in one transaction, which limits how long it holds the lock.
const MAX_GROUP_SIZE: usize = 256;

/// The result of storing a report: whether the oldest report was dropped for it.
type Stored = Result<bool, Error>;

/// The time after which a queued thread no longer waits for threads that have not returned. It doubles with each
/// wait.
const RETURN_TIMEOUT: Duration = Duration::from_millis(1);

/// The reports that wait to be stored together.
#[derive(Debug)]
pub(crate) struct GroupCommit {
    state: Mutex<State>,
    /// The number of threads that are queued or have not returned. Read without locking the state.
    busy: AtomicUsize,
    /// Whether a group waits for the threads of the last one.
    waits_for_return: bool,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Arc<Slot>>,
    has_committer: bool,
    /// The number of groups that have results, counted only if the next group waits for their threads.
    groups: u64,
    /// The number of threads of the last group that have a result and have not returned.
    unreturned: usize,
}

/// A report and its result.
#[derive(Debug)]
struct Slot {
    report: Conversion,
    progress: Mutex<Progress>,
    /// Each thread waits on its own condition variable, so that no other thread is woken with it.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Progress {
    is_committer: bool,
    /// The result and the number of the group.
    result: Option<(Stored, u64)>,
}

/// A queued report. Dropping this value removes the report from the queue.
#[derive(Debug)]
pub(crate) struct Queued<'a> {
    group_commit: &'a GroupCommit,
    slot: Arc<Slot>,
    may_be_queued: Cell<bool>,
}

/// The next action of a thread that waits for its report.
pub(crate) enum Step<'a> {
    /// Return this result.
    Return(Stored),
    /// Store the queued reports, and wait again.
    Commit(Committer<'a>),
    /// Give up: the report was not stored by the deadline.
    TimedOut,
    /// Another thread started to store the report, but did not finish by the deadline.
    Unfinished,
}

/// The role of the committer. When this value is dropped, the first queued thread becomes the committer.
pub(crate) struct Committer<'a>(&'a GroupCommit);

/// Reports that this thread stores. If the group is dropped without results, each report gets an internal error.
pub(crate) struct Group<'a> {
    group_commit: &'a GroupCommit,
    slots: Vec<Arc<Slot>>,
}

impl GroupCommit {
    pub(crate) fn new(waits_for_return: bool) -> Self {
        Self { state: Mutex::default(), busy: AtomicUsize::new(0), waits_for_return }
    }

    /// Returns whether no thread is queued and all threads have returned.
    pub(crate) fn is_idle(&self) -> bool {
        self.busy.load(Ordering::Acquire) == 0
    }

    /// Queues a report.
    pub(crate) fn queue(&self, report: &Conversion) -> Queued<'_> {
        let slot = Slot { report: report.clone(), progress: Mutex::default(), changed: Condvar::new() };
        let slot = Arc::new(slot);
        let mut state = self.state();
        state.queue.push_back(Arc::clone(&slot));
        self.changed(&mut state);
        Queued { group_commit: self, slot, may_be_queued: Cell::new(true) }
    }

    /// Returns the number of queued reports.
    #[cfg(test)]
    pub(crate) fn queued(&self) -> usize {
        self.state().queue.len()
    }

    /// Returns an empty group.
    pub(crate) fn group(&self) -> Group<'_> {
        Group { group_commit: self, slots: Vec::new() }
    }

    /// Makes the first queued thread the committer if there is none and all threads have returned. Called after each
    /// change of the state. Returns the new committer, if any, which the caller must wake if it may be waiting.
    fn changed(&self, state: &mut State) -> Option<Arc<Slot>> {
        self.busy.store(state.queue.len().saturating_add(state.unreturned), Ordering::Release);
        let next = state.queue.front().filter(|_| !state.has_committer && state.unreturned == 0).map(Arc::clone)?;
        state.has_committer = true;
        next.progress.lock().is_committer = true;
        Some(next)
    }

    /// Counts a group of `count` threads, and returns its number.
    fn finished(&self, count: usize) -> u64 {
        let mut state = self.state();
        if count > 0 && self.waits_for_return {
            state.groups = state.groups.wrapping_add(1);
            state.unreturned = count;
            self.changed(&mut state);
        }
        state.groups
    }

    /// Ends the wait for threads that have not returned.
    fn stop_waiting(&self) {
        let mut state = self.state();
        if !state.has_committer {
            state.unreturned = 0;
            wake(self.changed(&mut state));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl<'a> Queued<'a> {
    /// Waits until the report is stored, until this thread must commit, or until `deadline`. With `must_finish`, waits
    /// beyond `deadline` after another thread has started to store the report.
    pub(crate) fn wait(&self, deadline: Instant, must_finish: bool) -> Step<'a> {
        let mut return_timeout = RETURN_TIMEOUT;
        let mut progress = self.slot.progress.lock();
        loop {
            if std::mem::take(&mut progress.is_committer) {
                return Step::Commit(Committer(self.group_commit));
            }
            if let Some((result, group)) = progress.result.take() {
                drop(progress);
                self.returned(group);
                return Step::Return(result);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                let (woken, wait) = self.slot.changed.wait_timeout(progress, left.min(return_timeout));
                progress = woken;
                if wait.timed_out() {
                    return_timeout = return_timeout.saturating_mul(2);
                    drop(progress);
                    self.group_commit.stop_waiting();
                    progress = self.slot.progress.lock();
                }
            } else if self.may_be_queued.get() {
                drop(progress);
                if self.leave() {
                    return Step::TimedOut;
                }
                progress = self.slot.progress.lock();
            } else if must_finish {
                progress = self.slot.changed.wait(progress);
            } else {
                return Step::Unfinished;
            }
        }
    }

    /// Records that this thread has the result of a group.
    fn returned(&self, group: u64) {
        self.may_be_queued.set(false);
        let mut state = self.group_commit.state();
        if state.groups == group && state.unreturned > 0 {
            state.unreturned = state.unreturned.saturating_sub(1);
            let next = self.group_commit.changed(&mut state);
            drop(state);
            wake(next);
        }
    }

    /// Removes the report from the queue. Returns false if another thread has started to store it.
    pub(crate) fn leave(&self) -> bool {
        let mut state = self.group_commit.state();
        let position = state.queue.iter().position(|slot| Arc::ptr_eq(slot, &self.slot));
        let is_queued = position.and_then(|position| state.queue.remove(position)).is_some();
        // The thread may have become the committer meanwhile.
        let was_committer = is_queued && std::mem::take(&mut self.slot.progress.lock().is_committer);
        state.has_committer &= !was_committer;
        let next = self.group_commit.changed(&mut state);
        drop(state);
        self.may_be_queued.set(false);
        wake(next);
        is_queued
    }

    /// Returns whether the report has a result.
    pub(crate) fn is_finished(&self) -> bool {
        self.slot.progress.lock().result.is_some()
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        if self.may_be_queued.get() {
            self.leave();
        }
    }
}

impl Drop for Committer<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.has_committer = false;
        let next = self.0.changed(&mut state);
        drop(state);
        wake(next);
    }
}

fn wake(committer: Option<Arc<Slot>>) {
    if let Some(committer) = committer {
        committer.changed.notify_one();
    }
}

impl Group<'_> {
    /// Takes more reports from the queue and returns all reports of the group.
    pub(crate) fn fill(&mut self) -> impl Iterator<Item = &Conversion> {
        let mut state = self.group_commit.state();
        let count = MAX_GROUP_SIZE.saturating_sub(self.slots.len()).min(state.queue.len());
        self.slots.extend(state.queue.drain(..count));
        self.group_commit.changed(&mut state);
        drop(state);
        self.reports()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(crate) fn reports(&self) -> impl Iterator<Item = &Conversion> {
        self.slots.iter().map(|slot| &slot.report)
    }

    /// Passes the results, in the order of the reports, to the threads that wait for them.
    pub(crate) fn finish(mut self, committer: Option<Committer<'_>>, results: impl IntoIterator<Item = Stored>) {
        let mut results = results.into_iter();
        let slots = std::mem::take(&mut self.slots);
        let group = self.group_commit.finished(slots.len());
        // The next committer can use the file while this thread wakes the others.
        drop(committer);
        for slot in slots {
            slot.finish(results.next().unwrap_or_else(|| Err(Error::bug())), group);
        }
    }

    /// Passes `error` to all threads of the group.
    pub(crate) fn fail(self, committer: Option<Committer<'_>>, error: &Error) {
        self.finish(committer, iter::repeat_with(|| Err(error.clone())));
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        self.slots.iter().for_each(|slot| slot.finish(Err(Error::bug()), 0));
    }
}

impl Slot {
    fn finish(&self, result: Stored, group: u64) {
        self.progress.lock().result = Some((result, group));
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::conversion::{Channel, MessageId};

    fn report(id: usize) -> Conversion {
        let message_id = MessageId::new(&id.to_string()).unwrap();
        Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }
    }

    fn far_deadline() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn ids(group: &Group<'_>) -> Vec<String> {
        group.reports().map(|report| report.message_id.as_str().to_owned()).collect()
    }

    fn filled(commit: &GroupCommit) -> Group<'_> {
        let mut group = commit.group();
        drop(group.fill());
        group
    }

    fn is_committer(queued: &Queued<'_>) -> bool {
        matches!(queued.wait(Instant::now(), false), Step::Commit(_))
    }

    #[test]
    fn reports_queued_while_the_committer_waits_form_one_group() {
        let (commit, groups, stored) = (GroupCommit::new(true), AtomicUsize::new(0), AtomicUsize::new(0));
        let commit_group = |committer: Committer<'_>| {
            // The first committer waits until the reports of all threads are queued.
            while groups.load(Ordering::SeqCst) == 0 && commit.state().queue.len() < 16 {}
            let group = filled(&commit);
            groups.fetch_add(1, Ordering::SeqCst);
            stored.fetch_add(group.slots.len(), Ordering::SeqCst);
            let results: Vec<_> = group.reports().map(|report| Ok(report.message_id.as_str() == "7")).collect();
            group.finish(Some(committer), results);
        };
        std::thread::scope(|scope| {
            for id in 0..16 {
                let (commit, commit_group) = (&commit, &commit_group);
                scope.spawn(move || {
                    let queued = commit.queue(&report(id));
                    loop {
                        match queued.wait(far_deadline(), true) {
                            Step::Return(result) => return assert_eq!(result, Ok(id == 7)),
                            Step::Commit(committer) => commit_group(committer),
                            Step::TimedOut | Step::Unfinished => panic!("the report was not stored within a minute"),
                        }
                    }
                });
            }
        });
        assert_eq!((groups.into_inner(), stored.into_inner()), (1, 16));
        assert!(commit.is_idle() && !commit.state().has_committer);
    }

    #[test]
    fn role_of_the_committer_passes_to_the_next_queued_thread() {
        let commit = GroupCommit::new(true);
        let [first, second, third] = [1, 2, 3].map(|id| commit.queue(&report(id)));
        let Step::Commit(committer) = first.wait(far_deadline(), false) else { panic!("the first thread must commit") };
        assert!(first.leave());
        drop(committer);
        assert!(is_committer(&second), "the next thread must commit, because the first one gave up");
        drop(second);
        assert!(is_committer(&third));
        drop(third);
        assert!(commit.is_idle() && !commit.state().has_committer);
    }

    #[test]
    fn next_group_waits_for_the_threads_of_the_last_one() {
        for waits_for_return in [true, false] {
            let commit = GroupCommit::new(waits_for_return);
            let [first, second] = [1, 2].map(|id| commit.queue(&report(id)));
            let Step::Commit(committer) = first.wait(far_deadline(), false) else {
                panic!("the first thread must commit")
            };
            filled(&commit).finish(Some(committer), [Ok(false), Ok(true)]);
            let third = commit.queue(&report(3));
            assert!(!commit.is_idle());
            assert!(matches!(first.wait(Instant::now(), true), Step::Return(Ok(false))));
            assert_eq!(third.slot.progress.lock().is_committer, !waits_for_return);
            assert!(matches!(second.wait(Instant::now(), true), Step::Return(Ok(true))));
            assert!(is_committer(&third));
        }
    }

    #[test]
    fn thread_that_does_not_return_is_not_waited_for_indefinitely() {
        let commit = GroupCommit::new(true);
        let first = commit.queue(&report(1));
        let Step::Commit(committer) = first.wait(far_deadline(), false) else { panic!("the first thread must commit") };
        filled(&commit).finish(Some(committer), [Ok(false)]);
        let second = commit.queue(&report(2));
        assert!(matches!(second.wait(far_deadline(), false), Step::Commit(_)));
        assert!(matches!(first.wait(far_deadline(), false), Step::Return(Ok(false))));
        drop(second);
        assert!(commit.is_idle());
    }

    #[test]
    fn thread_that_gives_up_or_panics_passes_the_role_on() {
        let commit = GroupCommit::new(true);
        let [first, second, third] = [1, 2, 3].map(|id| commit.queue(&report(id)));
        let Step::Commit(committer) = first.wait(far_deadline(), false) else { panic!("the first thread must commit") };
        // The committer is still in the queue, so it becomes the committer again.
        drop(committer);
        drop(first);
        // The second thread does not know yet that it is the committer.
        drop(second);
        assert!(is_committer(&third));
        assert_eq!(ids(&filled(&commit)), ["3"]);
    }

    #[test]
    fn timeout_removes_the_report_from_the_queue() {
        let commit = GroupCommit::new(true);
        let [first, second] = [1, 2].map(|id| commit.queue(&report(id)));
        assert!(matches!(second.wait(Instant::now(), true), Step::TimedOut));
        let group = filled(&commit);
        assert_eq!(ids(&group), ["1"]);
        assert!(commit.is_idle() && !first.leave(), "the report is being stored");
        group.finish(None, [Ok(false)]);
        assert!(first.is_finished());
    }

    #[test]
    fn timeout_while_the_report_is_being_stored_is_distinguished() {
        let commit = GroupCommit::new(true);
        let [_first, second] = [1, 2].map(|id| commit.queue(&report(id)));
        let group = filled(&commit);
        assert!(matches!(second.wait(Instant::now(), false), Step::Unfinished));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let third = commit.queue(&report(3));
                let group = filled(&commit);
                scope.spawn(move || group.finish(None, [Ok(true)]));
                matches!(third.wait(Instant::now(), true), Step::Return(Ok(true)))
            });
            assert!(waiter.join().unwrap(), "a wait that must finish must ignore the deadline");
        });
        drop(group);
        assert!(matches!(second.wait(Instant::now(), false), Step::Return(Err(_))));
    }

    #[test]
    fn report_of_a_dropped_group_gets_an_error() {
        let commit = GroupCommit::new(true);
        let queued = commit.queue(&report(1));
        drop(filled(&commit));
        assert!(is_committer(&queued));
        assert!(matches!(queued.wait(far_deadline(), true), Step::Return(Err(_))));
    }
}
