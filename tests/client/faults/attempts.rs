//! Tests multiple attempts: which failures are retried, and when the client stops retrying.

use nexmo_conversion::Kind;

use crate::authority::Identity;
use crate::case::{Case, LONG, case, secure_case};
use crate::script::{OK, Script, Step, respond, respond_with};
use crate::tls::secure;

/// Statuses after which the same report would fail again.
const FINAL: [(u16, Kind); 7] = [
    (401, Kind::Unauthorized),
    (402, Kind::NotEnabled),
    (420, Kind::Rejected),
    (422, Kind::Rejected),
    (423, Kind::Rejected),
    (302, Kind::Redirected),
    (404, Kind::UnexpectedStatus),
];

pub(crate) fn cases() -> Vec<Case> {
    [repeated(), in_vain(), not_repeated(), out_of_time()].concat()
}

/// Returns a case with three attempts and enough time for two back-off delays.
fn three_attempts(name: &str) -> Case {
    case(format!("three attempts: {name}")).attempts(3)
}

fn later(status: &str) -> Script {
    respond_with(status, "retry-after: 0\r\nconnection: close", "later")
}

fn repeated() -> Vec<Case> {
    let second = |name: &str, first: Script| {
        three_attempts(name).plays(first).plays(respond(OK)).succeeds(200).makes(2..=2).requests(2..=2)
    };
    vec![
        second("503, then success", respond_with("503 Later", "connection: close", "")),
        second("503 with no delay, then success", later("503 Later")),
        second("429 with no delay, then success", later("429 Slow")),
        second("408 with no delay, then success", later("408 Slow")),
        second("500 with no delay, then success", later("500 Oh")),
        second("closed, then success", vec![Step::Read]),
        second("reset, then success", vec![Step::Read, Step::Reset]),
        second("garbage, then success", respond("garbage\r\n\r\n")),
        second(
            "503 with an invalid Retry-After, then success",
            respond_with("503 Later", "retry-after: soon\r\nconnection: close", ""),
        ),
        three_attempts("503 on a connection that stays open, then success")
            .plays([respond_with("503 Later", "retry-after: 0", "later"), respond(OK)].concat())
            .succeeds(200)
            .makes(2..=2)
            .requests(2..=2),
        three_attempts("closed, 503, then success")
            .plays(vec![Step::Read])
            .plays(later("503 Later"))
            .plays(respond(OK))
            .succeeds(200)
            .makes(3..=3)
            .requests(3..=3),
        three_attempts("502, then a rejection")
            .plays(later("502 Bad"))
            .plays(respond_with("401 Who?", "", ""))
            .fails_after_unknown(Kind::Unauthorized)
            .status(401)
            .makes(2..=2)
            .requests(2..=2),
    ]
}

fn in_vain() -> Vec<Case> {
    let all = |case: Case| case.makes(3..=3).requests(3..=3);
    vec![
        all(three_attempts("503 each time")
            .plays(later("503 Later"))
            .fails(Kind::Unavailable)
            .status(503)
            .asks_to_wait(0..=0)),
        all(three_attempts("429 each time")
            .plays(later("429 Slow"))
            .fails(Kind::RateLimited)
            .status(429)
            .asks_to_wait(0..=0)),
        all(three_attempts("closed each time").plays(vec![Step::Read]).fails(Kind::Network)),
        all(three_attempts("garbage each time").plays(respond("garbage\r\n\r\n")).fails(Kind::Protocol)),
        three_attempts("no listener").at("http://{closed}").fails_unsent(Kind::Network).makes(3..=3).no_request(),
        three_attempts("a proxy that rejects")
            .at("http://service.invalid")
            .through("http://{here}")
            .plays(respond("HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n"))
            .fails_unsent(Kind::Proxy)
            .makes(3..=3)
            .no_request(),
        three_attempts("a full backlog")
            .limit(60_000)
            .connect_limit(100)
            .at("http://{full}")
            .fails_unsent(Kind::Timeout)
            .makes(3..=3)
            .no_request(),
        three_attempts("the first request is read and may have been accepted, and the others are not read")
            .plays(vec![Step::Read, Step::Reset])
            .plays(vec![Step::Reset])
            .fails(Kind::Network)
            .makes(3..=3)
            .requests(1..=3),
    ]
}

fn not_repeated() -> Vec<Case> {
    let mut cases: Vec<_> = FINAL
        .iter()
        .map(|(status, kind)| {
            let script = respond_with(&format!("{status} No"), "retry-after: 0", "no");
            three_attempts(&format!("{status}")).plays(script).fails(*kind).status(*status).asks_to_wait(0..=0)
        })
        .collect();
    cases.extend([
        three_attempts("success").plays(respond(OK)).succeeds(200),
        secure_case("three attempts: a certificate of an unknown authority")
            .attempts(3)
            .plays(vec![secure(Identity::UnknownAuthority)])
            .fails_unsent(Kind::Tls)
            .no_request(),
    ]);
    cases
}

/// Returns cases in which the delay that the service requests, or the back-off delay, would exceed the timeout. The
/// call returns the delay instead of waiting for it.
fn out_of_time() -> Vec<Case> {
    let returned = |name: &str, status: &str, kind: Kind, wait: u64| {
        let script = respond_with(status, &format!("retry-after: {wait}"), "");
        let status = status[..3].parse().unwrap();
        three_attempts(name).plays(script).fails(kind).status(status).asks_to_wait(wait * 1000..=wait * 1000).within(0)
    };
    vec![
        returned("503 with a delay of two minutes", "503 Later", Kind::Unavailable, 120),
        returned("503 with a delay as long as the timeout", "503 Later", Kind::Unavailable, LONG.as_secs()),
        returned("429 with a delay of an hour", "429 Slow", Kind::RateLimited, 3600),
        case("three attempts: no response")
            .attempts(3)
            .plays(vec![Step::Read, Step::Stall])
            .fails(Kind::Timeout)
            .asks_to_wait(0..=200),
        case("three attempts: closed, and then no response")
            .attempts(3)
            .limit(2000)
            .plays(vec![Step::Read])
            .plays(vec![Step::Read, Step::Stall])
            .fails(Kind::Timeout)
            .asks_to_wait(0..=400)
            .makes(2..=2)
            .requests(2..=2),
    ]
}
