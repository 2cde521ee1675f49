//! Watches a request on its way: whether a connection was made for it, and whether any of it was written.
//!
//! The HTTP library runs a request on its caller's thread and offers no place to carry a word from a connection back to
//! that caller. So the word is left in a thread-local for as long as the request lasts.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::time::Duration as Limit;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};
use zeroize::Zeroize;

use super::Limits;

/// How many reads a look at an idle connection takes at most. What a server may send on one, such as tickets for later
/// sessions, comes in fewer.
const READS_OF_A_PROBE: u8 = 3;

/// How far the request of this thread has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// A connection was made for it, rather than taken from the pool.
    pub(super) connected: bool,
    /// Something of it was written.
    pub(super) written: bool,
    /// Something of an answer has arrived.
    pub(super) answered: bool,
    /// The status of an answer whose head is complete and which the HTTP library refused all the same.
    pub(super) refused_status: Option<u16>,
    /// How many more reads a look at an idle connection may make; none if there is no such look.
    probe: Option<u8>,
    /// When the time for looking up and connecting is over.
    connect_until: Option<Instant>,
    /// When the time for the whole is over.
    pub(super) until: Option<Instant>,
}

thread_local! {
    static PROGRESS: Cell<Progress> = const { Cell::new(Progress {
        connected: false,
        written: false,
        answered: false,
        refused_status: None,
        probe: None,
        connect_until: None,
        until: None,
    }) };
}

impl Progress {
    /// Begins a request of this thread.
    pub(super) fn begin(limits: Limits) {
        let now = Instant::now();
        let (connect_until, until) = (now.checked_add(limits.connect), now.checked_add(limits.total));
        PROGRESS.set(Self { connect_until, until, ..Self::default() });
    }

    /// How far the request has come.
    pub(super) fn seen() -> Self {
        PROGRESS.get()
    }

    /// Whether a read that has no time may be made all the same, because it is part of a look at an idle connection. Such a
    /// look ends after a few: a peer that has that much to say is not idle.
    pub(super) fn may_probe() -> Result<bool, Error> {
        match Self::seen().probe {
            None => Ok(false),
            Some(0) => Err(io::Error::other("the connection is not idle").into()),
            Some(left) => {
                Self::note(|progress| progress.probe = Some(left.saturating_sub(1)));
                Ok(true)
            }
        }
    }

    /// When a part of connecting must be over, and the limit that runs out then: that of the `part`, or of the whole.
    pub(super) fn connect_limit(&self, part: Timeout) -> (Option<Instant>, Timeout) {
        match (self.connect_until, self.until) {
            (Some(connect), Some(whole)) if whole < connect => (Some(whole), Timeout::Global),
            (None, whole) => (whole, Timeout::Global),
            (connect, _) => (connect, part),
        }
    }

    pub(super) fn note(change: impl FnOnce(&mut Self)) {
        let mut progress = PROGRESS.get();
        change(&mut progress);
        PROGRESS.set(progress);
    }
}

/// Counts up when a pooled connection was found dead, for then the others of its time are likely dead too.
#[derive(Debug, Clone, Default)]
pub(super) struct Generation(Arc<AtomicU64>);

impl Generation {
    /// Makes the pool refuse all connections made so far.
    pub(super) fn end(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Makes connections with `inner` and watches each.
#[derive(Debug)]
pub(super) struct WatchedConnector<C> {
    pub(super) inner: C,
    pub(super) generation: Generation,
}

impl<C: Connector> Connector for WatchedConnector<C> {
    type Out = WatchedConnection<C::Out>;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, Error> {
        let details = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: connect_limit(),
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let connection = self.inner.connect(&details, None)?;
        Progress::note(|progress| progress.connected = true);
        Ok(connection.map(|inner| WatchedConnection {
            inner,
            made_in: self.generation.now(),
            generation: self.generation.clone(),
        }))
    }
}

/// The library would give looking up and connecting a limit each; here one covers both, TLS included.
fn connect_limit() -> NextTimeout {
    let (until, reason) = Progress::seen().connect_limit(Timeout::Connect);
    let after = until.map_or(Limit::NotHappening, |until| until.saturating_duration_since(Instant::now()).into());
    NextTimeout { after, reason, per_read: None, per_write: None }
}

/// A connection that leaves word of what happens on it.
#[derive(Debug)]
pub(super) struct WatchedConnection<T: Transport> {
    inner: T,
    made_in: u64,
    generation: Generation,
}

impl<T: Transport> Transport for WatchedConnection<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        Progress::note(|progress| progress.written = true);
        let sent = self.inner.transmit_output(amount, timeout);
        // The secret was in it, and the buffer lives as long as the connection.
        self.inner.buffers().output().iter_mut().take(amount).for_each(Zeroize::zeroize);
        sent
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let buffers = self.inner.buffers();
        let waiting = buffers.input().len();
        // Without room a read brings nothing, which would look like the end of the connection.
        if buffers.input_append_buf().is_empty() {
            return Err(Error::LargeResponseHeader(waiting, waiting));
        }
        let has_come = self.inner.await_input(timeout)?;
        Progress::note(|progress| progress.answered |= has_come);
        Ok(has_come)
    }

