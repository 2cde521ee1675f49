//! Converts failures of the libraries to this library's classes and messages. Nothing of the request is included,
//! because it contains the secret.

use std::io;

use rustls::CertificateError;
use ureq::Timeout;

use crate::error::{Error, Kind, is_shortage};

/// Why there is no response.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection failed or was lost.
    Connection(ureq::Error),
    /// The received data is not the head of a response.
    NotHttp(httparse::Error),
    /// The connection ended within the head.
    LargeHead,
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Self {
        Self::Connection(error)
    }
}

impl Failure {
    /// Whether the connection turned out to be closed, as when the peer has closed an idle one.
    pub(super) fn is_loss(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof, WriteZero};
        let losses = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof, WriteZero];
        matches!(self, Self::Connection(ureq::Error::Io(error)) if losses.contains(&error.kind()))
    }

    /// Whether the connection ended, as it may after a response.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::Connection(ureq::Error::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof)
    }

    /// The error for this failure of a request to `authority`; `is_connected` says whether the connection had been
    /// established.
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
        // Only TLS returns this, when it rejects data without a specific error, such as too many handshake messages.
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
