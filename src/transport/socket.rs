//! A TCP connection whose every wait ends in time, and which a forked child knows how to close.

use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Type};

use crate::fork;
use crate::sys;

/// How much later than asked a read may end, as a part of its time: one in so many. To set a limit anew for each read would
/// cost a system call each.
const SLACK: u32 = 1024;

/// The most that this may come to.
const MOST_SLACK: Duration = Duration::from_millis(5);

/// A connection. Nothing of it blocks without an end.
#[derive(Debug)]
pub(super) struct Socket {
    /// None only while it is being closed.
    stream: Option<TcpStream>,
    /// For how long the system lets a read wait, in microseconds; 0 for ever.
    read_limit: AtomicU64,
}

impl Socket {
    /// Begins to connect to `address`.
    pub(super) fn begin(address: SocketAddr) -> io::Result<Self> {
        let stream = fork::open_connection(|| {
            let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
            socket.set_nonblocking(true)?;
            socket.set_tcp_nodelay(true)?;
            match socket.connect(&address.into()) {
                Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
                _ => Ok(TcpStream::from(socket)),
            }
        })?;
        Ok(Self { stream: Some(stream), read_limit: AtomicU64::new(0) })
    }

    /// Waits until the connection is made. False: `deadline` came first.
    pub(super) fn finish(&self, deadline: Option<Instant>) -> io::Result<bool> {
        let stream = self.stream()?;
        if !sys::wait_for_room(stream.as_fd(), deadline)? {
            return Ok(false);
        }
        // From here on a read waits by itself, with no call before it that asks whether it may.
        stream.set_nonblocking(false)?;
        stream.take_error()?.map_or(Ok(true), Err)
    }

    /// Reads what there is, at least one byte but at the end. None: `deadline` came first.
    pub(super) fn read(&self, buffer: &mut [u8], deadline: Option<Instant>) -> io::Result<Option<usize>> {
        let mut stream = self.stream()?;
        while self.limit_reads(deadline)? {
            match stream.read(buffer) {
                Err(error) if is_no_progress(&error) => {}
                done => return done.map(Some),
            }
        }
        Ok(None)
    }

    /// Reads what has come already. None: nothing has.
    pub(super) fn read_at_once(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match sys::read_at_once(self.stream()?.as_fd(), buffer, false) {
            Err(error) if is_no_progress(&error) => Ok(None),
            done => done.map(Some),
        }
    }

    /// Has the system end the next read at `deadline`, or a little later. False: that has passed.
    fn limit_reads(&self, deadline: Option<Instant>) -> io::Result<bool> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(false);
        }
        if !is_near(Duration::from_micros(self.read_limit.load(Ordering::Relaxed)), left.unwrap_or_default()) {
            let left = left.map(|left| left.max(Duration::from_micros(1)));
            self.stream()?.set_read_timeout(left)?;
            let set = left.map_or(0, |left| u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
            self.read_limit.store(set, Ordering::Relaxed);
        }
        Ok(true)
    }

    /// Writes the whole. False: `deadline` came first, and some of it may be written.
    pub(super) fn write_all(&self, mut bytes: &[u8], deadline: Option<Instant>) -> io::Result<bool> {
        while !bytes.is_empty() {
            match self.write(bytes, deadline)? {
                Some(0) => return Err(io::ErrorKind::WriteZero.into()),
                Some(written) => bytes = bytes.get(written..).unwrap_or_default(),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Writes what there is room for; waits only if there is none, which is seldom.
    fn write(&self, bytes: &[u8], deadline: Option<Instant>) -> io::Result<Option<usize>> {
        let stream = self.stream()?.as_fd();
        loop {
            match sys::write_at_once(stream, bytes) {
                Err(error) if is_no_progress(&error) => {}
                done => return done.map(Some),
            }
            if !sys::wait_for_room(stream, deadline)? {
                return Ok(None);
            }
        }
    }

    /// Whether the connection is open and silent, as one is between two requests. Bytes that nobody asked for would be
    /// taken for the next answer.
    pub(super) fn is_open_and_silent(&self) -> bool {
        let peeked = self.stream().and_then(|stream| sys::read_at_once(stream.as_fd(), &mut [0], true));
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Ends the connection, and so whatever is waiting on it.
    pub(super) fn end(&self) {
        if let Some(stream) = &self.stream {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    fn stream(&self) -> io::Result<&TcpStream> {
        self.stream.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// Whether a limit that was set can stand for one of `left`: a little longer will do, and so will one that is shorter by no
/// more, after which the read is tried again.
fn is_near(set: Duration, left: Duration) -> bool {
    set.abs_diff(left) <= (left / SLACK).min(MOST_SLACK)
}

fn is_no_progress(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            fork::connection_closed(stream.as_raw_fd(), || drop(stream));
        }
    }
}
