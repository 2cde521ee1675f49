//! The places of one row: its server, another one, and addresses where things go wrong.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use socket2::{Domain, Socket, Type};

use crate::notes::Notes;
use crate::row::Row;
use crate::script::{OK, Script, Step, answer};
use crate::server::Server;

/// What stands in texts for an address, and the address.
type Place = (&'static str, String);

/// Where a row takes place.
pub(crate) struct Site {
    places: Vec<Place>,
    _servers: Vec<Server>,
    /// Sockets that make an address dead or deaf as long as they live.
    _kept: Vec<Socket>,
}

impl Site {
    /// Opens the places that `row` needs; none if this machine lacks one.
    pub(crate) fn open(row: &Row, notes: &Arc<Notes>) -> Option<Self> {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = nobody();
        let deaf = deaf();
        let (here, kept) = if row.is_only_on_ipv6 { ipv6_without_ipv4()? } else { ipv4() };
        let places = vec![
            ("{here}", here.local_addr().unwrap().to_string()),
            ("{port}", here.local_addr().unwrap().port().to_string()),
            ("{elsewhere}", elsewhere.local_addr().unwrap().to_string()),
            ("{nobody}", address(&nobody).to_string()),
            ("{nobody-port}", address(&nobody).port().to_string()),
            ("{deaf}", address(&deaf[0]).to_string()),
        ];
        let scripts = row.scripts.iter().map(|script| fill_script(&places, script)).collect();
        let servers = vec![
            Server::start(here, scripts, notes.clone()),
            Server::start(elsewhere, vec![answer(OK)], notes.clone()),
        ];
        Some(Self { places, _servers: servers, _kept: [vec![nobody], deaf, kept].into_iter().flatten().collect() })
    }

    /// `text` with its places filled in.
    pub(crate) fn fill(&self, text: &str) -> String {
        fill(&self.places, text)
    }
}

fn fill(places: &[Place], text: &str) -> String {
    places.iter().fold(text.to_owned(), |text, (name, address)| text.replace(name, address))
}

fn fill_script(places: &[Place], script: &Script) -> Script {
    let filled = |step: &Step| match step {
        Step::Send(bytes) => match str::from_utf8(bytes) {
            Ok(text) if text.contains('{') => Step::Send(fill(places, text).into_bytes()),
            _ => step.clone(),
        },
        _ => step.clone(),
    };
    script.iter().map(filled).collect()
}

fn address(socket: &Socket) -> SocketAddr {
    socket.local_addr().unwrap().as_socket().unwrap()
}

fn ipv4() -> (TcpListener, Vec<Socket>) {
    (TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), Vec::new())
}

/// A listener on `::1` whose port is dead on 127.0.0.1.
fn ipv6_without_ipv4() -> Option<(TcpListener, Vec<Socket>)> {
    (0..20).find_map(|_| {
        let nobody = nobody();
        let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, address(&nobody).port())).ok()?;
        Some((listener, vec![nobody]))
    })
}

/// An address that is taken, and where nobody listens: connections are refused.
fn nobody() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    socket
}

/// An address whose listener has no room left: connections are neither made nor refused. The listener comes first.
fn deaf() -> Vec<Socket> {
    let listener = nobody();
    listener.listen(0).unwrap();
    let waiting = (0..4).map(|_| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        // It begins to connect, and whether that is done at once is all the same.
        socket.connect(&listener.local_addr().unwrap()).ok();
        socket
    });
    let waiting: Vec<_> = waiting.collect();
    std::iter::once(listener).chain(waiting).collect()
}
