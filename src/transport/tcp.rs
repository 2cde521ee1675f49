//! Connects to the service, or to a proxy that connects to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::deadline::Deadline;
use super::error::Failure;
use super::proxy::open_tunnel;
use super::route::Route;
use super::socket::Socket;
use crate::error::is_shortage;

/// Connects, through the proxy if there is one.
#[derive(Debug)]
pub(super) struct TcpConnector {
    pub(super) route: Route,
}

impl TcpConnector {
    pub(super) fn connect(&self, deadline: Deadline) -> Result<Arc<Socket>, Failure> {
        let addresses = self.route.addresses(deadline)?;
        deadline.left()?;
        self.connect_to_any(&addresses, deadline.at).map_err(|error| match &self.route.proxy {
            _ if error.kind() == io::ErrorKind::TimedOut => Failure::TimedOut(deadline.limit),
            _ if is_shortage(&error) => Failure::Io(error),
            Some(_) => Failure::Proxy(error.to_string()),
            None => Failure::Io(error),
        })
    }

    /// Tries one address after another. Each gets a share of the remaining time, so that an unreachable one does not
    /// use it all.
    fn connect_to_any(&self, addresses: &[SocketAddr], deadline: Option<Instant>) -> io::Result<Arc<Socket>> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for (tried, address) in addresses.iter().enumerate() {
            let share = deadline.map(|deadline| share_of(deadline, addresses.len().saturating_sub(tried)));
            match self.connect_to(*address, share) {
                Ok(socket) => {
                    if let Some(proxy) = &self.route.proxy {
                        open_tunnel(proxy, &socket, &self.route.service, deadline)?;
                    }
                    return Ok(socket);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn connect_to(&self, address: SocketAddr, deadline: Option<Instant>) -> io::Result<Arc<Socket>> {
        let socket = Arc::new(Socket::start(address)?);
        if !self.route.cancel.watch(&socket) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if socket.finish(deadline)? { Ok(socket) } else { Err(io::ErrorKind::TimedOut.into()) }
    }
}

/// Returns when the first of `count` has used its share of the time until `deadline`.
fn share_of(deadline: Instant, count: usize) -> Instant {
    let now = Instant::now();
    let share = deadline.saturating_duration_since(now) / u32::try_from(count).unwrap_or(u32::MAX).max(1);
    now.checked_add(share).unwrap_or(deadline)
}
