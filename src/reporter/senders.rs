//! Threads that send, each one report at a time. They are started as they are needed, and end when they are not.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::outbox::Entry;
use crate::client::Client;
use crate::conversion::Conversion;
use crate::error::{Error, Kind};
use crate::os;
use crate::outcome::Outcome;
use crate::panic::catch_panic;

/// How long a thread waits for the next report before it ends.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// What makes one attempt to report a conversion.
pub(crate) trait Messenger: Send + Sync {
    fn report(&self, conversion: &Conversion) -> Outcome;

    /// Ends all attempts under way, and all that are still begun.
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

/// What came of sending one report.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) id: u64,
    pub(crate) began: Instant,
    pub(crate) outcome: Outcome,
}

/// The threads, what they have to do, and what they have done.
pub(crate) struct Senders {
    messenger: Arc<dyn Messenger>,
    most: usize,
    /// Called when there are answers again.
    notify: Box<dyn Fn() + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Entry>,
    answers: Vec<Answer>,
    in_flight: usize,
    idle: usize,
    threads: usize,
    /// Whether what is queued waits until the worker has judged a failure, which may be one for all.
    is_held: bool,
    is_over: bool,
}

impl State {
    /// Takes what an idle thread is to send, if it may.
    fn begin(&mut self) -> Option<Entry> {
        let entry = if self.is_held { None } else { self.queue.pop_front() }?;
        self.idle = self.idle.saturating_sub(1);
        self.in_flight = self.in_flight.saturating_add(1);
        Some(entry)
    }

    /// Takes the answer of a thread, which is idle then.
    fn note(&mut self, answer: Answer) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.idle = self.idle.saturating_add(1);
        self.is_held |= is_failure(&answer);
        self.answers.push(answer);
    }

    /// An idle thread ends.
    fn end_thread(&mut self) {
        self.idle = self.idle.saturating_sub(1);
        self.threads = self.threads.saturating_sub(1);
    }
}

/// How many reports the threads have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) queued: usize,
    pub(crate) in_flight: usize,
    /// Answered, and the answer not fetched yet.
    pub(crate) answered: usize,
}

impl Senders {
    pub(crate) fn new(messenger: Arc<dyn Messenger>, most: usize, notify: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { messenger, most, notify, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Has `entries` sent before all that are queued. Without a thread for them, which a system may be too short of, they
    /// are given back, with the reason.
    pub(crate) fn send(self: &Arc<Self>, entries: Vec<Entry>) -> Result<(), (Vec<Entry>, io::Error)> {
        let (mut state, count) = (self.state(), entries.len());
        for entry in entries.into_iter().rev() {
            state.queue.push_front(entry);
        }
        let mut started = Ok(());
        while state.queue.len() > state.idle && state.threads < self.most && started.is_ok() {
            let senders = Arc::clone(self);
            started = os::spawn("nexmo-sender", move || senders.work());
            let count = usize::from(started.is_ok());
            state.threads = state.threads.saturating_add(count);
            state.idle = state.idle.saturating_add(count);
        }
        // Others are at work, and look by themselves for what is next.
        (0..count.min(state.idle)).for_each(|_| self.changed.notify_one());
        match started {
            Err(error) if state.threads == 0 => Err((state.queue.drain(..).collect(), error)),
            _ => Ok(()),
        }
    }

    fn work(&self) {
        let mut answer = None;
        while let Some(entry) = self.exchange(answer.take()) {
            let began = Instant::now();
            let outcome = catch_panic(|| self.messenger.report(&entry.conversion))
                .unwrap_or_else(|| Outcome::unsent(Error::bug()));
            answer = Some(Answer { id: entry.id, began, outcome });
        }
    }

    /// Hands in an answer, and waits for the next report to send.
    fn exchange(&self, answer: Option<Answer>) -> Option<Entry> {
        let mut state = self.state();
        if let Some(answer) = answer {
            let is_first = state.answers.is_empty();
            state.note(answer);
            if is_first {
                drop(state);
                (self.notify)();
                state = self.state();
            }
        }
        self.next(state)
    }

    /// Waits for a report to send. A new thread counts as idle from the start.
    fn next(&self, mut state: MutexGuard<'_, State>) -> Option<Entry> {
        loop {
            if state.is_over {
                state.end_thread();
                return None;
            }
            if let Some(entry) = state.begin() {
                return Some(entry);
            }
            let (next, wait) = self.changed.wait_timeout(state, IDLE_TIME).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if wait.timed_out() && state.queue.is_empty() {
                state.end_thread();
                return None;
            }
        }
    }

    /// The answers since the last time.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        std::mem::take(&mut self.state().answers)
    }

    /// Sends what is queued, after the failures among the answers were judged.
    pub(crate) fn go_on(&self) {
        let mut state = self.state();
        if state.is_held {
            state.is_held = state.answers.iter().any(is_failure);
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Takes back what is queued.
    pub(crate) fn recall(&self) -> Vec<Entry> {
        self.state().queue.drain(..).collect()
    }

    pub(crate) fn load(&self) -> Load {
        let state = self.state();
        Load { queued: state.queue.len(), in_flight: state.in_flight, answered: state.answers.len() }
    }

    /// Ends the threads, and what they are doing, and takes back what is queued.
    pub(crate) fn end(&self) -> Vec<Entry> {
        let mut state = self.state();
        state.is_over = true;
        let queued = state.queue.drain(..).collect();
        drop(state);
        self.changed.notify_all();
        self.messenger.cancel();
        queued
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether other reports may fail for the same reason.
fn is_failure(answer: &Answer) -> bool {
    answer.outcome.result.as_ref().is_err_and(|error| error.kind() != Kind::Rejected)
}
