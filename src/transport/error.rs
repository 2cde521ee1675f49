//! What went wrong, in our own classes and words. No word of the request gets in: it holds the secret.

use std::io;

use rustls::CertificateError;
use ureq::Timeout;

use crate::error::{Error, Kind, is_shortage};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no connection, or it was lost.
    Connection(ureq::Error),
    /// What came is no head of an answer.
    NotHttp(httparse::Error),
    /// The head does not end where it should have.
    LargeHead,
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Self {
        Self::Connection(error)
    }
}

impl Failure {
    /// Whether the connection was found to be gone, as one that the peer had closed meanwhile.
    pub(super) fn is_loss(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof, WriteZero};
        let losses = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof, WriteZero];
        matches!(self, Self::Connection(ureq::Error::Io(error)) if losses.contains(&error.kind()))
    }

    /// Whether the connection has ended, as it may after an answer.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::Connection(ureq::Error::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof)
    }

    /// The class and the words of this failure, which ended a request to `authority` that was, or was not yet, connected.
    pub(super) fn told(&self, is_connected: bool, authority: &str) -> Error {
        let (kind, message) = match self {
            Self::Connection(error) => of_connection(error, is_connected),
            Self::NotHttp(what) => (Kind::Protocol, format!("the answer is not HTTP: {what}")),
            Self::LargeHead => (Kind::Protocol, "the head of the answer is too large".to_owned()),
        };
        Error::new(kind, format!("{authority}: {message}"))
    }
}

fn of_connection(error: &ureq::Error, is_connected: bool) -> (Kind, String) {
    match error {
        ureq::Error::Io(error) => of_io(error, is_connected),
        ureq::Error::Timeout(limit) => (Kind::Timeout, time_ran_out(*limit).to_owned()),
        ureq::Error::ConnectProxyFailed(what) => (Kind::Proxy, format!("no connection through the proxy: {what}")),
        ureq::Error::HostNotFound => (Kind::Network, "the host's name could not be looked up".to_owned()),
        ureq::Error::ConnectionFailed => (Kind::Network, "no connection could be made".to_owned()),
        ureq::Error::Rustls(error) => (Kind::Tls, not_trusted(error)),
        ureq::Error::Tls(what) => (Kind::Tls, format!("TLS failed: {what}")),
        _ => (Kind::Internal, "the connection was refused by the library below".to_owned()),
    }
}

fn of_io(error: &io::Error, is_connected: bool) -> (Kind, String) {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return (Kind::Tls, not_trusted(error));
    }
    match error.kind() {
        _ if is_shortage(error) => (Kind::System, format!("the system is out of resources: {error}")),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => (Kind::Timeout, "a time limit ran out".to_owned()),
        // Only TLS says so, where it refuses without an error of its own, as more handshake messages than it keeps.
        io::ErrorKind::InvalidData => (Kind::Tls, format!("TLS failed: {error}")),
        io::ErrorKind::UnexpectedEof if is_connected => {
            (Kind::Network, "the connection was closed before the answer was complete".to_owned())
        }
        io::ErrorKind::UnexpectedEof => (Kind::Network, "the connection was closed while it was being made".to_owned()),
        _ if is_connected => {
            (Kind::Network, format!("the connection was lost before the answer was complete: {error}"))
        }
        _ => (Kind::Network, format!("no connection could be made: {error}")),
    }
}

fn not_trusted(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "TLS failed: the server's certificate was issued by nobody that is trusted; ca_file can say whom to trust"
                .to_owned()
        }
        rustls::Error::InvalidMessage(_) => {
            format!("TLS failed: the server speaks something else on this port: {error}")
        }
        _ => format!("TLS failed: {error}"),
    }
}

fn time_ran_out(limit: Timeout) -> &'static str {
    match limit {
        Timeout::Resolve => "connect_timeout_ms ran out while the host's name was looked up",
        Timeout::Connect => "connect_timeout_ms ran out while connecting",
        _ => "timeout_ms ran out before the answer was complete",
    }
}
