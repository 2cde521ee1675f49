//! Connects to the service, or to a proxy that connects to it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::deadline::Deadline;
use super::error::Failure;
use super::proxy::open_tunnel;
use super::route::Route;
use super::socket::{Socket, wait_for_any};
use crate::clock::after;
use crate::error::is_shortage;

/// The maximum time that one address may take before the next is tried in parallel (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Opens TCP connections to the service, through the proxy if there is one.
#[derive(Debug)]
pub(super) struct TcpConnector {
    pub(super) route: Route,
    stagger: Duration,
}

impl TcpConnector {
    pub(super) fn new(route: Route) -> Self {
        Self { route, stagger: STAGGER }
    }

    pub(super) fn connect(&self, deadline: Deadline) -> Result<(SocketAddr, Arc<Socket>), Failure> {
        let addresses = self.route.addresses(deadline)?;
        deadline.check(Instant::now())?;
        self.connect_to_any(&addresses, deadline.at).map_err(|error| match &self.route.proxy {
            _ if error.kind() == io::ErrorKind::TimedOut => Failure::TimedOut(deadline.limit),
            _ if is_shortage(&error) => Failure::Io(error),
            Some(_) => Failure::Proxy(error.to_string()),
            None => Failure::Io(error),
        })
    }

    fn connect_to_any(
        &self,
        addresses: &[SocketAddr],
        deadline: Option<Instant>,
    ) -> io::Result<(SocketAddr, Arc<Socket>)> {
        let (address, socket) = self.race(addresses, deadline)?;
        if addresses.len() > 1 {
            self.route.prefer(address);
        }
        if let Some(proxy) = &self.route.proxy {
            open_tunnel(proxy, &socket, &self.route.service, deadline).inspect_err(|_| self.route.avoid(address))?;
        }
        Ok((address, socket))
    }

    /// Returns the first connection that is established. Each address gets a head start over the next one; after a
    /// failure, the next one is tried at once.
    fn race(&self, addresses: &[SocketAddr], deadline: Option<Instant>) -> io::Result<(SocketAddr, Arc<Socket>)> {
        let mut waiting: VecDeque<SocketAddr> = addresses.iter().copied().collect();
        let mut connecting: Vec<(SocketAddr, Arc<Socket>)> = Vec::with_capacity(addresses.len());
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        let stagger = self.stagger.min(share_of(deadline, addresses.len()));
        let mut next_start = Instant::now();
        loop {
            if (connecting.is_empty() || Instant::now() >= next_start)
                && let Some(address) = waiting.pop_front()
            {
                match self.start(address)? {
                    Ok(socket) => {
                        connecting.push((address, socket));
                        next_start = after(Instant::now(), stagger);
                    }
                    Err(error) => last = error,
                }
                continue;
            }
            if connecting.is_empty() {
                return Err(last);
            }
            // With a single connection, no `poll` on several sockets is needed.
            if let ([_], true) = (&*connecting, waiting.is_empty()) {
                let (address, socket) = connecting.remove(0);
                return if socket.finish(deadline)? {
                    Ok((address, socket))
                } else {
                    Err(io::ErrorKind::TimedOut.into())
                };
            }
            let until = if waiting.is_empty() { deadline } else { deadline.into_iter().chain([next_start]).min() };
            let sockets: Vec<&Socket> = connecting.iter().map(|(_, socket)| &**socket).collect();
            match wait_for_any(&sockets, until)? {
                None if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                None => {}
                Some(ready) => {
                    let (address, socket) = connecting.remove(ready);
                    match socket.finish(deadline) {
                        Ok(true) => return Ok((address, socket)),
                        Ok(false) => return Err(io::ErrorKind::TimedOut.into()),
                        Err(error) => last = error,
                    }
                    next_start = Instant::now();
                }
            }
        }
    }

    /// Starts to connect to one address. The inner error is that of the address; the outer error concerns all
    /// addresses.
    fn start(&self, address: SocketAddr) -> io::Result<io::Result<Arc<Socket>>> {
        let socket = match Socket::start(address) {
            Ok(socket) => Arc::new(socket),
            Err(error) => return Ok(Err(error)),
        };
        if self.route.cancel.watch(&socket) { Ok(Ok(socket)) } else { Err(io::ErrorKind::Interrupted.into()) }
    }
}

