//! Converts failures of requests and connections to this library's errors. Apart from the host and port, messages
//! include no part of the request, because a request can contain a secret.

use std::io;

use super::tls_error;
use crate::error::{Error, Kind, is_shortage};

/// The time limit from which a deadline results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// The limit for connecting, while the host name is being resolved.
    Resolve,
    /// The limit for connecting.
    Connect,
    /// The overall limit, which includes all attempts.
    Total,
}

/// The reason why there is no response.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection failed or was lost.
    Io(io::Error),
    /// A time limit expired.
    TimedOut(Limit),
    /// The host name could not be resolved.
    HostNotFound,
    /// The proxy could not be reached, or did not connect to the service.
    Proxy(String),
    /// TLS failed, in most cases during the handshake.
    Tls(rustls::Error),
    /// TLS could not be set up for the host.
    TlsSetup,
    /// The clock is before 1970, which the TLS library cannot represent.
    ClockBefore1970,
    /// The received data is not the head of a response.
    NotHttp(httparse::Error),
    /// The head of the response is larger than the buffer.
    LargeHead,
    /// There are too many interim responses (1xx).
    InterimOnly,
    /// The HTTP library failed in an unexpected way.
    Unexpected,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Failure {
    /// Returns whether the failure shows that the connection was closed, for example by the peer while no request was
    /// in flight.
    pub(super) fn is_loss(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof, WriteZero};
        let losses = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof, WriteZero];
        matches!(self, Self::Io(error) if losses.contains(&error.kind()))
    }

    /// Returns whether the peer ended the connection, as it may after a response.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof)
    }

    /// Returns the error for this failure of a request to `authority`; `is_connected` says whether the connection had
    /// been established.
    pub(super) fn to_error(&self, is_connected: bool, authority: &str) -> Error {
        let (kind, message) = match self {
            Self::Io(error) => of_io(error, is_connected),
            Self::TimedOut(limit) => (Kind::Timeout, of_limit(*limit).to_owned()),
            Self::HostNotFound => (Kind::Network, "the host name could not be resolved".to_owned()),
            Self::Proxy(what) => (Kind::Proxy, format!("could not connect through the proxy: {what}")),
            Self::Tls(error) => (Kind::Tls, format!("TLS failed: {}", tls_error::sentence(error))),
            Self::TlsSetup => {
                let words =
                    "TLS failed: the host of base_url is neither a DNS name nor an IP address; correct base_url";
                (Kind::Tls, words.to_owned())
            }
            Self::ClockBefore1970 => {
                let words =
                    "TLS failed: this machine's clock is before 1970, so no certificate is valid; set the clock";
                (Kind::Tls, words.to_owned())
            }
            Self::NotHttp(what) => (Kind::Protocol, format!("the response is not valid HTTP: {what}")),
            Self::LargeHead => (Kind::Protocol, "the response head is too large".to_owned()),
            Self::InterimOnly => {
                (Kind::Protocol, "too many interim responses (HTTP 1xx) before a final response".to_owned())
            }
            Self::Unexpected => (Kind::Internal, "internal error: unexpected transport failure".to_owned()),
        };
        Error::new(kind, format!("{authority}: {message}"))
    }
}

fn of_io(error: &io::Error, is_connected: bool) -> (Kind, String) {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return (Kind::Tls, format!("TLS failed: {}", tls_error::sentence(error)));
    }
    match error.kind() {
        _ if is_shortage(error) => (Kind::System, format!("the system is out of resources: {error}")),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => (Kind::Timeout, "a time limit expired".to_owned()),
        // Only the TLS library returns this error: for data that it rejects, such as too many handshake messages,
        // without a more specific error.
        io::ErrorKind::InvalidData => {
            (Kind::Tls, "TLS failed: the server sends more than the TLS protocol allows".to_owned())
        }
        io::ErrorKind::UnexpectedEof if is_connected => {
            (Kind::Network, "the connection was closed before the response was complete".to_owned())
        }
        io::ErrorKind::UnexpectedEof => {
            (Kind::Network, "the connection was closed while it was being established".to_owned())
        }
        _ if is_connected => {
            (Kind::Network, format!("the connection was lost before the response was complete: {error}"))
        }
        _ => (Kind::Network, format!("could not connect: {error}")),
    }
}

fn of_limit(limit: Limit) -> &'static str {
    match limit {
        Limit::Resolve => "connect_timeout_ms expired while the host name was being resolved",
        Limit::Connect => "connect_timeout_ms expired while connecting",
        Limit::Total => "timeout_ms expired before the response was complete",
    }
}
