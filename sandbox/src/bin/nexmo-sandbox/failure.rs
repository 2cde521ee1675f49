//! Errors that end the program.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// The exit status if the sandbox cannot run.
pub(crate) const SANDBOX: u8 = 125;

/// An error: the exit status and the line to print.
pub(crate) struct Failure {
    status: u8,
    line: String,
}

impl Failure {
    pub(crate) fn new(status: u8, line: impl Into<String>) -> Self {
        Self { status, line: line.into() }
    }

    pub(crate) fn of_sandbox(error: impl Display) -> Self {
        Self::new(SANDBOX, error.to_string())
    }

    /// Prints the line to standard error and returns the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        // If writing fails, only the exit status can report the failure.
        let _ = writeln!(io::stderr(), "nexmo-sandbox: {}", self.line);
        ExitCode::from(self.status)
    }
}
