//! What a server does on one connection, step by step.

use std::time::Duration;

use rustls::ContentType;

use crate::tls::Secure;

/// The answer that tells the client all is well, on a connection that may stay.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK";

/// What a server does on one connection. After the last step it closes, and still takes what comes.
pub(crate) type Script = Vec<Step>;

/// One thing that a server does. Texts may hold the places that [`Site`](crate::site::Site) fills in.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Reads the head of a request.
    Read,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes past TLS, in its middle.
    SendPlainly(Vec<u8>),
    /// Sends these under TLS at once, each in a record of its own.
    SendRecords(Vec<Vec<u8>>),
    /// Sends records of TLS 1.3 that are of this type and hold these bytes, one after the other and from the first again, and
    /// hears no more. It ends with the connection, or when the client has returned from so many calls. The client may make
    /// its second call once more of them has arrived than it reads where it only looks.
    EndlessRecords { of_type: ContentType, records: Vec<Vec<u8>>, calls: usize },
    /// Takes the client's end of the handshake and sends the tickets that TLS has ready, a little at a time, until the client
    /// has returned from its second call, which it may make as with [`Step::EndlessRecords`].
    FloodOfTickets,
    /// Says goodbye as TLS does, and no more than that.
    Goodbye,
    /// Sends these bytes so many times.
    Repeat(Vec<u8>, usize),
    /// Sends these bytes until the connection ends, or the client has returned from its first call.
    Endless(Vec<u8>),
    /// Sends one of these bytes after the other, with a pause before each.
    Drip(Vec<u8>, Duration),
    /// Does nothing until the client hangs up.
    Stall,
    /// Never takes anything from the connection, until the row is over.
    Ignore,
    /// Says that nothing more will come, and goes on listening.
    Finish,
    /// Tears the connection down.
    Reset,
    /// Takes the server's part in a TLS handshake; what follows is said under TLS.
    Secure(Secure),
    /// Waits until the client has returned from its first call.
    AwaitReturn,
    /// Lets the client make its second call, once all that was sent has arrived.
    LetCall,
    /// Reads the greeting of SOCKS5, and notes the methods that it offers.
    ReadSocksGreeting,
    /// Reads user and password as SOCKS5 sends them, and notes them.
    ReadSocksPassword,
    /// Reads what SOCKS5 is to connect to, and notes it.
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

/// Sends `bytes` for ever.
pub(crate) fn endless(bytes: impl AsRef<[u8]>) -> Step {
    Step::Endless(bytes.as_ref().to_vec())
}

/// Reads a request, answers it with `bytes`, and closes.
pub(crate) fn answer(bytes: impl AsRef<[u8]>) -> Script {
    vec![Step::Read, send(bytes)]
}

/// Reads a request and answers it with `status`, this `header`, where there is one, and `body`.
pub(crate) fn answer_with(status: &str, header: &str, body: &str) -> Script {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    answer(format!("HTTP/1.1 {status}\r\n{header}content-length: {}\r\n\r\n{body}", body.len()))
}
