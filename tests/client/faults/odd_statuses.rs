//! Tests undocumented statuses.

use nexmo_conversion::Kind;

use crate::case::{Case, case};
use crate::script::{OK, Step, drip, endless, respond, respond_with, send};

/// Undocumented statuses that the library must report as unexpected.
const UNEXPECTED: [u16; 15] = [400, 403, 404, 405, 406, 407, 409, 410, 418, 421, 431, 451, 499, 600, 999];

pub(crate) fn cases() -> Vec<Case> {
    [successes(), redirections(), failures(), no_statuses(), interim()].concat()
}

fn with_body(status: u16) -> Case {
    case(format!("status {status}")).plays(respond_with(&format!("{status} Status"), "", "OK"))
}

fn successes() -> Vec<Case> {
    let mut cases: Vec<_> =
        [201, 202, 203, 206, 207, 226, 299].map(|status| with_body(status).succeeds(status)).to_vec();
    let then_ok = |name: &str, bytes: &str| {
        let first = vec![Step::Read, send(bytes), Step::LetCall, Step::Read, send(OK)];
        case(name).plays(first).plays(respond(OK)).requests(2..=3)
    };
    cases.extend([
        then_ok("204 without a body", "HTTP/1.1 204 None\r\n\r\n").succeeds(204).succeeds(200),
        then_ok("204 with a body", "HTTP/1.1 204 None\r\ncontent-length: 5\r\n\r\nhello").succeeds(204).succeeds(200),
        then_ok(
            "204 with a forged response as body",
            "HTTP/1.1 204 None\r\n\r\nHTTP/1.1 402 No\r\ncontent-length: 0\r\n\r\n",
        )
        .succeeds(204)
        .succeeds(200),
        then_ok("204 that announces chunks", "HTTP/1.1 204 None\r\ntransfer-encoding: chunked\r\n\r\n")
            .succeeds(204)
            .succeeds(200),
        then_ok("205 with a body", "HTTP/1.1 205 Reset\r\ncontent-length: 5\r\n\r\nhello").succeeds(205).succeeds(200),
        then_ok("304 that announces a body", "HTTP/1.1 304 Same\r\ncontent-length: 5\r\n\r\n")
            .fails(Kind::Redirected)
            .status(304)
            .succeeds(200),
    ]);
    cases
}

fn redirections() -> Vec<Case> {
    [300, 304, 305, 306, 399].map(|status| with_body(status).fails(Kind::Redirected).status(status)).to_vec()
}

fn failures() -> Vec<Case> {
    let unexpected = UNEXPECTED.map(|status| with_body(status).fails(Kind::UnexpectedStatus).status(status));
    let unavailable =
        [501, 505, 507, 511, 520, 599].map(|status| with_body(status).fails(Kind::Unavailable).status(status));
    unexpected.into_iter().chain(unavailable).collect()
}

/// Returns cases with invalid statuses. A valid status has three digits, the first of which is not 0.
fn no_statuses() -> Vec<Case> {
    ["000", "099", "20", "2000", "-200", "2OO", "0x200", "+20", " 200", ""]
        .map(|status| {
            let bytes = format!("HTTP/1.1 {status} OK\r\ncontent-length: 0\r\n\r\n");
            case(format!("{status:?} as a status")).plays(respond(bytes)).fails(Kind::Protocol)
        })
        .to_vec()
}

fn interim() -> Vec<Case> {
    let alone = |status: u16| format!("HTTP/1.1 {status} Wait\r\n\r\n");
    let mut cases = Vec::new();
    for status in [100, 102, 103, 199] {
        let silent = vec![Step::Read, send(alone(status)), Step::Stall];
        cases.push(case(format!("{status} and no final response")).plays(silent).fails(Kind::Timeout));
        cases.push(case(format!("{status}, then closed")).plays(respond(alone(status))).fails(Kind::Network));
        let together = respond(alone(status) + OK);
        cases.push(case(format!("{status} together with the final response")).plays(together).succeeds(200));
        let apart = vec![Step::Read, send(alone(status)), drip(OK, 2)];
        cases.push(case(format!("{status} and the final response byte by byte")).plays(apart).succeeds(200));
    }
    let with_header = "HTTP/1.1 100 Wait\r\nx: y\r\n\r\n";
    cases.extend([
        case("100 with a header, then the response").plays(respond([with_header, OK].concat())).succeeds(200),
        case("a hundred interim responses, then the response")
            .plays(respond(alone(103).repeat(100) + OK))
            .succeeds(200),
        case("interim responses without end")
            .plays(vec![Step::Read, endless(alone(103))])
            .fails(Kind::Protocol)
            .says("too many interim responses"),
        case("slow interim responses").plays(vec![Step::Read, drip(alone(102).repeat(100), 1)]).fails(Kind::Timeout),
        case("101 to a protocol that was not requested")
            .plays(respond("HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"))
            .fails(Kind::UnexpectedStatus)
            .status(101),
    ]);
    cases
}
