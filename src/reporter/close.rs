//! Ends a reporter: `close` waits for reports, and `abandon` does not.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Reporter;
use super::flush::Wait;
use super::runtime::Runtime;
use crate::clock::from_now;
use crate::error::{Error, Kind};

/// The maximum time that `close` waits for the requests that it cancels.
const MAX_CANCEL_WAIT: Duration = Duration::from_millis(500);

impl Reporter {
    /// Closes the reporter: rejects new reports, waits like [`Reporter::flush`] for the reports submitted before the
    /// call, and then cancels the requests in flight. Reports that are still pending are sent by another reporter
    /// that uses the same outbox file, now or later; if the outbox is in memory, they are lost.
    ///
    /// If `timeout` is `None`, waits without limit; if it is zero, checks once. A second call does not wait, and
    /// fails with [`Kind::Pending`] if reports submitted before it are pending.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::Pending`], [`Kind::Suspended`] or [`Kind::Cancelled`] in the same cases as
    /// [`Reporter::flush`], or an outbox error if the outbox cannot be read. The reporter is closed in every case.
    pub fn close(&self, timeout: Option<Duration>) -> Result<(), Error> {
        let deadline = timeout.map(from_now);
        let was_closed = self.is_closed.swap(true, Ordering::SeqCst);
        let runtime = self.runtime()?;
        let closing = runtime.begin_closing();
        let waited = if was_closed {
            let is_done = runtime.outbox.last().and_then(|last| runtime.is_done(last));
            is_done.map(|is_done| if is_done { Wait::Done } else { Wait::Pending })
        } else {
            self.wait_for_submits(&runtime, deadline).and_then(|()| self.wait_for_earlier(&runtime, deadline))
        };
        self.end(&runtime);
        if !was_closed {
            let cancel_wait = timeout.map_or(MAX_CANCEL_WAIT, |timeout| timeout.min(MAX_CANCEL_WAIT));
            let deadline = from_now(cancel_wait);
            while Instant::now() < deadline && !runtime.has_ended() {
                runtime.wait(Some(deadline));
            }
        }
        drop(closing);
        // Wakes calls to `poll`, which must not wait for further events.
        runtime.signals.events.notify();
        self.fail_if_abandoned()?;
        match waited? {
            Wait::Done => Ok(()),
            // The last reports may have been accepted while their requests were being cancelled.
            Wait::Pending if runtime.outbox.snapshot()?.counters.pending() == 0 => Ok(()),
            Wait::Pending => Err(self.pending_error(&runtime, Kind::Pending)),
            Wait::Suspended => Err(self.pending_error(&runtime, Kind::Suspended)),
        }
    }

    fn wait_for_submits(&self, runtime: &Runtime, deadline: Option<Instant>) -> Result<(), Error> {
        while runtime.is_submitting() && deadline.is_none_or(|deadline| Instant::now() < deadline) {
            self.fail_if_abandoned()?;
            runtime.signals.wait(deadline, Duration::from_millis(1));
        }
        Ok(())
    }

    /// Closes the reporter without waiting, and makes calls that are waiting return an error.
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
        self.is_closed.store(true, Ordering::SeqCst);
        if let Some(runtime) = self.runtime.get() {
            self.end(runtime);
            runtime.signals.ended.notify();
        }
    }

    /// Returns an error if the reporter has been abandoned.
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
