//! Tests TLS 1.3 servers that send session tickets or empty records, with or without a response, in some cases
//! endlessly.

use nexmo_conversion::Kind;
use rustls::ContentType;

use crate::authority::Identity;
use crate::case::{Case, secure_case};
use crate::script::{OK, Script, Step, respond, send};
use crate::tls::{secure, with_tickets, with_tickets_after};

const NOT_ENABLED: &str = "HTTP/1.1 402 No\r\ncontent-length: 0\r\n\r\n";

/// The number of session tickets in a flood.
const MANY: usize = 20_000;

/// A record length that is coprime to the length of a ticket, so this number of tickets is the smallest that fills
/// whole records.
const ACROSS: usize = 15_001;

pub(crate) fn cases() -> Vec<Case> {
    [few(), many(), endless()].concat()
}

fn few() -> Vec<Case> {
    let again = vec![Step::Read, send(OK), Step::Read, send(OK)];
    let one_connection = |name: &str, first: Script| {
        secure_case(name)
            .plays([first, again.clone()].concat())
            .plays(vec![secure(Identity::Good), Step::Read, send(NOT_ENABLED)])
            .succeeds(200)
            .succeeds(200)
            .succeeds(200)
            .requests(3..=3)
    };
    vec![
        one_connection("two tickets before the response", vec![with_tickets(2), Step::Read, send(OK)]),
        one_connection("no tickets", vec![with_tickets(0), Step::Read, send(OK)]),
        one_connection(
            "two tickets on an idle connection",
            vec![with_tickets_after(OK, 2), Step::AwaitReturn, Step::Read, Step::LetCall],
        ),
    ]
}

fn many() -> Vec<Case> {
    vec![
        // The tickets arrive in few records, each of which ends within a ticket, so rustls buffers the records up to
        // its limit.
        of("20000 tickets and no response", vec![with_tickets(MANY), Step::Read, Step::Stall]).fails(Kind::Tls),
        of(
            "20000 tickets on an idle connection",
            vec![with_tickets_after(OK, MANY), Step::AwaitReturn, Step::FloodOfTickets, Step::LetCall],
        )
        .succeeds(200),
    ]
    .into_iter()
    .map(and_another)
    .collect()
}

fn endless() -> Vec<Case> {
    // Each of the first 49 records ends within a ticket, so rustls buffers the records up to its limit.
    let across = ticket().repeat(ACROSS).chunks(ACROSS).map(<[u8]>::to_vec).collect();
    let records = [
        ("tickets", ContentType::Handshake, vec![ticket().repeat(300)], Kind::Timeout),
        ("tickets, one by one", ContentType::Handshake, vec![ticket()], Kind::Timeout),
        ("tickets across records", ContentType::Handshake, across, Kind::Tls),
        ("empty records", ContentType::ApplicationData, vec![Vec::new()], Kind::Tls),
    ];
    let mut cases = Vec::new();
    for (name, of_type, records, kind) in records {
        let flood = |calls: usize| Step::EndlessRecords { of_type, records: records.clone(), calls };
        let after =
            |first: Script, calls| [vec![secure(Identity::Good), Step::Read], first, vec![flood(calls)]].concat();
        // The flood itself lets the client make its second call. The script contains a `LetCall` only because the
        // client otherwise would not wait for that.
        let kept =
            |name: String, first: Script| of(&name, [after(first, 2), vec![Step::LetCall]].concat()).succeeds(200);
        cases.extend([
            of(&format!("endless {name} and no response"), after(Vec::new(), 1)).fails(kind),
            of(&format!("half a response and endless {name}"), after(vec![send("HTTP/1.1 2")], 1)).fails(kind),
            kept(format!("endless {name} on an idle connection"), vec![send(OK), Step::AwaitReturn]),
        ]);
        // If a response arrives together with data that rustls rejects, the response may be lost too.
        if kind == Kind::Timeout {
            cases.push(kept(format!("a response and endless {name}"), vec![send(OK)]));
        }
    }
    cases.into_iter().map(and_another).collect()
}

/// Returns a case in which the server plays `script` and responds normally on another connection.
fn of(name: &str, script: Script) -> Case {
    secure_case(name).plays(script).plays([vec![secure(Identity::Good)], respond(OK)].concat())
}

/// Expects a second call to succeed, and one or two requests in total, because a server that is busy with tickets may
/// not have read the first request.
fn and_another(case: Case) -> Case {
    case.succeeds(200).requests(1..=2)
}

/// Returns a session ticket with a lifetime of a day, as a handshake message.
fn ticket() -> Vec<u8> {
    [&b"\x04\x00\x00\x2e\x00\x01\x51\x80\x00\x00\x00\x00\x01\x00\x00\x20"[..], &[7; 32], b"\x00\x00"].concat()
}
