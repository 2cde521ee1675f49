//! The signals that end the sandbox or, if it runs a command, may be forwarded to the command.

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The watched signals. A signal that arrives between `watch` and `next` is not lost.
pub(crate) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Starts watching the signals. Must be called within a Tokio runtime.
    pub(crate) fn watch() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(crate) async fn next(&mut self) -> Number {
        tokio::select! {
            _ = self.hangup.recv() => Number::HUP,
            _ = self.interrupt.recv() => Number::INT,
            _ = self.terminate.recv() => Number::TERM,
        }
    }
}
