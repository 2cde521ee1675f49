//! The threads that send reports. Each sends one report at a time. They start on demand and exit when idle.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::outbox::Entry;
use crate::client::Client;
use crate::conversion::Conversion;
use crate::error::{Error, Kind};
use crate::os;
use crate::outcome::Outcome;
use crate::panic::catch_panic;
use crate::sync::{Condvar, Mutex};

/// The time that an idle thread waits before it exits.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes a single attempt to send a report.
pub(crate) trait Messenger: Send + Sync {
    fn report(&self, conversion: &Conversion) -> Outcome;

    /// Cancels all attempts in flight and all later ones.
    fn cancel(&self);
}

impl Messenger for Client {
    fn report(&self, conversion: &Conversion) -> Outcome {
        self.report(conversion)
    }

    fn cancel(&self) {
        self.cancel();
    }
}

/// The result of sending one report.
#[derive(Debug)]
pub(crate) struct SendResult {
    pub(crate) id: u64,
    pub(crate) started: Instant,
    /// The number of requests in flight when this one ended, including this one.
    pub(crate) in_flight: usize,
    pub(crate) outcome: Outcome,
}

/// The sender threads, their queue and their results.
pub(crate) struct Senders {
    messenger: Arc<dyn Messenger>,
    max_threads: usize,
    /// Called when a result is added and no other result is waiting to be fetched.
    notify: Box<dyn Fn() + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Entry>,
    results: Vec<SendResult>,
    /// The times at which the requests in flight started, in ascending order.
    in_flight: Vec<Instant>,
    /// The number of requests that may be in flight.
    limit: usize,
    idle: usize,
    threads: usize,
    /// Whether the queue is paused until the worker has evaluated a failure, which may affect all reports.
    is_paused: bool,
    is_stopped: bool,
}

impl State {
    /// Returns how many of the queued reports the limit allows to be sent now.
    fn sendable(&self) -> usize {
        self.queue.len().min(self.limit.saturating_sub(self.in_flight.len()))
    }

    /// Dequeues a report for an idle thread, if one may be sent. Returns the report and the time at which its request
    /// starts.
    fn dequeue(&mut self) -> Option<(Entry, Instant)> {
        let entry = if self.is_paused || self.sendable() == 0 { None } else { self.queue.pop_front() }?;
        let started = Instant::now();
        self.idle = self.idle.saturating_sub(1);
        self.in_flight.push(started);
        Some((entry, started))
    }

    /// Stores the result of a thread, which becomes idle.
    fn finish(&mut self, mut result: SendResult) {
        result.in_flight = self.in_flight.len();
        if let Some(index) = self.in_flight.iter().position(|started| *started == result.started) {
            self.in_flight.remove(index);
        }
        self.idle = self.idle.saturating_add(1);
        self.is_paused |= is_failure(&result);
        self.results.push(result);
    }

    /// Removes an idle thread from the counts before it exits.
    fn end_thread(&mut self) {
        self.idle = self.idle.saturating_sub(1);
        self.threads = self.threads.saturating_sub(1);
    }
}

/// The numbers of reports that the senders hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) queued: usize,
    pub(crate) in_flight: usize,
    /// The time by which half of the requests in flight had started; None if no request is in flight.
    pub(crate) half_started: Option<Instant>,
    /// Reports whose result has not been fetched.
    pub(crate) completed: usize,
}

impl Senders {
    pub(crate) fn new(messenger: Arc<dyn Messenger>, max_threads: usize, notify: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { messenger, max_threads, notify, state: Mutex::default(), changed: Condvar::default() }
    }

    /// Sets the number of requests that may be in flight, and queues `entries` ahead of the reports already queued.
    /// If no thread is running and none can be started, empties the queue and returns its entries with the error.
    pub(crate) fn send(self: &Arc<Self>, entries: Vec<Entry>, limit: usize) -> Result<(), (Vec<Entry>, io::Error)> {
        let mut state = self.state();
        state.limit = limit;
        for entry in entries.into_iter().rev() {
            state.queue.push_front(entry);
        }
        let mut spawned = Ok(());
        while state.sendable() > state.idle && state.threads < self.max_threads && spawned.is_ok() {
            let senders = Arc::clone(self);
            spawned = os::spawn("nexmo-sender", move || senders.work());
            let count = usize::from(spawned.is_ok());
            state.threads = state.threads.saturating_add(count);
            state.idle = state.idle.saturating_add(count);
        }
        // Busy threads need no notification, because they dequeue the next report themselves.
        (0..state.sendable().min(state.idle)).for_each(|_| self.changed.notify_one());
        match spawned {
            Err(error) if state.threads == 0 => Err((state.queue.drain(..).collect(), error)),
            _ => Ok(()),
        }
    }

    fn work(&self) {
        let mut result = None;
        while let Some((entry, started)) = self.exchange(result.take()) {
            let outcome = catch_panic(|| self.messenger.report(&entry.conversion))
                .unwrap_or_else(|| Outcome::unsent(Error::bug()));
            result = Some(SendResult { id: entry.id, started, in_flight: 0, outcome });
        }
    }

    /// Stores a result, if any, and waits for the next report.
    fn exchange(&self, result: Option<SendResult>) -> Option<(Entry, Instant)> {
        let mut state = self.state();
        if let Some(result) = result {
            let is_first = state.results.is_empty();
            state.finish(result);
            if is_first {
                drop(state);
                (self.notify)();
                state = self.state();
            }
        }
        self.wait_for_report(state)
    }

    /// Waits for the next report. Returns None if the thread must exit. The calling thread already counts as idle.
    fn wait_for_report(&self, mut state: MutexGuard<'_, State>) -> Option<(Entry, Instant)> {
        let mut has_timed_out = false;
        loop {
            if !state.is_stopped
                && let Some(next) = state.dequeue()
            {
                return Some(next);
            }
            if state.is_stopped || has_timed_out {
                state.end_thread();
                return None;
            }
            let (next, wait) = self.changed.wait_timeout(state, IDLE_TIMEOUT);
            state = next;
            has_timed_out = wait.timed_out();
        }
    }

    /// Returns the results that were added since the last call.
    pub(crate) fn drain_results(&self) -> Vec<SendResult> {
        std::mem::take(&mut self.state().results)
    }

    /// Resumes sending after the worker has evaluated the failures, unless there are new ones.
    pub(crate) fn resume(&self) {
        let mut state = self.state();
        if state.is_paused {
            state.is_paused = state.results.iter().any(is_failure);
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Empties the queue, returns its reports, and sets the number of requests that may be in flight to `limit`.
    pub(crate) fn recall(&self, limit: usize) -> Vec<Entry> {
        let mut state = self.state();
        state.limit = limit;
        state.queue.drain(..).collect()
    }

    pub(crate) fn load(&self) -> Load {
        let state = self.state();
        let in_flight = state.in_flight.len();
        let half_started = state.in_flight.get(in_flight / 2).copied();
        Load { queued: state.queue.len(), in_flight, half_started, completed: state.results.len() }
    }

    /// Signals the threads to exit, cancels their requests, and returns the queued reports.
    pub(crate) fn end(&self) -> Vec<Entry> {
        let mut state = self.state();
        state.is_stopped = true;
        let queued = state.queue.drain(..).collect();
        drop(state);
        self.changed.notify_all();
        self.messenger.cancel();
        queued
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// Returns whether the result is a failure that may affect other reports.
fn is_failure(result: &SendResult) -> bool {
    result.outcome.result.as_ref().is_err_and(|error| error.kind() != Kind::Rejected)
}
