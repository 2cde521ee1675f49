//! Opens connections with the TLS and the buffers of ureq. Only this file and `certificates.rs` depend on ureq.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time;
use std::time::SystemTime;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector as UreqConnector, LazyBuffers, NextTimeout, RustlsConnector, Transport,
};
use ureq::{Agent, Error as UreqError, Timeout};
use zeroize::Zeroize;

use super::certificate_watch::CertificateWatch;
use super::certificates::{CertificateFiles, Certificates};
use super::deadline::Deadline;
use super::error::{Failure, Limit};
use super::socket::Socket;
use super::tcp::TcpConnector;
use crate::error::Error;
use crate::options::ClientSettings;
use crate::secret::wipe;
use crate::sync::Mutex;

/// The capacity of the output buffer in bytes, larger than most requests. A longer request is sent in parts.
const OUTPUT_BUFFER: usize = 2 * 1024;

/// The capacity of the input buffer in bytes, which limits the size of a response head.
const INPUT_BUFFER: usize = 32 * 1024;

/// The size of each buffer below TLS, in bytes. A TLS record that is longer is read and written in parts.
const BUFFER_UNDER_TLS: usize = 4 * 1024;

/// The maximum number of reads by checks of a connection since the last write. If the peer has sent more data, the
/// connection is not idle. The data that servers may send on an idle connection, such as TLS session tickets, takes
/// fewer reads.
const MAX_CHECKS: u8 = 3;

/// The timeout by which the transport recognizes a check of a connection. A check reads only data that has already
/// arrived.
const CHECK: NextTimeout = NextTimeout {
    after: Duration::Exact(time::Duration::ZERO),
    reason: Timeout::PerRead,
    per_read: Some(Duration::Exact(time::Duration::ZERO)),
    per_write: None,
};

/// The URL of the service, and the certificates for connections to it.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    uri: Uri,
    files: CertificateFiles,
    certificates: Arc<Certificates>,
}

impl Endpoint {
    /// Reads the certificates that `settings` select.
    pub(super) fn new(settings: &ClientSettings) -> Result<Self, Error> {
        let uri = settings.base_url.as_str().parse().map_err(|_| Error::argument("base_url", "is not a URL"))?;
        let files = CertificateFiles::of(settings);
        Ok(Self { uri, certificates: Arc::new(files.read()?), files })
    }
}

/// The TLS connector for one version of the certificates.
#[derive(Debug)]
struct Tls {
    certificates: Arc<Certificates>,
    config: Config,
    connector: RustlsConnector,
}

impl Tls {
    fn new(certificates: Arc<Certificates>) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(certificates.roots.clone())
            .client_cert(certificates.client.clone())
            .use_sni(true)
            .disable_verification(false);
        // The rest of the configuration applies to requests, which ureq does not make here.
        let config = Agent::config_builder()
            // This library itself connects through the proxy. Without this setting, ureq would read a proxy from an
            // environment variable, which in a CGI program can come from a request header.
            .proxy(None)
            .tls_config(tls.build())
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .build();
        Self { certificates, config, connector: RustlsConnector::default() }
    }
}

/// Opens connections to one endpoint.
#[derive(Debug)]
pub(super) struct Connector {
    uri: Uri,
    tcp: TcpConnector,
    certificates: CertificateWatch,
    tls: Mutex<Arc<Tls>>,
}

impl Connector {
    pub(super) fn new(endpoint: Endpoint, tcp: TcpConnector) -> Self {
        let tls = Mutex::new(Arc::new(Tls::new(Arc::clone(&endpoint.certificates))));
        let certificates = CertificateWatch::new(endpoint.files, endpoint.certificates);
        Self { uri: endpoint.uri, tcp, certificates, tls }
    }

    /// Returns why the certificate files could not be used when they were last read, or None if they are in use.
    pub(super) fn certificate_problem(&self) -> Option<Error> {
        self.certificates.problem()
    }

    fn tls(&self) -> Arc<Tls> {
        let certificates = self.certificates.current(time::Instant::now());
        let mut tls = self.tls.lock();
        if !Arc::ptr_eq(&tls.certificates, &certificates) {
            *tls = Arc::new(Tls::new(certificates));
        }
        Arc::clone(&tls)
    }

