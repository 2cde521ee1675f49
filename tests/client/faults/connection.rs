//! Plays a script on one connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::crypto::cipher::{OutboundChunks, OutboundPlainMessage};
use rustls::{ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConnection};
use socket2::SockRef;

use crate::observations::{LONGEST_WAIT, Observations};
use crate::script::{Script, Step};
use crate::tls::Secure;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// More bytes than the library reads when it checks an idle TLS connection. It reads at most 12 KiB.
const MORE_THAN_A_CHECK: usize = 16 * 1024;

/// The server's side of one connection.
pub(crate) struct Connection {
    tcp: TcpStream,
    tls: Option<Box<ServerConnection>>,
    /// The received bytes that have not been parsed yet.
    pending: Vec<u8>,
    observations: Arc<Observations>,
}

impl Connection {
    /// Wraps an accepted connection.
    pub(crate) fn new(tcp: TcpStream, observations: Arc<Observations>) -> Self {
        tcp.set_nodelay(true).unwrap();
        tcp.set_write_timeout(Some(LONGEST_WAIT)).unwrap();
        Self { tcp, tls: None, pending: Vec::new(), observations }
    }

    /// Plays `script`. Stops without a failure if the client closes the connection.
    pub(crate) fn play(mut self, script: Script) {
        let is_reset = matches!(script.last(), Some(Step::Reset));
        let played = script.into_iter().try_for_each(|step| self.perform(step));
        if !is_reset || played.is_err() {
            self.finish().ok();
            self.wait_for_end(LONGEST_WAIT).ok();
        }
        self.count_heads();
    }

    fn perform(&mut self, step: Step) -> io::Result<()> {
        match step {
            Step::Read => self.read_head(),
            Step::Send(bytes) => self.write(&bytes),
            Step::SendPlainly(bytes) => self.tcp.write_all(&bytes),
            Step::SendRecords(records) => self.write_records(&records),
            Step::EndlessRecords { of_type, records, calls } => self.endless_records(of_type, &records, calls),
            Step::FloodOfTickets => self.flood_of_session_tickets(),
            Step::Goodbye => self.say_goodbye(),
            Step::Repeat(bytes, times) => (0..times).try_for_each(|_| self.write(&bytes)),
            Step::Endless(bytes) => self.endless(&bytes),
            Step::Drip(bytes, pause) => self.drip(&bytes, pause),
            Step::Stall => self.wait_for_end(LONGEST_WAIT),
            Step::Ignore => self.wait(|observations| observations.wait_until(|_| false)),
            Step::Finish => self.finish(),
            Step::Reset => SockRef::from(&self.tcp).set_linger(Some(Duration::ZERO)),
            Step::Secure(how) => self.secure(how),
            Step::AwaitReturn => self.wait(|observations| observations.wait_until(|seen| seen.returned > 0)),
            Step::LetCall => self.let_call(),
            Step::ReadSocksGreeting => self.read_socks_greeting(),
            Step::ReadSocksPassword => self.read_socks_password(),
            Step::ReadSocksTarget => self.read_socks_target(),
        }
    }

    fn wait(&self, until: impl FnOnce(&Observations)) -> io::Result<()> {
        until(&self.observations);
        Ok(())
    }

    /// Waits until all sent data has arrived, because the client's second call could otherwise miss it. Then lets the
    /// client make that call.
    fn let_call(&mut self) -> io::Result<()> {
        if self.tls.is_some() {
            self.flush()?;
        }
        self.wait_for_arrival()?;
        self.observations.change(|seen| seen.may_call = true);
        Ok(())
    }

    /// Lets the client make its second call once a flood has `sent` more bytes than the client reads when it checks an
    /// idle connection.
    fn let_call_amid(&self, sent: usize) -> io::Result<()> {
        if sent > MORE_THAN_A_CHECK && !self.observations.seen().may_call {
            self.wait_for_arrival()?;
            self.observations.change(|seen| seen.may_call = true);
        }
        Ok(())
    }

