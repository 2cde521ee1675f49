//! How a request reaches the service and its answer comes back. Only this room names the HTTP libraries.
//!
//! ```text
//! HttpTransport -- take, put --> Pool
//!       |                         |
//!       +-- connect --> Connector (ureq: TCP, proxy, TLS) --> Connection -- bytes out, Head and Body in
//! ```

mod body;
mod cancel;
mod connection;
mod connector;
mod deadline;
mod failure;
mod head;
mod http;
mod pool;
mod proxy;
mod resolver;
mod route;
mod socket;
mod tcp;
mod trust;

use std::time::{Duration, Instant};

pub(crate) use self::http::{HttpTransport, Setup};
#[cfg(test)]
pub(crate) use self::resolver::Lookup;
pub(crate) use self::resolver::Resolver;

use crate::answer::Answer;
use crate::error::Error;
use crate::request::Request;

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
    pub(crate) answer: Result<Answer, Error>,
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
