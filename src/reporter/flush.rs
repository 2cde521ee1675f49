//! Waiting until what was submitted has left the outbox.

use std::time::{Duration, Instant};

use super::Reporter;
use super::runtime::Runtime;
use super::signals::State;
use crate::clock::from_now;
use crate::error::{Error, Kind};

impl Reporter {
    /// Waits until none of the reports that were submitted to this outbox before the call, by any process, is pending any
    /// more. Reports that are submitted meanwhile are not waited for. A suspended reporter, or one that backs off, makes a
    /// probe for it, unless the service asked for a wait, and no more than one a second.
    ///
    /// `timeout` of `None` sets no limit; zero checks once.
    ///
    /// # Errors
    ///
    /// [`Kind::Pending`] when the limit expired and some are still pending; [`Kind::Suspended`] when the reporter is
    /// suspended, and a probe did not end that or the service asked for a wait; [`Kind::Cancelled`] when the reporter was
    /// freed during the call; the kinds of the outbox when that cannot be read.
    pub fn flush(&self, timeout: Option<Duration>) -> Result<(), Error> {
        let deadline = timeout.map(from_now);
        let runtime = self.runtime()?;
        match self.wait_for_earlier(runtime, deadline)? {
            Wait::Done => Ok(()),
            Wait::Pending => Err(self.left(runtime, Kind::Pending)),
            Wait::Suspended => Err(self.left(runtime, Kind::Suspended)),
        }
    }

    /// Waits for the reports that were submitted before the call.
    pub(super) fn wait_for_earlier(&self, runtime: &Runtime, deadline: Option<Instant>) -> Result<Wait, Error> {
        let last = runtime.outbox.last()?;
        let start = Instant::now();
        if !runtime.is_done(last)? {
            runtime.signals.ask_for_probe();
        }
        while !runtime.is_done(last)? {
            self.start(runtime);
            let status = runtime.signals.status();
            let has_probed = status.last_probe.is_some_and(|began| began >= start);
            if status.state == State::Suspended && (has_probed || status.is_wait_asked) {
                return Ok(Wait::Suspended);
            }
            self.fail_if_abandoned()?;
            // The worker of a closed reporter has ended, or ends now.
            let is_over = runtime.has_ended() && runtime.signals.is_over();
            if is_over || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Wait::Pending);
            }
            runtime.wait(deadline);
        }
        Ok(Wait::Done)
    }

    /// The error of a wait that ended with reports pending.
    pub(super) fn left(&self, runtime: &Runtime, kind: Kind) -> Error {
        let reason = match kind {
            Kind::Suspended => "the reporter is suspended: the service accepts no reports of the account; ",
            _ => "",
        };
        let pending = match runtime.outbox.snapshot() {
            Ok(snapshot) => format!("{} pending in the outbox", snapshot.counters.pending()),
            Err(error) => format!("the number pending cannot be read ({error})"),
        };
        let loss = match self.plan.outbox {
            None if runtime.signals.is_over() => "; they are lost, because durability none keeps them in memory only",
            _ => "",
        };
        Error::new(kind, format!("{reason}{pending}{loss}"))
    }
}

/// How a wait for reports ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// None is pending any more.
    Done,
    /// Some are pending.
    Pending,
    /// Some are pending, and the reporter is suspended.
    Suspended,
}
