//! Compares the request for each combination of channel, authentication method and timestamp byte for byte with
//! `tests/data/requests.txt`, in which `HOST` and `VERSION` stand for the host and the version.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::auth::credentials::Credentials;
use crate::auth::signature::Method;
use crate::client::{Environment, report};
use crate::conversion::{Channel, Conversion, MessageId};
use crate::options::Options;
use crate::outcome::Acceptance;
use crate::timestamp::Timestamp;
use crate::transport::{HttpTransport, Resolver, TransportConfig};

const EXPECTED: &str = include_str!("../tests/data/requests.txt");

/// Responds to one request with 200 and returns the bytes of the request: the head and everything after it.
fn record(listener: &TcpListener) -> Vec<u8> {
    let (mut stream, _) = listener.accept().unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "the connection ended before the head of the request was complete");
        bytes.extend_from_slice(&buffer[..length]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    // Reads until the connection ends, to detect an unexpected body.
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

fn credentials(way: &str) -> Credentials {
    let signature = |method| Credentials::signature("abcd1234", "sign4ture", method).unwrap();
    match way {
        "query" => Credentials::query("abcd1234", "s3cret/&").unwrap(),
        "basic" => Credentials::basic("abcd1234", "s3cret/&").unwrap(),
        "md5hash" => signature(Method::Md5Hash),
        "md5" => signature(Method::HmacMd5),
        "sha1" => signature(Method::HmacSha1),
        "sha256" => signature(Method::HmacSha256),
        "sha512" => signature(Method::HmacSha512),
        other => panic!("unknown authentication method {other}"),
    }
}

fn conversion(channel: &str, timestamp: &str) -> Conversion {
    Conversion {
        channel: if channel == "sms" { Channel::Sms } else { Channel::Voice },
        message_id: MessageId::new("00A0 &=+é").unwrap(),
        delivered: channel == "sms",
        timestamp: (timestamp == "event").then(|| Timestamp::parse("2019-12-31 23:59:59").unwrap()),
    }
}

fn sent(channel: &str, way: &str, timestamp: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let recorder = thread::spawn(move || record(&listener));
    let base_url = format!("http://{host}/base/");
    let options = Options { base_url: Some(&base_url), user_agent: Some("caller-suffix/2"), ..Options::default() };
    let settings = options.check().unwrap();
    let transport = HttpTransport::new(&TransportConfig::new(&settings).unwrap(), Resolver::of_process());
    let sending =
        Environment { clock: || SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_880_000), ..Environment::REAL };
    let outcome =
        report(&conversion(channel, timestamp), &credentials(way), &settings, &transport, &sending, Instant::now());
    assert_eq!((outcome.result, outcome.acceptance, outcome.http_status), (Ok(()), Acceptance::Yes, Some(200)));
    String::from_utf8(recorder.join().unwrap())
        .unwrap()
        .replace(&host, "HOST")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn every_request_matches_the_recorded_bytes() {
    let mut count = 0;
    for block in EXPECTED.trim_end().split("\n\n") {
        let (title, lines) = block.split_once('\n').unwrap();
        let [_, channel, way, timestamp] = title.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{title} is not a valid title");
        };
        let expected = format!("{}\r\n\r\n", lines.replace('\n', "\r\n"));
        assert_eq!(sent(channel, way, timestamp), expected, "{title}");
        count += 1;
    }
    assert_eq!(
        count,
        2 * 7 * 2,
        "tests/data/requests.txt must contain each combination of channel, authentication method and timestamp"
    );
}