    /// Whether the connection can carry another request: it is of this generation, and has nothing more to say. A read
    /// shows that best, for bytes may wait in any layer, encrypted or not, and would be taken for the next answer.
    fn is_open(&mut self) -> bool {
        const AT_ONCE: NextTimeout = NextTimeout {
            after: Limit::Exact(Duration::ZERO),
            reason: Timeout::PerRead,
            per_read: None,
            per_write: None,
        };
        if self.made_in != self.generation.now() || !self.inner.buffers().input().is_empty() {
            return false;
        }
        if Progress::seen().written {
            // It goes back to the pool. The look that counts is the one before the next request.
            return true;
        }
        Progress::note(|progress| progress.probe = Some(READS_OF_A_PROBE));
        let is_silent = matches!(self.inner.await_input(AT_ONCE), Err(Error::Timeout(_)));
        Progress::note(|progress| progress.probe = None);
        is_silent
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

impl<T: Transport> Drop for WatchedConnection<T> {
    /// A head that the HTTP library does not accept stays in the buffer when it drops the connection. The status decides
    /// even so: a service that says 402 and counts its body's bytes wrongly has said 402.
    fn drop(&mut self) {
        let status = final_status(self.inner.buffers().input());
        Progress::note(|progress| progress.refused_status = status);
    }
}

/// The status of the first complete head in `input` that is no interim one.
fn final_status(mut input: &[u8]) -> Option<u16> {
    loop {
        let end = input.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
        let (head, rest) = input.split_at_checked(end.saturating_add(4))?;
        match status_of(head).filter(|_| is_well_formed(head))? {
            100..=199 => input = rest,
            status => return Some(status),
        }
    }
}

/// Whether every line is a header with a name, and nothing is a control character. Else it is no head but noise.
fn is_well_formed(head: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let is_header = |line: &[u8]| match line.iter().position(|byte| *byte == b':') {
        Some(length) => length > 0 && line.iter().take(length).all(is_name),
        None => false,
    };
    let Ok(text) = str::from_utf8(head) else {
        return false;
    };
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let first = lines.next().unwrap_or_default();
    !first.chars().any(char::is_control)
        && lines.all(|line| is_header(line.as_bytes()) && !line.chars().any(|c| c.is_control() && c != '\t'))
}

/// The three digits of `HTTP/1.1 200 `.
fn status_of(head: &[u8]) -> Option<u16> {
    let line = str::from_utf8(head.get(..13)?).ok()?;
    let digits = line.strip_prefix("HTTP/1.")?.get(1..)?.strip_prefix(' ')?.strip_suffix([' ', '\r'])?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|status| is_number && *status >= 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_complete_head_is_found() {
        for (input, status) in [
            ("HTTP/1.1 402 No\r\ncontent-length: x\r\n\r\n", Some(402)),
            ("HTTP/1.0 200\r\n\r\nbody", Some(200)),
            ("HTTP/1.1 100 Continue\r\nx: y\r\n\r\nHTTP/1.1 401 No\r\n\r\n", Some(401)),
            ("HTTP/1.1 402 No\r\ncontent-length: x\r\n", None),
            ("HTTP/1.1 100 Continue\r\n\r\n", None),
            ("HTTP/1.1 40x No\r\n\r\n", None),
            ("HTTP/1.1 099 No\r\n\r\n", None),
            ("HTTP/1.1 +20 No\r\n\r\n", None),
            ("HTTP/1.1 4020 No\r\n\r\n", None),
            ("HTTP/1.1 402 N\0o\r\n\r\n", None),
            ("HTTP/1.1 402 No\r\nno colon\r\n\r\n", None),
            ("HTTP/1.1 402 No\r\nname : x\r\n\r\n", None),
            ("HTTP/1.1 402 No\r\n: x\r\n\r\n", None),
            ("SSH-2.0-OpenSSH\r\n\r\n", None),
            ("", None),
        ] {
            assert_eq!(final_status(input.as_bytes()), status, "{input}");
        }
    }
}
