//! Connects through a proxy: HTTP `CONNECT` (RFC 9110, 9.3.6) or SOCKS5 (RFC 1928, RFC 1929).
//!
//! The proxy receives the service's host name and resolves it. Once the proxy has connected to the service, the
//! connection behaves like a direct one.

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::response_head::status_of;
use super::socket::Socket;
use crate::options::base_url::BaseUrl;
use crate::options::proxy_url::{ProxyKind, ProxyUrl, ProxyUser};

/// The capacity, in bytes, for the constant parts of a `CONNECT` request, such as the header names.
const CAPACITY_FOR_CONSTANT_PARTS: usize = 128;

/// The maximum length of the head of a response to `CONNECT`, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// The maximum number of interim responses to `CONNECT`.
const MOST_INTERIM_RESPONSES: usize = 16;

/// Makes `proxy`, at the other end of `socket`, connect to `service`.
pub(super) fn open_tunnel(
    proxy: &ProxyUrl,
    socket: &Socket,
    service: &BaseUrl,
    deadline: Option<Instant>,
) -> io::Result<()> {
    let line = Line { socket, deadline };
    match proxy.kind {
        ProxyKind::Http => open_http(proxy, &line, service.host(), service.port()),
        ProxyKind::Socks5 => open_socks5(proxy, &line, service.host(), service.port()),
    }
}

fn open_http(proxy: &ProxyUrl, line: &Line<'_>, host: &str, port: u16) -> io::Result<()> {
    let authorization = proxy.user.as_ref().map(|user| {
        let mut pair = Zeroizing::new(String::with_capacity(user.name.len() + 1 + user.password.expose().len()));
        pair.extend([&user.name, ":", user.password.expose()]);
        Zeroizing::new(STANDARD.encode(pair.as_bytes()))
    });
    let target = format!("{host}:{port}");
    // The capacity is reserved in full, because a string that reallocates leaves unwiped copies behind.
    let capacity =
        2 * target.len() + authorization.as_ref().map_or(0, |proof| proof.len()) + CAPACITY_FOR_CONSTANT_PARTS;
    let mut head = Zeroizing::new(String::with_capacity(capacity));
    head.extend(["CONNECT ", &target, " HTTP/1.1\r\nhost: ", &target]);
    if let Some(proof) = &authorization {
        head.extend(["\r\nproxy-authorization: Basic ", proof.as_str()]);
    }
    head.push_str("\r\n\r\n");
    line.write(head.as_bytes())?;
    // The response is read byte by byte, because the data after the head belongs to the service.
    read_connect_response(|| line.read::<1>().map(|[byte]| byte))
}

/// Reads the response to `CONNECT` byte by byte. Skips interim responses.
pub(super) fn read_connect_response(mut read: impl FnMut() -> io::Result<u8>) -> io::Result<()> {
    for _ in 0..=MOST_INTERIM_RESPONSES {
        match status_of(&read_head(&mut read)?) {
            Some(200..=299) => return Ok(()),
            Some(100 | 102..=199) => {}
            Some(407) => return Err(failed("the proxy requires a user and password, or rejected them (HTTP 407)")),
            Some(status) => return Err(failed(format!("the proxy responded with HTTP {status}"))),
            None => return Err(failed("the proxy's response is not HTTP")),
        }
    }
    Err(failed("the proxy sent too many interim responses (HTTP 1xx) before a final response"))
}

fn read_head(read: &mut impl FnMut() -> io::Result<u8>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= LONGEST_HEAD {
            return Err(failed("the head of the proxy's response is too large"));
        }
        head.push(read()?);
    }
    Ok(head)
}

fn open_socks5(proxy: &ProxyUrl, line: &Line<'_>, host: &str, port: u16) -> io::Result<()> {
    const NO_AUTHENTICATION: u8 = 0;
    const USER_AND_PASSWORD: u8 = 2;
    match &proxy.user {
        None => line.write(&[5, 1, NO_AUTHENTICATION])?,
        Some(_) => line.write(&[5, 2, NO_AUTHENTICATION, USER_AND_PASSWORD])?,
    }
    match (line.read::<2>()?, &proxy.user) {
        ([5, NO_AUTHENTICATION], _) => {}
        ([5, USER_AND_PASSWORD], Some(user)) => authenticate_to_socks5(line, user)?,
        _ => return Err(failed("the proxy does not support SOCKS5 with this authentication method")),
    }
    line.write(&[&[5, 1, 0], socks5_address(host)?.as_slice(), &port.to_be_bytes()].concat())?;
    read_socks5_reply(line)
}

