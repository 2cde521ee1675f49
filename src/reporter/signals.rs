//! Signals and status shared by a reporter's callers and its worker.

use std::io;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::statistics::{LastError, State, WorkerStatus};
use crate::error::Error;
use crate::os::wakeup::Wakeup;
use crate::sync::{Condvar, Mutex};

/// The state shared by the callers and the worker.
pub(crate) struct Signals {
    status: Mutex<WorkerStatus>,
    changed: Condvar,
    /// Wakes the worker.
    pub(crate) wake: Wakeup,
    /// Readable while an event is waiting, and once the reporter is closed.
    pub(crate) events: Wakeup,
    /// Readable once the reporter is freed, or once it is closed and no call to `close` is in progress.
    pub(crate) ended: Wakeup,
    /// Whether the next report wakes the worker.
    wakes_on_report: AtomicBool,
    is_probe_requested: AtomicBool,
    /// For each call that waits for the reports submitted before it, the id of the last such report.
    flushes: Mutex<Vec<u64>>,
    is_ending: AtomicBool,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            status: Mutex::default(),
            changed: Condvar::default(),
            wake: Wakeup::new()?,
            events: Wakeup::new()?,
            ended: Wakeup::new()?,
            wakes_on_report: AtomicBool::new(false),
            is_probe_requested: AtomicBool::new(false),
            flushes: Mutex::default(),
            is_ending: AtomicBool::new(false),
        })
    }

    /// Wakes the worker after a submit if the worker needs more reports.
    pub(crate) fn submitted(&self) {
        if self.wakes_on_report.load(Ordering::SeqCst) && self.wakes_on_report.swap(false, Ordering::SeqCst) {
            self.wake.notify();
        }
    }

    /// Sets whether the next report wakes the worker.
    pub(crate) fn set_wakes_on_report(&self, wakes: bool) {
        self.wakes_on_report.store(wakes, Ordering::SeqCst);
    }

    pub(crate) fn wakes_on_report(&self) -> bool {
        self.wakes_on_report.load(Ordering::SeqCst)
    }

    /// Wakes the worker and requests a probe.
    pub(crate) fn request_probe(&self) {
        self.is_probe_requested.store(true, Ordering::SeqCst);
        self.wake.notify();
    }

    /// Clears the request for a probe. Returns true if there was one.
    pub(crate) fn clear_probe_request(&self) -> bool {
        self.is_probe_requested.swap(false, Ordering::SeqCst)
    }

    /// Gives precedence to the reports with ids up to `last` until the returned guard is dropped.
    pub(crate) fn begin_flushing(&self, last: u64) -> Flushing<'_> {
        self.flushes.lock().push(last);
        Flushing { flushes: &self.flushes, last }
    }

    /// Returns the id up to which reports have precedence, which is the lowest one that a call waits for, or None if
    /// no report has precedence.
    pub(crate) fn flushed(&self) -> Option<u64> {
        self.flushes.lock().iter().min().copied()
    }

    /// Signals the worker to end.
    pub(crate) fn end(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
        self.wake.notify();
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::SeqCst)
    }

    /// Stores `error` as the last background error.
    pub(crate) fn record_error(&self, error: Error, http_status: Option<u16>) {
        let last = LastError { error, http_status, at: SystemTime::now() };
        self.update(|status| status.last_error = Some(last));
    }

    /// Changes the status and wakes the waiting callers.
    pub(crate) fn update(&self, change: impl FnOnce(&mut WorkerStatus)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Sets the state, and wakes the waiting callers if it changed.
    pub(crate) fn set_state(&self, state: State, is_wait_requested: bool, confirmed_at: Option<Instant>) {
        let mut status = self.lock();
        let has_changed = (status.state, status.is_wait_requested, status.suspension_confirmed_at)
            != (state, is_wait_requested, confirmed_at);
        status.state = state;
        status.is_wait_requested = is_wait_requested;
        status.suspension_confirmed_at = confirmed_at;
        drop(status);
        if has_changed {
            self.changed.notify_all();
        }
    }

    pub(crate) fn status(&self) -> WorkerStatus {
        self.lock().clone()
    }

    /// Waits until the status changes, for at most `longest` and at most until `deadline`.
    pub(crate) fn wait(&self, deadline: Option<Instant>, longest: Duration) {
        let left = deadline.map_or(longest, |deadline| deadline.saturating_duration_since(Instant::now()).min(longest));
        drop(self.changed.wait_timeout(self.lock(), left));
    }

    fn lock(&self) -> MutexGuard<'_, WorkerStatus> {
        self.status.lock()
    }
}

/// A guard that gives precedence to the reports that a call waits for.
pub(crate) struct Flushing<'a> {
    flushes: &'a Mutex<Vec<u64>>,
    last: u64,
}

impl Drop for Flushing<'_> {
    fn drop(&mut self) {
        let mut flushes = self.flushes.lock();
        if let Some(index) = flushes.iter().position(|last| *last == self.last) {
            flushes.swap_remove(index);
        }
    }
}
