//! The worker thread, which sends the reports of the outbox. Only this thread claims and completes reports; the
//! senders make the requests.
//!
//! `dispatch` claims reports and passes them to the senders, and `completion` handles the results. This module
//! contains the loop, the election of the sender, expiry, and the sweeps.

mod completion;
mod dispatch;
#[cfg(test)]
mod tests;

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::circuit_breaker::{CircuitBreaker, Phase};
use super::options::ReporterSettings;
use super::outbox::{Completion, Outbox};
use super::senders::Senders;
use super::signals::Signals;
use super::statistics::State;
use crate::clock::{Moment, after};
use crate::error::Error;
use crate::os::wakeup::wait_for_either;
use crate::outcome::Outcome;
use crate::panic::catch_panic;
use crate::{backoff, client, os};

/// The interval between sweeps (checks for events and changed files) while this process does not wait for
/// notifications, or while the outbox is in danger, which each sweep reports again.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The interval between sweeps if files cannot be watched.
const SHORT_SWEEP_INTERVAL: Duration = Duration::from_millis(500);

/// The delay of a sweep after a notification by another process. It limits the rate of these sweeps.
const NOTIFIED_SWEEP_DELAY: Duration = Duration::from_millis(10);

/// The same delay if the last sweep failed. A failed sweep may itself notify all processes, because it opens the
/// files.
const FAILED_SWEEP_DELAY: Duration = Duration::from_millis(100);

/// The delay before a retry after an outbox error.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// How long after a notification the previous sender may still be exiting.
const MAX_TAKEOVER: Duration = Duration::from_millis(300);

/// The minimum time for which a process that becomes the sender while backing off keeps that role before it hands
/// over again. A random time of up to the same length is added. This prevents rapid changes of the sender while no
/// process can reach the service.
const KEEP_ROLE: Duration = Duration::from_secs(20);

/// The worker of a reporter.
pub(crate) struct Worker {
    outbox: Arc<Outbox>,
    senders: Arc<Senders>,
    signals: Arc<Signals>,
    max_age: Duration,
    expiry_interval: Duration,
    idle_interval: Duration,
    max_in_flight: usize,
    breaker: CircuitBreaker,
    completions: Vec<Completion>,
    is_sender: bool,
    /// The time until which this process does not hand over even if it cannot reach the service.
    keep_role_until: Instant,
    next_expiry: Instant,
    last_sweep: Instant,
    /// The time of a sweep that was requested by a notification or repeats a failed one, if any.
    requested_sweep: Option<Instant>,
    /// Whether the last sweep failed.
    has_sweep_failed: bool,
    /// Whether the last sweep found the outbox in danger.
    is_in_danger: bool,
    /// The earliest times of the next claim and the next completion after an outbox error. They are separate because a
    /// full disk prevents completions but not claims.
    claim_due: Instant,
    complete_due: Instant,
    /// The time until which the previous sender may still be exiting.
    takeover_deadline: Instant,
}

impl Worker {
    /// Starts the worker thread.
    pub(crate) fn start(
        outbox: Arc<Outbox>,
        senders: Arc<Senders>,
        signals: Arc<Signals>,
        settings: &ReporterSettings,
    ) -> std::io::Result<()> {
        let mut worker = Self::new(outbox, senders, signals, settings);
        os::spawn("nexmo-worker", move || worker.work())
    }

    fn new(outbox: Arc<Outbox>, senders: Arc<Senders>, signals: Arc<Signals>, settings: &ReporterSettings) -> Self {
        let now = Instant::now();
        let max_in_flight = usize::try_from(settings.max_in_flight).unwrap_or(1);
        Self {
            outbox,
            senders,
            signals,
            max_age: settings.max_age,
            expiry_interval: settings.pace.expiry,
            idle_interval: settings.pace.idle,
            max_in_flight,
            breaker: CircuitBreaker::new(settings.pace, max_in_flight),
            completions: Vec::new(),
            is_sender: false,
            keep_role_until: now,
            next_expiry: now,
            last_sweep: now,
            requested_sweep: Some(now),
            has_sweep_failed: false,
            is_in_danger: false,
            claim_due: now,
            complete_due: now,
            takeover_deadline: now,
        }
    }

    fn work(&mut self) {
        while !self.signals.is_ending() {
            if catch_panic(|| self.step()).is_none() {
                self.record_error(&Outcome::unsent(Error::bug()));
                self.claim_due = after(Instant::now(), RETRY_DELAY);
                self.complete_due = self.claim_due;
            }
            self.wait();
        }
        catch_panic(|| self.end());
        self.signals.update(|status| {
            status.state = State::Closed;
            status.is_ended = true;
        });
    }

