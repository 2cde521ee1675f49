//! The steps that a server can perform on a connection, and functions that return common scripts.

use std::time::Duration;

use rustls::ContentType;

use crate::tls::Secure;

/// A successful response on a connection that stays open.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK";

/// The steps of a server on one connection. After the last step, unless it is [`Step::Reset`], the server shuts down
/// sending and reads until the client closes the connection.
pub(crate) type Script = Vec<Step>;

/// A step of a server. The text of [`Step::Send`] may contain the placeholders that
/// [`Endpoints`](crate::endpoints::Endpoints) replaces.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Reads the head of a request.
    Read,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes unencrypted on a TLS connection.
    SendPlainly(Vec<u8>),
    /// Sends these messages at once over TLS, each in a separate record.
    SendRecords(Vec<Vec<u8>>),
    /// Repeatedly sends TLS 1.3 records of this type with these contents, and reads nothing more. Ends when the
    /// connection ends or this number of calls have returned. The client may make its second call once more bytes have
    /// arrived than it reads when it checks an idle connection.
    EndlessRecords { of_type: ContentType, records: Vec<Vec<u8>>, calls: usize },
    /// Completes the TLS handshake and sends the session tickets in small parts, until all are sent or the client's
    /// second call has returned. The second call may start under the same condition as in [`Step::EndlessRecords`].
    FloodOfTickets,
    /// Sends a TLS close_notify, but does not close the connection.
    Goodbye,
    /// Sends these bytes the given number of times.
    Repeat(Vec<u8>, usize),
    /// Sends these bytes until the connection ends or the client's first call has returned.
    Endless(Vec<u8>),
    /// Sends these bytes one at a time, with a pause before each.
    Drip(Vec<u8>, Duration),
    /// Sends nothing until the client closes the connection.
    Stall,
    /// Reads nothing until the case has ended.
    Ignore,
    /// Shuts down sending, but continues to read.
    Finish,
    /// Resets the connection.
    Reset,
    /// Performs a TLS handshake as the server; the following steps use TLS.
    Secure(Secure),
    /// Waits until the client's first call has returned.
    AwaitReturn,
    /// Lets the client make its second call once all sent data has arrived.
    LetCall,
    /// Reads the SOCKS5 greeting and records the methods that it offers.
    ReadSocksGreeting,
    /// Reads and records the SOCKS5 user and password.
    ReadSocksPassword,
    /// Reads the SOCKS5 connect request and records its target.
    ReadSocksTarget,
}

/// Returns a step that sends `bytes`.
pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Step {
    Step::Send(bytes.as_ref().to_vec())
}

/// Returns a step that sends `bytes` one at a time, with a pause of `pause` milliseconds before each byte.
pub(crate) fn drip(bytes: impl AsRef<[u8]>, pause: u64) -> Step {
    Step::Drip(bytes.as_ref().to_vec(), Duration::from_millis(pause))
}

/// Returns a step that sends `bytes` repeatedly, as [`Step::Endless`] does.
pub(crate) fn endless(bytes: impl AsRef<[u8]>) -> Step {
    Step::Endless(bytes.as_ref().to_vec())
}

/// Returns a script that reads a request, responds with `bytes`, and shuts down sending.
pub(crate) fn respond(bytes: impl AsRef<[u8]>) -> Script {
    vec![Step::Read, send(bytes)]
}

/// Returns a script that reads a request and responds with `status`, `header` and `body`. Omits an empty `header`.
pub(crate) fn respond_with(status: &str, header: &str, body: &str) -> Script {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    respond(format!("HTTP/1.1 {status}\r\n{header}content-length: {}\r\n\r\n{body}", body.len()))
}
