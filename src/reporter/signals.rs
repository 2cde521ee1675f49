//! What a reporter's callers and its worker tell each other.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::error::Error;
use crate::os::wakeup::Wakeup;

/// What a reporter is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// It sends what comes in.
    #[default]
    Running,
    /// The service, or the way to it, is down: it waits, and tries again.
    BackingOff,
    /// The service accepts no reports of the account: it tries one a minute.
    Suspended,
    /// It is closed.
    Closed,
    /// Another process sends what is in the outbox.
    Standby,
}

/// What last went wrong in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// What it was.
    pub error: Error,
    /// The HTTP status of the answer, if there was one.
    pub http_status: Option<u16>,
    /// When it was.
    pub at: SystemTime,
}

/// What the worker tells.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerStatus {
    pub(crate) state: State,
    pub(crate) last_error: Option<LastError>,
    /// How often the outbox could not be read or written in the background.
    pub(crate) outbox_errors: u64,
    /// When the latest probe began that was answered while suspended, or that could not be made because there was no report to make it with.
    pub(crate) last_probe: Option<Instant>,
    /// Whether the service asked for the wait that is on.
    pub(crate) is_wait_asked: bool,
    /// Whether the worker has ended.
    pub(crate) is_ended: bool,
}

/// What both sides hold.
pub(crate) struct Signals {
    status: Mutex<WorkerStatus>,
    changed: Condvar,
    /// Rung to wake the worker.
    pub(crate) wake: Wakeup,
    /// Readable while there is an event.
    pub(crate) events: Wakeup,
    /// Readable once the reporter is freed, or closed and no call of `close` waits any more.
    pub(crate) ended: Wakeup,
    /// Whether the worker wants to be woken by a new report.
    wants_reports: AtomicBool,
    probe_is_asked: AtomicBool,
    is_over: AtomicBool,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            status: Mutex::default(),
            changed: Condvar::new(),
            wake: Wakeup::new()?,
            events: Wakeup::new()?,
            ended: Wakeup::new()?,
            wants_reports: AtomicBool::new(false),
            probe_is_asked: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        })
    }

    /// A report was submitted. Costs nothing while the worker has enough to do.
    pub(crate) fn submitted(&self) {
        if self.wants_reports.load(Ordering::SeqCst) && self.wants_reports.swap(false, Ordering::SeqCst) {
            self.wake.notify();
        }
    }

    /// Whether the worker is to be woken by the next report.
    pub(crate) fn want_reports(&self, wants: bool) {
        self.wants_reports.store(wants, Ordering::SeqCst);
    }

    pub(crate) fn wants_reports(&self) -> bool {
        self.wants_reports.load(Ordering::SeqCst)
    }

    /// Has the worker try at once, whatever it waits for.
    pub(crate) fn ask_for_probe(&self) {
        self.probe_is_asked.store(true, Ordering::SeqCst);
        self.wake.notify();
    }

    pub(crate) fn is_probe_asked(&self) -> bool {
        self.probe_is_asked.swap(false, Ordering::SeqCst)
    }

    /// Has the worker end.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.wake.notify();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Notes an error in the background.
    pub(crate) fn note(&self, error: Error, http_status: Option<u16>) {
        let last = LastError { error, http_status, at: SystemTime::now() };
        self.update(|status| status.last_error = Some(last));
    }

    /// Tells those who wait.
    pub(crate) fn update(&self, change: impl FnOnce(&mut WorkerStatus)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Tells what the reporter does, if that is another thing than before.
    pub(crate) fn set_state(&self, state: State, is_wait_asked: bool) {
        let mut status = self.lock();
        let has_changed = (status.state, status.is_wait_asked) != (state, is_wait_asked);
        (status.state, status.is_wait_asked) = (state, is_wait_asked);
        drop(status);
        if has_changed {
            self.changed.notify_all();
        }
    }

    pub(crate) fn status(&self) -> WorkerStatus {
        self.lock().clone()
    }

    /// Waits until the worker tells something, for no longer than `longest`.
    pub(crate) fn wait(&self, deadline: Option<Instant>, longest: Duration) {
        let left = deadline.map_or(longest, |deadline| deadline.saturating_duration_since(Instant::now()).min(longest));
        drop(self.changed.wait_timeout(self.lock(), left));
    }

    fn lock(&self) -> MutexGuard<'_, WorkerStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
