//! The error type: a class, and a message for a log.

use std::{fmt, io};

/// The class of a failure. Each class has a status number in the C interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An argument, a file that an argument names, or a proxy environment variable is invalid. Nothing was sent.
    InvalidArgument,
    /// The host name could not be resolved, no connection could be made, or the connection was lost before the head of
    /// the response was complete.
    Network,
    /// A time limit expired.
    Timeout,
    /// TLS failed, for example because the server's certificate is not trusted.
    Tls,
    /// The head of the response is not valid HTTP or is too large, or too many interim responses came before it.
    Protocol,
    /// The proxy could not be reached, did not connect to the service, or sent no valid response.
    Proxy,
    /// The client or reporter was freed during the call.
    Cancelled,
    /// The system has no file descriptor, memory or thread left, a file is temporarily unreadable, or the platform's
    /// certificates cannot be used.
    System,
    /// 401: the credentials are wrong.
    Unauthorized,
    /// 402: conversion is not enabled for the account, or the credentials are wrong.
    NotEnabled,
    /// 420, 422 or 423: the service rejected the report.
    Rejected,
    /// 429: too many reports in too short a time.
    RateLimited,
    /// 408 or 5xx: the service is unavailable.
    Unavailable,
    /// 3xx: a redirect, which is never followed.
    Redirected,
    /// Any other status outside 2xx.
    UnexpectedStatus,
    /// The outbox cannot be read or written.
    Outbox,
    /// The outbox or its disk is full.
    OutboxFull,
    /// Another process, reporter or thread has the outbox locked.
    OutboxBusy,
    /// The outbox is corrupt and cannot be replaced while other processes have it open.
    OutboxCorrupt,
    /// The outbox belongs to another account.
    OutboxWrongAccount,
    /// The outbox was created by a later version of the library.
    OutboxVersion,
    /// Reports are still pending.
    Pending,
    /// The reporter is suspended after a response that requires a correction by a user, such as 401 or 402.
    Suspended,
    /// The reporter is closed.
    Closed,
    /// A bug in this library.
    Internal,
}

impl Kind {
    /// Returns whether the unchanged report can succeed if it is sent or submitted again later, without a correction by
    /// a user.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Network
                | Self::Timeout
                | Self::Protocol
                | Self::Proxy
                | Self::System
                | Self::RateLimited
                | Self::Unavailable
                | Self::OutboxFull
                | Self::OutboxBusy
                | Self::OutboxCorrupt
        )
    }

    /// Returns whether a failure of this class proves that the service responded but did not accept the report.
    pub(crate) fn is_unaccepted(self) -> bool {
        matches!(self, Self::Unauthorized | Self::NotEnabled | Self::Rejected | Self::RateLimited)
    }

    /// Returns whether the failure concerns only one report. A reporter then gives up that report and continues to send
    /// others.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Rejected)
    }

    /// Returns whether the failure concerns every report and requires a correction by a user. Such a failure suspends
    /// a reporter.
    pub(crate) fn is_suspending(self) -> bool {
        matches!(self, Self::Unauthorized | Self::NotEnabled | Self::Redirected | Self::UnexpectedStatus)
    }
}

/// A failure: its class and a sentence for a log.
///
/// The message of an invalid argument begins with the name of the parameter or, if a line of settings is invalid,
/// with the number of the line. No message contains a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
    may_be_stored: bool,
}

impl Error {
    /// Creates a failure of class `kind`.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), may_be_stored: false }
    }

    /// Creates the error for an invalid argument. `parameter` is the parameter's name. `problem` says what is wrong
    /// and, where useful, which values are valid.
    pub(crate) fn argument(parameter: &str, problem: impl fmt::Display) -> Self {
        Self::new(Kind::InvalidArgument, format!("{parameter} {problem}"))
    }

    /// Creates the error for a panic or an impossible condition.
    pub(crate) fn bug() -> Self {
        Self::new(Kind::Internal, "internal error (a bug in libnexmo_conversion); please report it")
    }

    /// Creates the error for a report whose client was freed before the report was complete.
    pub(crate) fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "the client was freed before the report was complete")
    }

    /// Records that the report of this failed submit may nevertheless be in the outbox.
    pub(crate) fn with_report_possibly_stored(self) -> Self {
        Self { may_be_stored: true, ..self }
    }

    /// Returns the class of the failure.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the message, a sentence that says what happened.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns whether the report of a failed [`submit`](crate::Reporter::submit) may nevertheless be in the outbox and
    /// be sent.
    #[must_use]
    pub fn may_be_stored(&self) -> bool {
        self.may_be_stored
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Returns whether `error` reports a lack of descriptors, memory or threads, which may be temporary.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM))
}