fn authenticate_to_socks5(line: &Line<'_>, user: &ProxyUser) -> io::Result<()> {
    let part = |text: &str| -> io::Result<Zeroizing<Vec<u8>>> {
        let length = u8::try_from(text.len()).map_err(|_| failed("the user or password is too long for SOCKS5"))?;
        Ok(Zeroizing::new([&[length], text.as_bytes()].concat()))
    };
    let (name, password) = (part(&user.name)?, part(user.password.expose())?);
    line.write(&Zeroizing::new([&[1], name.as_slice(), password.as_slice()].concat()))?;
    if line.read::<2>()?[1] == 0 { Ok(()) } else { Err(failed("the proxy rejected the user or password")) }
}

/// Returns a host in SOCKS5 encoding: a binary address, or the length and the text of a name, which the proxy resolves.
fn socks5_address(host: &str) -> io::Result<Vec<u8>> {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => Ok([&[1], address.octets().as_slice()].concat()),
        Ok(IpAddr::V6(address)) => Ok([&[4], address.octets().as_slice()].concat()),
        Err(_) => {
            let length = u8::try_from(host.len()).map_err(|_| failed("the host name is too long for SOCKS5"))?;
            Ok([&[3, length], host.as_bytes()].concat())
        }
    }
}

fn read_socks5_reply(line: &Line<'_>) -> io::Result<()> {
    let [version, code, _, kind] = line.read::<4>()?;
    if version != 5 {
        return Err(failed("the proxy's response is not SOCKS5"));
    }
    if code != 0 {
        return Err(failed(format!("the proxy reported a failure: {}", socks5_reason(code))));
    }
    // The rest of the reply is the proxy's own address or name and its port, which are not needed.
    let address = match kind {
        1 => 4,
        3 => usize::from(line.read::<1>()?[0]),
        4 => 16,
        _ => return Err(failed("the proxy's response is not SOCKS5")),
    };
    for _ in 0..address + 2 {
        line.read::<1>()?;
    }
    Ok(())
}

/// Returns the meaning of a reply code of RFC 1928.
fn socks5_reason(code: u8) -> &'static str {
    match code {
        1 => "general failure",
        2 => "not allowed",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection failed",
        6 => "time to live expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unknown reason",
    }
}

fn failed(message: impl Into<String>) -> io::Error {
    io::Error::other(message.into())
}

/// A connection to the proxy with a deadline.
struct Line<'a> {
    socket: &'a Socket,
    deadline: Option<Instant>,
}

impl Line<'_> {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if self.socket.write_all(bytes, self.deadline)? { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) }
    }

    fn read<const LENGTH: usize>(&self) -> io::Result<[u8; LENGTH]> {
        let mut bytes = [0; LENGTH];
        let mut missing = bytes.as_mut_slice();
        while !missing.is_empty() {
            let read = self.socket.read(missing, self.deadline)?.ok_or(io::ErrorKind::TimedOut)?;
            if read == 0 {
                return Err(failed("the proxy closed the connection"));
            }
            missing = missing.split_at_mut_checked(read).map_or(&mut [], |(_, rest)| rest);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the result for a proxy that sends `response`, and the part of the response that was not read.
    fn connect(response: &str) -> (Result<(), String>, &str) {
        let mut read = 0;
        let next = || {
            read += 1;
            response.as_bytes().get(read - 1).copied().ok_or_else(|| failed("the end"))
        };
        let result = read_connect_response(next).map_err(|error| error.to_string());
        (result, response.get(read..).unwrap_or_default())
    }

    #[test]
    fn interim_responses_are_skipped_up_to_a_limit() {
        let (continues, hints) = ("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n");
        let (final_one, rest) = ("HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200");
        assert_eq!(connect(&format!("{continues}{hints}{final_one}{rest}")), (Ok(()), rest));
        let rejected = connect(&format!("{continues}HTTP/1.1 403 No\r\n\r\n")).0;
        assert_eq!(rejected.unwrap_err(), "the proxy responded with HTTP 403");
        assert_eq!(connect(&format!("{}{final_one}", continues.repeat(MOST_INTERIM_RESPONSES))).0, Ok(()));
        let too_many = connect(&continues.repeat(MOST_INTERIM_RESPONSES + 9)).0;
        assert!(too_many.unwrap_err().contains("too many interim"));
        assert!(connect("HTTP/1.1 101 Switching\r\n\r\n").0.is_err());
    }
}
