//! Tests the framing of bodies. A wrong or invalid length never changes the class: a 402 with a wrong length is still a
//! 402.

use nexmo_conversion::Kind;

use crate::case::{Case, case};
use crate::script::{Step, drip, respond, send};

/// Invalid content-length headers.
const SENSELESS: [(&str, &str); 10] = [
    ("a negative length", "content-length: -1"),
    ("a length in words", "content-length: two"),
    ("a length with a plus", "content-length: +2"),
    ("a length in hex", "content-length: 0x2"),
    ("a length with a fraction", "content-length: 2.0"),
    ("an empty length", "content-length:"),
    ("a length beyond 64 bits", "content-length: 99999999999999999999999999"),
    ("two different lengths", "content-length: 2\r\ncontent-length: 3"),
    ("two different lengths in one line", "content-length: 2, 3"),
    ("two lengths separated by a space", "content-length: 2 3"),
];

/// Chunked bodies that are malformed, or that a strict parser rejects. The head alone determines the class.
const BROKEN_CHUNKS: [(&str, &str); 14] = [
    ("a chunk without a size", "\r\nOK\r\n0\r\n\r\n"),
    ("a chunk size in words", "two\r\nOK\r\n0\r\n\r\n"),
    ("a negative chunk size", "-2\r\nOK\r\n0\r\n\r\n"),
    ("a chunk size of 2^64 - 1", "ffffffffffffffff\r\nOK\r\n0\r\n\r\n"),
    ("a chunk size beyond 64 bits", "10000000000000002\r\nOK\r\n0\r\n\r\n"),
    ("a chunk size of many zeroes", "000000000000000000000000000000000000000000002\r\nOK\r\n0\r\n\r\n"),
    ("a chunk that is longer than its size", "2\r\nOKOK\r\n0\r\n\r\n"),
    ("a chunk that is shorter than its size", "a\r\nOK\r\n0\r\n\r\n"),
    ("a chunk without a size after a valid chunk", "2\r\nOK\r\n\r\n\r\n"),
    ("a chunk extension without a chunk", "2\r\nOK\r\n;x\r\n\r\n"),
    ("no last chunk", "2\r\nOK\r\n"),
    ("half a last chunk", "2\r\nOK\r\n0\r\n"),
    ("a chunk with bare LF line ends", "2\nOK\n0\n\n"),
    ("a NUL for a chunk size", "\0\r\nOK\r\n0\r\n\r\n"),
];

/// Framings that are valid or that clients usually tolerate.
const WHOLE: [(&str, &str); 8] = [
    ("two equal lengths", "content-length: 2\r\ncontent-length: 2\r\n\r\nOK"),
    ("chunks", "transfer-encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n"),
    ("chunks with extensions and trailers", "transfer-encoding: chunked\r\n\r\n2;a=b\r\nOK\r\n0;c\r\nx: y\r\n\r\n"),
    ("chunks in capitals", "Transfer-Encoding: CHUNKED\r\n\r\n2\r\nOK\r\n0\r\n\r\n"),
    ("chunks and a length", "content-length: 99\r\ntransfer-encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n"),
    ("no length, a body up to the end of the connection", "\r\nOK"),
    ("no length and no body", "\r\n"),
    ("an unknown transfer encoding", "transfer-encoding: brotli\r\n\r\nOK"),
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, header) in SENSELESS {
        cases.push(broken(name, &format!("HTTP/1.1 STATUS\r\n{header}\r\n\r\nOK")));
    }
    for (name, body) in BROKEN_CHUNKS {
        cases.push(broken(name, &format!("HTTP/1.1 STATUS\r\ntransfer-encoding: chunked\r\n\r\n{body}")));
    }
    for (name, rest) in WHOLE {
        let rest =
            if let Some(body) = rest.strip_prefix("\r\n") { format!("x: y\r\n\r\n{body}") } else { rest.to_owned() };
        cases.push(case(format!("framing: {name}")).plays(respond(format!("HTTP/1.1 200 OK\r\n{rest}"))).succeeds(200));
    }
    cases.extend([
        broken("a body shorter than its Content-Length", "HTTP/1.1 STATUS\r\ncontent-length: 10\r\n\r\nshort"),
        broken("a body longer than its Content-Length", "HTTP/1.1 STATUS\r\ncontent-length: 2\r\n\r\nlonger"),
        broken("a length of 2^64 - 1", "HTTP/1.1 STATUS\r\ncontent-length: 18446744073709551615\r\n\r\nshort"),
        slow_chunks(),
    ]);
    cases
}

/// Returns a case in which a 402 and then a 202 have the same faulty framing, which must not affect the result of
/// either call. The second call starts once all of the first response has arrived.
fn broken(name: &str, bytes: &str) -> Case {
    let rejected = bytes.replace("STATUS", "402 No");
    let success = bytes.replace("STATUS", "202 Fine");
    case(format!("framing: {name}"))
        .plays([respond(rejected), vec![Step::LetCall]].concat())
        .plays(respond(success))
        .requests(2..=3)
        .fails(Kind::NotEnabled)
        .status(402)
        .succeeds(202)
}

fn slow_chunks() -> Case {
    let head = "HTTP/1.1 402 No\r\ntransfer-encoding: chunked\r\n\r\n";
    case("framing: an endless chunk size")
        .plays(vec![Step::Read, send(head), drip("0".repeat(100), 50)])
        .awaits_body()
        .fails(Kind::NotEnabled)
        .status(402)
}
