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
    pub(super) fn to_error(&self, is_connected: bool, authority: &str) -> Error {
        let (kind, message) = match self {
            Self::Connection(error) => of_connection(error, is_connected),
            Self::NotHttp(what) => (Kind::Protocol, format!("the response is not valid HTTP: {what}")),
            Self::LargeHead => (Kind::Protocol, "the response head is too large".to_owned()),
        };
        Error::new(kind, format!("{authority}: {message}"))
    }
}

fn of_connection(error: &ureq::Error, is_connected: bool) -> (Kind, String) {
    match error {
        ureq::Error::Io(error) => of_io(error, is_connected),
        ureq::Error::Timeout(limit) => (Kind::Timeout, time_ran_out(*limit).to_owned()),
        ureq::Error::ConnectProxyFailed(what) => (Kind::Proxy, format!("could not connect through the proxy: {what}")),
        ureq::Error::HostNotFound => (Kind::Network, "the host name could not be resolved".to_owned()),
        ureq::Error::ConnectionFailed => (Kind::Network, "could not connect".to_owned()),
        ureq::Error::Rustls(error) => (Kind::Tls, not_trusted(error)),
        ureq::Error::Tls(what) => (Kind::Tls, format!("TLS failed: {what}")),
        _ => (Kind::Internal, "internal error: unexpected transport failure".to_owned()),
    }
}

fn of_io(error: &io::Error, is_connected: bool) -> (Kind, String) {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return (Kind::Tls, not_trusted(error));
    }
    match error.kind() {
        _ if is_shortage(error) => (Kind::System, format!("the system is out of resources: {error}")),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => (Kind::Timeout, "a time limit expired".to_owned()),
        // Only TLS says so, where it refuses without an error of its own, as more handshake messages than it keeps.
        io::ErrorKind::InvalidData => (Kind::Tls, format!("TLS failed: {error}")),
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

fn not_trusted(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "TLS failed: the issuer of the server's certificate is not trusted; set ca_file to trust it".to_owned()
        }
        rustls::Error::InvalidMessage(_) => {
            format!("TLS failed: the server does not speak TLS on this port: {error}")
        }
        _ => format!("TLS failed: {error}"),
    }
}

fn time_ran_out(limit: Timeout) -> &'static str {
    match limit {
        Timeout::Resolve => "connect_timeout_ms expired while the host name was being resolved",
        Timeout::Connect => "connect_timeout_ms expired while connecting",
        _ => "timeout_ms expired before the response was complete",
    }
}
