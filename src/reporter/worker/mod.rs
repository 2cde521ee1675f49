//! The thread that has what is in the outbox sent. It alone takes and settles; others send.
//!
//! What goes out is in `supply`, what comes back in `answers`; here is what it does in turn, and for what it waits.

mod completion;
mod dispatch;
#[cfg(test)]
mod tests;

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::circuit_breaker::{CircuitBreaker, Phase};
use super::options::ReporterSettings;
use super::outbox::{Outbox, Settlement};
use super::senders::Senders;
use super::signals::{Signals, State};
use crate::clock::{Moment, after};
use crate::error::Error;
use crate::os;
use crate::os::wakeup::wait_for_either;
use crate::outcome::Outcome;
use crate::panic::catch_panic;

/// Between two looks for what nobody told of.
const SWEEP: Duration = Duration::from_secs(5);

/// The same where another process sends, whose events are noticed by looking, or where there is no watch.
const SHORT_SWEEP: Duration = Duration::from_millis(500);

/// Between two looks for reports that grew too old.
const EXPIRY: Duration = Duration::from_secs(10);

/// After the outbox could not be used.
const PAUSE: Duration = Duration::from_secs(1);

/// How long it may take until the process that sent has ended, once that is noticed.
const SUCCESSION: Duration = Duration::from_millis(300);

/// One worker.
pub(crate) struct Worker {
    outbox: Arc<dyn Outbox>,
    senders: Arc<Senders>,
    signals: Arc<Signals>,
    max_age: Duration,
    connections: usize,
    breaker: CircuitBreaker,
    unsettled: Vec<Settlement>,
    is_sender: bool,
    next_expiry: Instant,
    next_sweep: Instant,
    /// When reports are taken again, and when settled, after that failed. A full disk hinders the second, not the first.
    take_due: Instant,
    settle_due: Instant,
    /// Until when the one that sent may be about to end.
    succession: Instant,
    /// Whether another report is to be tried as soon as there is one.
    waits_for_another: bool,
    /// Whether a report was answered in a way that suspends, and it is not known yet whether others are too.
    is_suspension_in_doubt: bool,
}

impl Worker {
    /// Starts the thread of a worker.
    pub(crate) fn start(
        outbox: Arc<dyn Outbox>,
        senders: Arc<Senders>,
        signals: Arc<Signals>,
        plan: &ReporterSettings,
    ) -> std::io::Result<()> {
        let mut worker = Self::new(outbox, senders, signals, plan);
        os::spawn("nexmo-worker", move || worker.work())
    }

    fn new(outbox: Arc<dyn Outbox>, senders: Arc<Senders>, signals: Arc<Signals>, plan: &ReporterSettings) -> Self {
        let now = Instant::now();
        let connections = usize::try_from(plan.max_in_flight).unwrap_or(1);
        Self {
            outbox,
            senders,
            signals,
            max_age: plan.max_age,
            connections,
            breaker: CircuitBreaker::new(plan.pace, connections),
            unsettled: Vec::new(),
            is_sender: false,
            next_expiry: now,
            next_sweep: now,
            take_due: now,
            settle_due: now,
            succession: now,
            waits_for_another: false,
            is_suspension_in_doubt: false,
        }
    }

    fn work(&mut self) {
        while !self.signals.is_over() {
            if catch_panic(|| self.turn()).is_none() {
                self.note(&Outcome::unsent(Error::bug()));
                self.take_due = after(Instant::now(), PAUSE);
                self.settle_due = self.take_due;
            }
            self.wait();
        }
        catch_panic(|| self.end());
        self.signals.update(|status| {
            status.state = State::Closed;
            status.is_ended = true;
        });
    }

    /// Everything that can be done now.
    fn turn(&mut self) {
        // Both before what is new is looked for, so that what comes later wakes again.
        self.signals.wake.clear();
        let has_noticed = self.outbox.clear_notice();
        self.gather();
        if self.signals.is_probe_asked() {
            self.breaker.probe_now(Instant::now());
        }
        if self.waits_for_another && !self.signals.wants_reports() {
            self.waits_for_another = false;
            self.breaker.another_came(Instant::now());
        }
        // What is new goes out before what is done is taken out, for the second may have to wait for the disk.
        if self.is_sender {
            self.refill(1);
        }
        self.settle();
        self.seek_election(has_noticed);
        if self.is_sender {
            self.expire();
            // Few are left to the next time: a look goes over all that are under way.
            self.refill(self.connections);
        }
        self.sweep();
        self.set_state();
    }

