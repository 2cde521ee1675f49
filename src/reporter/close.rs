//! The end of a reporter: closed, which waits, or given up, which does not.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Reporter;
use super::running::Running;
use crate::clock::from_now;
use crate::error::{Error, Kind};

/// How long `close` waits for what it interrupts.
const INTERRUPTION: Duration = Duration::from_millis(500);

impl Reporter {
    /// Takes no more reports, goes on sending for up to `timeout` or until all that were accepted have left the outbox, and
    /// then ends what is under way. What is left goes out when a reporter next opens the outbox.
    ///
    /// # Errors
    ///
    /// [`Kind::Pending`] when some are left; [`Kind::Cancelled`] when its owner gave it up meanwhile; the kinds of the outbox
    /// when that cannot be read. The reporter is closed all the same.
    pub fn close(&self, timeout: Duration) -> Result<(), Error> {
        let deadline = from_now(timeout);
        self.is_closed.store(true, Ordering::SeqCst);
        let running = self.running()?;
        self.wait_for_submits(running, deadline)?;
        self.wait_until_empty(running, deadline)?;
        self.end(running);
        wait_until_ended(running, from_now(INTERRUPTION.min(timeout)));
        self.refuse_if_abandoned()?;
        match running.outbox.inventory()?.tally.pending() {
            0 => Ok(()),
            pending => Err(Error::new(Kind::Pending, format!("the reporter is closed; still pending: {pending}"))),
        }
    }

    fn wait_for_submits(&self, running: &Running, deadline: Instant) -> Result<(), Error> {
        while Instant::now() < deadline && running.is_submitting() {
            self.refuse_if_abandoned()?;
            running.shared.wait(deadline, Duration::from_millis(1));
        }
        Ok(())
    }

    fn wait_until_empty(&self, running: &Running, deadline: Instant) -> Result<(), Error> {
        let last = running.outbox.last();
        let is_empty = || last.as_ref().is_ok_and(|last| running.is_done(*last).unwrap_or(false));
        while Instant::now() < deadline && !running.has_ended() && !is_empty() {
            self.refuse_if_abandoned()?;
            running.wait(deadline);
        }
        Ok(())
    }

    /// As [`Reporter::close`] without any time, for an owner that does not ask what is left. Waits for nothing.
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
        self.is_closed.store(true, Ordering::SeqCst);
        if let Some(running) = self.running.get() {
            self.end(running);
        }
    }

    /// Ends a call that waits, once the reporter was given up.
    pub(super) fn refuse_if_abandoned(&self) -> Result<(), Error> {
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
        running.wait(deadline);
    }
}