    /// Waits until the client's kernel has acknowledged all sent data or the connection has failed, but at most
    /// [`LONGEST_WAIT`].
    fn wait_for_arrival(&self) -> io::Result<()> {
        let until = Instant::now() + LONGEST_WAIT;
        while self.unacknowledged()? > 0 && self.tcp.take_error()?.is_none() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Returns the number of sent bytes that the client's kernel has not acknowledged. A sent FIN counts as one byte.
    #[allow(unsafe_code)]
    fn unacknowledged(&self) -> io::Result<libc::c_int> {
        let mut bytes: libc::c_int = 0;
        // SAFETY: the descriptor stays open while `self` exists, and the kernel writes one `int`.
        let status = unsafe { libc::ioctl(self.tcp.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
        if status == 0 { Ok(bytes) } else { Err(io::Error::last_os_error()) }
    }

    fn secure(&mut self, how: Secure) -> io::Result<()> {
        let mut tls = Box::new(ServerConnection::new(how.config()).map_err(io::Error::other)?);
        self.tcp.set_read_timeout(Some(LONGEST_WAIT))?;
        if let Some(early) = how.early {
            while !tls.wants_write() {
                read_packets(&mut tls, &mut self.tcp)?;
            }
            tls.writer().write_all(early.as_bytes())?;
            self.tls = Some(tls);
            return self.flush();
        }
        while tls.is_handshaking() {
            tls.complete_io(&mut self.tcp)?;
        }
        self.tls = Some(tls);
        Ok(())
    }

    /// Sends the pending TLS data in as few writes as possible.
    fn flush(&mut self) -> io::Result<()> {
        let tls = self.tls.as_mut().unwrap();
        while tls.wants_write() {
            tls.write_tls(&mut self.tcp)?;
        }
        Ok(())
    }

    fn write_records(&mut self, records: &[Vec<u8>]) -> io::Result<()> {
        let mut writer = self.tls.as_mut().unwrap().writer();
        records.iter().try_for_each(|record| writer.write_all(record))?;
        self.flush()
    }

    fn flood_of_session_tickets(&mut self) -> io::Result<()> {
        let mut tls = self.tls.take().unwrap();
        while tls.is_handshaking() {
            read_packets(&mut tls, &mut self.tcp)?;
        }
        let mut sent = 0;
        while tls.wants_write() && !self.observations.seen().is_flooded(2) {
            sent += tls.write_tls(&mut InPieces(&self.tcp))?;
            self.let_call_amid(sent)?;
        }
        Ok(())
    }

    fn say_goodbye(&mut self) -> io::Result<()> {
        self.tls.as_mut().unwrap().send_close_notify();
        self.flush()
    }

    /// Encrypts and sends the records without rustls's `ServerConnection`, which cannot send records with arbitrary
    /// types and contents.
    fn endless_records(&mut self, typ: ContentType, records: &[Vec<u8>], calls: usize) -> io::Result<()> {
        let tls = self.tls.take().unwrap();
        let suite = tls.negotiated_cipher_suite().unwrap().tls13().unwrap();
        let (first, secrets) = tls.dangerous_extract_secrets().unwrap().tx;
        let (ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv }) = secrets
        else {
            panic!("the cipher is unknown");
        };
        let mut sent = 0;
        let mut encrypter = suite.aead_alg.encrypter(key, iv);
        for (number, bytes) in (first..).zip(records.iter().cycle()) {
            if self.observations.seen().is_flooded(calls) {
                break;
            }
            let payload = OutboundChunks::Single(bytes);
            let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
            let record = encrypter.encrypt(message, number).unwrap().encode();
            self.tcp.write_all(&record)?;
            sent += record.len();
            self.let_call_amid(sent)?;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => {
                let mut stream = rustls::Stream::new(&mut **tls, &mut self.tcp);
                stream.write_all(bytes)?;
                stream.flush()
            }
            None => self.tcp.write_all(bytes),
        }
    }

    /// Waits at most `limit` for data and appends it to `pending`. Returns the number of bytes, or 0 if the client has
    /// closed the connection.
    fn receive(&mut self, limit: Duration) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        self.tcp.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
        let length = match &mut self.tls {
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.tcp).read(&mut buffer)?,
            None => self.tcp.read(&mut buffer)?,
        };
        self.pending.extend_from_slice(&buffer[..length]);
        Ok(length)
    }

