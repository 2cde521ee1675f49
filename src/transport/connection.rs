//! A connection to the service: sends a request and receives its response.

use std::io;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::time::Duration as Limit;
use ureq::unversioned::transport::{NextTimeout, Transport};
use ureq::{Error, Timeout};
use zeroize::Zeroize;

use super::deadline::Deadline;
use super::error::Failure;
use super::response_body::Body;
use super::response_head::{Framing, Head};
use crate::response::Response;

/// How long to wait for a body after the head is complete.
const BODY_TIME: Duration = Duration::from_millis(500);

/// A check of a connection: reads what has arrived, without waiting. It is recognized by its timeout for one read.
pub(super) const CHECK: NextTimeout = NextTimeout {
    after: Limit::Exact(Duration::ZERO),
    reason: Timeout::PerRead,
    per_read: Some(Limit::Exact(Duration::ZERO)),
    per_write: None,
};

/// A connection, plain or over TLS.
#[derive(Debug)]
pub(super) struct Connection {
    inner: Box<dyn Transport>,
}

/// The outcome of a request on a connection.
pub(super) struct RoundTrip {
    pub(super) result: Result<Response, Failure>,
    /// Whether any of the request may have been sent.
    pub(super) is_written: bool,
    /// Whether any of a response has arrived.
    pub(super) has_response: bool,
    /// Whether the connection can be reused for another request.
    pub(super) is_reusable: bool,
}

impl Connection {
    pub(super) fn new(inner: impl Transport) -> Self {
        Self { inner: Box::new(inner) }
    }

    /// Sends `request` and reads the response.
    pub(super) fn round_trip(&mut self, request: &[u8], deadline: Deadline) -> RoundTrip {
        let (is_written, mut has_response) = (deadline.check().is_ok(), false);
        let head = self.send(request, deadline).and_then(|()| self.read_head(deadline, &mut has_response));
        match head {
            Ok(head) => self.read_response(head, deadline),
            Err(failure) => RoundTrip { result: Err(failure), is_written, has_response, is_reusable: false },
        }
    }

    /// Whether the connection is open and has no unread data. Only a read can show that, because bytes may be
    /// buffered in any layer, encrypted or not, and would be mistaken for the next response.
    pub(super) fn is_idle(&mut self) -> bool {
        self.inner.buffers().input().is_empty() && matches!(self.inner.await_input(CHECK), Err(Error::Timeout(_)))
    }

    fn send(&mut self, mut request: &[u8], deadline: Deadline) -> Result<(), Failure> {
        while !request.is_empty() {
            let left = deadline.check()?;
            let buffer = self.inner.buffers().output();
            let (now, later) = request.split_at(request.len().min(buffer.len()));
            buffer.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            let sent = self.inner.transmit_output(now.len(), left);
            // The buffer contained the secret and lives as long as the connection.
            self.inner.buffers().output().iter_mut().take(now.len()).for_each(Zeroize::zeroize);
            sent?;
            request = later;
        }
        Ok(())
    }

    /// Reads the head of the response, skipping interim ones. On failure, `has_begun` says whether anything arrived
    /// before it.
    fn read_head(&mut self, deadline: Deadline, has_begun: &mut bool) -> Result<Head, Failure> {
        self.await_more(deadline)?;
        *has_begun = true;
        loop {
            match Head::parse(self.inner.buffers().input()).map_err(Failure::NotHttp)? {
                Some(head) => {
                    self.inner.buffers().input_consume(head.length);
                    if !head.is_interim() {
                        return Ok(head);
                    }
                }
                None => self.await_more(deadline)?,
            }
        }
    }

    /// The head is the response; if the body does not arrive, only the connection is lost.
    fn read_response(&mut self, head: Head, deadline: Deadline) -> RoundTrip {
        let body_deadline = Deadline::new(Instant::now(), BODY_TIME, Timeout::RecvBody);
        let body = self.read_body(head.framing, body_deadline.or(deadline));
        let is_reusable = head.keeps_alive && body.is_some() && self.inner.buffers().input().is_empty();
        let response = Response { status: head.status, retry_after: head.retry_after, body };
        RoundTrip { result: Ok(response), is_written: true, has_response: true, is_reusable }
    }

    /// Reads the body, if it arrives completely, in time and within the size limit.
    fn read_body(&mut self, framing: Framing, deadline: Deadline) -> Option<Vec<u8>> {
        let mut body = Body::new(framing).ok()?;
        loop {
            let buffers = self.inner.buffers();
            let consumed = body.take(buffers.input()).ok()?;
            buffers.input_consume(consumed);
            if body.is_complete() {
                return body.whole(false);
            }
            match self.await_more(deadline) {
                Ok(()) => {}
                Err(failure) => return body.whole(failure.is_end()),
            }
        }
    }

    /// Waits for more to read.
    fn await_more(&mut self, deadline: Deadline) -> Result<(), Failure> {
        let left = deadline.check()?;
        // A read into a full buffer returns nothing, which would look like the end of the connection.
        if self.inner.buffers().input_append_buf().is_empty() {
            return Err(Failure::LargeHead);
        }
        match self.inner.await_input(left) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::from(io::Error::from(io::ErrorKind::UnexpectedEof)).into()),
            Err(error) => Err(error.into()),
        }
    }
}
