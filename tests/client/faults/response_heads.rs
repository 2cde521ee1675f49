//! Tests unusual response heads, and data that is not a response head.

use nexmo_conversion::Kind;

use crate::case::{Case, case};
use crate::script::{OK, Step, drip, endless, respond, send};

/// Unusual heads that the client accepts, some with bodies.
const ODD: [(&str, &str); 15] = [
    ("lines that end in a bare LF", "HTTP/1.1 200 OK\ncontent-length: 2\n\nOK"),
    ("an empty line before the head", "\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ("no reason", "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n"),
    ("a space for a reason", "HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n"),
    ("a reason in UTF-8", "HTTP/1.1 200 Gut, schön\r\ncontent-length: 0\r\n\r\n"),
    ("a header value in UTF-8", "HTTP/1.1 200 OK\r\nx: schön\r\ncontent-length: 0\r\n\r\n"),
    ("an empty header value", "HTTP/1.1 200 OK\r\nx:\r\ncontent-length: 0\r\n\r\n"),
    ("header names in capitals", "HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 0\r\n\r\n"),
    ("no space after colons", "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n"),
    ("spaces and tabs around a value", "HTTP/1.1 200 OK\r\ncontent-length: \t 0 \t \r\n\r\n"),
    ("HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nOK"),
    ("HTTP/1.0 and a body to the end", "HTTP/1.0 200 OK\r\n\r\nOK"),
    ("HTTP/1.2", "HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ("no header", "HTTP/1.1 200 OK\r\n\r\n"),
    ("a cookie", "HTTP/1.1 200 OK\r\nset-cookie: a=b; Path=/\r\ncontent-length: 0\r\n\r\n"),
];

/// Bytes that are not HTTP.
const NOT_HTTP: [(&str, &[u8]); 15] = [
    ("HTTP/0.9, a body without a head", b"<html><body>OK</body></html>\r\n"),
    ("a body of one word", b"OK\r\n\r\n"),
    ("HTTP/2 frames", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00"),
    ("the HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("an HTTP/2 status line", b"HTTP/2 200\r\n\r\n"),
    ("an HTTP/2.0 status line", b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ("an HTTP/1.X status line", b"HTTP/1.X 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ("an http/1.1 status line", b"http/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ("an ICY status line", b"ICY 200 OK\r\n\r\n"),
    ("garbage", b"\x00\xff\xfe\x01\x80 \x13\x37\x00\x00"),
    ("NULs", &[0; 512]),
    ("an SSH banner", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    ("an SMTP greeting", b"220 mail.test ESMTP ready\r\n"),
    ("a TLS alert", b"\x15\x03\x03\x00\x02\x02\x46"),
    ("a request", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"),
];

/// Heads with an invalid header line or reason. The client rejects the whole response, because it cannot determine
/// reliably where the head ends.
const MALFORMED: [(&str, &[u8]); 7] = [
    ("NUL in a header's value", b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n"),
    ("NUL in a header's name", b"HTTP/1.1 200 OK\r\nx\0y: a\r\ncontent-length: 0\r\n\r\n"),
    ("NUL in the reason", b"HTTP/1.1 200 O\0K\r\ncontent-length: 0\r\n\r\n"),
    ("CR in a header's value", b"HTTP/1.1 200 OK\r\nx: a\rb\r\ncontent-length: 0\r\n\r\n"),
    ("a header without a colon", b"HTTP/1.1 200 OK\r\nnonsense\r\ncontent-length: 0\r\n\r\n"),
    ("a header without a name", b"HTTP/1.1 200 OK\r\n: x\r\ncontent-length: 0\r\n\r\n"),
    ("a space before the colon", b"HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n"),
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> =
        ODD.iter().map(|(name, bytes)| case(format!("head: {name}")).plays(respond(bytes)).succeeds(200)).collect();
    cases.extend(
        NOT_HTTP
            .iter()
            .chain(&MALFORMED)
            .map(|(name, bytes)| case(format!("not HTTP: {name}")).plays(respond(bytes)).fails(Kind::Protocol)),
    );
    cases.extend(large());
    cases.extend(slow());
    cases
}

fn large() -> Vec<Case> {
    let with = |headers: &str| respond(format!("HTTP/1.1 200 OK\r\n{headers}content-length: 0\r\n\r\n"));
    let long = |length: usize| with(&format!("x: {}\r\n", "x".repeat(length)));
    let endless_after = |start: &str, bytes: &str| vec![Step::Read, send(start), endless(bytes)];
    vec![
        case("a header of 4 KiB").plays(long(4096)).succeeds(200),
        case("a header of 100 KiB").plays(long(100 * 1024)).fails(Kind::Protocol),
        case("a header of 30 KiB").plays(long(30 * 1024)).succeeds(200),
        case("120 headers").plays(with(&"x: y\r\n".repeat(120))).succeeds(200),
        case("Retry-After following 120 headers")
            .plays(respond(format!("HTTP/1.1 429 No\r\n{}retry-after: 7\r\n\r\n", "x: y\r\n".repeat(120))))
            .fails(Kind::RateLimited)
            .status(429)
            .asks_to_wait(7000..=7000),
        case("1000 headers").plays(with(&"x: y\r\n".repeat(1000))).succeeds(200),
        case("1000 long headers")
            .plays(with(&format!("x: {}\r\n", "y".repeat(100)).repeat(1000)))
            .fails(Kind::Protocol),
        case("headers without end").plays(endless_after("HTTP/1.1 200 OK\r\n", "x: y\r\n")).fails(Kind::Protocol),
        case("one header without end").plays(endless_after("HTTP/1.1 200 OK\r\nx: ", "x")).fails(Kind::Protocol),
        case("a reason without end").plays(endless_after("HTTP/1.1 200 ", "x")).fails(Kind::Protocol),
        case("empty lines without end").plays(endless_after("", "\r\n")).fails(Kind::Protocol),
        case("NULs without end").plays(endless_after("", "\0")).fails(Kind::Protocol),
        case("letters without end").plays(endless_after("", "A")).fails(Kind::Protocol),
    ]
}

fn slow() -> Vec<Case> {
    let after_the_request = |step: Step| vec![Step::Read, step];
    vec![
        case("no response").plays(after_the_request(Step::Stall)).fails(Kind::Timeout),
        case("no response, for 3 s").limit(3000).plays(after_the_request(Step::Stall)).fails(Kind::Timeout),
        case("an invalid header line, then nothing")
            .plays(vec![Step::Read, send("HTTP/1.1 200 OK\r\nno colon\r\n"), Step::Stall])
            .fails(Kind::Protocol),
        case("a connection that is not read").plays(vec![Step::Ignore]).fails(Kind::Timeout).requests(0..=1),
        case("a head at one byte a second").plays(after_the_request(drip(OK, 1000))).fails(Kind::Timeout),
        case("a head at one byte every 50 ms").plays(after_the_request(drip(OK, 50))).fails(Kind::Timeout),
        case("a head at one byte every 2 ms").plays(after_the_request(drip(OK, 2))).succeeds(200),
        case("half a head, then nothing")
            .plays(vec![Step::Read, send("HTTP/1.1 200 OK\r\ncontent-le"), Step::Stall])
            .fails(Kind::Timeout),
        case("a head without its last line end, then nothing")
            .plays(vec![Step::Read, send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"), Step::Stall])
            .fails(Kind::Timeout),
        case("a redirect without its last line end, then nothing")
            .plays(vec![Step::Read, send("HTTP/1.1 302 Found\r\nlocation: http://{elsewhere}/\r\n"), Step::Stall])
            .fails(Kind::Timeout),
    ]
}
