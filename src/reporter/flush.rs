//! Implements `flush`, which waits until submitted reports have left the outbox.

use std::time::{Duration, Instant};

use super::Reporter;
use super::runtime::Runtime;
use super::statistics::State;
use crate::clock::from_now;
use crate::error::{Error, Kind};

impl Reporter {
    /// Waits until no report that any process submitted to this outbox before the call is pending. Does not wait for
    /// later reports. If the reporter is suspended or backing off, the call requests a probe. All calls of a reporter
    /// together cause at most one probe per second, and none during a wait that the service asked for.
    ///
    /// If `timeout` is `None`, waits without limit; if it is zero, checks once.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::Pending`] if `timeout` expires or the reporter is closed while reports are pending;
    /// [`Kind::Suspended`] if the reporter is suspended, and either a probe did not end the suspension or the service
    /// asked for a wait; [`Kind::Cancelled`] if the reporter is freed during the call; or an outbox error if the
    /// outbox cannot be read.
    pub fn flush(&self, timeout: Option<Duration>) -> Result<(), Error> {
        let deadline = timeout.map(from_now);
        let runtime = self.runtime()?;
        match self.wait_for_earlier(&runtime, deadline)? {
            Wait::Done => Ok(()),
            Wait::Pending => Err(self.pending_error(&runtime, Kind::Pending)),
            Wait::Suspended => Err(self.pending_error(&runtime, Kind::Suspended)),
        }
    }

    /// Waits for the reports submitted before the call.
    pub(super) fn wait_for_earlier(&self, runtime: &Runtime, deadline: Option<Instant>) -> Result<Wait, Error> {
        let last = runtime.outbox.last()?;
        let start = Instant::now();
        let _flushing = runtime.signals.begin_flushing(last);
        if !runtime.is_done(last)? {
            runtime.signals.request_probe();
        }
        while !runtime.is_done(last)? {
            self.start(runtime);
            let status = runtime.signals.status();
            let is_confirmed = status.suspension_confirmed_at.is_some_and(|started| started >= start);
            if status.state == State::Suspended && (is_confirmed || status.is_wait_requested) {
                return Ok(Wait::Suspended);
            }
            self.fail_if_abandoned()?;
            // After the worker of a closed reporter has ended, this reporter sends no more reports.
            let has_ended = runtime.has_ended() && runtime.signals.is_ending();
            if has_ended || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Wait::Pending);
            }
            runtime.wait(deadline);
        }
        Ok(Wait::Done)
    }

    /// Returns the error for a wait that ended while reports were pending.
    pub(super) fn pending_error(&self, runtime: &Runtime, kind: Kind) -> Error {
        let reason = match kind {
            Kind::Suspended => "the reporter is suspended: the service accepts no reports from this account; ",
            _ => "",
        };
        let pending = match runtime.outbox.snapshot() {
            Ok(snapshot) => format!("{} pending in the outbox", snapshot.counters.pending()),
            Err(error) => format!("the number of pending reports cannot be read ({error})"),
        };
        let loss = match self.settings.outbox.path {
            None if runtime.signals.is_ending() => "; they are lost, because durability none keeps them only in memory",
            _ => "",
        };
        Error::new(kind, format!("{reason}{pending}{loss}"))
    }
}

/// How a wait for reports ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// None of the reports is pending.
    Done,
    /// Some of the reports are pending.
    Pending,
    /// Some of the reports are pending, and the reporter is suspended.
    Suspended,
}
