//! The addresses that a case can use: those of its server and of another server, and those to which connections fail.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use socket2::{Domain, Socket, Type};

use crate::case::Case;
use crate::observations::Observations;
use crate::script::{OK, Script, Step, respond};
use crate::server::Server;

/// The name of a placeholder, and its value.
type Placeholder = (&'static str, String);

/// The addresses of a case.
pub(crate) struct Endpoints {
    placeholders: Vec<Placeholder>,
    _servers: Vec<Server>,
    /// Sockets that keep ports closed or backlogs full until they are dropped.
    _kept: Vec<Socket>,
}

impl Endpoints {
    /// Opens the sockets and starts the servers for `case`. Returns `None` if `case` needs IPv6 and no port on `::1`
    /// can be bound.
    pub(crate) fn open(case: &Case, observations: &Arc<Observations>) -> Option<Self> {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed_port = closed_port();
        let full_backlog = full_backlog();
        let (here, kept) = if case.is_only_on_ipv6 { ipv6_without_ipv4()? } else { ipv4() };
        let placeholders = vec![
            ("{here}", here.local_addr().unwrap().to_string()),
            ("{port}", here.local_addr().unwrap().port().to_string()),
            ("{elsewhere}", elsewhere.local_addr().unwrap().to_string()),
            ("{closed}", address(&closed_port).to_string()),
            ("{closed-port}", address(&closed_port).port().to_string()),
            ("{full}", address(&full_backlog[0]).to_string()),
        ];
        let scripts = case.scripts.iter().map(|script| fill_script(&placeholders, script)).collect();
        let servers = vec![
            Server::start(here, scripts, observations.clone()),
            Server::start(elsewhere, vec![respond(OK)], observations.clone()),
        ];
        Some(Self {
            placeholders,
            _servers: servers,
            _kept: [vec![closed_port], full_backlog, kept].into_iter().flatten().collect(),
        })
    }

    /// Returns `text` with its placeholders replaced.
    pub(crate) fn fill(&self, text: &str) -> String {
        fill(&self.placeholders, text)
    }
}

fn fill(placeholders: &[Placeholder], text: &str) -> String {
    placeholders.iter().fold(text.to_owned(), |text, (name, address)| text.replace(name, address))
}

fn fill_script(placeholders: &[Placeholder], script: &Script) -> Script {
    let filled = |step: &Step| match step {
        Step::Send(bytes) => match str::from_utf8(bytes) {
            Ok(text) if text.contains('{') => Step::Send(fill(placeholders, text).into_bytes()),
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

/// Opens a listener on `::1` whose port is closed on 127.0.0.1.
fn ipv6_without_ipv4() -> Option<(TcpListener, Vec<Socket>)> {
    (0..20).find_map(|_| {
        let closed_port = closed_port();
        let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, address(&closed_port).port())).ok()?;
        Some((listener, vec![closed_port]))
    })
}

/// Binds a port without listening, so connections to it are refused.
fn closed_port() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    socket
}

/// Opens a listener and fills its backlog, so further connections are neither accepted nor refused. Returns the
/// listener first, then the sockets that fill the backlog.
fn full_backlog() -> Vec<Socket> {
    let listener = closed_port();
    listener.listen(0).unwrap();
    let waiting = (0..4).map(|_| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        // A nonblocking connect returns an error until the connection is established.
        socket.connect(&listener.local_addr().unwrap()).ok();
        socket
    });
    let waiting: Vec<_> = waiting.collect();
    std::iter::once(listener).chain(waiting).collect()
}