    /// Does all work that is due.
    fn step(&mut self) {
        // The wakeup and the watch are cleared before the checks, so that later changes wake the worker again.
        self.signals.wake.clear();
        let noticed = self.outbox.clear_watch();
        if noticed.is_more_than_written() | self.outbox.clear_opened() {
            // Another process may have created an event, or may be waiting for this one to detect that the files were
            // replaced.
            let delay = if self.has_sweep_failed { FAILED_SWEEP_DELAY } else { NOTIFIED_SWEEP_DELAY };
            let due = after(Instant::now(), delay);
            self.requested_sweep = Some(self.requested_sweep.map_or(due, |requested| requested.min(due)));
        }
        self.collect_results();
        if self.signals.clear_probe_request() {
            self.breaker.probe_now(Instant::now());
        }
        if self.breaker.waits_for_report() && !self.signals.wakes_on_report() {
            self.breaker.report_arrived(Instant::now());
        }
        // New reports are sent before completed reports are recorded, because recording may wait for the disk.
        if self.is_sender {
            self.refill(1);
        }
        self.complete();
        self.update_role(noticed.is_closed());
        if self.is_sender {
            self.expire();
            // Claims again only if many more reports are wanted, because each search also reads the claimed reports.
            self.refill(self.breaker.capacity(Instant::now()));
        } else {
            self.expire_while_waiting();
        }
        self.sweep();
        self.set_state();
    }

    /// Tries to become the sender, or steps down during a wait in which another process may be able to send.
    fn update_role(&mut self, may_be_free: bool) {
        let now = Instant::now();
        let load = self.senders.load();
        let is_idle = load.queued == 0 && load.in_flight == 0 && self.completions.is_empty();
        if self.breaker.may_hand_over(now) {
            let keeps_role = self.breaker.phase() == Phase::BackingOff && now < self.keep_role_until;
            if self.is_sender && is_idle && !keeps_role {
                self.outbox.step_down();
                self.is_sender = false;
                if !self.breaker.waits_for_report() {
                    self.signals.set_wakes_on_report(false);
                }
            }
            if !self.is_sender {
                return;
            }
        }
        match self.outbox.try_become_sender() {
            Ok(is_sender) => {
                if is_sender && !self.is_sender && self.breaker.phase() == Phase::BackingOff {
                    let prolonged = backoff::part_of(KEEP_ROLE, client::random());
                    self.keep_role_until = after(now, KEEP_ROLE.saturating_add(prolonged));
                }
                self.is_sender = is_sender;
            }
            Err(error) => self.claim_due = self.outbox_failed(error),
        }
        if may_be_free && !self.is_sender {
            self.takeover_deadline = after(now, MAX_TAKEOVER);
        }
    }

    fn expire(&mut self) {
        let now = Instant::now();
        if now < self.next_expiry {
            return;
        }
        let (moment, max_age) = (Moment::now(), self.max_age);
        match self.outbox.expire(&|submitted| moment.since(submitted) > max_age) {
            Ok(0) => self.next_expiry = after(now, self.time_until_expiry()),
            Ok(_) => self.signals.events.notify(),
            Err(error) => self.next_expiry = self.outbox_failed(error),
        }
    }

    /// Returns the time until the next check for expired reports. It is due when the oldest report expires, but not
    /// before the expiry interval has elapsed, and after the idle interval at the latest, in case the clock is
    /// changed or another process submits a report.
    fn time_until_expiry(&self) -> Duration {
        let oldest = self.outbox.oldest().ok().flatten();
        let left = oldest.map_or(Duration::MAX, |oldest| self.max_age.saturating_sub(Moment::now().since(&oldest)));
        left.clamp(self.expiry_interval, self.idle_interval)
    }

    /// Expires old reports after this process has handed over, because no other process may have become the sender.
    fn expire_while_waiting(&mut self) {
        let now = Instant::now();
        if now < self.next_expiry || !self.breaker.may_hand_over(now) {
            return;
        }
        self.next_expiry = after(now, self.time_until_expiry());
        let moment = Moment::now();
        let is_too_old = |submitted| moment.since(&submitted) > self.max_age;
        let is_any_expired = self.outbox.oldest().map(|oldest| oldest.is_some_and(is_too_old));
        match is_any_expired.and_then(|is_any| Ok(is_any && self.outbox.try_become_sender()?)) {
            Ok(true) => {
                self.next_expiry = now;
                self.expire();
                self.outbox.step_down();
            }
            Ok(false) => {}
            Err(error) => self.next_expiry = self.outbox_failed(error),
        }
    }

