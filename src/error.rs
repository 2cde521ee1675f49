//! The one error type: what went wrong, in which class, and in words that say what to do.

use std::fmt;

/// The class of a failure. Each has its number in the C interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A parameter was refused before anything was sent.
    Argument,
    /// The name could not be looked up, no connection could be made, or it was lost before a complete answer.
    Network,
    /// A time limit ran out.
    Timeout,
    /// The TLS handshake failed, or the certificate is not trusted.
    Tls,
    /// What came back is not HTTP.
    Protocol,
    /// The proxy could not be reached, refused, or sent no valid answer.
    Proxy,
    /// 401: the credentials are wrong.
    Unauthorized,
    /// 402: conversion is not enabled for the account, or the account's credentials are bad.
    NotEnabled,
    /// 420, 422 or 423: the service refused the report's parameters.
    InvalidParameters,
    /// 429: too many reports in too short a time.
    RateLimited,
    /// 408 or 5xx: the service cannot answer now.
    Unavailable,
    /// 3xx: something between here and the service wants the report elsewhere. It is never followed.
    Redirected,
    /// Any other status.
    UnexpectedStatus,
    /// The client was freed while the report was under way.
    Cancelled,
    /// The outbox cannot be read or written.
    Outbox,
    /// The outbox holds as much as it may, or its disk is full.
    OutboxFull,
    /// Others held the outbox for too long.
    OutboxBusy,
    /// The outbox is damaged, and cannot be set aside while others have it open.
    OutboxCorrupt,
    /// The outbox belongs to another account.
    OutboxAccount,
    /// Reports are left in the outbox.
    Pending,
    /// Reports were set aside, and wait to be fetched.
    Aside,
    /// The service takes no reports of the account for now.
    Parked,
    /// The reporter is closed.
    Closed,
    /// A mistake of this library.
    Internal,
}

impl Kind {
    /// Whether the same report, sent again later without any change, can succeed.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Network
                | Self::Timeout
                | Self::Protocol
                | Self::Proxy
                | Self::RateLimited
                | Self::Unavailable
                | Self::OutboxFull
                | Self::OutboxBusy
        )
    }
}

/// A failure: its class, and a sentence for the reader of a log.
///
/// The sentence names the parameter or the limit concerned and never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
}

impl Error {
    /// A failure of class `kind`, told by `message`.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The refusal of a parameter: `parameter` is its name, `problem` what is wrong with it and what is right.
    pub(crate) fn argument(parameter: &str, problem: impl fmt::Display) -> Self {
        Self::new(Kind::Argument, format!("{parameter} {problem}"))
    }

    /// The end of a report whose client was freed.
    pub(crate) fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "the client was freed while the report was under way")
    }

    /// The class of the failure.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What happened, in a sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
