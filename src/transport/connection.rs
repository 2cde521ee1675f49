//! One connection to the service: a request goes out, and its answer comes in.

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

/// The longest that a body is awaited once the head is complete.
const BODY_TIME: Duration = Duration::from_millis(500);

/// A look at a connection: it reads what has come, and waits for nothing. It is told by its limit for one read.
pub(super) const LOOK: NextTimeout = NextTimeout {
    after: Limit::Exact(Duration::ZERO),
    reason: Timeout::PerRead,
    per_read: Some(Limit::Exact(Duration::ZERO)),
    per_write: None,
};

/// A connection, be it plain or under TLS.
#[derive(Debug)]
pub(super) struct Connection {
    inner: Box<dyn Transport>,
}

/// What came of a request on a connection.
pub(super) struct RoundTrip {
    pub(super) result: Result<Response, Failure>,
    /// Whether any of the request may have gone out.
    pub(super) is_written: bool,
    /// Whether any of an answer has come.
    pub(super) is_answered: bool,
    /// Whether the connection can carry another request.
    pub(super) is_reusable: bool,
}

impl Connection {
    pub(super) fn new(inner: impl Transport) -> Self {
        Self { inner: Box::new(inner) }
    }

    /// Sends `request` and reads the answer.
    pub(super) fn round_trip(&mut self, request: &[u8], deadline: Deadline) -> RoundTrip {
        let (is_written, mut is_answered) = (deadline.check().is_ok(), false);
        let head = self.send(request, deadline).and_then(|()| self.read_head(deadline, &mut is_answered));
        match head {
            Ok(head) => self.read_answer(head, deadline),
            Err(failure) => RoundTrip { result: Err(failure), is_written, is_answered, is_reusable: false },
        }
    }

    /// Whether the connection is open and has nothing more to say. A read shows that best, for bytes may wait in any layer,
    /// encrypted or not, and would be taken for the next answer.
    pub(super) fn is_idle(&mut self) -> bool {
        self.inner.buffers().input().is_empty() && matches!(self.inner.await_input(LOOK), Err(Error::Timeout(_)))
    }

    fn send(&mut self, mut request: &[u8], deadline: Deadline) -> Result<(), Failure> {
        while !request.is_empty() {
            let left = deadline.check()?;
            let room = self.inner.buffers().output();
            let (now, later) = request.split_at(request.len().min(room.len()));
            room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            let sent = self.inner.transmit_output(now.len(), left);
            // The secret was in it, and the buffer lives as long as the connection.
            self.inner.buffers().output().iter_mut().take(now.len()).for_each(Zeroize::zeroize);
            sent?;
            request = later;
        }
        Ok(())
    }

    /// The head of the answer, after those of interim ones. `has_begun` tells of a failure whether anything came before it.
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

    /// The head has come, and so the answer; a body that does not come costs no more than the connection.
    fn read_answer(&mut self, head: Head, deadline: Deadline) -> RoundTrip {
        let body_deadline = Deadline::new(Instant::now(), BODY_TIME, Timeout::RecvBody);
        let body = self.read_body(head.framing, body_deadline.or(deadline));
        let is_reusable = head.keeps_alive && body.is_some() && self.inner.buffers().input().is_empty();
        let answer = Response { status: head.status, retry_after: head.retry_after, body };
        RoundTrip { result: Ok(answer), is_written: true, is_answered: true, is_reusable }
    }

    /// The body, if it comes whole, in time and within its bounds.
    fn read_body(&mut self, framing: Framing, deadline: Deadline) -> Option<Vec<u8>> {
        let mut body = Body::new(framing).ok()?;
        loop {
            let buffers = self.inner.buffers();
            let taken = body.take(buffers.input()).ok()?;
            buffers.input_consume(taken);
            if body.is_complete() {
                return body.whole(false);
            }
            match self.await_more(deadline) {
                Ok(()) => {}
                Err(failure) => return body.whole(failure.is_end()),
            }
        }
    }

    /// Waits until there is more to read.
    fn await_more(&mut self, deadline: Deadline) -> Result<(), Failure> {
        let left = deadline.check()?;
        // Without room a read brings nothing, which would look like the end of the connection.
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