    /// Opens a connection, including the tunnel through a proxy and TLS if the settings require them, that is ready
    /// for a request. Also returns the address of the service or, if there is a proxy, of the proxy.
    pub(super) fn connect(&self, deadline: Deadline) -> Result<(Stream, SocketAddr), Failure> {
        let tls = self.tls();
        let (address, socket) = self.tcp.connect(deadline)?;
        let opened = time::Instant::now();
        deadline.check(opened)?;
        let details = ConnectionDetails {
            uri: &self.uri,
            addrs: NoResolver.empty(),
            config: &tls.config,
            request_level: false,
            resolver: &NoResolver,
            now: Instant::Exact(opened),
            timeout: timeout(deadline, opened),
            current_time: Arc::new(move || Instant::Exact(opened)),
            run_connector: Arc::new(|_| Err(UreqError::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        if details.needs_tls() {
            check_clock(SystemTime::now())?;
        }
        let buffers = match details.needs_tls() {
            // The TLS layer has its own buffers of the full size.
            true => LazyBuffers::new(BUFFER_UNDER_TLS, BUFFER_UNDER_TLS),
            false => LazyBuffers::new(INPUT_BUFFER, OUTPUT_BUFFER),
        };
        let connected = tls.connector.connect(&details, Some(TcpTransport { socket, opened, buffers, checks: 0 }));
        let connected = connected.inspect_err(|_| self.avoid(address));
        let transport = connected.map_err(|error| to_failure(error, deadline.limit))?.ok_or(Failure::Unexpected)?;
        Ok((Stream { transport: Box::new(transport), opened }, address))
    }

    /// Makes later connections try another address before `address`, on which a connection failed.
    pub(super) fn avoid(&self, address: SocketAddr) {
        self.tcp.route.avoid(address);
    }
}

/// An open connection, plain or over TLS, with its buffers.
///
/// The clock of ureq's layers stands still at `opened`, so that they pass timeouts on without reading the clock. A timeout
/// is therefore the time from `opened` until the deadline.
#[derive(Debug)]
pub(super) struct Stream {
    transport: Box<dyn Transport>,
    opened: time::Instant,
}

impl Drop for Stream {
    /// Wipes the data that was read, because a response can repeat secrets of its request.
    fn drop(&mut self) {
        let unread = self.input().len();
        self.consume(unread);
        // All input is consumed, so this is the whole buffer.
        self.transport.buffers().input_append_buf().zeroize();
    }
}

impl Stream {
    /// Returns the bytes that were read but not consumed.
    pub(super) fn input(&mut self) -> &[u8] {
        self.transport.buffers().input()
    }

    /// Removes `amount` bytes of the input.
    pub(super) fn consume(&mut self, amount: usize) {
        self.transport.buffers().input_consume(amount);
    }

    /// Waits for more input.
    pub(super) fn read(&mut self, deadline: Deadline) -> Result<(), Failure> {
        // A read into a full buffer returns no bytes, which would look like the end of the connection.
        if self.transport.buffers().input_append_buf().is_empty() {
            return Err(Failure::LargeHead);
        }
        match self.transport.await_input(timeout(deadline, self.opened)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Err(error) => Err(to_failure(error, deadline.limit)),
        }
    }

    /// Sends all of `bytes`, which may contain a secret.
    pub(super) fn send(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Failure> {
        while !bytes.is_empty() {
            let buffer = self.transport.buffers().output();
            let (now, later) = bytes.split_at(bytes.len().min(buffer.len()));
            buffer.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            let sent = self.transport.transmit_output(now.len(), timeout(deadline, self.opened));
            // The buffer is wiped now, because it would otherwise keep a secret for as long as the connection is open.
            wipe(self.transport.buffers().output().get_mut(..now.len()).unwrap_or_default());
            sent.map_err(|error| to_failure(error, deadline.limit))?;
            bytes = later;
        }
        Ok(())
    }

    /// Returns whether the connection is open and has no unread data. Reads from the connection, because any
    /// layer may hold bytes, encrypted or not, that would be mistaken for the next response.
    pub(super) fn is_idle(&mut self) -> bool {
        self.input().is_empty() && matches!(self.transport.await_input(CHECK), Err(UreqError::Timeout(_)))
    }
}

/// Fails if the clock is before 1970, in which case the TLS library would panic.
fn check_clock(now: SystemTime) -> Result<(), Failure> {
    now.duration_since(SystemTime::UNIX_EPOCH).map(drop).map_err(|_| Failure::ClockBefore1970)
}

/// Returns the time from `opened` until the deadline as ureq's type. The `reason` is not used.
fn timeout(deadline: Deadline, opened: time::Instant) -> NextTimeout {
    let until = |at: time::Instant| Duration::Exact(at.saturating_duration_since(opened));
    let after = deadline.at.map_or(Duration::NotHappening, until);
    NextTimeout { after, reason: Timeout::Global, per_read: None, per_write: None }
}

fn to_failure(error: UreqError, limit: Limit) -> Failure {
    match error {
        UreqError::Io(error) => Failure::Io(error),
        UreqError::Timeout(_) => Failure::TimedOut(limit),
        UreqError::Rustls(error) => Failure::Tls(error),
        UreqError::Tls(_) => Failure::TlsSetup,
        _ => Failure::Unexpected,
    }
}

/// A TCP connection with the buffers of the layer above it: the stream or TLS.
#[derive(Debug)]
struct TcpTransport {
    socket: Arc<Socket>,
    /// When the connection was opened. Timeouts count from here.
    opened: time::Instant,
    buffers: LazyBuffers,
    /// The number of reads by checks since the last write.
    checks: u8,
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, limit: NextTimeout) -> Result<(), UreqError> {
        if !is_check(limit) {
            self.checks = 0;
        }
        let deadline = self.deadline(limit);
        let bytes = self.buffers.output().get(..amount).unwrap_or_default();
        if self.socket.write_all(bytes, deadline)? { Ok(()) } else { Err(UreqError::Timeout(limit.reason)) }
    }

    fn await_input(&mut self, limit: NextTimeout) -> Result<bool, UreqError> {
        let deadline = self.deadline(limit);
        let buffer = self.buffers.input_append_buf();
        let read = match is_check(limit) {
            true if self.checks >= MAX_CHECKS => return Err(io::Error::other("the connection is not idle").into()),
            true => {
                self.checks = self.checks.saturating_add(1);
                self.socket.read_at_once(buffer)?
            }
            false => self.socket.read(buffer, deadline)?,
        };
        let amount = read.ok_or(UreqError::Timeout(limit.reason))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.socket.is_open_and_silent()
    }
}

impl TcpTransport {
    /// Returns the time at which a timeout expires, or None if it never does.
    fn deadline(&self, limit: NextTimeout) -> Option<time::Instant> {
        match limit.after {
            Duration::Exact(after) => self.opened.checked_add(after),
            Duration::NotHappening => None,
        }
    }
}

fn is_check(limit: NextTimeout) -> bool {
    limit.per_read == CHECK.per_read
}

/// A resolver that always fails. ureq does not call it, because ureq receives established connections.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, UreqError> {
        Err(UreqError::HostNotFound)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_clock_before_1970_is_a_tls_error() {
        let before = SystemTime::UNIX_EPOCH - time::Duration::from_secs(1);
        let error = check_clock(before).unwrap_err().to_error(false, "host");
        assert_eq!(error.kind(), crate::error::Kind::Tls);
        assert!(error.message().ends_with("set the clock"), "{error}");
        assert!(check_clock(SystemTime::UNIX_EPOCH).is_ok());
    }

    #[test]
    fn a_check_never_waits_even_if_it_must_write() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = Arc::new(Socket::start(listener.local_addr().unwrap()).unwrap());
        assert!(socket.finish(None).unwrap());
        // The peer does not read, so the buffers fill up.
        while socket.write_all(&[0; 64 * 1024], Some(time::Instant::now())).unwrap() {}
        let opened = time::Instant::now();
        let mut connection = TcpTransport { socket, opened, buffers: LazyBuffers::new(64, 64), checks: 0 };
        assert!(matches!(connection.transmit_output(24, CHECK), Err(UreqError::Timeout(_))));
        for _ in 0..MAX_CHECKS {
            assert!(matches!(connection.await_input(CHECK), Err(UreqError::Timeout(_))));
        }
        let last = connection.await_input(CHECK);
        assert!(matches!(last, Err(UreqError::Io(_))), "a check must fail after MAX_CHECKS reads");
    }
}
