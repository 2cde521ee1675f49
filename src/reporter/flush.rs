//! Waiting until what was submitted has left the outbox.

use std::time::{Duration, Instant};

use super::Reporter;
use super::running::Running;
use super::shared::State;
use crate::clock::from_now;
use crate::error::{Error, Kind};

impl Reporter {
    /// Waits until every report that the outbox accepted before this call has left it.
    ///
    /// # Errors
    ///
    /// [`Kind::Timeout`] when some are left after `timeout`; [`Kind::Parked`] when the service takes no reports of the
    /// account, which was just tried; [`Kind::Aside`] when none is left, and some were set aside; [`Kind::Cancelled`] when its
    /// owner gave the reporter up meanwhile; the kinds of the outbox when that cannot be read.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        let deadline = from_now(timeout);
        let running = self.running()?;
        self.start(running);
        let last = running.outbox.last()?;
        let probes = running.shared.told().probes;
        running.shared.ask_for_probe();
        while !running.is_done(last)? {
            let told = running.shared.told();
            if told.state == State::Parked && told.probes != probes {
                return Err(left(running, Kind::Parked, "the service takes no reports of the account for now"));
            }
            self.refuse_if_abandoned()?;
            if Instant::now() >= deadline {
                return Err(left(running, Kind::Timeout, "the time is over"));
            }
            running.wait(deadline);
        }
        match running.outbox.inventory()?.tally.aside {
            0 => Ok(()),
            aside => Err(Error::new(Kind::Aside, format!("none is pending; set aside, and to be polled: {aside}"))),
        }
    }
}

fn left(running: &Running, kind: Kind, told: &str) -> Error {
    let pending = running.outbox.inventory().map(|inventory| inventory.tally.pending().to_string());
    let pending = pending.unwrap_or_else(|error| format!("not to be told ({error})"));
    Error::new(kind, format!("{told}; still pending: {pending}"))
}
