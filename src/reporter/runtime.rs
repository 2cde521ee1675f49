//! The state of a reporter in one process: its outbox, its threads, and the signals between them and the callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::options::ReporterSettings;
use super::outbox::{Account, Outbox};
use super::senders::{Messenger, Senders};
use super::signals::Signals;
use super::statistics::State;
use super::worker::Worker;
use crate::clock::from_now;
use crate::error::{Error, Kind};
use crate::sync::Mutex;

/// The poll interval of callers that wait for reports to leave the outbox. They poll because another process may be
/// sending the reports.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The minimum time between a failure to start the worker and the next attempt.
const START_INTERVAL: Duration = Duration::from_millis(100);

/// The state of a reporter in one process.
pub(super) struct Runtime {
    pub(super) outbox: Arc<Outbox>,
    pub(super) senders: Arc<Senders>,
    pub(super) signals: Arc<Signals>,
    /// The number of calls to `submit` in progress.
    submitting: AtomicUsize,
    /// The number of calls to `close` in progress.
    closing: AtomicUsize,
    worker: Mutex<WorkerThread>,
}

impl Runtime {
    pub(super) fn new(
        client: &Arc<dyn Messenger>,
        account: &Account,
        settings: &ReporterSettings,
    ) -> Result<Self, Error> {
        let outbox = Arc::new(Outbox::new(&settings.outbox, account)?);
        let signals = Signals::new()
            .map_err(|error| Error::new(Kind::System, format!("no file descriptor is available: {error}")))?;
        let signals = Arc::new(signals);
        let to_notify = Arc::clone(&signals);
        let max_in_flight = usize::try_from(settings.max_in_flight).unwrap_or(1);
        let notify = Box::new(move || to_notify.wake.notify());
        let senders = Arc::new(Senders::new(Arc::clone(client), max_in_flight, notify));
        Ok(Self {
            outbox,
            senders,
            signals,
            submitting: AtomicUsize::new(0),
            closing: AtomicUsize::new(0),
            worker: Mutex::default(),
        })
    }

    /// Starts the worker unless it was already started or another thread is starting it. Does not wait for that
    /// thread, which may be waiting for the disk.
    pub(super) fn start(&self, settings: &ReporterSettings) {
        if self.outbox.was_opened() {
            // A call has opened the files, which may be different ones in a different directory. The worker must
            // watch these.
            self.signals.wake.notify();
        }
        let Some(mut worker) = self.worker.try_lock() else {
            return;
        };
        if !worker.is_started && worker.next_start.is_none_or(|next| Instant::now() >= next) {
            let (outbox, senders) = (Arc::clone(&self.outbox), Arc::clone(&self.senders));
            // The election precedes the start of the thread, so that the reported state is correct from the
            // beginning. If the election fails, the worker repeats it and reports the error.
            let is_sender = self.outbox.try_become_sender().unwrap_or(false);
            let state = if is_sender { State::Running } else { State::Standby };
            self.signals.update(|status| status.state = state);
            let started = Worker::start(outbox, senders, Arc::clone(&self.signals), settings);
            worker.is_started = started.is_ok();
            if let Err(error) = started {
                worker.next_start = Some(from_now(START_INTERVAL));
                // Another process may be able to start a thread and send the reports.
                self.outbox.step_down();
                self.signals.update(|status| status.state = State::BackingOff);
                self.signals.record_error(Error::new(Kind::System, error.to_string()), None);
            }
        }
    }

    /// Returns whether the worker was started. A worker signals all events, including those created by other
    /// processes.
    pub(super) fn is_started(&self) -> bool {
        self.worker.try_lock().is_some_and(|worker| worker.is_started)
    }

    /// Returns whether the worker has ended or was never started.
    pub(super) fn has_ended(&self) -> bool {
        self.worker.try_lock().is_some_and(|worker| !worker.is_started || self.signals.status().is_ended)
    }

    /// Counts a call to `submit` as in progress until the returned guard is dropped.
    pub(super) fn begin_submitting(&self) -> Submitting<'_> {
        self.submitting.fetch_add(1, Ordering::SeqCst);
        Submitting(&self.submitting)
    }

    /// Counts a call to `close` as in progress until the returned guard is dropped.
    pub(super) fn begin_closing(&self) -> Closing<'_> {
        self.closing.fetch_add(1, Ordering::SeqCst);
        Closing(self)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst) > 0
    }

    pub(super) fn is_submitting(&self) -> bool {
        self.submitting.load(Ordering::SeqCst) > 0
    }

    /// Returns whether no report up to `id` is pending. Returns false if the outbox is busy.
    pub(super) fn is_done(&self, id: u64) -> Result<bool, Error> {
        match self.outbox.is_done_up_to(id) {
            Err(error) if error.kind() == Kind::OutboxBusy => Ok(false),
            other => other,
        }
    }

    /// Waits until the worker's status changes, the poll interval has elapsed, or `deadline` has passed.
    pub(super) fn wait(&self, deadline: Option<Instant>) {
        self.signals.wait(deadline, POLL_INTERVAL);
    }
}

/// Whether the worker was started, and when to try again.
#[derive(Debug, Default)]
struct WorkerThread {
    is_started: bool,
    /// The earliest time of the next attempt to start the worker; None if no attempt has failed.
    next_start: Option<Instant>,
}

/// A guard that counts a call to `submit` as in progress.
pub(super) struct Submitting<'a>(&'a AtomicUsize);

impl Drop for Submitting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A guard that counts a call to `close` as in progress.
pub(super) struct Closing<'a>(&'a Runtime);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        if self.0.closing.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.signals.ended.notify();
        }
    }
}
