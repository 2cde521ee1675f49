//! Tests HTTP `CONNECT` proxies. A failure before the tunnel is established, unless it is a timeout, is attributed to
//! the proxy. A response in the tunnel is attributed to the service, even if the proxy sent it.
//!
//! Without TLS, the service has a name that does not exist, so a call succeeds only if the client leaves resolving it to
//! the proxy.

use nexmo_conversion::Kind;

use crate::authority::Identity;
use crate::case::{Case, case};
use crate::script::{OK, Script, Step, drip, endless, respond, send};
use crate::tls::secure;

const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// Responses that reject `CONNECT`.
const REJECTIONS: [(&str, &str); 9] = [
    ("403", "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"),
    ("407", "HTTP/1.1 407 Who?\r\nproxy-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\n\r\n"),
    ("502", "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"),
    ("503 and a delay", "HTTP/1.1 503 Later\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n"),
    ("401", "HTTP/1.1 401 Who?\r\ncontent-length: 0\r\n\r\n"),
    ("402", "HTTP/1.1 402 Pay\r\ncontent-length: 0\r\n\r\n"),
    ("a redirect", "HTTP/1.1 302 Found\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n"),
    ("a redirect to another proxy", "HTTP/1.1 305 Use Proxy\r\nlocation: http://{elsewhere}/\r\n\r\n"),
    ("999", "HTTP/1.1 999 No\r\n\r\n"),
];

