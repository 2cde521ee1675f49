//! Sends requests to the service and receives its responses. Only `connector.rs` and `certificates.rs` depend on ureq.
//!
//! ```text
//! HttpTransport -- acquire, put --> Pool of idle connections
//!       |
//!       +-- connect --> Connector (TCP, proxy, TLS) --> Connection -- bytes out, Head and Body in
//! ```

mod cancel;
mod certificate_watch;
mod certificates;
mod config;
mod connection;
mod connector;
mod deadline;
mod error;
mod http;
mod pem;
mod pool;
mod proxy;
mod resolver;
mod response_body;
mod response_head;
mod route;
mod socket;
mod tcp;
mod tls_error;

use std::time::{Duration, Instant};

pub(crate) use self::certificates::{FileVersion, file_version, unreadable};
pub(crate) use self::config::TransportConfig;
pub(crate) use self::http::HttpTransport;
#[cfg(test)]
pub(crate) use self::resolver::Lookup;
pub(crate) use self::resolver::Resolver;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;

/// The timeouts of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The timeout for resolving the name and connecting, including TLS.
    pub(crate) connect: Duration,
    /// The deadline of the whole exchange; None if it is beyond the range of the clock.
    pub(crate) end: Option<Instant>,
}

/// The outcome of one request.
pub(crate) struct Exchange {
    /// The response, or the error.
    pub(crate) response: Result<Response, Error>,
    /// Whether any part of the request may have been written to a connection.
    pub(crate) written: bool,
}

/// Sends requests to the service.
pub(crate) trait Transport: Send + Sync {
    /// Sends `request` and waits for its response within `limits`.
    fn exchange(&self, request: &Request<'_>, limits: Limits) -> Exchange;

    /// Waits until `deadline`. Returns false if the transport is cancelled first.
    fn pause(&self, deadline: Instant) -> bool;
}

/// Parses a response from `input` as if a connection delivered the whole head, then the body in pieces of `size`
/// bytes, and then ended. Returns the status and, if the body is complete, the body. Returns None if the head is
/// invalid or incomplete.
#[cfg(any(fuzzing, test, feature = "testing"))]
pub(crate) fn read_response(input: &[u8], size: usize) -> Option<(u16, Option<crate::secret::Wiped<Vec<u8>>>)> {
    let head = response_head::Head::parse(input).ok()??;
    let Ok(mut body) = response_body::Body::new(head.framing) else {
        return Some((head.status, None));
    };
    let (mut rest, mut end) = (input.get(head.length..)?, 0_usize);
    while !body.is_complete() && end <= rest.len() {
        end = end.saturating_add(size.max(1));
        match body.read(rest.get(..end).unwrap_or(rest)) {
            Ok(consumed) => (rest, end) = (rest.get(consumed..)?, end.saturating_sub(consumed)),
            Err(response_body::Unreadable) => return Some((head.status, None)),
        }
    }
    Some((head.status, body.whole(true)))
}

/// Parses a PEM file. Discards the private key and returns the certificates in DER.
#[cfg(any(fuzzing, feature = "testing"))]
pub(crate) fn certificates_in(bytes: &[u8]) -> Vec<Vec<u8>> {
    let pem = pem::Pem::new(bytes);
    drop(pem.private_key());
    pem.certificates().map(|der| der.to_vec()).collect()
}

/// Reads a proxy's response to `CONNECT`. Returns the result and the number of bytes read.
#[cfg(any(fuzzing, feature = "testing"))]
pub(crate) fn read_connect_response(input: &[u8]) -> (std::io::Result<()>, usize) {
    let mut rest = input.iter();
    let result = proxy::read_connect_response(|| rest.next().copied().ok_or(std::io::ErrorKind::UnexpectedEof.into()));
    (result, input.len().saturating_sub(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_the_same_however_it_is_split() {
        let input = b"HTTP/1.1 202 Fine\r\ntransfer-encoding: chunked\r\n\r\n3\r\nfin\r\n1\r\ne\r\n0\r\n\r\nHTTP";
        for size in 1..=input.len() {
            assert_eq!(
                read_response(input, size),
                Some((202, Some(b"fine".to_vec().into()))),
                "the response differs if the body arrives in pieces of {size} bytes"
            );
        }
        assert_eq!(read_response(b"HTTP/1.1 202 Fine\r\ncontent-length: 4\r\n\r\nfin", 2), Some((202, None)));
        assert_eq!(read_response(b"HTTP/1.1 20", 2), None);
    }
}
