//! Why the program ends without having done what it was asked.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// The sandbox itself could not run.
pub(crate) const SANDBOX: u8 = 125;

/// An exit status and the one line that explains it.
pub(crate) struct Failure {
    status: u8,
    line: String,
}

impl Failure {
    pub(crate) fn new(status: u8, line: impl Into<String>) -> Self {
        Self { status, line: line.into() }
    }

    /// For what keeps the sandbox from running.
    pub(crate) fn of_sandbox(error: impl Display) -> Self {
        Self::new(SANDBOX, error.to_string())
    }

    /// Tells it on standard error.
    pub(crate) fn tell(&self) -> ExitCode {
        // There is nowhere left to complain to if this cannot be written; the exit status still tells.
        let _ = writeln!(io::stderr(), "nexmo-sandbox: {}", self.line);
        ExitCode::from(self.status)
    }
}
