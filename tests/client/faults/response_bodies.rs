//! Tests bodies that never end, end late or are malformed. Once the head has arrived, the body affects neither the
//! class nor the status.

use nexmo_conversion::Kind;

use crate::case::{Case, case};
use crate::runner::SECRET;
use crate::script::{OK, Script, Step, drip, endless, respond, send};
use crate::statuses::ten_mib;

/// The headers that announce a body.
const FRAMINGS: [(&str, &str); 3] = [
    ("with a length", "content-length: 10000000"),
    ("in chunks", "transfer-encoding: chunked"),
    ("up to the end of the connection", "connection: close"),
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = FRAMINGS.iter().flat_map(|framing| unending(*framing)).collect();
    cases.extend(timeouts());
    cases.extend(hostile());
    cases
}

fn rejected(framing: &str, steps: Script) -> Script {
    [vec![Step::Read, send(format!("HTTP/1.1 402 No\r\n{framing}\r\n\r\n"))], steps].concat()
}

fn unending((name, framing): (&str, &str)) -> [Case; 4] {
    let of = |what: &str, steps: Script| {
        case(format!("a body {name} {what}")).plays(rejected(framing, steps)).fails(Kind::NotEnabled).status(402)
    };
    let unending = |what: &str, steps: Script| of(what, steps).awaits_body();
    let first = if framing.contains("chunked") { "1\r\nx\r\n" } else { "x" };
    [
        unending("that never arrives", vec![Step::Stall]),
        unending("that stalls", vec![send(first), Step::Stall]),
        unending("that arrives at one byte every 100 ms", vec![drip(first.repeat(200), 100)]),
        of("without end", vec![endless(first)]),
    ]
}

/// Returns cases about slow or overlong bodies. A call waits for a body for at most half a second after the head, and
/// never beyond its timeout.
fn timeouts() -> Vec<Case> {
    let framing = "content-length: 1000";
    let success =
        |steps: Script| [vec![Step::Read, send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"))], steps].concat();
    vec![
        case("a body that never arrives, and a timeout of a minute")
            .plays(rejected(framing, vec![Step::Stall]))
            .fails(Kind::NotEnabled)
            .status(402)
            .within(500),
        case("a body at one byte every 100 ms, and a timeout of a minute")
            .plays(rejected(framing, vec![drip("x".repeat(1000), 100)]))
            .fails(Kind::NotEnabled)
            .status(402)
            .within(500),
        case("a success whose body never arrives").plays(success(vec![Step::Stall])).succeeds(200).within(500),
        case("a success whose body arrives byte by byte")
            .plays(success(vec![drip("x".repeat(1000), 100)]))
            .awaits_body()
            .succeeds(200),
        case("a success with a body without end").plays(success(vec![endless("x")])).succeeds(200),
        case("a success whose body is reset").plays(success(vec![send("x"), Step::Reset])).succeeds(200),
        // After the head, less than half a second of the timeout is left.
        case("a body that never arrives after a late head")
            .limit(2000)
            .plays(vec![Step::Read, send(format!("HTTP/1.1 402 No\r\n{framing}\r\n\r")), drip("\n", 1600), Step::Stall])
            .fails(Kind::NotEnabled)
            .status(402),
        case("a body that stalls, then another call")
            .plays(rejected(framing, vec![Step::Stall]))
            .plays(respond(OK))
            .awaits_body()
            .fails(Kind::NotEnabled)
            .status(402)
            .succeeds(200)
            .requests(2..=2),
        case("a body that is too long, then another call")
            .plays(rejected("content-length: 10485760", vec![ten_mib()]))
            .plays(respond(OK))
            .fails(Kind::NotEnabled)
            .status(402)
            .succeeds(200)
            .requests(2..=2),
    ]
}

/// Returns cases with bodies that contain the secret, are malformed or unusual, or take long to parse. Each body is
/// sent together with its head, so a short body arrives with the head, and the message quotes it even on a busy
/// machine.
fn hostile() -> Vec<Case> {
    let of = |what: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 402 No\r\ncontent-length: {}\r\n\r\n", body.len());
        let script = respond([head.as_bytes(), body].concat());
        case(format!("a body {what}")).plays(script).fails(Kind::NotEnabled).status(402)
    };
    let nested = "[".repeat(60_000);
    let nested_objects = r#"{"title":"#.repeat(7000);
    let escaped = format!(r#"{{"title":"you sent \u0068{}"}}"#, &SECRET[1..]);
    vec![
        of("that repeats the secret", format!("you sent api_secret={SECRET}").as_bytes()).says("***"),
        of("that repeats the secret in JSON escapes", escaped.as_bytes()).says("***"),
        of("that repeats the secret percent-encoded", SECRET.replace('-', "%2D").as_bytes()),
        of("that nests without end", nested.as_bytes()),
        of("that nests objects without end", nested_objects.as_bytes()),
        of("with titles that are not text", br#"{"title":17,"detail":[],"error_title":null,"resolution":{}}"#),
        of("with an older title", br#"{"error_title":"An older title"}"#).says("An older title"),
        of("with control characters", b"a\x1b[31mred\x07\x00\r\nforged line").says("forged line"),
        of("in ISO-8859-1", b"Zugang verweigert: G\xfcltigkeit").says("G\u{fc}ltigkeit"),
        of("of bytes that are not text", &[0xff; 4096]),
        of("of 64 KiB", &[b'x'; 64 * 1024]),
        of("of 64 KiB of percent signs", &[b'%'; 64 * 1024]),
        of("of 64 KiB of ampersands", &[b'&'; 64 * 1024]),
        of("of 64 KiB of backslashes", &[b'\\'; 64 * 1024]),
        of("of 64 KiB of opened tags", &[b'<'; 64 * 1024]),
        of("of 64 KiB of spaces", &[b' '; 64 * 1024]),
        of("of 64 KiB of the secret's beginning", SECRET[..6].repeat(10_000).as_bytes()),
        of("of 64 KiB of the secret", SECRET.repeat(256).as_bytes()),
        of("of 64 KiB and a byte", &[b'x'; 64 * 1024 + 1]),
    ]
}
