//! Waiting until what was submitted has left the outbox.

use std::time::{Duration, Instant};

use super::Reporter;
use super::runtime::Running;
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
        let running = self.running()?;
        match self.wait_for_earlier(running, deadline)? {
            Wait::Done => Ok(()),
            Wait::Pending => Err(self.left(running, Kind::Pending)),
            Wait::Suspended => Err(self.left(running, Kind::Suspended)),
        }
    }

    /// Waits for the reports that were submitted before the call.
    pub(super) fn wait_for_earlier(&self, running: &Running, deadline: Option<Instant>) -> Result<Wait, Error> {
        let last = running.outbox.last()?;
        let start = Instant::now();
        if !running.is_done(last)? {
            running.shared.ask_for_probe();
        }
        while !running.is_done(last)? {
            self.start(running);
            let told = running.shared.told();
            let has_probed = told.last_probe.is_some_and(|began| began >= start);
            if told.state == State::Suspended && (has_probed || told.is_wait_asked) {
                return Ok(Wait::Suspended);
            }
            self.fail_if_abandoned()?;
            // The worker of a closed reporter has ended, or ends now.
            let is_over = running.has_ended() && running.shared.is_over();
            if is_over || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Wait::Pending);
            }
            running.wait(deadline);
        }
        Ok(Wait::Done)
    }

    /// The error of a wait that ended with reports pending.
    pub(super) fn left(&self, running: &Running, kind: Kind) -> Error {
        let reason = match kind {
            Kind::Suspended => "the reporter is suspended: the service accepts no reports of the account; ",
            _ => "",
        };
        let pending = match running.outbox.inventory() {
            Ok(inventory) => format!("{} pending in the outbox", inventory.tally.pending()),
            Err(error) => format!("the number pending cannot be read ({error})"),
        };
        let loss = match self.plan.outbox {
            None if running.shared.is_over() => "; they are lost, because durability none keeps them in memory only",
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