    /// Checks for events, for changed files, and for dangers to the outbox. A periodic sweep also releases unused
    /// memory and disk space.
    fn sweep(&mut self) {
        let now = Instant::now();
        if self.next_sweep().is_none_or(|next| now < next) {
            return;
        }
        self.last_sweep = now;
        if self.requested_sweep.take().is_none() && (self.is_sender || self.breaker.may_hand_over(now)) {
            self.outbox.shrink(self.idle_interval, now);
            self.completions.shrink_to_fit();
        }
        let found = self.outbox.has_events();
        self.has_sweep_failed = found.is_err();
        match found {
            Ok(true) => self.signals.events.notify(),
            Ok(false) => {}
            Err(error) => self.requested_sweep = Some(self.outbox_failed(error)),
        }
        let danger = self.outbox.danger();
        self.is_in_danger = danger.is_some();
        if let Some(error) = danger {
            self.record_error(&Outcome::unsent(error));
        }
    }

    /// Returns the time of the next sweep. A standby process that is notified of everything needs none.
    fn next_sweep(&self) -> Option<Instant> {
        let interval = if !self.outbox.is_notified() {
            Some(SHORT_SWEEP_INTERVAL)
        } else if self.is_in_danger || !self.waits_for_notifications() {
            Some(SWEEP_INTERVAL)
        } else {
            Some(self.idle_interval).filter(|_| self.is_sender || self.breaker.may_hand_over(Instant::now()))
        };
        interval.map(|interval| after(self.last_sweep, interval)).into_iter().chain(self.requested_sweep).min()
    }

    /// Returns whether notifications by other processes wake the worker. Without capacity for more reports, the
    /// sender need not wake when other processes submit some.
    fn waits_for_notifications(&self) -> bool {
        !self.is_sender || self.signals.wakes_on_report()
    }

    /// Counts and records an outbox error. Returns the time of the next attempt.
    fn outbox_failed(&self, error: Error) -> Instant {
        self.signals.update(|status| status.outbox_errors = status.outbox_errors.saturating_add(1));
        self.record_error(&Outcome::unsent(error));
        after(Instant::now(), RETRY_DELAY)
    }

    fn record_error(&self, outcome: &Outcome) {
        if let Err(error) = outcome.result.clone() {
            self.signals.record_error(error, outcome.http_status);
        }
    }

    fn set_state(&self) {
        let state = match self.breaker.phase() {
            Phase::Suspended => State::Suspended,
            Phase::BackingOff if self.breaker.may_hand_over(Instant::now()) => State::BackingOff,
            _ if !self.is_sender => State::Standby,
            Phase::Running => State::Running,
            Phase::BackingOff => State::BackingOff,
        };
        self.signals.set_state(state, self.breaker.is_wait_requested(), self.breaker.confirmed_at());
    }

    /// Waits until there is something to do.
    fn wait(&mut self) {
        // The step may have cleared the wakeup that asks the worker to end.
        if self.signals.is_ending() {
            return;
        }
        let now = Instant::now();
        let complete_due = Some(self.complete_due).filter(|_| !self.completions.is_empty());
        let expiry = Some(self.next_expiry).filter(|_| self.is_sender || self.breaker.may_hand_over(now));
        let takeover_check =
            Some(after(now, Duration::from_millis(10))).filter(|_| !self.is_sender && now < self.takeover_deadline);
        let claim_due = Some(self.claim_due).filter(|due| *due > now);
        let overdue = self.senders.load().half_started.and_then(|started| self.breaker.overdue_at(started, now));
        // If different files have been opened since this step began, the next step checks whether this process is the
        // sender.
        let opened = Some(after(now, NOTIFIED_SWEEP_DELAY)).filter(|_| self.outbox.was_opened());
        let dues = [self.breaker.next_wakeup(now), overdue, complete_due, expiry, takeover_check, claim_due, opened];
        let next = dues.into_iter().flatten().chain(self.next_sweep()).min();
        // Further notifications of events are handled by the sweep that the first one requested.
        let is_sweep_near = self.requested_sweep.is_some_and(|due| due <= after(now, FAILED_SWEEP_DELAY));
        let wants_wakeup = self.waits_for_notifications() && (self.is_sender || !is_sweep_near);
        wait_for_either(self.signals.wake.as_fd(), self.outbox.watch().filter(|_| wants_wakeup), next);
    }

    /// Cancels the requests in flight, records completed reports and steps down.
    fn end(&mut self) {
        let queued = self.senders.end();
        self.outbox.release(queued.iter().map(|entry| entry.id));
        // Cancelled requests end soon. Until then, no other process may send, because its reports could overtake those
        // in flight.
        while self.senders.load().in_flight > 0 {
            wait_for_either(self.signals.wake.as_fd(), None, Some(after(Instant::now(), SHORT_SWEEP_INTERVAL)));
            self.signals.wake.clear();
            self.collect_results();
            self.complete();
        }
        self.complete_due = Instant::now();
        self.collect_results();
        self.complete();
        self.outbox.step_down();
    }
}
