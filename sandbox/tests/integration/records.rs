//! Tests the records that are kept in memory, written to the log file and passed to the observer.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use nexmo_sandbox::{Authentication, Channel, Observer, Sandbox, Scheme, Settings, SignatureMethod};
use serde_json::Value;

use crate::client::{Client, VALID, post};

fn sandbox() -> Sandbox {
    Sandbox::start(Settings::default()).unwrap()
}

#[test]
fn a_record_contains_the_request_without_secrets() {
    let sandbox = sandbox();
    let target = format!("{VALID}&timestamp=2020-01-01%2012%3A00%3A00");
    Client::to(&sandbox.http_url()).send(&format!("POST {target} HTTP/1.1\r\nHost: h\r\nUser-Agent: me/1\r\n\r\n"));
    let record = sandbox.requests().remove(0);
    assert_eq!((record.scheme, record.connection, record.method.as_str()), (Scheme::Http, 1, "POST"));
    assert_eq!(record.target, target.replace("s3cret", "***"));
    assert_eq!(record.headers, [("host", "h"), ("user-agent", "me/1")].map(|(n, v)| (n.to_owned(), v.to_owned())));
    assert_eq!((record.channel, record.api_key.as_deref()), (Some(Channel::Sms), Some("abcd1234")));
    assert_eq!((record.message_id.as_deref(), record.delivered.as_deref()), (Some("00A0B0C0"), Some("true")));
    assert_eq!(record.timestamp.as_deref(), Some("2020-01-01 12:00:00"));
    assert_eq!((record.authentication, record.signature_method), (Authentication::Query, None));
    assert_eq!((record.status, record.violations), (200, vec![]));
}

#[test]
fn a_signature_is_redacted_and_its_method_recorded() {
    let sandbox = sandbox();
    // The HMAC-SHA1 of "&api_key=abcd1234&delivered=1&message-id=x&timestamp=1577880000", computed with another tool.
    let sig = "98b9b8c2546542ce84db80c1aa5ec89bdfc8b9b3";
    let query = format!("api_key=abcd1234&delivered=1&message-id=x&sig={sig}&timestamp=1577880000");
    assert_eq!(post(&sandbox, &format!("/conversions/voice?{query}")).status, 200);
    let record = sandbox.requests().remove(0);
    assert_eq!(
        (record.authentication, record.signature_method),
        (Authentication::Signature, Some(SignatureMethod::Sha1))
    );
    assert!(record.target.contains("&sig=***&") && !record.target.contains(sig), "{}", record.target);
}

#[test]
fn a_basic_header_is_redacted_and_its_key_recorded() {
    let sandbox = sandbox();
    let head = "host: h\r\nauthorization: Basic YWJjZDEyMzQ6czNjcmV0";
    let request = format!("POST /conversions/sms?delivered=1&message-id=x HTTP/1.1\r\n{head}\r\n\r\n");
    assert_eq!(Client::to(&sandbox.http_url()).send(&request).status, 200);
    let record = sandbox.requests().remove(0);
    assert!(record.headers.contains(&("authorization".into(), "Basic ***".into())));
    assert_eq!((record.authentication, record.api_key.as_deref()), (Authentication::Basic, Some("abcd1234")));
}

#[test]
fn rejected_requests_are_recorded_with_their_violations() {
    let sandbox = sandbox();
    post(&sandbox, "/elsewhere");
    post(&sandbox, &VALID.replace("true", "maybe"));
    let records = sandbox.requests();
    assert_eq!((records[0].status, records[0].channel, records[0].violations.len()), (404, None, 1));
    assert_eq!((records[1].status, records[1].channel), (423, Some(Channel::Sms)));
    assert_eq!(records[1].violations, ["delivered is 'maybe'; it must be true, false, 1 or 0."]);
}

#[test]
fn a_reused_connection_is_counted_once_and_clear_resets_counts() {
    let sandbox = sandbox();
    let mut client = Client::to(&sandbox.http_url());
    assert_eq!([client.post(VALID).status, client.post("/").status, client.post(VALID).status], [200, 404, 200]);
    post(&sandbox, VALID);
    assert_eq!((sandbox.connections(), sandbox.request_count()), (2, 4));
    assert_eq!(sandbox.requests().iter().map(|record| record.connection).collect::<Vec<_>>(), [1, 1, 1, 2]);
    sandbox.clear();
    assert_eq!((sandbox.connections(), sandbox.request_count(), sandbox.requests().len()), (0, 0, 0));
    client.post(VALID);
    assert_eq!((sandbox.connections(), sandbox.requests()[0].connection), (0, 1));
}

#[test]
fn a_line_is_appended_to_the_log_before_the_response() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let lines = || fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    for round in 0..2 {
        let sandbox = Sandbox::start(Settings { log: Some(log.clone()), keep: false, ..Settings::default() }).unwrap();
        for request in 1..=2 {
            post(&sandbox, VALID);
            assert_eq!(lines().len(), round * 2 + request);
        }
        assert_eq!((sandbox.request_count(), sandbox.requests().len()), (2, 0));
    }
    let line: Value = serde_json::from_str(&lines()[0]).unwrap();
    assert_eq!(
        (&line["scheme"], &line["channel"], &line["authentication"]),
        (&"http".into(), &"sms".into(), &"query".into())
    );
    assert_eq!(
        (&line["status"], &line["violations"], &line["signature_method"]),
        (&200.into(), &Value::Array(vec![]), &Value::Null)
    );
    assert_eq!(line["headers"][0], serde_json::json!(["host", "sandbox"]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_request_fails_if_the_log_cannot_be_written() {
    let settings = Settings { log: Some(PathBuf::from("/dev/full")), ..Settings::default() };
    let response = post(&Sandbox::start(settings).unwrap(), VALID);
    assert!(response.status == 500 && response.body.contains("cannot write its log"), "{response:?}");
}

#[test]
fn an_observer_is_called_for_each_request_before_the_response() {
    let observed = Arc::new(Mutex::new(Vec::new()));
    let sink = observed.clone();
    let observer = Observer::new(move |record| sink.lock().unwrap().push((record.status, record.connection)));
    let settings = Settings { keep: false, observer: Some(observer), ..Settings::default() };
    let sandbox = Sandbox::start(settings).unwrap();
    let mut client = Client::to(&sandbox.http_url());
    for (target, count) in [(VALID, 1), ("/", 2)] {
        client.post(target);
        assert_eq!(observed.lock().unwrap().len(), count);
    }
    post(&sandbox, VALID);
    assert_eq!(*observed.lock().unwrap(), [(200, 1), (404, 1), (200, 2)]);
    assert_eq!((sandbox.request_count(), sandbox.requests().len()), (3, 0));
}