    /// Reads exactly `length` bytes.
    fn read_exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.pending.len() < length {
            if self.receive(LONGEST_WAIT)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.pending.drain(..length).collect())
    }

    fn read_head(&mut self) -> io::Result<()> {
        while !self.count_head() {
            if self.receive(LONGEST_WAIT)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    fn count_heads(&mut self) {
        while self.count_head() {}
    }

    /// Records the next request head if all of it has arrived. Returns whether it has.
    fn count_head(&mut self) -> bool {
        let Some(end) = self.pending.windows(END_OF_HEAD.len()).position(|bytes| bytes == END_OF_HEAD) else {
            return false;
        };
        let head: Vec<u8> = self.pending.drain(..end + END_OF_HEAD.len()).collect();
        self.observations.change(|seen| {
            seen.requests += usize::from(!head.starts_with(b"CONNECT "));
            seen.received.push(String::from_utf8_lossy(&head).into_owned());
        });
        true
    }

    fn endless(&mut self, bytes: &[u8]) -> io::Result<()> {
        let many = bytes.repeat(8192_usize.div_ceil(bytes.len()));
        while !self.observations.seen().is_flooded(1) {
            self.write(&many)?;
        }
        Ok(())
    }

    fn drip(&mut self, bytes: &[u8], pause: Duration) -> io::Result<()> {
        for byte in bytes {
            thread::sleep(pause);
            self.write(&[*byte])?;
        }
        Ok(())
    }

    /// Appends the data that arrives within `limit` to `pending`. Returns an error if the client closes the connection
    /// earlier.
    fn wait_for_end(&mut self, limit: Duration) -> io::Result<()> {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.receive(left) {
                _ if left.is_zero() => return Ok(()),
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.tcp.shutdown(Shutdown::Write)
    }

    fn note(&self, text: String) {
        self.observations.change(|seen| seen.received.push(text));
    }

    fn read_socks_greeting(&mut self) -> io::Result<()> {
        let count = self.read_exactly(2)?[1];
        let methods = self.read_exactly(count.into())?;
        self.note(format!("socks methods {methods:?}"));
        Ok(())
    }

    fn read_socks_password(&mut self) -> io::Result<()> {
        let user_length = self.read_exactly(2)?[1];
        let user = self.read_exactly(user_length.into())?;
        let password_length = self.read_exactly(1)?[0];
        let password = self.read_exactly(password_length.into())?;
        self.note(format!("socks {}:{}", String::from_utf8_lossy(&user), String::from_utf8_lossy(&password)));
        Ok(())
    }

    fn read_socks_target(&mut self) -> io::Result<()> {
        let kind = self.read_exactly(4)?[3];
        let host = match kind {
            3 => {
                let length = self.read_exactly(1)?[0];
                format!("name {}", String::from_utf8_lossy(&self.read_exactly(length.into())?))
            }
            1 => format!("address {:?}", self.read_exactly(4)?),
            _ => format!("address {:?}", self.read_exactly(16)?),
        };
        let port = self.read_exactly(2)?;
        self.note(format!("socks {host} port {}", u16::from_be_bytes([port[0], port[1]])));
        Ok(())
    }
}

/// Reads encrypted data from `tcp` and lets `tls` process it.
fn read_packets(tls: &mut ServerConnection, tcp: &mut TcpStream) -> io::Result<()> {
    if tls.read_tls(tcp)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    tls.process_new_packets().map(drop).map_err(io::Error::other)
}

/// A writer that sends at most 4 KiB per call, so that its caller can check the observations during a flood.
struct InPieces<'a>(&'a TcpStream);

impl Write for InPieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&bytes[..bytes.len().min(4096)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
