//! Sends a request on a connection to the service and receives the response.

use std::time::{Duration, Instant};

use crate::secret::Wiped;

use super::connector::Stream;
use super::deadline::Deadline;
use super::error::{Failure, Limit};
use super::response_body::Body;
use super::response_head::{Framing, Head};
use crate::response::Response;

/// The maximum time to wait for a body after the head is complete.
const BODY_TIME: Duration = Duration::from_millis(500);

/// The maximum number of interim responses before the final response. Servers send one or two, or one every few seconds
/// while they process a request.
const MOST_INTERIM_RESPONSES: u32 = 128;

/// A connection, plain or over TLS.
#[derive(Debug)]
pub(super) struct Connection(pub(super) Stream);

/// The outcome of a request on a connection.
pub(super) struct RoundTrip {
    pub(super) result: Result<Response, Failure>,
    /// Whether any part of a response has arrived.
    pub(super) has_response: bool,
    /// Whether the connection can be reused for another request.
    pub(super) is_reusable: bool,
}

impl Connection {
    /// Sends `request` and reads the response. If this fails, all or part of the request may have been sent.
    pub(super) fn round_trip(&mut self, request: &[u8], deadline: Deadline) -> RoundTrip {
        let mut has_response = false;
        let head = self.0.send(request, deadline).and_then(|()| self.read_head(deadline, &mut has_response));
        match head {
            Ok(head) => self.read_response(head, deadline),
            Err(failure) => RoundTrip { result: Err(failure), has_response, is_reusable: false },
        }
    }

    /// Returns whether the connection is open and has no unread data. Reads from the connection to find out.
    pub(super) fn is_idle(&mut self) -> bool {
        self.0.is_idle()
    }

    /// Reads the head of the final response and skips interim responses. Sets `has_begun` when any part of a response
    /// arrives, even if the call fails later.
    fn read_head(&mut self, deadline: Deadline, has_begun: &mut bool) -> Result<Head, Failure> {
        self.0.read(deadline)?;
        *has_begun = true;
        let mut interim_responses: u32 = 0;
        loop {
            match Head::parse(self.0.input()).map_err(Failure::NotHttp)? {
                Some(head) => {
                    self.0.consume(head.length);
                    if !head.is_interim() {
                        return Ok(head);
                    }
                    interim_responses = interim_responses.saturating_add(1);
                    if interim_responses > MOST_INTERIM_RESPONSES {
                        return Err(Failure::InterimOnly);
                    }
                }
                None => self.0.read(deadline)?,
            }
        }
    }

    /// Reads the body of the response. If the body cannot be read, returns the response without it and marks the
    /// connection as not reusable.
    fn read_response(&mut self, head: Head, deadline: Deadline) -> RoundTrip {
        let body = self.read_body(head.framing, deadline);
        let is_reusable = head.keeps_alive && body.is_some() && self.0.input().is_empty();
        let response = Response { status: head.status, retry_after: head.retry_after, body };
        RoundTrip { result: Ok(response), has_response: true, is_reusable }
    }

    /// Returns the body, or None if it is malformed, exceeds the size limit, or does not arrive completely before
    /// `deadline` and within [`BODY_TIME`].
    fn read_body(&mut self, framing: Framing, deadline: Deadline) -> Option<Wiped<Vec<u8>>> {
        let mut body = Body::new(framing).ok()?;
        // The clock is read only if the body has not arrived with the head.
        let mut body_deadline = None;
        loop {
            let consumed = body.read(self.0.input()).ok()?;
            self.0.consume(consumed);
            if body.is_complete() {
                return body.whole(false);
            }
            let own = || Deadline::new(Instant::now(), BODY_TIME, Limit::Total).or(deadline);
            match self.0.read(*body_deadline.get_or_insert_with(own)) {
                Ok(()) => {}
                Err(failure) => return body.whole(failure.is_end()),
            }
        }
    }
}
