//! Tests connections that cannot be established, that are lost during a call or while idle, and that the client must or
//! must not reuse.

use nexmo_conversion::Kind;

use crate::case::{Case, case};
use crate::script::{OK, Script, Step, drip, respond, send};

const FORGED: &str = "HTTP/1.1 402 Forged\r\ncontent-length: 0\r\n\r\n";

pub(crate) fn cases() -> Vec<Case> {
    [not_made(), lost(), kept(), not_kept()].concat()
}

fn not_made() -> Vec<Case> {
    vec![
        case("no listener").at("http://{closed}").fails_unsent(Kind::Network).no_request(),
        case("no listener on either address of localhost")
            .at("http://localhost:{closed-port}")
            .fails_unsent(Kind::Network)
            .no_request(),
        case("no listener, and a timeout of a minute")
            .at("http://{closed}")
            .fails_unsent(Kind::Network)
            .within(0)
            .no_request(),
        case("a full backlog").at("http://{full}").fails_unsent(Kind::Timeout).no_request(),
        case("a full backlog, a connect timeout of half a second, a timeout of a minute")
            .limit(60_000)
            .connect_limit(500)
            .at("http://{full}")
            .fails_unsent(Kind::Timeout)
            .says("connect_timeout_ms expired")
            .within(500)
            .no_request(),
        case("a full backlog, a connect timeout of a minute, a timeout of half a second")
            .limit(500)
            .connect_limit(60_000)
            .at("http://{full}")
            .fails_unsent(Kind::Timeout)
            .says("timeout_ms expired before")
            .within(500)
            .no_request(),
        case("a full backlog for TLS").at("https://{full}").fails_unsent(Kind::Timeout).no_request(),
        case("a server on localhost that listens on ::1 but not on 127.0.0.1")
            .only_on_ipv6()
            .at("http://localhost:{port}")
            .plays(respond(OK))
            .succeeds(200),
        case("an IPv6 address").only_on_ipv6().at("http://[::1]:{port}").plays(respond(OK)).succeeds(200),
    ]
}

fn lost() -> Vec<Case> {
    let after = |bytes: &str, end: Step| vec![Step::Read, send(bytes), end];
    let lost = |name: &str, script: Script| case(name).plays(script).fails(Kind::Network);
    vec![
        lost("closed before the request is read", vec![Step::Finish]).requests(0..=1),
        lost("reset before the request is read", vec![Step::Reset]).or_unsent().requests(0..=1),
        lost("closed before the head", vec![Step::Read]),
        lost("reset before the head", vec![Step::Read, Step::Reset]),
        lost("closed after one byte", after("H", Step::Finish)),
        lost("closed in the status line", after("HTTP/1.1 20", Step::Finish)),
        lost("reset in the status line", after("HTTP/1.1 20", Step::Reset)),
        lost("closed after the status line", after("HTTP/1.1 200 OK\r\n", Step::Finish)),
        lost("closed in the head", after("HTTP/1.1 200 OK\r\ncontent-le", Step::Finish)),
        lost("reset in the head", after("HTTP/1.1 200 OK\r\ncontent-le", Step::Reset)),
        lost("closed before the last line end of the head", after("HTTP/1.1 200 OK\r\nx: y\r\n", Step::Finish)),
        lost(
            "closed before the last line end of a redirect",
            after("HTTP/1.1 302 Found\r\nlocation: /\r\n", Step::Finish),
        ),
        case("reset in the body")
            .plays(after("HTTP/1.1 402 No\r\ncontent-length: 10\r\n\r\nshort", Step::Reset))
            .fails(Kind::NotEnabled)
            .status(402)
            .or(Kind::Network),
        case("closed in the body")
            .plays(after("HTTP/1.1 402 No\r\ncontent-length: 10\r\n\r\nshort", Step::Finish))
            .fails(Kind::NotEnabled)
            .status(402),
        case("closed after the head")
            .plays(after("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n", Step::Finish))
            .succeeds(200),
        case("a response before the request is read").plays(vec![send(OK), Step::Read]).succeeds(200),
        case("a response before the request is read, then closed")
            .plays(vec![send(OK), Step::Finish])
            .succeeds(200)
            .requests(0..=1),
    ]
}

