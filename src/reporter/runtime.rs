//! What one process has of a reporter: its outbox, its threads, and what they and its callers tell each other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Reporter;
use super::options::ReporterSettings;
use super::outbox::Outbox;
use super::outbox::memory::MemoryOutbox;
use super::outbox::sqlite::{SqliteOutbox, Terms};
use super::senders::Senders;
use super::signals::{Signals, State};
use super::worker::Worker;
use crate::error::{Error, Kind};

/// How long those who wait for the outbox to empty go without a look, for another process may be emptying it.
const LOOK: Duration = Duration::from_millis(20);

/// What one process has of a reporter.
pub(super) struct Runtime {
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) senders: Arc<Senders>,
    pub(super) signals: Arc<Signals>,
    /// How many calls of `submit` are in progress.
    submitting: AtomicUsize,
    /// How many calls of `close` are in progress.
    closing: AtomicUsize,
    /// Whether the worker was started.
    is_started: Mutex<bool>,
}

/// Whose reports an outbox holds.
pub(super) struct Account {
    pub(super) api_key: String,
    pub(super) base_url: String,
}

impl Runtime {
    pub(super) fn new(reporter: &Reporter) -> Result<Self, Error> {
        let outbox = open(&reporter.plan, &reporter.account)?;
        let signals = Signals::new()
            .map_err(|error| Error::new(Kind::System, format!("no file descriptor is available: {error}")))?;
        let signals = Arc::new(signals);
        let woken = Arc::clone(&signals);
        let connections = usize::try_from(reporter.plan.max_in_flight).unwrap_or(1);
        let notify = Box::new(move || woken.wake.notify());
        let senders = Arc::new(Senders::new(Arc::clone(&reporter.client), connections, notify));
        Ok(Self {
            outbox,
            senders,
            signals,
            submitting: AtomicUsize::new(0),
            closing: AtomicUsize::new(0),
            is_started: Mutex::new(false),
        })
    }

    /// Starts the worker, unless it runs.
    pub(super) fn start(&self, plan: &ReporterSettings) {
        let mut is_started = self.is_started.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_started {
            let (outbox, senders) = (Arc::clone(&self.outbox), Arc::clone(&self.senders));
            // Asked here already, so that the first look at the state finds what is so. The worker meets a failure again.
            let is_sender = self.outbox.try_become_sender().unwrap_or(false);
            let state = if is_sender { State::Running } else { State::Standby };
            self.signals.update(|status| status.state = state);
            let started = Worker::start(outbox, senders, Arc::clone(&self.signals), plan);
            *is_started = started.is_ok();
            if let Err(error) = started {
                self.signals.note(Error::new(Kind::System, error.to_string()), None);
            }
        }
    }

    /// Whether there is no worker any more, or never was one.
    pub(super) fn has_ended(&self) -> bool {
        let is_started = *self.is_started.lock().unwrap_or_else(PoisonError::into_inner);
        !is_started || self.signals.status().is_ended
    }

    /// Counts a call of `submit` for as long as what this gives lives.
    pub(super) fn begin_submitting(&self) -> Submitting<'_> {
        self.submitting.fetch_add(1, Ordering::SeqCst);
        Submitting(&self.submitting)
    }

    /// Counts a call of `close` for as long as what this gives lives.
    pub(super) fn begin_closing(&self) -> Closing<'_> {
        self.closing.fetch_add(1, Ordering::SeqCst);
        Closing(self)
    }

    /// Whether calls of `close` are in progress.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst) > 0
    }

    /// Whether calls of `submit` are in progress.
    pub(super) fn is_submitting(&self) -> bool {
        self.submitting.load(Ordering::SeqCst) > 0
    }

    /// Whether no report up to number `id` is pending. Those who hold the outbox for long are waited for.
    pub(super) fn is_done(&self, id: u64) -> Result<bool, Error> {
        match self.outbox.is_done_up_to(id) {
            Err(error) if error.kind() == Kind::OutboxBusy => Ok(false),
            other => other,
        }
    }

    /// Waits until the worker tells something, or it is time for another look.
    pub(super) fn wait(&self, deadline: Option<Instant>) {
        self.signals.wait(deadline, LOOK);
    }
}

/// A call of `submit` that is in progress.
pub(super) struct Submitting<'a>(&'a AtomicUsize);

impl Drop for Submitting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A call of `close` that is in progress.
pub(super) struct Closing<'a>(&'a Runtime);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        if self.0.closing.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.signals.ended.notify();
        }
    }
}

/// The outbox that is planned, which is opened when it is first used.
pub(super) fn open(plan: &ReporterSettings, account: &Account) -> Result<Arc<dyn Outbox>, Error> {
    let Some(path) = &plan.outbox else {
        return Ok(Arc::new(MemoryOutbox::new(plan.most, plan.overflow)));
    };
    let terms = Terms {
        path,
        allow_network: plan.allow_network,
        api_key: &account.api_key,
        base_url: &account.base_url,
        survives_power_loss: plan.survives_power_loss,
        most: plan.most,
        overflow: plan.overflow,
        busy_timeout: plan.busy_timeout,
    };
    Ok(Arc::new(SqliteOutbox::new(&terms)?))
}
