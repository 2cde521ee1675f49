//! The end of a reporter: closed, which waits, or abandoned, which does not.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Reporter;
use super::flush::Wait;
use super::runtime::Runtime;
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
        let runtime = self.runtime()?;
        let closing = runtime.begin_closing();
        let waited = if was_closed {
            let is_done = runtime.outbox.last().and_then(|last| runtime.is_done(last));
            is_done.map(|is_done| if is_done { Wait::Done } else { Wait::Pending })
        } else {
            self.wait_for_submits(runtime, deadline).and_then(|()| self.wait_for_earlier(runtime, deadline))
        };
        self.end(runtime);
        if !was_closed {
            let interruption = timeout.map_or(INTERRUPTION, |timeout| timeout.min(INTERRUPTION));
            wait_until_ended(runtime, from_now(interruption));
        }
        drop(closing);
        // A poll may have nothing left to wait for.
        runtime.signals.events.notify();
        self.fail_if_abandoned()?;
        match waited? {
            Wait::Done => Ok(()),
            // What was interrupted may have been accepted meanwhile.
            Wait::Pending if runtime.outbox.snapshot()?.counters.pending() == 0 => Ok(()),
            Wait::Pending => Err(self.left(runtime, Kind::Pending)),
            Wait::Suspended => Err(self.left(runtime, Kind::Suspended)),
        }
    }

    fn wait_for_submits(&self, runtime: &Runtime, deadline: Option<Instant>) -> Result<(), Error> {
        while runtime.is_submitting() && deadline.is_none_or(|deadline| Instant::now() < deadline) {
            self.fail_if_abandoned()?;
            runtime.signals.wait(deadline, Duration::from_millis(1));
        }
        Ok(())
    }

    /// As [`Reporter::close`] without any time, for an owner that does not ask what is left. Waits for nothing.
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
        self.is_closed.store(true, Ordering::SeqCst);
        if let Some(runtime) = self.runtime.get() {
            self.end(runtime);
            runtime.signals.ended.notify();
        }
    }

    /// Ends a call that waits, once the reporter was abandoned.
    pub(super) fn fail_if_abandoned(&self) -> Result<(), Error> {
        match self.is_abandoned.load(Ordering::SeqCst) {
            true => Err(Error::new(Kind::Cancelled, "the reporter was freed during the call")),
            false => Ok(()),
        }
    }

    fn end(&self, runtime: &Runtime) {
        runtime.signals.end();
        self.client.cancel();
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.abandon();
    }
}

fn wait_until_ended(runtime: &Runtime, deadline: Instant) {
    while Instant::now() < deadline && !runtime.has_ended() {
        runtime.wait(Some(deadline));
    }
}
