//! How a request reaches the service and its answer comes back. Only this room names the HTTP libraries.
//!
//! ```text
//! HttpTransport -- take, put --> Pool
//!       |                         |
//!       +-- connect --> Connector (ureq: TCP, proxy, TLS) --> Connection -- bytes out, Head and Body in
//! ```

mod cancel;
mod certificates;
mod connection;
mod connector;
mod deadline;
mod error;
mod http;
mod pool;
mod proxy;
mod resolver;
mod response_body;
mod response_head;
mod route;
mod socket;
mod tcp;

use std::time::{Duration, Instant};

pub(crate) use self::certificates::unreadable;
pub(crate) use self::http::{HttpTransport, TransportConfig};
#[cfg(test)]
pub(crate) use self::resolver::Lookup;
pub(crate) use self::resolver::Resolver;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;

/// How long an exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// For looking up the name and connecting.
    pub(crate) connect: Duration,
    /// Over everything.
    pub(crate) total: Duration,
}

/// One request and what came of it.
pub(crate) struct Exchange {
    /// The answer, or why there is none.
    pub(crate) answer: Result<Response, Error>,
    /// Whether any of the request was written on a connection.
    pub(crate) written: bool,
}

/// Something that carries a request to the service and brings the answer.
pub(crate) trait Transport: Send + Sync {
    /// Sends `request` and waits for its answer within `limits`.
    fn exchange(&self, request: &Request<'_>, limits: Limits) -> Exchange;

    /// Waits until `deadline`. False: there is no use in going on.
    fn pause(&self, deadline: Instant) -> bool;
}

/// Reads an answer out of `input`, as a connection would that brings it in pieces of `size` bytes and then ends.
#[cfg(any(fuzzing, test, feature = "testing"))]
pub(crate) fn read_answer(input: &[u8], size: usize) -> Option<(u16, Option<Vec<u8>>)> {
    let head = response_head::Head::parse(input).ok()??;
    let Ok(mut body) = response_body::Body::new(head.framing) else {
        return Some((head.status, None));
    };
    let (mut rest, mut end) = (input.get(head.length..)?, 0_usize);
    while !body.is_complete() && end <= rest.len() {
        end = end.saturating_add(size.max(1));
        match body.take(rest.get(..end).unwrap_or(rest)) {
            Ok(taken) => (rest, end) = (rest.get(taken..)?, end.saturating_sub(taken)),
            Err(response_body::Unreadable) => return Some((head.status, None)),
        }
    }
    Some((head.status, body.whole(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_same_however_it_comes() {
        let input = b"HTTP/1.1 202 Fine\r\ntransfer-encoding: chunked\r\n\r\n3\r\nfin\r\n1\r\ne\r\n0\r\n\r\nHTTP";
        for size in 1..=input.len() {
            assert_eq!(read_answer(input, size), Some((202, Some(b"fine".to_vec()))), "in pieces of {size}");
        }
        assert_eq!(read_answer(b"HTTP/1.1 202 Fine\r\ncontent-length: 4\r\n\r\nfin", 2), Some((202, None)));
        assert_eq!(read_answer(b"HTTP/1.1 20", 2), None);
    }
}