/// Invalid responses to `CONNECT`.
const NONSENSE: [(&str, &[u8]); 11] = [
    ("garbage", b"\x00\xff\xfe\x01\x80 \x13\x37\x00\x00"),
    ("garbage and a blank line", b"\x00\xff\xfe\x01\x80\r\n\r\n"),
    ("an SSH banner", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n"),
    ("HTTP/0.9", b"<html>OK</html>\r\n\r\n"),
    ("an HTTP/2 status line", b"HTTP/2 200\r\n\r\n"),
    ("a status in words", b"HTTP/1.1 two OK\r\n\r\n"),
    ("no status", b"HTTP/1.1\r\n\r\n"),
    ("000", b"HTTP/1.1 000 OK\r\n\r\n"),
    ("a SOCKS5 greeting", b"\x05\x00"),
    ("half a head", b"HTTP/1.1 200 Connection est"),
    ("a head without its last line end", b"HTTP/1.1 200 Connection established\r\n"),
];

pub(crate) fn cases() -> Vec<Case> {
    [passed(), rejected(), silent(), in_the_tunnel(), under_tls()].concat()
}

fn proxied(name: &str) -> Case {
    case(format!("proxy: {name}")).at("http://service.invalid:8080").through("http://{here}")
}

/// Returns a script in which the proxy responds to `CONNECT` with `head` and then plays `service`.
fn tunnel(head: &str, service: Script) -> Script {
    [vec![Step::Read, send(head)], service].concat()
}

fn passed() -> Vec<Case> {
    vec![
        proxied("a normal tunnel")
            .plays(tunnel(ESTABLISHED, respond(OK)))
            .succeeds(200)
            .receives("CONNECT service.invalid:8080 HTTP/1.1"),
        proxied("with user and password")
            .through("http://us%40er:p%3Ass%2Fword@{here}")
            .plays(tunnel(ESTABLISHED, respond(OK)))
            .succeeds(200)
            .receives("Basic dXNAZXI6cDpzcy93b3Jk"),
        proxied("several calls in one tunnel")
            .plays(tunnel(ESTABLISHED, vec![Step::Read, send(OK), Step::Read, send(OK)]))
            .plays(vec![Step::Finish])
            .succeeds(200)
            .succeeds(200)
            .requests(2..=2),
        proxied("an HTTP/1.0 response with additional headers")
            .plays(tunnel("HTTP/1.0 200 OK\r\nvia: x\r\nproxy-agent: old\r\n\r\n", respond(OK)))
            .succeeds(200),
        proxied("a success without a reason").plays(tunnel("HTTP/1.1 200\r\n\r\n", respond(OK))).succeeds(200),
        proxied("another success").plays(tunnel("HTTP/1.1 202 Fine\r\n\r\n", respond(OK))).succeeds(200),
        // Content-Length has no meaning in a successful response to CONNECT (RFC 9110, 9.3.6).
        proxied("a success with a length")
            .plays(tunnel("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", respond(OK)))
            .succeeds(200),
        proxied("interim responses, then a success")
            .plays(tunnel(
                &format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n{ESTABLISHED}"),
                respond(OK),
            ))
            .succeeds(200),
        proxied("an idle tunnel that is closed")
            .plays(tunnel(ESTABLISHED, vec![Step::Read, send(OK), Step::AwaitReturn, Step::Finish, Step::LetCall]))
            .plays(tunnel(ESTABLISHED, respond(OK)))
            .succeeds(200)
            .succeeds(200)
            .requests(2..=3),
    ]
}

fn rejected() -> Vec<Case> {
    let fails = |name: String, script: Script| proxied(&name).plays(script).fails_unsent(Kind::Proxy).no_request();
    let mut cases: Vec<_> =
        REJECTIONS.iter().map(|(name, head)| fails(format!("rejects with {name}"), respond(head))).collect();
    cases.extend(NONSENSE.iter().map(|(name, bytes)| fails(format!("responds with {name}"), respond(bytes))));
    cases.extend([
        fails("closes".to_owned(), vec![Step::Finish]),
        fails("closes after the request".to_owned(), vec![Step::Read]),
        fails("resets".to_owned(), vec![Step::Reset]),
        fails("resets after the request".to_owned(), vec![Step::Read, Step::Reset]),
        fails("a head without end".to_owned(), vec![Step::Read, send("HTTP/1.1 200 OK\r\n"), endless("x: y\r\n")]),
        fails("letters without end".to_owned(), vec![Step::Read, endless("A")]),
        fails("a rejection without end".to_owned(), vec![Step::Read, send("HTTP/1.1 403 No\r\n\r\n"), endless("x")]),
        fails("interim responses without end".to_owned(), vec![Step::Read, endless("HTTP/1.1 100 Continue\r\n\r\n")]),
        proxied("rejects user and password")
            .through("http://user:password@{here}")
            .plays(respond("HTTP/1.1 407 Who?\r\ncontent-length: 0\r\n\r\n"))
            .fails_unsent(Kind::Proxy)
            .no_request()
            .receives("Basic dXNlcjpwYXNzd29yZA=="),
        proxied("no listener").through("http://{closed}").fails_unsent(Kind::Proxy).no_request(),
        proxied("has an unknown name")
            .through("http://proxy.invalid:3128")
            .fails_unsent(Kind::Proxy)
            .or(Kind::Timeout)
            .no_request(),
    ]);
    cases
}

fn silent() -> Vec<Case> {
    let fails = |name: &str| proxied(name).fails_unsent(Kind::Timeout).no_request();
    vec![
        fails("has a full backlog").through("http://{full}"),
        fails("hangs").plays(vec![Step::Stall]),
        fails("hangs after the request").plays(vec![Step::Read, Step::Stall]),
        fails("hangs in its response").plays(vec![Step::Read, send("HTTP/1.1 200 Conn"), Step::Stall]),
        fails("one byte a second").plays(vec![Step::Read, drip(ESTABLISHED, 1000)]),
        fails("one byte every 50 ms").plays(vec![Step::Read, drip(ESTABLISHED, 50)]),
        proxied("hangs, with a connect timeout of half a second and a timeout of a minute")
            .limit(60_000)
            .connect_limit(500)
            .plays(vec![Step::Read, Step::Stall])
            .fails_unsent(Kind::Timeout)
            .says("connect_timeout_ms expired")
            .within(500)
            .no_request(),
    ]
}

fn in_the_tunnel() -> Vec<Case> {
    let of = |name: &str, service: Script| proxied(name).plays(tunnel(ESTABLISHED, service));
    vec![
        of("reports a tunnel, then sends garbage", respond("garbage\r\n\r\n")).fails(Kind::Protocol),
        of("reports a tunnel, then closes", vec![Step::Finish]).fails(Kind::Network).requests(0..=1),
        of("reports a tunnel, then closes after the request", vec![Step::Read]).fails(Kind::Network),
        of("reports a tunnel, then hangs", vec![Step::Read, Step::Stall]).fails(Kind::Timeout),
        of("sends 200 twice", respond(ESTABLISHED)).succeeds(200),
        of("forwards a rejection", respond("HTTP/1.1 402 No\r\ncontent-length: 0\r\n\r\n"))
            .fails(Kind::NotEnabled)
            .status(402),
        of(
            "forwards a redirect",
            respond("HTTP/1.1 302 Found\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n"),
        )
        .fails(Kind::Redirected)
        .status(302),
        of("forwards 407 from the service", respond("HTTP/1.1 407 Who?\r\ncontent-length: 0\r\n\r\n"))
            .fails(Kind::UnexpectedStatus)
            .status(407),
    ]
}

fn under_tls() -> Vec<Case> {
    let of =
        |name: &str, base_url: &str, service: Script| proxied(name).at(base_url).plays(tunnel(ESTABLISHED, service));
    let localhost = "https://localhost:9443/prefix";
    vec![
        of("TLS through the tunnel", localhost, [vec![secure(Identity::Good)], respond(OK)].concat())
            .succeeds(200)
            .receives("CONNECT localhost:9443 HTTP/1.1"),
        of("TLS at the default port", "https://localhost", [vec![secure(Identity::Good)], respond(OK)].concat())
            .succeeds(200)
            .receives("CONNECT localhost:443 HTTP/1.1"),
        of(
            "impersonates the service with a certificate for another name",
            "https://service.invalid",
            vec![secure(Identity::Good)],
        )
        .fails_unsent(Kind::Tls)
        .no_request(),
        of(
            "impersonates the service with an untrusted certificate",
            localhost,
            vec![secure(Identity::UnknownAuthority)],
        )
        .fails_unsent(Kind::Tls)
        .no_request(),
        of("reports a tunnel, then sends garbage as a handshake", localhost, vec![send("garbage, and more of it")])
            .fails_unsent(Kind::Tls)
            .no_request(),
        of("reports a tunnel, then closes in the handshake", localhost, vec![Step::Finish])
            .fails_unsent(Kind::Network)
            .no_request(),
        of("reports a tunnel, then hangs in the handshake", localhost, vec![Step::Stall])
            .fails_unsent(Kind::Timeout)
            .no_request(),
        proxied("rejects TLS with 403")
            .at(localhost)
            .plays(respond("HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n"))
            .fails_unsent(Kind::Proxy)
            .no_request(),
    ]
}
