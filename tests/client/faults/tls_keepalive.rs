//! Tests idle and reused TLS connections that the server closes with or without close_notify, or on which it sends
//! unsolicited data.

use nexmo_conversion::Kind;

use crate::authority::Identity;
use crate::case::{Case, secure_case};
use crate::script::{OK, Script, Step, respond, send};
use crate::tls::{secure, secure_1_2};

const NOT_ENABLED: &str = "HTTP/1.1 402 No\r\ncontent-length: 0\r\n\r\n";

type Handshake = fn(Identity) -> Step;

pub(crate) fn cases() -> Vec<Case> {
    let versions: [(&str, Handshake); 2] = [("TLS 1.3", secure), ("TLS 1.2", secure_1_2)];
    versions.iter().flat_map(|(name, handshake)| [ended(name, *handshake), forged(name, *handshake)].concat()).collect()
}

/// Returns cases in which the server ends a connection between two calls or during the second call.
fn ended(version: &str, handshake: Handshake) -> Vec<Case> {
    let under_tls = |script: Script| [vec![handshake(Identity::Good)], script].concat();
    let of = |name: &str, steps: Script| {
        secure_case(format!("{version}: {name}"))
            .plays(under_tls([vec![Step::Read, send(OK)], steps].concat()))
            .plays(under_tls(respond(OK)))
            .succeeds(200)
            .succeeds(200)
    };
    let idle = |name: &str, end: Script| {
        of(name, [vec![Step::AwaitReturn], end, vec![Step::LetCall, Step::Stall]].concat()).requests(2..=2)
    };
    let crossed = |name: &str, end: Script| of(name, [vec![Step::Read], end].concat()).requests(3..=3);
    vec![
        idle("idle connection closed with close_notify", vec![Step::Goodbye, Step::Finish]),
        idle("idle connection that stays open after close_notify", vec![Step::Goodbye]),
        idle("idle connection closed without close_notify", vec![Step::Finish]),
        crossed("reused connection closed with close_notify during a request", vec![Step::Goodbye, Step::Finish]),
        crossed(
            "reused connection that stays open after close_notify during a request",
            vec![Step::Goodbye, Step::Stall],
        ),
        crossed("reused connection closed without close_notify during a request", vec![Step::Finish]),
        crossed("reused connection reset during a request", vec![Step::Reset]),
    ]
}

/// Returns cases with an unsolicited second response, which the second call must not use. The second call starts once
/// all of that response has arrived, because the client cannot distinguish data that arrives during the call from the
/// response to the call.
fn forged(version: &str, handshake: Handshake) -> Vec<Case> {
    let under_tls = |script: Script| [vec![handshake(Identity::Good)], script].concat();
    let of = |name: String, sent: Step| {
        secure_case(format!("{version}: {name}"))
            .plays(under_tls(vec![Step::Read, sent, Step::LetCall, Step::Read, send(NOT_ENABLED)]))
            .plays(under_tls(respond(NOT_ENABLED)))
            .succeeds(200)
            .fails(Kind::NotEnabled)
            .status(402)
            .requests(2..=2)
    };
    let mut cases = Vec::new();
    // The first length fits into one read, the second exceeds one read, and the third exceeds one record.
    for length in [60, 6000, 20_000] {
        let more = format!("HTTP/1.1 200 FORGED\r\nx: {}\r\ncontent-length: 2\r\n\r\nOK", "x".repeat(length));
        let apart = vec![OK.into(), more.clone().into_bytes()];
        cases.push(of(format!("{length} additional bytes in the record of the response"), send([OK, &more].concat())));
        cases.push(of(format!("{length} additional bytes in a separate record"), Step::SendRecords(apart)));
    }
    cases
}
