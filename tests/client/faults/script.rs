//! The steps of a server on one connection.

use std::time::Duration;

use rustls::ContentType;

use crate::tls::Secure;

/// A successful response on a connection that stays open.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK";

/// What a server does on one connection. After the last step it closes, and still reads what arrives.
pub(crate) type Script = Vec<Step>;

/// One step of a server. Texts may contain the placeholders that [`Endpoints`](crate::endpoints::Endpoints) replaces.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Reads the head of a request.
    Read,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes unencrypted on a TLS connection.
    SendPlainly(Vec<u8>),
    /// Sends these messages in TLS at once, each in a separate record.
    SendRecords(Vec<Vec<u8>>),
    /// Sends TLS 1.3 records of this type with these contents, repeatedly, and reads nothing more. Ends with the
    /// connection, or when that many calls have returned. The client may make its second call once more of them have
    /// arrived than it reads in a check.
    EndlessRecords { of_type: ContentType, records: Vec<Vec<u8>>, calls: usize },
    /// Reads the client's end of the handshake and sends the TLS session tickets that are ready, a little at a time,
    /// until the client's second call has returned; that call may start as with [`Step::EndlessRecords`].
    FloodOfTickets,
    /// Sends a TLS close_notify and nothing else.
    Goodbye,
    /// Sends these bytes that many times.
    Repeat(Vec<u8>, usize),
    /// Sends these bytes until the connection ends, or the client's first call has returned.
    Endless(Vec<u8>),
    /// Sends these bytes one at a time, with a pause before each.
    Drip(Vec<u8>, Duration),
    /// Does nothing until the client closes.
    Stall,
    /// Never reads from the connection, until the case has ended.
    Ignore,
    /// Shuts down sending, and continues to read.
    Finish,
    /// Resets the connection.
    Reset,
    /// Performs a TLS handshake as the server; the following steps use TLS.
    Secure(Secure),
    /// Waits until the client's first call has returned.
    AwaitReturn,
    /// Lets the client make its second call, once all sent data has arrived.
    LetCall,
    /// Reads the SOCKS5 greeting, and records the methods that it offers.
    ReadSocksGreeting,
    /// Reads the SOCKS5 user and password, and records them.
    ReadSocksPassword,
    /// Reads the SOCKS5 connect request, and records its target.
    ReadSocksTarget,
}

/// Sends `bytes`.
pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Step {
    Step::Send(bytes.as_ref().to_vec())
}

/// Sends `bytes`, with `pause` milliseconds before each.
pub(crate) fn drip(bytes: impl AsRef<[u8]>, pause: u64) -> Step {
    Step::Drip(bytes.as_ref().to_vec(), Duration::from_millis(pause))
}

/// Sends `bytes` without end.
pub(crate) fn endless(bytes: impl AsRef<[u8]>) -> Step {
    Step::Endless(bytes.as_ref().to_vec())
}

/// Reads a request, responds with `bytes`, and closes.
pub(crate) fn respond(bytes: impl AsRef<[u8]>) -> Script {
    vec![Step::Read, send(bytes)]
}

/// Reads a request and responds with `status`, this `header` if not empty, and `body`.
pub(crate) fn respond_with(status: &str, header: &str, body: &str) -> Script {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    respond(format!("HTTP/1.1 {status}\r\n{header}content-length: {}\r\n\r\n{body}", body.len()))
}
