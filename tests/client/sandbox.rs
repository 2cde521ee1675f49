//! Tests the Rust client against the sandbox: authentication methods, responses, HTTP and HTTPS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use nexmo_conversion::{
    Acceptance, Channel, Client, Conversion, Credentials, Kind, MessageId, Options, Outcome, SignatureMethod, Timestamp,
};
use nexmo_sandbox::{Authentication, Behaviour, Rule, Sandbox, Settings};

const METHODS: [SignatureMethod; 5] = [
    SignatureMethod::Md5Hash,
    SignatureMethod::HmacMd5,
    SignatureMethod::HmacSha1,
    SignatureMethod::HmacSha256,
    SignatureMethod::HmacSha512,
];

fn sandbox() -> Sandbox {
    Sandbox::start(Settings::default()).unwrap()
}

fn conversion(message_id: &str) -> Conversion {
    Conversion {
        channel: Channel::Sms,
        message_id: MessageId::new(message_id).unwrap(),
        delivered: true,
        timestamp: None,
    }
}

fn query() -> Credentials {
    Credentials::query("abcd1234", "s3cret").unwrap()
}

fn over_http(sandbox: &Sandbox, credentials: Credentials) -> Client {
    Client::new(credentials, &Options { base_url: Some(&sandbox.http_url()), ..Options::default() }).unwrap()
}

fn over_https(sandbox: &Sandbox, ca_file: &Path) -> Client {
    let base_url = sandbox.https_url();
    Client::new(query(), &Options { base_url: Some(&base_url), ca_file: Some(ca_file), ..Options::default() }).unwrap()
}

/// Returns the outcome of a report while the sandbox applies `behaviour` to every request.
fn outcome_with(behaviour: Behaviour) -> Outcome {
    let sandbox = sandbox();
    sandbox.rule(Rule::for_all(behaviour));
    over_http(&sandbox, query()).report(&conversion("id"))
}

fn assert_fails(outcome: &Outcome, kind: Kind, http_status: Option<u16>, acceptance: Acceptance) {
    let error = outcome.result.as_ref().unwrap_err();
    assert_eq!((error.kind(), outcome.http_status, outcome.acceptance), (kind, http_status, acceptance), "{error}");
}

#[test]
fn every_authentication_method_is_accepted_and_unusual_ids_arrive_unchanged() {
    let signed = |method| Credentials::signature("abcd1234", "sign4ture", method).unwrap();
    let ways = [query(), Credentials::basic("abcd1234", "s3cret").unwrap()].into_iter().chain(METHODS.map(signed));
    let sandbox = sandbox();
    for credentials in ways {
        let is_signed = format!("{credentials:?}").contains("Signature");
        let client = over_http(&sandbox, credentials);
        for id in ["00A0B0C0", "%", "&", "=", "+", "#", "?", "a b", "ключ", "a&b=c", "%20", "/../", "日本"] {
            sandbox.clear();
            assert_eq!(client.report(&conversion(id)).result, Ok(()), "{id}");
            let record = &sandbox.requests()[0];
            assert_eq!(record.message_id.as_deref(), Some(id));
            assert_eq!(record.authentication == Authentication::Signature, is_signed);
            assert!(record.violations.is_empty(), "{:?}", record.violations);
        }
    }
}

#[test]
fn a_voice_report_has_the_time_of_the_event() {
    let sandbox = sandbox();
    let timestamp = Some(Timestamp::parse("2020-01-01 12:00:00").unwrap());
    let voice = Conversion { channel: Channel::Voice, delivered: false, timestamp, ..conversion("call-1") };
    assert_eq!(over_http(&sandbox, query()).report(&voice).result, Ok(()));
    let record = &sandbox.requests()[0];
    assert_eq!(record.channel, Some(nexmo_sandbox::Channel::Voice));
    assert_eq!(
        (record.delivered.as_deref(), record.timestamp.as_deref()),
        (Some("false"), Some("2020-01-01 12:00:00"))
    );
}

#[test]
fn https_trusts_only_the_ca_file() {
    let (first, second) = (sandbox(), sandbox());
    assert_eq!(over_https(&first, first.ca_file()).report(&conversion("id")).result, Ok(()));
    let outcome = over_https(&first, second.ca_file()).report(&conversion("id"));
    assert_fails(&outcome, Kind::Tls, None, Acceptance::No);
    let base_url = first.https_url();
    for built_in_roots_only in [true, false] {
        let options = Options { base_url: Some(&base_url), built_in_roots_only, ..Options::default() };
        let outcome = Client::new(query(), &options).unwrap().report(&conversion("id"));
        assert_fails(&outcome, Kind::Tls, None, Acceptance::No);
    }
    assert_eq!(first.request_count(), 1);
}

