//! A TCP connection whose every wait ends in time, and which a forked child knows how to close.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Instant;

use socket2::{Domain, Protocol, Type};

use crate::fork;
use crate::sys::{self, Readiness};

/// A connection. It never blocks but in the waits below.
#[derive(Debug)]
pub(super) struct Socket {
    /// None only while it is being closed.
    stream: Option<TcpStream>,
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
        Ok(Self { stream: Some(stream) })
    }

    /// Waits until the connection is made. False: `deadline` came first.
    pub(super) fn finish(&self, deadline: Option<Instant>) -> io::Result<bool> {
        let stream = self.stream()?;
        if !sys::wait(stream.as_fd(), Readiness::Write, deadline)? {
            return Ok(false);
        }
        stream.take_error()?.map_or(Ok(true), Err)
    }

    /// Reads what there is, at least one byte but at the end. None: `deadline` came first.
    pub(super) fn read(&self, buffer: &mut [u8], deadline: Option<Instant>) -> io::Result<Option<usize>> {
        self.when(Readiness::Read, deadline, |mut stream| stream.read(buffer))
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
        match self.stream()?.write(bytes) {
            Err(error) if is_no_progress(&error) => {
                self.when(Readiness::Write, deadline, |mut stream| stream.write(bytes))
            }
            done => done.map(Some),
        }
    }

    /// Does `work` once the connection is ready for it, and again if it was not.
    fn when(
        &self,
        readiness: Readiness,
        deadline: Option<Instant>,
        mut work: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> io::Result<Option<usize>> {
        let stream = self.stream()?;
        while sys::wait(stream.as_fd(), readiness, deadline)? {
            match work(stream) {
                Err(error) if is_no_progress(&error) => {}
                done => return done.map(Some),
            }
        }
        Ok(None)
    }

    /// Whether the connection is open and silent, as one is between two requests. Bytes that nobody asked for would be
    /// taken for the next answer.
    pub(super) fn is_open_and_silent(&self) -> bool {
        let peeked = self.stream().and_then(|stream| stream.peek(&mut [0]));
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
