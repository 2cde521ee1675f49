//! The HTTP library's errors in our own classes and words. No word of the request gets in: it holds the secret.

use std::io;

use rustls::CertificateError;
use ureq::Timeout;

use crate::error::{Error, Kind};

/// The class and the words of `error`, which ended a request to `authority` that was, or was not yet, connected.
pub(super) fn failure(error: &ureq::Error, is_connected: bool, authority: &str) -> Error {
    let (kind, message) = match error {
        ureq::Error::Io(error) => of_io(error, is_connected),
        ureq::Error::Timeout(limit) => (Kind::Timeout, time_ran_out(*limit).to_owned()),
        ureq::Error::ConnectProxyFailed(what) => (Kind::Proxy, format!("no connection through the proxy: {what}")),
        ureq::Error::HostNotFound => (Kind::Network, "the host's name could not be looked up".to_owned()),
        ureq::Error::ConnectionFailed => (Kind::Network, "no connection could be made".to_owned()),
        ureq::Error::Rustls(error) => (Kind::Tls, not_trusted(error)),
        ureq::Error::Tls(what) => (Kind::Tls, format!("TLS failed: {what}")),
        ureq::Error::TlsRequired => (Kind::Tls, "TLS failed: the connection is not secured".to_owned()),
        ureq::Error::LargeResponseHeader(..) => (Kind::Protocol, "the head of the answer is too large".to_owned()),
        ureq::Error::Protocol(what) => (Kind::Protocol, format!("the answer is not HTTP: {what}")),
        ureq::Error::BodyStalled => (Kind::Protocol, "the answer is not HTTP".to_owned()),
        _ => (Kind::Internal, "the HTTP library refused the request".to_owned()),
    };
    Error::new(kind, format!("{authority}: {message}"))
}

fn of_io(error: &io::Error, is_connected: bool) -> (Kind, String) {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return (Kind::Tls, not_trusted(error));
    }
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => (Kind::Timeout, "a time limit ran out".to_owned()),
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
