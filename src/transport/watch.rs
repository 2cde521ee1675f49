//! Watches a request on its way: whether a connection was made for it, and whether any of it was written.
//!
//! The HTTP library runs a request on its caller's thread and offers no place to carry a word from a connection back to
//! that caller. So the word is left in a thread-local for as long as the request lasts.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::time::Duration as Limit;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// How far the request of this thread has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// A connection was made for it, rather than taken from the pool.
    pub(super) connected: bool,
    /// Something of it was written.
    pub(super) written: bool,
    /// Something of an answer has arrived.
    pub(super) answered: bool,
    /// When the time for looking up and connecting is over.
    connect_until: Option<Instant>,
}

thread_local! {
    static PROGRESS: Cell<Progress> = const { Cell::new(Progress {
        connected: false,
        written: false,
        answered: false,
        connect_until: None,
    }) };
}

impl Progress {
    /// Begins a request that has `connect` to look up the name and connect.
    pub(super) fn begin(connect: Duration) {
        PROGRESS.set(Self { connect_until: Instant::now().checked_add(connect), ..Self::default() });
    }

    /// How far the request has come.
    pub(super) fn seen() -> Self {
        PROGRESS.get()
    }

    fn note(change: impl FnOnce(&mut Self)) {
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
            // Time limits come with each request, the rest of the configuration with the agent. Said otherwise, the
            // TLS layer would prepare itself anew for each connection.
            request_level: false,
            resolver: details.resolver,
            now: details.now,
            timeout: within_connect_limit(details.timeout),
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

/// The library gives looking up and connecting a limit each; here one limit covers both.
fn within_connect_limit(mut timeout: NextTimeout) -> NextTimeout {
    if let Some(until) = Progress::seen().connect_until {
        let left = Limit::from(until.saturating_duration_since(Instant::now()));
        timeout.after = timeout.after.min(left);
    }
    timeout
}

/// A connection that leaves word of what happens on it.
#[derive(Debug)]
pub(super) struct WatchedConnection<T> {
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
        self.inner.transmit_output(amount, timeout)
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

    fn is_open(&mut self) -> bool {
        self.made_in == self.generation.now() && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
