//! ureq connectors for connections to the service or to a proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ureq::unversioned::transport::time::Duration as Limit;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::cancel::Cancel;
use super::connection::CHECK;
use super::proxy::Proxy;
use super::socket::Socket;
use crate::error::is_shortage;

/// Buffer size below TLS; a longer record arrives in parts.
const BUFFER_UNDER_TLS: usize = 4 * 1024;

/// The maximum number of reads in a check of an idle connection; a peer that sends more is not idle. What servers may
/// send on one, such as TLS session tickets, takes fewer.
const MAX_CHECKS: u8 = 3;

/// Connects, through the proxy if there is one.
#[derive(Debug)]
pub(super) struct TcpConnector {
    pub(super) cancel: Arc<Cancel>,
    pub(super) proxy: Option<Proxy>,
}

impl Connector for TcpConnector {
    type Out = TcpConnection;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, Error> {
        let deadline = deadline(details.timeout);
        let socket = self.connect_to_any(&details.addrs, deadline).and_then(|socket| {
            let Some(proxy) = &self.proxy else {
                return Ok(socket);
            };
            proxy.open_tunnel(&socket, details.uri, deadline).map(|()| socket)
        });
        let socket = socket.map_err(|error| self.to_error(error, details.timeout.reason))?;
        Ok(Some(TcpConnection { socket, buffers: buffers(details), checks: 0 }))
    }
}

impl TcpConnector {
    /// Tries one address after another. Each gets a share of the remaining time, so that an unreachable one does not
    /// use it all.
    fn connect_to_any(&self, addresses: &[SocketAddr], deadline: Option<Instant>) -> io::Result<Arc<Socket>> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for (tried, address) in addresses.iter().enumerate() {
            let share = deadline.map(|deadline| share_of(deadline, addresses.len().saturating_sub(tried)));
            match self.connect_to(*address, share) {
                Ok(socket) => return Ok(socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn connect_to(&self, address: SocketAddr, deadline: Option<Instant>) -> io::Result<Arc<Socket>> {
        let socket = Arc::new(Socket::start(address)?);
        if !self.cancel.watch(&socket) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if socket.finish(deadline)? { Ok(socket) } else { Err(io::ErrorKind::TimedOut.into()) }
    }

    /// Distinguishes a proxy's failures from the service's.
    fn to_error(&self, error: io::Error, limit: Timeout) -> Error {
        match &self.proxy {
            _ if error.kind() == io::ErrorKind::TimedOut => Error::Timeout(limit),
            _ if is_shortage(&error) => Error::Io(error),
            Some(_) => Error::ConnectProxyFailed(error.to_string()),
            None => Error::Io(error),
        }
    }
}

/// The buffers of the layer above: of ureq itself, or of TLS, which has additional ones.
fn buffers(details: &ConnectionDetails<'_>) -> LazyBuffers {
    match details.needs_tls() {
        true => LazyBuffers::new(BUFFER_UNDER_TLS, BUFFER_UNDER_TLS),
        false => LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size()),
    }
}

/// Returns when the first of `count` has used its share of the time until `deadline`.
fn share_of(deadline: Instant, count: usize) -> Instant {
    let now = Instant::now();
    let share = deadline.saturating_duration_since(now) / u32::try_from(count).unwrap_or(u32::MAX).max(1);
    now.checked_add(share).unwrap_or(deadline)
}

/// Returns when a timeout expires; none if it never does.
fn deadline(limit: NextTimeout) -> Option<Instant> {
    match limit.after {
        Limit::Exact(after) => Instant::now().checked_add(after),
        Limit::NotHappening => None,
    }
}

fn is_check(limit: NextTimeout) -> bool {
    limit.per_read == CHECK.per_read
}

/// A connection with the buffers that ureq uses.
#[derive(Debug)]
pub(super) struct TcpConnection {
    socket: Arc<Socket>,
    buffers: LazyBuffers,
    /// The number of checks since the last write.
    checks: u8,
}

impl Transport for TcpConnection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, limit: NextTimeout) -> Result<(), Error> {
        if !is_check(limit) {
            self.checks = 0;
        }
        let bytes = self.buffers.output().get(..amount).unwrap_or_default();
        if self.socket.write_all(bytes, deadline(limit))? { Ok(()) } else { Err(Error::Timeout(limit.reason)) }
    }

    fn await_input(&mut self, limit: NextTimeout) -> Result<bool, Error> {
        let buffer = self.buffers.input_append_buf();
        let read = match is_check(limit) {
            true if self.checks >= MAX_CHECKS => return Err(io::Error::other("the connection is not idle").into()),
            true => {
                self.checks = self.checks.saturating_add(1);
                self.socket.read_at_once(buffer)?
            }
            false => self.socket.read(buffer, deadline(limit))?,
        };
        let amount = read.ok_or(Error::Timeout(limit.reason))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.socket.is_open_and_silent()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_check_never_waits_even_if_it_must_write() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = Arc::new(Socket::start(listener.local_addr().unwrap()).unwrap());
        assert!(socket.finish(None).unwrap());
        // The peer does not read, so the buffers fill up.
        while socket.write_all(&[0; 64 * 1024], Some(Instant::now())).unwrap() {}
        let mut connection = TcpConnection { socket, buffers: LazyBuffers::new(64, 64), checks: 0 };
        assert!(matches!(connection.transmit_output(24, CHECK), Err(Error::Timeout(_))));
        for _ in 0..MAX_CHECKS {
            assert!(matches!(connection.await_input(CHECK), Err(Error::Timeout(_))));
        }
        assert!(matches!(connection.await_input(CHECK), Err(Error::Io(_))), "a peer with so much to say is not idle");
    }
}