    /// Becomes the one that sends, or ceases to be it while there is nothing it could send.
    fn seek_election(&mut self, has_noticed: bool) {
        let now = Instant::now();
        let load = self.senders.load();
        let is_idle = load.queued == 0 && load.in_flight == 0 && self.unsettled.is_empty();
        if self.breaker.phase() == Phase::Suspended && self.breaker.width(now) == 0 {
            if self.is_sender && is_idle {
                self.outbox.step_down();
                self.is_sender = false;
                if !self.waits_for_another {
                    self.signals.want_reports(false);
                }
            }
            return;
        }
        match self.outbox.try_become_sender() {
            Ok(is_sender) => self.is_sender = is_sender,
            Err(error) => self.take_due = self.outbox_failed(error),
        }
        if has_noticed && !self.is_sender {
            self.succession = after(now, SUCCESSION);
        }
    }

    fn expire(&mut self) {
        let now = Instant::now();
        if now < self.next_expiry {
            return;
        }
        let (moment, limit) = (Moment::now(), self.max_age);
        match self.outbox.expire(&|submitted| moment.since(submitted) > limit) {
            Ok(0) => self.next_expiry = after(now, EXPIRY),
            Ok(_) => self.signals.events.notify(),
            Err(error) => self.next_expiry = self.outbox_failed(error),
        }
    }

    /// Looks for what nobody told of.
    fn sweep(&mut self) {
        let now = Instant::now();
        if now < self.next_sweep {
            return;
        }
        let is_long = self.is_sender && self.outbox.notices();
        self.next_sweep = after(now, if is_long { SWEEP } else { SHORT_SWEEP });
        match self.outbox.has_events() {
            Ok(true) => self.signals.events.notify(),
            Ok(false) => {}
            Err(error) => self.next_sweep = self.outbox_failed(error),
        }
    }

    /// Counts a failure, and tells when to try again.
    fn outbox_failed(&self, error: Error) -> Instant {
        self.signals.update(|status| status.outbox_errors = status.outbox_errors.saturating_add(1));
        self.note(&Outcome::unsent(error));
        after(Instant::now(), PAUSE)
    }

    fn note(&self, outcome: &Outcome) {
        if let Err(error) = outcome.result.clone() {
            self.signals.note(error, outcome.http_status);
        }
    }

    fn set_state(&self) {
        let state = match self.breaker.phase() {
            Phase::Suspended => State::Suspended,
            _ if !self.is_sender => State::Standby,
            Phase::Open => State::Running,
            Phase::BackingOff => State::BackingOff,
        };
        self.signals.set_state(state, self.breaker.is_wait_asked());
    }

    /// Waits until there is something to do.
    fn wait(&mut self) {
        let now = Instant::now();
        let settle_due = Some(self.settle_due).filter(|_| !self.unsettled.is_empty());
        let expiry = Some(self.next_expiry).filter(|_| self.is_sender);
        let succession =
            Some(after(now, Duration::from_millis(10))).filter(|_| !self.is_sender && now < self.succession);
        let take_due = Some(self.take_due).filter(|due| *due > now);
        let dues = [self.breaker.next(now), settle_due, expiry, succession, take_due];
        let next = dues.into_iter().flatten().fold(self.next_sweep, Instant::min);
        // While there is no room for more, what others put need not be noticed.
        let is_open = !self.is_sender || self.signals.wants_reports();
        wait_for_either(self.signals.wake.as_fd(), self.outbox.watch().filter(|_| is_open), Some(next));
    }

    /// Ends what is under way, and takes out what met its fate.
    fn end(&mut self) {
        let queued = self.senders.end();
        self.outbox.release(&queued.iter().map(|entry| entry.id).collect::<Vec<_>>());
        // It ends at once, being cancelled. Until it has, nobody else may send, who could overtake it.
        while self.senders.load().in_flight > 0 {
            wait_for_either(self.signals.wake.as_fd(), None, Some(after(Instant::now(), SHORT_SWEEP)));
            self.signals.wake.clear();
            self.gather();
            self.settle();
        }
        self.settle_due = Instant::now();
        self.gather();
        self.settle();
        self.outbox.step_down();
    }
}
