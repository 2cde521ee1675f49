use std::sync::Mutex;

use super::*;
use crate::conversion::{Channel, MessageId};
use crate::error::Kind;
use crate::response::{Response, RetryAfter};

/// A transport that returns prepared exchanges, records the limits and pauses that it receives, and does not wait.
#[derive(Default)]
struct Prepared {
    exchanges: Mutex<Vec<Exchange>>,
    limits: Mutex<Vec<Limits>>,
    pauses: Mutex<Vec<Duration>>,
    is_cancelled: bool,
}

impl Transport for Prepared {
    fn exchange(&self, _: &Request<'_>, limits: Limits) -> Exchange {
        self.limits.lock().unwrap().push(limits);
        self.exchanges.lock().unwrap().remove(0)
    }

    fn pause(&self, deadline: Instant) -> bool {
        self.pauses.lock().unwrap().push(deadline.saturating_duration_since(Instant::now()));
        !self.is_cancelled
    }
}

const ENVIRONMENT: Environment = Environment { clock: || SystemTime::UNIX_EPOCH, random: || 1 << 63 };

fn outcome_of(transport: &Prepared, attempts: u32) -> Outcome {
    let message_id = MessageId::new("id").unwrap();
    let conversion = Conversion { channel: Channel::Voice, message_id, delivered: false, timestamp: None };
    let options = Options { timeout: Some(Duration::from_secs(7)), max_attempts: Some(attempts), ..Options::default() };
    let credentials = Credentials::query("key", "hush-hush").unwrap();
    report(&conversion, &credentials, &options.check().unwrap(), transport, &ENVIRONMENT, Instant::now())
}

fn prepared(exchanges: Vec<Exchange>) -> Prepared {
    Prepared { exchanges: Mutex::new(exchanges), ..Prepared::default() }
}

fn responds(status: u16, retry_after: Option<&str>) -> Exchange {
    let body = Some(b"you sent hush-hush".to_vec());
    let retry_after = retry_after.map(|value| Box::new(RetryAfter { value: value.to_owned(), date: None }));
    Exchange { response: Ok(Response { status, retry_after, body: body.map(Into::into) }), written: true }
}

fn lost(written: bool) -> Exchange {
    Exchange { response: Err(Error::new(Kind::Network, "connection refused")), written }
}

#[test]
fn a_2xx_means_accepted_and_no_retry_delay() {
    let outcome = outcome_of(&prepared(vec![responds(202, Some("9"))]), 3);
    assert_eq!((outcome.result, outcome.http_status, outcome.acceptance), (Ok(()), Some(202), Acceptance::Yes));
    assert_eq!((outcome.attempts, outcome.retry_after), (1, None));
}

#[test]
fn a_429_means_not_accepted_with_its_retry_delay_and_no_secret() {
    let outcome = outcome_of(&prepared(vec![responds(429, Some("9"))]), 1);
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind(), outcome.http_status, outcome.acceptance), (Kind::RateLimited, Some(429), Acceptance::No));
    assert_eq!(outcome.retry_after, Some(Duration::from_secs(9)));
    assert!(error.message().ends_with("you sent ***"), "{error}");
}

#[test]
fn a_failure_before_any_byte_is_written_means_not_accepted() {
    assert_eq!(outcome_of(&prepared(vec![lost(false)]), 1).acceptance, Acceptance::No);
    assert_eq!(outcome_of(&prepared(vec![lost(true)]), 1).acceptance, Acceptance::Unknown);
}

#[test]
fn a_retryable_failure_is_retried_after_a_growing_delay() {
    let transport = prepared(vec![lost(true), lost(false), responds(503, None), responds(200, None)]);
    let outcome = outcome_of(&transport, 9);
    assert_eq!((outcome.result, outcome.attempts, outcome.acceptance), (Ok(()), 4, Acceptance::Yes));
    let pauses: Vec<u128> =
        transport.pauses.lock().unwrap().iter().map(|pause| pause.as_millis().div_ceil(10) * 10).collect();
    assert_eq!(pauses, [100, 200, 400]);
    assert!(transport.limits.lock().unwrap().iter().all(|limits| limits.connect == Duration::from_secs(5)));
}

#[test]
fn acceptance_stays_unknown_after_a_request_without_a_response() {
    let outcome = outcome_of(&prepared(vec![lost(true), lost(false)]), 2);
    assert_eq!((outcome.attempts, outcome.acceptance), (2, Acceptance::Unknown));
}

#[test]
fn a_rejecting_response_means_not_accepted_unless_an_earlier_attempt_may_have_been_accepted() {
    for (status, acceptance) in [
        (401, Acceptance::No),
        (402, Acceptance::No),
        (420, Acceptance::No),
        (422, Acceptance::No),
        (423, Acceptance::No),
        (429, Acceptance::No),
        (302, Acceptance::Unknown),
        (404, Acceptance::Unknown),
        (408, Acceptance::Unknown),
        (500, Acceptance::Unknown),
        (503, Acceptance::Unknown),
    ] {
        assert_eq!(outcome_of(&prepared(vec![responds(status, None)]), 1).acceptance, acceptance, "{status}");
    }
    let outcome = outcome_of(&prepared(vec![responds(503, None), responds(420, None)]), 2);
    assert_eq!((outcome.result.unwrap_err().kind(), outcome.acceptance), (Kind::Rejected, Acceptance::Unknown));
    let outcome = outcome_of(&prepared(vec![lost(false), responds(422, None)]), 2);
    assert_eq!(outcome.acceptance, Acceptance::No);
}

#[test]
fn a_failure_that_is_not_retryable_is_not_retried() {
    for status in [302, 401, 402, 404, 420, 422, 423] {
        assert_eq!(outcome_of(&prepared(vec![responds(status, None)]), 9).attempts, 1, "{status}");
    }
    let tls = Exchange { response: Err(Error::new(Kind::Tls, "unknown issuer")), written: false };
    assert_eq!(outcome_of(&prepared(vec![tls]), 9).attempts, 1);
}

#[test]
fn a_delay_that_would_exceed_the_timeout_is_returned_without_waiting() {
    let transport = prepared(vec![responds(503, Some("7"))]);
    let outcome = outcome_of(&transport, 9);
    assert_eq!((outcome.attempts, outcome.retry_after), (1, Some(Duration::from_secs(7))));
    assert!(transport.pauses.lock().unwrap().is_empty());
}

#[test]
fn a_cancelled_pause_ends_the_report() {
    let transport = Prepared { is_cancelled: true, ..prepared(vec![lost(true)]) };
    let outcome = outcome_of(&transport, 9);
    assert_eq!((outcome.attempts, outcome.acceptance), (1, Acceptance::Unknown));
    assert_eq!(outcome.result.unwrap_err().kind(), Kind::Cancelled);
}
