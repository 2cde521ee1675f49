//! Tests each documented status with each kind of body. The status alone determines the class.

use nexmo_conversion::Kind;

use crate::case::{Case, case};
use crate::gzip_bomb::gzip_bomb;
use crate::script::{Script, Step, send};

const MIB: usize = 1024 * 1024;

/// The documented statuses, each with its class; `None` for a success.
const STATUSES: [(u16, Option<Kind>); 12] = [
    (200, None),
    (401, Some(Kind::Unauthorized)),
    (402, Some(Kind::NotEnabled)),
    (420, Some(Kind::Rejected)),
    (422, Some(Kind::Rejected)),
    (423, Some(Kind::Rejected)),
    (429, Some(Kind::RateLimited)),
    (408, Some(Kind::Unavailable)),
    (500, Some(Kind::Unavailable)),
    (502, Some(Kind::Unavailable)),
    (503, Some(Kind::Unavailable)),
    (504, Some(Kind::Unavailable)),
];

/// A body, the header that announces it, and what the message must quote from it. `text` is sent together with the
/// head, so the message can quote it even on a busy machine; `steps` send the rest of the body.
struct Body {
    name: &'static str,
    header: String,
    text: &'static str,
    steps: Script,
    quoted: Option<&'static str>,
}

pub(crate) fn cases() -> Vec<Case> {
    STATUSES.iter().flat_map(|status| bodies().into_iter().map(|body| of(*status, body))).collect()
}

fn of((status, kind): (u16, Option<Kind>), body: Body) -> Case {
    let head = format!("HTTP/1.1 {status} Status\r\n{}\r\n\r\n{}", body.header, body.text);
    let script = [vec![Step::Read, send(head)], body.steps].concat();
    let case = case(format!("{status} with {}", body.name)).plays(script);
    match (kind, body.quoted) {
        (None, _) => case.succeeds(status),
        (Some(kind), None) => case.fails(kind).status(status),
        (Some(kind), Some(quoted)) => case.fails(kind).status(status).says(quoted),
    }
}

fn bodies() -> Vec<Body> {
    let json = r#"{"type":"https://x.test/e","title":"A title","detail":"A detail","instance":"1"}"#;
    let html =
        "<!DOCTYPE html><html><head><title>Oh</title></head><body><h1>Bad Account Credentials</h1></body></html>";
    vec![
        text("a JSON body", json, Some("A title - A detail")),
        text("an empty body", "", None),
        text("an HTML body", html, Some("Bad Account Credentials")),
        text("a broken JSON body", r#"{"title":"A title","det"#, None),
        Body {
            name: "a body of 10 MiB",
            header: format!("content-length: {}", 10 * MIB),
            text: "",
            steps: vec![ten_mib()],
            quoted: None,
        },
        Body {
            name: "a gzip bomb",
            header: format!(
                "content-type: text/plain\r\ncontent-encoding: gzip\r\ncontent-length: {}",
                gzip_bomb().len()
            ),
            text: "",
            steps: vec![send(gzip_bomb())],
            quoted: None,
        },
    ]
}

fn text(name: &'static str, text: &'static str, quoted: Option<&'static str>) -> Body {
    Body { name, header: format!("content-length: {}", text.len()), text, steps: Vec::new(), quoted }
}

/// Returns a step that sends 10 MiB of text.
pub(crate) fn ten_mib() -> Step {
    Step::Repeat(vec![b'x'; 64 * 1024], 160)
}
