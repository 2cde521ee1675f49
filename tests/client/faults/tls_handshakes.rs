//! Tests valid and invalid certificates of a server, handshakes that fail, and faults after a handshake.

use nexmo_conversion::Kind;

use crate::authority::Identity;
use crate::case::{Case, case, secure_case};
use crate::script::{OK, Script, Step, drip, endless, respond, send};
use crate::tls::{secure, secure_1_2};

const UNTRUSTED: [(&str, Identity); 9] = [
    ("that is self-signed", Identity::SelfSigned),
    ("expired", Identity::Expired),
    ("that is not yet valid", Identity::NotYetValid),
    ("for another host", Identity::OtherHost),
    ("with the name in the subject only", Identity::NoAlternativeName),
    ("from an unknown authority", Identity::UnknownAuthority),
    ("from an authority with the name of the trusted one", Identity::FalseAuthority),
    ("that a server signed", Identity::ByNoAuthority),
    ("for clients only", Identity::ForClients),
];

/// Data that a server may send instead of its first handshake message.
const NO_HANDSHAKE: [(&str, &[u8]); 11] = [
    ("TLS 1.0 only", b"\x15\x03\x01\x00\x02\x02\x46"),
    ("an alert that the handshake failed", b"\x15\x03\x03\x00\x02\x02\x28"),
    ("an alert that the name is unknown", b"\x15\x03\x03\x00\x02\x02\x70"),
    ("SSL 3", b"\x15\x03\x00\x00\x02\x02\x28"),
    ("a plain HTTP 200", OK.as_bytes()),
    ("a plain HTTP 400", b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
    ("garbage", b"\x00\xff\xfe\x01\x80 \x13\x37\x00\x00 and more of it"),
    ("NULs", &[0; 512]),
    ("an SSH banner", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    ("application data", b"\x17\x03\x03\x00\x05hello"),
    ("a message of 16 MiB", b"\x16\x03\x03\x00\x06\x02\xff\xff\xff\x03\x03"),
];

pub(crate) fn cases() -> Vec<Case> {
    [trusted(), untrusted(), no_handshake(), broken()].concat()
}

fn under_tls(script: Script) -> Script {
    [vec![secure(Identity::Good)], script].concat()
}

fn trusted() -> Vec<Case> {
    let old = [vec![secure_1_2(Identity::Good)], respond(OK)].concat();
    vec![
        secure_case("a normal TLS 1.3 connection").plays(under_tls(respond(OK))).succeeds(200),
        secure_case("a normal TLS 1.2 connection").plays(old).succeeds(200),
        secure_case("several calls over one TLS connection")
            .plays(under_tls(vec![Step::Read, send(OK), Step::Read, send(OK)]))
            .plays(under_tls(respond("")))
            .succeeds(200)
            .succeeds(200)
            .requests(2..=2),
    ]
}

fn untrusted() -> Vec<Case> {
    let of = |name: String, base_url: &str, handshake: Step| {
        case(name).at(base_url).plays([vec![handshake], respond(OK)].concat()).fails_unsent(Kind::Tls).no_request()
    };
    let mut cases = Vec::new();
    for (name, identity) in UNTRUSTED {
        cases.push(of(format!("a certificate {name}"), "https://localhost:{port}", secure(identity)));
        cases.push(of(format!("a certificate {name}, TLS 1.2"), "https://localhost:{port}", secure_1_2(identity)));
    }
    cases.push(of(
        "a certificate for the name instead of the address".to_owned(),
        "https://{here}",
        secure(Identity::Good),
    ));
    cases
}

fn no_handshake() -> Vec<Case> {
    let instead =
        |name: &str, script: Script| secure_case(format!("in place of a handshake: {name}")).plays(script).no_request();
    let mut cases: Vec<_> =
        NO_HANDSHAKE.iter().map(|(name, bytes)| instead(name, vec![send(bytes)]).fails_unsent(Kind::Tls)).collect();
    cases.extend([
        instead("a close", vec![Step::Finish]).fails_unsent(Kind::Network),
        instead("a reset", vec![Step::Reset]).fails_unsent(Kind::Network),
        instead("half a record, then a close", vec![send(b"\x16\x03\x03\x00\x7a\x02")]).fails_unsent(Kind::Network),
        instead("nothing", vec![Step::Stall]).fails_unsent(Kind::Timeout),
        instead("half a record", vec![send(b"\x16\x03\x03\x00\x7a\x02"), Step::Stall]).fails_unsent(Kind::Timeout),
        instead("a record at one byte a second", vec![drip(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76", 1000)])
            .fails_unsent(Kind::Timeout),
        instead(
            "a record at one byte every 20 ms",
            vec![drip([&b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76"[..], &[3; 100]].concat(), 20)],
        )
        .fails_unsent(Kind::Timeout),
        instead("garbage without end", vec![endless(b"\x80\x81")]).fails_unsent(Kind::Tls),
        secure_case("no handshake, a connect timeout of half a second, a timeout of a minute")
            .limit(60_000)
            .connect_limit(500)
            .plays(vec![Step::Stall])
            .fails_unsent(Kind::Timeout)
            .says("connect_timeout_ms expired")
            .within(500)
            .no_request(),
    ]);
    cases
}

/// Returns cases with faults after the handshake.
fn broken() -> Vec<Case> {
    let of = |name: &str, script: Script| secure_case(format!("under TLS: {name}")).plays(under_tls(script));
    vec![
        of("closed before the head", vec![Step::Read]).fails(Kind::Network),
        of("reset before the head", vec![Step::Read, Step::Reset]).fails(Kind::Network),
        of("closed in the head", respond("HTTP/1.1 200 OK\r\ncontent-le")).fails(Kind::Network),
        of("closed in the body", respond("HTTP/1.1 402 No\r\ncontent-length: 10\r\n\r\nshort"))
            .fails(Kind::NotEnabled)
            .status(402),
        of("a body up to the end of the connection, without close_notify", respond("HTTP/1.1 402 No\r\n\r\nsome text"))
            .fails(Kind::NotEnabled)
            .status(402),
        of("no response", vec![Step::Read, Step::Stall]).fails(Kind::Timeout),
        of(
            "a body that never arrives",
            vec![Step::Read, send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"), Step::Stall],
        )
        .awaits_body()
        .succeeds(200),
        of("a body without end", vec![Step::Read, send("HTTP/1.1 402 No\r\n\r\n"), endless("x")])
            .fails(Kind::NotEnabled)
            .status(402),
        of("a head at one byte every 100 ms", vec![Step::Read, drip(OK, 100)]).fails(Kind::Timeout),
        of("garbage as a response", respond("garbage\r\n\r\n")).fails(Kind::Protocol),
        of(
            "a forged record",
            vec![Step::Read, Step::SendPlainly(b"\x17\x03\x03\x00\x20".to_vec()), Step::SendPlainly(vec![7; 32])],
        )
        .fails(Kind::Tls),
        of("plain HTTP as a response", vec![Step::Read, Step::SendPlainly(OK.into())]).fails(Kind::Tls),
        of("kept, then closed", vec![Step::Read, send(OK), Step::AwaitReturn, Step::Finish, Step::LetCall])
            .plays(under_tls(respond(OK)))
            .succeeds(200)
            .succeeds(200)
            .requests(2..=3),
        of(
            "idle, then a forged response",
            vec![
                Step::Read,
                send(OK),
                Step::AwaitReturn,
                send("HTTP/1.1 402 Forged\r\n\r\n"),
                Step::LetCall,
                Step::Stall,
            ],
        )
        .plays(under_tls(respond(OK)))
        .succeeds(200)
        .succeeds(200)
        .requests(2..=2),
    ]
}