#[test]
fn each_response_has_its_class_and_a_reason() {
    let wrong = over_http(&sandbox(), Credentials::query("abcd1234", "wrong").unwrap()).report(&conversion("id"));
    assert_fails(&wrong, Kind::Unauthorized, Some(401), Acceptance::No);
    assert!(wrong.result.unwrap_err().message().contains("Invalid credentials supplied"));

    let not_enabled = outcome_with(Behaviour::NotEnabled);
    assert_fails(&not_enabled, Kind::NotEnabled, Some(402), Acceptance::No);
    assert!(not_enabled.result.unwrap_err().message().contains("has not been enabled"));

    for status in [420, 422, 423] {
        assert_fails(&outcome_with(Behaviour::Status(status)), Kind::Rejected, Some(status), Acceptance::No);
    }
    for status in [408, 500, 502, 599] {
        assert_fails(&outcome_with(Behaviour::Status(status)), Kind::Unavailable, Some(status), Acceptance::Unknown);
    }
    for status in [300, 301, 302, 303, 307, 308] {
        assert_fails(&outcome_with(Behaviour::Status(status)), Kind::Redirected, Some(status), Acceptance::Unknown);
    }
    for status in [400, 403, 404, 405, 418, 451] {
        assert_fails(
            &outcome_with(Behaviour::Status(status)),
            Kind::UnexpectedStatus,
            Some(status),
            Acceptance::Unknown,
        );
    }
    for status in [200, 201, 202, 204, 299] {
        assert_eq!(outcome_with(Behaviour::Status(status)).acceptance, Acceptance::Yes);
    }
}

#[test]
fn a_delay_that_the_service_asks_for_is_returned() {
    let throttled = outcome_with(Behaviour::Throttled(7));
    assert_fails(&throttled, Kind::RateLimited, Some(429), Acceptance::No);
    assert_eq!(throttled.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(outcome_with(Behaviour::Unavailable(None)).retry_after, None);
    assert_eq!(outcome_with(Behaviour::Unavailable(Some(9))).retry_after, Some(Duration::from_secs(9)));
}

#[test]
fn no_secret_is_quoted_from_a_response_that_repeats_it() {
    let ways = [
        Credentials::query("abcd1234", "s3cret/&").unwrap(),
        Credentials::basic("abcd1234", "s3cret/&").unwrap(),
        Credentials::signature("abcd1234", "s3cret/&", SignatureMethod::HmacSha256).unwrap(),
    ];
    for credentials in ways {
        let sandbox = sandbox();
        sandbox.rule(Rule::for_all(Behaviour::Echo(402)));
        let outcome = over_http(&sandbox, credentials.clone()).report(&conversion("id"));
        let text = format!("{outcome:?} {credentials:?}");
        assert!(text.contains("the response says"), "{text}");
        for secret in ["s3cret", "czNjcmV0", "YWJjZDEyMzQ6"] {
            assert!(!text.contains(secret), "{text}");
        }
        let sig = text.split("sig=").nth(1);
        assert!(sig.is_none_or(|rest| rest.starts_with("***")), "{text}");
    }
}

#[test]
fn without_a_server_nothing_is_accepted() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let base_url = format!("http://{unused}");
    let client = Client::new(query(), &Options { base_url: Some(&base_url), ..Options::default() }).unwrap();
    assert_fails(&client.report(&conversion("id")), Kind::Network, None, Acceptance::No);
}

#[test]
fn a_server_that_never_responds_causes_a_timeout() {
    // The kernel accepts the connection, but the server never reads from it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let timeout = Some(Duration::from_millis(50));
    let client = Client::new(query(), &Options { base_url: Some(&base_url), timeout, ..Options::default() }).unwrap();
    let outcome = client.report(&conversion("id"));
    assert_fails(&outcome, Kind::Timeout, None, Acceptance::Unknown);
    assert!(outcome.elapsed >= Duration::from_millis(50), "{:?}", outcome.elapsed);
}

#[test]
fn a_client_shared_by_threads_makes_each_report_once() {
    let sandbox = sandbox();
    let client = over_https(&sandbox, sandbox.ca_file());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let client = &client;
            scope.spawn(move || {
                for number in 0..50 {
                    assert_eq!(client.report(&conversion(&format!("{thread}-{number}"))).result, Ok(()));
                }
            });
        }
    });
    let mut ids: Vec<_> = sandbox.requests().into_iter().filter_map(|record| record.message_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), sandbox.request_count()), (400, 400));
}
