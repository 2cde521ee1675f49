//! A TCP connection on which every wait can have a deadline, and which a forked child closes.

use std::io;
use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Type};

use crate::os;
use crate::os::{Readiness, fork};

/// The shortest wait for which a read relies on the socket's receive timeout. The timeout is too coarse for shorter
/// waits.
const LONG: Duration = Duration::from_millis(128);

/// The longest receive timeout. A longer wait continues with `poll` after the timeout.
const LONGEST: Duration = Duration::from_secs(3600);

/// A TCP connection. Every operation takes a deadline or does not block.
#[derive(Debug)]
pub(super) struct Socket {
    /// The stream; None only while it is being closed.
    stream: Option<TcpStream>,
    /// The current receive timeout in microseconds; 0 before it is set.
    read_limit: AtomicU64,
}

impl Socket {
    /// Starts to connect to `address`.
    pub(super) fn start(address: SocketAddr) -> io::Result<Self> {
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

    /// Waits until the connection is established. Returns false if `deadline` expired first.
    pub(super) fn finish(&self, deadline: Option<Instant>) -> io::Result<bool> {
        let stream = self.stream()?;
        if !os::wait(stream.as_fd(), Readiness::Write, deadline)? {
            return Ok(false);
        }
        // In blocking mode, a read needs no preceding call of `poll`.
        stream.set_nonblocking(false)?;
        stream.take_error()?.map_or(Ok(true), Err)
    }

    /// Waits for data and reads it. Returns 0 only at the end of the stream. Returns None if `deadline` expired first.
    pub(super) fn read(&self, buffer: &mut [u8], deadline: Option<Instant>) -> io::Result<Option<usize>> {
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            // Data that has already arrived is not read, because a peer that never stops sending must not keep its
            // reader beyond the deadline.
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

    /// Reads data that has already arrived. Returns None if there is none.
    pub(super) fn read_at_once(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match os::read_at_once(self.stream()?.as_fd(), buffer, false) {
            Err(error) if is_no_progress(&error) => Ok(None),
            done => done.map(Some),
        }
    }

    /// Sets a receive timeout that expires before `left` has passed. The caller waits precisely for the rest. Returns
    /// false if `left` is too short for a receive timeout.
    ///
    /// The system rounds receive timeouts up by as much as an eighth, so the timeout is three quarters of `left`.
    /// Setting it costs a system call, so a previous timeout is kept if it is close enough.
    fn limit_reads(&self, left: Duration) -> io::Result<bool> {
        let wanted = (left / 4 * 3).min(LONGEST);
        let set = Duration::from_micros(self.read_limit.load(Ordering::Relaxed));
        if left >= LONG && set.abs_diff(wanted) > wanted / 16 {
            self.stream()?.set_read_timeout(Some(wanted))?;
            self.read_limit.store(u64::try_from(wanted.as_micros()).unwrap_or(0), Ordering::Relaxed);
        }
        Ok(left >= LONG)
    }

    /// Writes all of `bytes`. Returns false if `deadline` expired first. In that case, part of `bytes` may
    /// have been written.
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

    /// Writes as much as the socket accepts. Waits only if the socket's buffer is full, which is rare.
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

    /// Returns whether the connection is open and has no data to read, as expected between two requests. Unsolicited
    /// bytes would be mistaken for the next response.
    pub(super) fn is_open_and_silent(&self) -> bool {
        let peeked = self.stream().and_then(|stream| os::read_at_once(stream.as_fd(), &mut [0], true));
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Shuts down the connection, which ends every wait on it.
    pub(super) fn end(&self) {
        if let Some(stream) = &self.stream {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    fn stream(&self) -> io::Result<&TcpStream> {
        self.stream.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// Waits until one of `sockets` is connected or has failed, and returns its index. Returns None if `deadline` expired
/// first.
pub(super) fn wait_for_any(sockets: &[&Socket], deadline: Option<Instant>) -> io::Result<Option<usize>> {
    let streams: io::Result<Vec<_>> = sockets.iter().map(|socket| socket.stream().map(TcpStream::as_fd)).collect();
    os::wait_for_any(&streams?, Readiness::Write, deadline)
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
        let socket = Socket::start(listener.local_addr().unwrap()).unwrap();
        assert!(socket.finish(None).unwrap());
        (socket, listener)
    }

    #[test]
    fn the_receive_timeout_never_reaches_the_deadline_however_it_is_rounded() {
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
    fn a_read_waits_precisely_for_a_short_time() {
        let (socket, _listener) = connected();
        for wait in [Duration::ZERO, Duration::from_millis(1)] {
            let deadline = Instant::now().checked_add(wait);
            assert!(!socket.limit_reads(wait).unwrap());
            assert_eq!(socket.read(&mut [0], deadline).unwrap(), None);
        }
        assert_eq!(socket.read_limit.load(Ordering::Relaxed), 0);
    }
}