/// Returns the time until `deadline`, divided by the number of addresses.
fn share_of(deadline: Option<Instant>, count: usize) -> Duration {
    let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
    deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()) / count)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};

    use super::super::cancel::Cancel;
    use super::super::error::Limit;
    use super::super::resolver::{Lookup, Resolver};
    use super::*;
    use crate::options::base_url::BaseUrl;

    /// A time limit that no successful operation exceeds.
    const SOON: Duration = Duration::from_secs(60);

    /// A duration longer than any test.
    const NEVER: Duration = Duration::from_secs(3600);

    struct Fixed(Vec<IpAddr>);

    impl Lookup for Fixed {
        fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.clone())
        }
    }

    fn loopback(last: u8) -> IpAddr {
        Ipv4Addr::new(127, 0, 0, last).into()
    }

    /// Returns a listener that leaves connection requests unanswered because its queue is full, and the connections
    /// that fill the queue.
    fn silent(address: SocketAddr) -> (TcpListener, Vec<Socket>) {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&address.into()).unwrap();
        socket.listen(0).unwrap();
        let listener = TcpListener::from(socket);
        let mut queue = Vec::new();
        loop {
            let socket = Socket::start(listener.local_addr().unwrap()).unwrap();
            let is_queued = socket.finish(Some(Instant::now() + Duration::from_millis(300))).unwrap();
            queue.push(socket);
            if !is_queued {
                return (listener, queue);
            }
        }
    }

    /// Returns a connector for a host with these addresses and this port.
    fn connector(port: u16, addresses: &[IpAddr], stagger: Duration) -> TcpConnector {
        let route = Route {
            service: BaseUrl::parse(&format!("http://host.test:{port}"), true).unwrap(),
            proxy: None,
            resolver: Resolver::new(Fixed(addresses.to_vec())),
            cancel: Arc::<Cancel>::default(),
        };
        TcpConnector { route, stagger }
    }

    fn connect(connector: &TcpConnector) -> Result<(SocketAddr, Arc<Socket>), Failure> {
        connector.connect(Deadline::new(Instant::now(), SOON, Limit::Connect))
    }

    #[test]
    fn an_address_that_does_not_respond_delays_only_the_first_connection() {
        let (dead, _queue) = silent((loopback(1), 0).into());
        let port = dead.local_addr().unwrap().port();
        let live = TcpListener::bind((loopback(2), port)).unwrap();
        let mut connector = connector(port, &[loopback(1), loopback(2)], STAGGER);
        connect(&connector).unwrap();
        live.accept().unwrap();
        // If the connector tried the first address again, it would never try the second one.
        connector.stagger = NEVER;
        let addresses = connector.route.addresses(Deadline::new(Instant::now(), SOON, Limit::Connect)).unwrap();
        assert_eq!(addresses.first().unwrap().ip(), loopback(2));
        connect(&connector).unwrap();
        live.accept().unwrap();
    }

    #[test]
    fn an_address_that_accepts_and_does_not_respond_is_not_tried_first_again() {
        let first = TcpListener::bind((loopback(11), 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let _second = TcpListener::bind((loopback(12), port)).unwrap();
        let connector = connector(port, &[loopback(11), loopback(12)], NEVER);
        for last in [11, 12, 11] {
            let (address, _) = connect(&connector).unwrap();
            assert_eq!(address.ip(), loopback(last));
            connector.route.avoid(address);
        }
        let (address, _) = connect(&connector).unwrap();
        assert_eq!(connect(&connector).unwrap().0, address, "the address that responds must be used");
    }

    #[test]
    fn after_an_address_without_a_listener_the_next_is_tried_immediately() {
        let live = TcpListener::bind((loopback(4), 0)).unwrap();
        let port = live.local_addr().unwrap().port();
        // The stagger is longer than the test, so the second address is tried only because the first one fails.
        let connector = connector(port, &[loopback(3), loopback(4)], NEVER);
        connect(&connector).unwrap();
        live.accept().unwrap();
    }

    #[test]
    fn if_no_address_accepts_the_last_error_or_the_time_limit_is_reported() {
        let port = TcpListener::bind((loopback(5), 0)).unwrap().local_addr().unwrap().port();
        let failed = connect(&connector(port, &[loopback(5), loopback(6)], STAGGER)).unwrap_err();
        assert!(matches!(failed, Failure::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused));
        let (dead, _queue) = silent((loopback(7), 0).into());
        let port = dead.local_addr().unwrap().port();
        let connector = connector(port, &[loopback(7), loopback(8)], STAGGER);
        let deadline = Deadline::new(Instant::now(), Duration::from_millis(400), Limit::Connect);
        assert!(matches!(connector.connect(deadline), Err(Failure::TimedOut(Limit::Connect))));
    }

    #[test]
    fn connections_that_lose_are_closed() {
        let (dead, queue) = silent((loopback(9), 0).into());
        let port = dead.local_addr().unwrap().port();
        let live = TcpListener::bind((loopback(10), port)).unwrap();
        let (_, connected) = connect(&connector(port, &[loopback(9), loopback(10)], Duration::ZERO)).unwrap();
        let (mut peer, _): (TcpStream, _) = live.accept().unwrap();
        assert!(connected.write_all(b"x", None).unwrap());
        io::Read::read_exact(&mut peer, &mut [0]).unwrap();
        // Only the connections that filled the queue can be accepted.
        let filled = queue.len() - 1;
        drop(queue);
        dead.set_nonblocking(true).unwrap();
        let accepted = std::iter::from_fn(|| dead.accept().ok()).count();
        assert!(accepted <= filled, "{accepted} connections are open, but only {filled} filled the queue");
    }
}
