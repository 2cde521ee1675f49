//! A TCP connection whose every wait ends in time, and which a forked child knows how to close.

use std::io;
use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Type};

use crate::os;
use crate::os::{Readiness, fork};

/// From so much time on a read waits by itself, within a limit that the system keeps. For less that limit is too coarse.
const LONG: Duration = Duration::from_millis(128);

/// The longest such limit; after it the wait goes on.
const LONGEST: Duration = Duration::from_secs(3600);

/// A connection. Nothing of it blocks without an end.
#[derive(Debug)]
pub(super) struct Socket {
    /// None only while it is being closed.
    stream: Option<TcpStream>,
    /// For how long the system lets a read wait, in microseconds; 0 before that was said.
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
        if !os::wait(stream.as_fd(), Readiness::Write, deadline)? {
            return Ok(false);
        }
        // From here on a read waits by itself, with no call before it that asks whether it may.
        stream.set_nonblocking(false)?;
        stream.take_error()?.map_or(Ok(true), Err)
    }

    /// Reads what there is, at least one byte but at the end. None: `deadline` came first.
    pub(super) fn read(&self, buffer: &mut [u8], deadline: Option<Instant>) -> io::Result<Option<usize>> {
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            // Not even what has come: a peer that never ends must not keep its reader beyond the time.
            return Ok(None);
        }
        if self.limit_reads(left)? {
            match self.stream()?.read(buffer) {
                Err(error) if is_no_progress(&error) => {}
                done => return done.map(Some),
            }
        }
        while os::wait(self.stream()?.as_fd(), Readiness::Read, deadline)? {
            if let Some(amount) = self.read_at_once(buffer)? {
                return Ok(Some(amount));
            }
        }
        Ok(None)
    }

    /// Reads what has come already. None: nothing has.
    pub(super) fn read_at_once(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match os::read_at_once(self.stream()?.as_fd(), buffer, false) {
            Err(error) if is_no_progress(&error) => Ok(None),
            done => done.map(Some),
        }
    }

    /// Has the system end the next read before the time that is `left` is over, from where on it is waited for exactly. False:
    /// there is too little left for that.
    ///
    /// The system rounds such limits up by as much as an eighth, so that three quarters of the time is asked for. To ask anew
    /// for each read would cost a system call each: what was asked for before is left, if it is not far off.
    fn limit_reads(&self, left: Duration) -> io::Result<bool> {
        let wanted = (left / 4 * 3).min(LONGEST);
        let set = Duration::from_micros(self.read_limit.load(Ordering::Relaxed));
        if left >= LONG && set.abs_diff(wanted) > wanted / 16 {
            self.stream()?.set_read_timeout(Some(wanted))?;
            self.read_limit.store(u64::try_from(wanted.as_micros()).unwrap_or(0), Ordering::Relaxed);
        }
        Ok(left >= LONG)
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
            match os::write_at_once(stream, bytes) {
                Err(error) if is_no_progress(&error) => {}
                done => return done.map(Some),
            }
            if !os::wait(stream, Readiness::Write, deadline)? {
                return Ok(None);
            }
        }
    }

    /// Whether the connection is open and silent, as one is between two requests. Bytes that nobody asked for would be
    /// taken for the next answer.
    pub(super) fn is_open_and_silent(&self) -> bool {
        let peeked = self.stream().and_then(|stream| os::read_at_once(stream.as_fd(), &mut [0], true));
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn connected() -> (Socket, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = Socket::begin(listener.local_addr().unwrap()).unwrap();
        assert!(socket.finish(None).unwrap());
        (socket, listener)
    }

    #[test]
    fn the_systems_limit_never_reaches_the_deadline_however_it_is_rounded() {
        let (socket, _listener) = connected();
        for seconds in [10, 9, 1, 60, 55, 3000, 10] {
            let left = Duration::from_secs(seconds);
            assert!(socket.limit_reads(left).unwrap());
            let set = Duration::from_micros(socket.read_limit.load(Ordering::Relaxed));
            assert!(set > left / 2 && set / 8 * 9 < left, "{set:?} of {left:?}");
        }
        assert!(socket.limit_reads(Duration::MAX).unwrap());
    }

    #[test]
    fn a_short_time_is_waited_for_exactly() {
        let (socket, _listener) = connected();
        for wait in [Duration::ZERO, Duration::from_millis(1)] {
            let deadline = Instant::now().checked_add(wait);
            assert!(!socket.limit_reads(wait).unwrap());
            assert_eq!(socket.read(&mut [0], deadline).unwrap(), None);
        }
        assert_eq!(socket.read_limit.load(Ordering::Relaxed), 0);
    }
}
