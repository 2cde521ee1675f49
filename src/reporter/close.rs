//! The end of a reporter: closed, which waits, or abandoned, which does not.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Reporter;
use super::flush::Wait;
use super::runtime::Running;
use crate::clock::from_now;
use crate::error::{Error, Kind};

/// How long `close` waits for the requests that it interrupts.
const INTERRUPTION: Duration = Duration::from_millis(500);

impl Reporter {
    /// Refuses new reports, goes on sending until none of those that were submitted to this outbox before the call is pending
    /// or `timeout` expires, and then interrupts what is in flight. What is left is sent when a reporter next opens the outbox.
    ///
    /// `timeout` of `None` sets no limit; zero checks once. A second call does not wait.
    ///
    /// # Errors
    ///
    /// [`Kind::Pending`], [`Kind::Suspended`] and [`Kind::Cancelled`] as [`Reporter::flush`]; the kinds of the outbox when that
    /// cannot be read. The reporter is closed all the same.
    pub fn close(&self, timeout: Option<Duration>) -> Result<(), Error> {
        let deadline = timeout.map(from_now);
        let was_closed = self.is_closed.swap(true, Ordering::SeqCst);
        let running = self.running()?;
        let closing = running.begin_closing();
        let waited = if was_closed {
            let is_done = running.outbox.last().and_then(|last| running.is_done(last));
            is_done.map(|is_done| if is_done { Wait::Done } else { Wait::Pending })
        } else {
            self.wait_for_submits(running, deadline).and_then(|()| self.wait_for_earlier(running, deadline))
        };
        self.end(running);
        if !was_closed {
            let interruption = timeout.map_or(INTERRUPTION, |timeout| timeout.min(INTERRUPTION));
            wait_until_ended(running, from_now(interruption));
        }
        drop(closing);
        // A poll may have nothing left to wait for.
        running.shared.events.ring();
        self.fail_if_abandoned()?;
        match waited? {
            Wait::Done => Ok(()),
            // What was interrupted may have been accepted meanwhile.
            Wait::Pending if running.outbox.inventory()?.tally.pending() == 0 => Ok(()),
            Wait::Pending => Err(self.left(running, Kind::Pending)),
            Wait::Suspended => Err(self.left(running, Kind::Suspended)),
        }
    }

    fn wait_for_submits(&self, running: &Running, deadline: Option<Instant>) -> Result<(), Error> {
        while running.is_submitting() && deadline.is_none_or(|deadline| Instant::now() < deadline) {
            self.fail_if_abandoned()?;
            running.shared.wait(deadline, Duration::from_millis(1));
        }
        Ok(())
    }

    /// As [`Reporter::close`] without any time, for an owner that does not ask what is left. Waits for nothing.
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
        self.is_closed.store(true, Ordering::SeqCst);
        if let Some(running) = self.running.get() {
            self.end(running);
            running.shared.ended.ring();
        }
    }

    /// Ends a call that waits, once the reporter was abandoned.
    pub(super) fn fail_if_abandoned(&self) -> Result<(), Error> {
        match self.is_abandoned.load(Ordering::SeqCst) {
            true => Err(Error::new(Kind::Cancelled, "the reporter was freed during the call")),
            false => Ok(()),
        }
    }

    fn end(&self, running: &Running) {
        running.shared.end();
        self.client.cancel();
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.abandon();
    }
}

fn wait_until_ended(running: &Running, deadline: Instant) {
    while Instant::now() < deadline && !running.has_ended() {
        running.wait(Some(deadline));
    }
}
