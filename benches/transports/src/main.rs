//! Sends conversions over CONCURRENCY connections, with a thread for each connection or with one thread that polls
//! non-blocking connections. `benches/programs/common.h` describes the other arguments. Also prints the time from the
//! start of a request to the end of its response, in microseconds.

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use std::{env, fs, io, mem, thread};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A connection with at most one request in flight.
struct Connection {
    stream: Stream,
    host: String,
    sent: Instant,
    /// The part of the response that has arrived.
    response: Vec<u8>,
    latencies: Vec<u32>,
}

/// Hands out the numbers of the requests.
struct Numbers {
    next: AtomicU64,
    end: u64,
}

impl Numbers {
    fn next(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.end).then_some(number)
    }
}

impl Connection {
    /// Connects, and completes the TLS handshake if there is a configuration for it.
    fn open(host: &str, tls: Option<&Arc<ClientConfig>>) -> Result<Self> {
        let mut socket = TcpStream::connect(host)?;
        socket.set_nodelay(true)?;
        let stream = match tls {
            None => Stream::Plain(socket),
            Some(config) => {
                let name = ServerName::try_from(host.split(':').next().unwrap_or(host).to_owned())?;
                let mut connection = ClientConnection::new(Arc::clone(config), name)?;
                while connection.is_handshaking() {
                    connection.complete_io(&mut socket)?;
                }
                Stream::Tls(Box::new(StreamOwned::new(connection, socket)))
            }
        };
        let (host, response, latencies) = (host.to_owned(), Vec::with_capacity(1024), Vec::new());
        Ok(Self { stream, host, sent: Instant::now(), response, latencies })
    }

    fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => &stream.sock,
        }
    }

    fn send(&mut self, number: u64) -> io::Result<()> {
        let id = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let request = format!(
            "POST /conversions/sms?api_key=abcd1234&api_secret=s3cret&delivered=true&message-id={id:016X}\
             &timestamp=2026-01-01%2012%3A00%3A00 HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n\r\n",
            self.host
        );
        self.sent = Instant::now();
        self.response.clear();
        match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(request.as_bytes()),
            Stream::Tls(stream) => stream.write_all(request.as_bytes()).and_then(|()| stream.flush()),
        }
    }

    /// Reads until the response is complete, or until nothing is left to read. Returns whether it is complete.
    fn receive(&mut self) -> Result<bool> {
        let mut buffer = [0; 4096];
        loop {
            let read = match &mut self.stream {
                Stream::Plain(socket) => socket.read(&mut buffer),
                Stream::Tls(stream) => stream.read(&mut buffer),
            };
            match read {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(length) => self.response.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            if is_complete(&self.response)? {
                self.latencies.push(self.sent.elapsed().as_micros().try_into()?);
                return Ok(true);
            }
        }
    }
}

/// Returns whether the head and the body of a response with a Content-Length are complete.
fn is_complete(response: &[u8]) -> Result<bool> {
    const LENGTH: &str = "content-length:";
    let Some(head) = response.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(false);
    };
    let text = str::from_utf8(&response[..head])?;
    if !text.starts_with("HTTP/1.1 200 ") {
        return Err(text.into());
    }
    let is_length = |line: &&str| line.get(..LENGTH.len()).is_some_and(|name| name.eq_ignore_ascii_case(LENGTH));
    let line = text.lines().find(is_length).ok_or("no Content-Length")?;
    Ok(response.len() >= head + 4 + line[LENGTH.len()..].trim().parse::<usize>()?)
}

/// Sends all requests with one thread for each connection.
fn with_threads(connections: &mut [Connection], numbers: &Numbers) -> Result<()> {
    let work = |connection: &mut Connection| -> Result<()> {
        while let Some(number) = numbers.next() {
            connection.send(number)?;
            while !connection.receive()? {}
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = connections.iter_mut().map(|connection| scope.spawn(move || work(connection))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })
}

/// Sends all requests with this thread.
fn with_poller(connections: &mut [Connection], numbers: &Numbers) -> Result<()> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(connections.len()));
    let mut in_flight = 0;
    for (index, connection) in connections.iter_mut().enumerate() {
        connection.socket().set_nonblocking(true)?;
        poll.registry().register(&mut SourceFd(&connection.socket().as_raw_fd()), Token(index), Interest::READABLE)?;
        if let Some(number) = numbers.next() {
            connection.send(number)?;
            in_flight += 1;
        }
    }
    while in_flight > 0 {
        poll.poll(&mut events, None)?;
        for event in &events {
            let connection = &mut connections[event.token().0];
            if connection.receive()? {
                match numbers.next() {
                    Some(number) => connection.send(number)?,
                    None => in_flight -= 1,
                }
            }
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let [_, url, ca_file, count, concurrency, warm_up, sender] = arguments.as_slice() else {
        return Err("usage: transports URL CA_FILE COUNT CONCURRENCY WARM_UP threads|poller".into());
    };
    let (count, warm_up): (u64, u64) = (count.parse()?, warm_up.parse()?);
    let (scheme, host) = url.split_once("://").ok_or("no scheme")?;
    let tls = (scheme == "https").then(|| configuration(ca_file)).transpose()?;
    let open = |_| Connection::open(host, tls.as_ref());
    let mut connections: Vec<Connection> = (0..concurrency.parse()?).map(open).collect::<Result<_>>()?;
    let run = match sender.as_str() {
        "threads" => with_threads,
        "poller" => with_poller,
        _ => return Err("the last argument is threads or poller".into()),
    };
    let numbers = |start, end| Numbers { next: AtomicU64::new(start), end };
    with_threads(&mut connections[..1], &numbers(0, warm_up))?;
    connections.iter_mut().for_each(|connection| connection.latencies = Vec::with_capacity(count as usize));
    let (start, before) = (Instant::now(), usage());
    run(&mut connections, &numbers(warm_up, warm_up + count))?;
    let (wall_s, after) = (start.elapsed().as_secs_f64(), usage());
    let mut latencies: Vec<u32> = connections.iter().flat_map(|connection| connection.latencies.clone()).collect();
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() as f64 * share) as usize).min(latencies.len() - 1)];
    println!(
        r#"{{"done": {}, "failures": 0, "wall_s": {wall_s}, "cpu_s": {}, "peak_kib": {}, "switches": {}, "median_us": {}, "p99_us": {}, "p999_us": {}}}"#,
        latencies.len(),
        cpu_s(&after) - cpu_s(&before),
        peak_kib()?,
        after.ru_nvcsw - before.ru_nvcsw,
        at(0.5),
        at(0.99),
        at(0.999)
    );
    Ok(())
}

fn configuration(ca_file: &str) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(ca_file)?)?)?;
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// Returns the resources that this process has used.
fn usage() -> libc::rusage {
    // SAFETY: a struct of integers may be zero, and it outlives the call.
    unsafe {
        let mut usage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    }
}

/// Returns the peak memory. That of `getrusage` includes the parent's before `exec`.
fn peak_kib() -> Result<u64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.split_whitespace().nth(1).ok_or("no VmHWM")?.parse()?)
}

fn cpu_s(usage: &libc::rusage) -> f64 {
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
