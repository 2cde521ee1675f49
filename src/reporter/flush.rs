//! Waits until submitted reports have left the outbox.

use std::time::{Duration, Instant};

use super::Reporter;
use super::runtime::Runtime;
use super::statistics::State;
use crate::clock::from_now;
use crate::error::{Error, Kind};

impl Reporter {
    /// Waits until none of the reports submitted to this outbox before the call, by any process, is pending. Reports
    /// submitted during the call are not waited for. If the reporter is suspended or backing off, it makes a probe, at
    /// most one per second and only if the service has not asked for a wait.
    ///
    /// `timeout` of `None` sets no limit; zero checks once.
    ///
    /// # Errors
    ///
    /// [`Kind::Pending`] if the limit expires with reports pending; [`Kind::Suspended`] if the reporter is suspended
    /// and a probe did not end that or the service asked for a wait; [`Kind::Cancelled`] if the reporter is freed
    /// during the call; outbox errors if the outbox cannot be read.
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
            // The worker of a closed reporter has ended or is about to.
            let has_ended = runtime.has_ended() && runtime.signals.is_ending();
            if has_ended || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Wait::Pending);
            }
            runtime.wait(deadline);
        }
        Ok(Wait::Done)
    }

    /// The error for a wait that ended with reports pending.
    pub(super) fn pending_error(&self, runtime: &Runtime, kind: Kind) -> Error {
        let reason = match kind {
            Kind::Suspended => "the reporter is suspended: the service accepts no reports of the account; ",
            _ => "",
        };
        let pending = match runtime.outbox.snapshot() {
            Ok(snapshot) => format!("{} pending in the outbox", snapshot.counters.pending()),
            Err(error) => format!("the number pending cannot be read ({error})"),
        };
        let loss = match self.settings.outbox.path {
            None if runtime.signals.is_ending() => "; they are lost, because durability none keeps them in memory only",
            _ => "",
        };
        Error::new(kind, format!("{reason}{pending}{loss}"))
    }
}

/// How a wait for reports ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// None is pending.
    Done,
    /// Some are pending.
    Pending,
    /// Some are pending, and the reporter is suspended.
    Suspended,
}
