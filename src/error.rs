//! The error type: a class, and a message that says what to do.

use std::{fmt, io};

/// The class of a failure. Each has a number in the C interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An argument, or a file that it names, is invalid. Nothing was sent.
    InvalidArgument,
    /// The host name could not be resolved, no connection could be made, or it was lost before a complete response.
    Network,
    /// A time limit expired.
    Timeout,
    /// The TLS handshake failed, or the certificate is not trusted.
    Tls,
    /// The response is not HTTP.
    Protocol,
    /// The proxy could not be reached, refused the connection, or sent no valid response.
    Proxy,
    /// The client or reporter was freed during the call.
    Cancelled,
    /// The system has no file descriptor, memory or thread left, or a file could not be read at the moment.
    System,
    /// 401: the credentials are wrong.
    Unauthorized,
    /// 402: conversion is not enabled for the account.
    NotEnabled,
    /// 420, 422 or 423: the service rejected the report.
    Rejected,
    /// 429: too many reports in too short a time.
    RateLimited,
    /// 408 or 5xx: the service is unavailable.
    Unavailable,
    /// 3xx: a redirect, which is never followed.
    Redirected,
    /// Any other status.
    UnexpectedStatus,
    /// The outbox cannot be read or written.
    Outbox,
    /// The outbox is full, or its disk is.
    OutboxFull,
    /// The outbox is locked by another process.
    OutboxBusy,
    /// The outbox is corrupt, and cannot be replaced while others have it open.
    OutboxCorrupt,
    /// The outbox belongs to another account.
    OutboxWrongAccount,
    /// The outbox was created by a later version of the library.
    OutboxVersion,
    /// Reports are still pending.
    Pending,
    /// The reporter is suspended: the service accepts no reports of the account.
    Suspended,
    /// The reporter is closed.
    Closed,
    /// A bug in this library.
    Internal,
}

impl Kind {
    /// Whether the same report can succeed if it is sent or submitted again later, unchanged, without anyone correcting
    /// anything.
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

    /// Whether it is a response which means that the service did not accept the report.
    pub(crate) fn is_unaccepted(self) -> bool {
        matches!(self, Self::Unauthorized | Self::NotEnabled | Self::Rejected | Self::RateLimited)
    }

    /// Whether it concerns the report only: a reporter rejects the report and sends others.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Rejected)
    }

    /// Whether it concerns the account, and someone must correct something: a reporter is suspended.
    pub(crate) fn is_suspending(self) -> bool {
        matches!(self, Self::Unauthorized | Self::NotEnabled | Self::Redirected | Self::UnexpectedStatus)
    }
}

/// A failure: its class, and a sentence for a log.
///
/// The message names the parameter or the limit concerned and never contains a secret.
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

    /// An invalid argument: `parameter` is its name, `problem` what is wrong with it and which values are valid.
    pub(crate) fn argument(parameter: &str, problem: impl fmt::Display) -> Self {
        Self::new(Kind::InvalidArgument, format!("{parameter} {problem}"))
    }

    /// A panic, or a condition that cannot occur.
    pub(crate) fn bug() -> Self {
        Self::new(Kind::Internal, "internal error (a bug in libnexmo_conversion); please report it")
    }

    /// A report whose client was freed while its request was in flight.
    pub(crate) fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "the client was freed while the request was in flight")
    }

    /// The same failure, for a submit whose report may be in the outbox nevertheless.
    pub(crate) fn with_report_possibly_stored(self) -> Self {
        Self { may_be_stored: true, ..self }
    }

    /// The class of the failure.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message: what happened, in a sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the report of a failed [`submit`](crate::Reporter::submit) may be in the outbox nevertheless, and be
    /// sent.
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

/// Whether the system lacks a resource that may become available again: descriptors or memory.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM))
}
