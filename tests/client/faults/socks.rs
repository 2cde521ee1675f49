//! Tests SOCKS5 proxies (RFC 1928, RFC 1929). A failure before the tunnel is established, unless it is a timeout, is
//! attributed to the proxy.

use nexmo_conversion::Kind;

use crate::authority::Identity;
use crate::case::{Case, case};
use crate::script::{OK, Script, Step, drip, endless, respond, send};
use crate::tls::secure;

const OPEN: [u8; 2] = [5, 0];
const WITH_PASSWORD: [u8; 2] = [5, 2];
const WELCOME: [u8; 2] = [1, 0];
const CONNECTED: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

/// Replies to the greeting that reject it or are invalid.
const GREETINGS: [(&str, &[u8]); 8] = [
    ("none of the methods", &[5, 0xff]),
    ("a method that was not offered", &[5, 1]),
    ("a password that was not offered", &WITH_PASSWORD),
    ("SOCKS4", &[4, 0]),
    ("version 0", &[0, 0]),
    ("one byte", &[5]),
    ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ("garbage", b"\xff\xfe\x01\x80"),
];

/// Replies to the connect request that reject it or are invalid.
const REPLIES: [(&str, &[u8]); 17] = [
    ("general failure", &[5, 1, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("not allowed", &[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("network unreachable", &[5, 3, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("host unreachable", &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("connection refused", &[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("time to live expired", &[5, 6, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("command not supported", &[5, 7, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("address type not supported", &[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("code 9", &[5, 9, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("code 255", &[5, 255, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("a failure and nothing more", &[5, 1]),
    ("SOCKS4", &[0, 90, 0, 0, 0, 0, 0, 0]),
    ("version 4", &[4, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ("an unknown type of address", &[5, 0, 0, 9, 0, 0, 0, 0, 0, 0]),
    ("three bytes", &[5, 0, 0]),
    ("half an address", &[5, 0, 0, 1, 127, 0]),
    ("half a name", &[5, 0, 0, 3, 200, b'x']),
];

pub(crate) fn cases() -> Vec<Case> {
    [passed(), rejected(), password_rejected(), silent(), in_the_tunnel()].concat()
}

fn proxied(name: &str) -> Case {
    case(format!("socks: {name}")).at("http://service.invalid:8080").through("socks5://{here}")
}

fn with_password(name: &str) -> Case {
    proxied(name).through("socks5://us%40er:p%3Ass@{here}")
}

/// Returns a script in which the proxy requires no password, replies to the connect request with `reply`, and then
/// plays `service`.
fn tunnel(reply: &[u8], service: Script) -> Script {
    [vec![Step::ReadSocksGreeting, send(OPEN), Step::ReadSocksTarget, send(reply)], service].concat()
}

/// Returns a script in which the proxy requires a password and replies to it with `reply`.
fn password(reply: &[u8]) -> Script {
    vec![Step::ReadSocksGreeting, send(WITH_PASSWORD), Step::ReadSocksPassword, send(reply)]
}

fn passed() -> Vec<Case> {
    let named: Vec<u8> = [&[5, 0, 0, 3, 5][..], b"bound", &[0, 80]].concat();
    let ipv6: Vec<u8> = [&[5, 0, 0, 4][..], &[0; 16], &[0, 80]].concat();
    let greeted = || vec![Step::ReadSocksGreeting, send(OPEN), Step::ReadSocksTarget];
    vec![
        proxied("a normal tunnel")
            .plays(tunnel(&CONNECTED, respond(OK)))
            .succeeds(200)
            .receives("socks name service.invalid port 8080"),
        with_password("with user and password")
            .plays([password(&WELCOME), vec![Step::ReadSocksTarget, send(CONNECTED)], respond(OK)].concat())
            .succeeds(200)
            .receives("socks us@er:p:ss")
            .receives("socks name service.invalid port 8080"),
        proxied("bound to a name").plays(tunnel(&named, respond(OK))).succeeds(200),
        proxied("bound to an IPv6 address").plays(tunnel(&ipv6, respond(OK))).succeeds(200),
        proxied("byte by byte").plays([greeted(), vec![drip(CONNECTED, 5)], respond(OK)].concat()).succeeds(200),
        proxied("TLS through the tunnel")
            .at("https://localhost:9443")
            .plays(tunnel(&CONNECTED, [vec![secure(Identity::Good)], respond(OK)].concat()))
            .succeeds(200)
            .receives("socks name localhost port 9443"),
        proxied("several calls in one tunnel")
            .plays(tunnel(&CONNECTED, vec![Step::Read, send(OK), Step::Read, send(OK)]))
            .plays(vec![Step::Finish])
            .succeeds(200)
            .succeeds(200)
            .requests(2..=2),
    ]
}

fn rejected() -> Vec<Case> {
    let fails = |name: String, script: Script| proxied(&name).plays(script).fails_unsent(Kind::Proxy).no_request();
    let greeted = |bytes: &[u8]| vec![Step::ReadSocksGreeting, send(bytes)];
    let mut cases: Vec<_> =
        GREETINGS.iter().map(|(name, bytes)| fails(format!("greets with {name}"), greeted(bytes))).collect();
    cases.extend(REPLIES.iter().map(|(name, bytes)| fails(format!("replies with {name}"), tunnel(bytes, Vec::new()))));
    cases.extend([
        fails("closes".to_owned(), vec![Step::Finish]),
        fails("closes after the greeting of the client".to_owned(), vec![Step::ReadSocksGreeting]),
        fails("closes after its own greeting".to_owned(), greeted(&OPEN)),
        fails("closes after the connect request".to_owned(), tunnel(&[], Vec::new())),
        fails("resets".to_owned(), vec![Step::Reset]),
        fails("resets after the connect request".to_owned(), tunnel(&[], vec![Step::Reset])),
        fails("garbage without end".to_owned(), vec![Step::ReadSocksGreeting, endless(b"\xff\xfe")]),
        proxied("no listener").through("socks5://{closed}").fails_unsent(Kind::Proxy).no_request(),
        proxied("has an unknown name")
            .through("socks5://proxy.invalid:1080")
            .fails_unsent(Kind::Proxy)
            .or(Kind::Timeout)
            .no_request(),
        proxied("rejects TLS")
            .at("https://localhost:9443")
            .plays(tunnel(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0], Vec::new()))
            .fails_unsent(Kind::Proxy)
            .no_request(),
    ]);
    cases
}

fn password_rejected() -> Vec<Case> {
    let fails = |name: &str, script: Script| with_password(name).plays(script).fails_unsent(Kind::Proxy).no_request();
    vec![
        fails("rejects the password", password(&[1, 1])),
        fails("rejects the password with 255", password(&[1, 255])),
        fails("half a reply to the password", password(&[1])),
        fails("an invalid reply to the password", password(&[7, 0])),
        fails("closes after the password", password(&[])),
        fails("does not support passwords", vec![Step::ReadSocksGreeting, send([5, 0xff])]),
    ]
}

fn silent() -> Vec<Case> {
    let fails = |name: &str, script: Script| proxied(name).plays(script).fails_unsent(Kind::Timeout).no_request();
    vec![
        fails("hangs", vec![Step::Stall]),
        fails("hangs after its own greeting", vec![Step::ReadSocksGreeting, send(OPEN), Step::Stall]),
        fails("hangs after the connect request", tunnel(&[], vec![Step::Stall])),
        fails("hangs in its reply", tunnel(&[5, 0, 0], vec![Step::Stall])),
        fails("one byte a second", vec![Step::ReadSocksGreeting, drip(OPEN, 1000)]),
        with_password("hangs after the password")
            .plays([password(&[]), vec![Step::Stall]].concat())
            .fails_unsent(Kind::Timeout)
            .no_request(),
        proxied("has a full backlog").through("socks5://{full}").fails_unsent(Kind::Timeout).no_request(),
        proxied("hangs, with a connect timeout of half a second and a timeout of a minute")
            .limit(60_000)
            .connect_limit(500)
            .plays(vec![Step::Stall])
            .fails_unsent(Kind::Timeout)
            .says("connect_timeout_ms expired")
            .within(500)
            .no_request(),
    ]
}

fn in_the_tunnel() -> Vec<Case> {
    let of = |name: &str, service: Script| proxied(name).plays(tunnel(&CONNECTED, service));
    vec![
        of("reports a tunnel, then sends garbage", respond("garbage\r\n\r\n")).fails(Kind::Protocol),
        of("reports a tunnel, then closes after the request", vec![Step::Read]).fails(Kind::Network),
        of("reports a tunnel, then hangs", vec![Step::Read, Step::Stall]).fails(Kind::Timeout),
        of("reports a tunnel, then sends garbage as a handshake", vec![send("garbage, and more of it")])
            .at("https://localhost:9443")
            .fails_unsent(Kind::Tls)
            .no_request(),
    ]
}