/// Returns cases in which the client keeps its connection after the first call. In most cases, the server then ends the
/// connection or sends unsolicited data before the second call gets its response.
fn kept() -> Vec<Case> {
    let meanwhile = |name: &str, steps: Script| {
        let first = [vec![Step::Read, send(OK), Step::AwaitReturn], steps].concat();
        case(name).plays(first).plays(respond(OK)).succeeds(200).succeeds(200).requests(2..=3)
    };
    let with_second = |name: &str, second: Script| {
        case(name).plays([vec![Step::Read, send(OK), Step::Read], second].concat()).plays(respond(OK)).succeeds(200)
    };
    vec![
        case("a connection that several calls reuse")
            .plays(vec![Step::Read, send(OK), Step::Read, send(OK), Step::Read, send(OK)])
            .plays(respond(FORGED))
            .succeeds(200)
            .succeeds(200)
            .succeeds(200)
            .requests(3..=3),
        meanwhile("idle, then closed", vec![Step::Finish, Step::LetCall]),
        meanwhile(
            "idle, then closed after an unsolicited 408",
            vec![
                send("HTTP/1.1 408 Slow\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
                Step::Finish,
                Step::LetCall,
            ],
        ),
        meanwhile("idle, then a forged response", vec![send(FORGED), Step::LetCall, Step::Stall]),
        meanwhile("idle, then half a forged response", vec![send("HTTP/1.1 402 For"), Step::LetCall, Step::Stall]),
        meanwhile("idle, then one byte", vec![send("\n"), Step::LetCall, Step::Stall]),
        with_second("reused, then closed during a request", vec![Step::Finish]).succeeds(200).requests(3..=3),
        with_second("reused, then reset during a request", vec![Step::Reset]).succeeds(200).requests(3..=3),
        with_second("reused, then closed after half a response", vec![send("HTTP/1.1 200 O")])
            .fails(Kind::Network)
            .requests(2..=2),
        with_second("reused, then no response", vec![Step::Stall]).fails(Kind::Timeout).requests(2..=2),
        with_second("reused, then garbage", vec![send("garbage\r\n\r\n")]).fails(Kind::Protocol).requests(2..=2),
        case("reused, then closed during a request, and the new connection closed too")
            .plays(vec![Step::Read, send(OK), Step::Read])
            .plays(vec![Step::Read])
            .succeeds(200)
            .fails(Kind::Network)
            .requests(3..=3),
        case("idle, then reset")
            .plays(vec![Step::Read, send(OK), Step::AwaitReturn, Step::Reset])
            .plays(respond(OK))
            .succeeds(200)
            .succeeds(200)
            .requests(2..=3),
        case("extra bytes with the response")
            .plays(vec![Step::Read, send([OK, FORGED].concat()), Step::LetCall, Step::Stall])
            .plays(respond(OK))
            .succeeds(200)
            .succeeds(200)
            .requests(2..=2),
        case("an extra line end with the response")
            .plays(vec![Step::Read, send([OK, "\r\n"].concat()), Step::LetCall, Step::Read, send(OK)])
            .plays(respond(OK))
            .succeeds(200)
            .succeeds(200)
            .requests(2..=2),
        case("ten MiB after the response")
            .plays(vec![
                Step::Read,
                send([OK, &"x".repeat(1024)].concat()),
                Step::LetCall,
                Step::Repeat(vec![b'x'; 65_536], 160),
            ])
            .plays(respond(OK))
            .succeeds(200)
            .succeeds(200)
            .requests(2..=2),
    ]
}

fn not_kept() -> Vec<Case> {
    let closing = |name: &str, response: &str| {
        case(name)
            .plays(vec![Step::Read, send(response), Step::Read, send(FORGED)])
            .plays(respond(OK))
            .succeeds(200)
            .succeeds(200)
            .requests(2..=2)
    };
    vec![
        closing("connection: close", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nOK"),
        closing("Connection: Close", "HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 2\r\n\r\nOK"),
        closing("HTTP/1.0 without keep-alive", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nOK"),
        case("a response byte by byte, up to the end of the connection")
            .plays(vec![Step::Read, drip("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nOK", 1)])
            .plays(respond(OK))
            .succeeds(200)
            .succeeds(200)
            .requests(2..=2),
    ]
}
