//! Tests a service that is down, rejects the account or redirects requests for a while: reports are delayed, and each
//! is eventually sent or becomes an event.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::service::{Received, Service};
use common::{
    Folder, HURRY, IN_MEMORY, LATER, SOON, SeededRng, consume_event, credentials, hurried_reporter, in_calm_file,
    is_long, reporter, reporter_of, sms, statistics, wait_until, wrong_credentials,
};
use nexmo_conversion::{EventKind, Kind, Options, Reporter, ReporterOptions, State};
use nexmo_sandbox::{Behaviour, Rule};

const CONNECTIONS: usize = 8;

/// The maximum average rate of requests per second to a service that is down, not counting one request per connection.
/// The back-off with full jitter starts at 100 ms on average and doubles.
const STORM: f64 = 10.0;

/// The number of fresh reports submitted while the backlog drains.
const FRESH: usize = 20;

#[test]
fn after_an_outage_all_reports_arrive_newest_first() {
    let (count, limit) = if is_long() { (100_000, LATER) } else { (10_000, SOON) };
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Unavailable(None)));
    let outbox = folder.outbox();
    let reporter = reporter(&service.url, &in_calm_file(&outbox));
    let down = Instant::now();
    submit(&reporter, "id", count);
    let (was_down, requests) = (down.elapsed(), service.count());
    let rate = (requests.saturating_sub(CONNECTIONS)) as f64 / was_down.as_secs_f64();
    assert!(rate < STORM, "too many requests during the outage: {requests} in {was_down:?}");
    assert_eq!((statistics(&reporter).pending, statistics(&reporter).state), (count as u64, State::BackingOff));
    service.forget();

    let behind = drain_with_fresh(&reporter, &service);
    reporter.flush(Some(limit)).unwrap();
    let counted = statistics(&reporter);
    let drained: Vec<usize> = service.received().iter().filter_map(|request| number(request, "id")).collect();
    assert_eq!(drained.iter().collect::<HashSet<_>>().len(), count, "all reports must arrive");
    let (newest_first, share) = (-rank_correlation(&drained), oldest_among(&drained[..count / 2], count));
    println!(
        "outage: {count} reports submitted in {was_down:?}, {requests} requests meanwhile ({rate:.1} a second); rank \
         correlation {newest_first:.3}, share of old reports {share:.3}; reports before each fresh one: {behind:?}; {counted:?}"
    );
    assert!(newest_first > 0.9, "the reports were not sent newest first: {newest_first}");
    // The reporter sends the oldest report once in every 32 reports.
    assert!((0.02..0.05).contains(&share), "the share of old reports is {share}");
    assert!(*behind.iter().max().unwrap() <= 2 * CONNECTIONS, "{behind:?}");
    assert_eq!((counted.accepted, counted.pending), ((count + FRESH) as u64, 0));
}

/// Submits fresh reports while the backlog drains slowly. Returns, for each fresh report, the number of other requests
/// that were received between its submission and its arrival.
fn drain_with_fresh(reporter: &Reporter, service: &Service) -> Vec<usize> {
    service.does(Behaviour::Slow(Duration::from_millis(100)));
    // The flush requests a probe and does not wait for it.
    assert_eq!(reporter.flush(Some(Duration::ZERO)).unwrap_err().kind(), Kind::Pending);
    service.wait_for(2 * CONNECTIONS, SOON);
    let mut behind = Vec::new();
    for fresh in 0..FRESH {
        reporter.submit(&sms(&format!("fresh-{fresh}"), true)).unwrap();
        let before = service.count();
        let position =
            |received: &[Received]| received.iter().position(|request| number(request, "fresh") == Some(fresh));
        service.wait_until(SOON, |received| position(received).is_some());
        behind.push(position(&service.received()).unwrap().saturating_sub(before));
    }
    service.recover();
    behind
}

fn submit(reporter: &Reporter, name: &str, count: usize) {
    (0..count).for_each(|number| reporter.submit(&sms(&format!("{name}-{number}"), true)).unwrap());
}

/// Returns the number in the message id if the report has this name and was accepted.
fn number(request: &Received, name: &str) -> Option<usize> {
    let (found, number) = request.message_id.split_once('-')?;
    (found == name && request.is_accepted()).then(|| number.parse().unwrap())
}

/// Returns Spearman's rank correlation: 1 if `numbers` ascend, -1 if they descend, and about 0 if they are unordered.
fn rank_correlation(numbers: &[usize]) -> f64 {
    let mut positions: Vec<usize> = (0..numbers.len()).collect();
    positions.sort_by_key(|position| numbers[*position]);
    let apart = |(rank, position): (usize, &usize)| (rank.abs_diff(*position) as f64).powi(2);
    let (sum, count) = (positions.iter().enumerate().map(apart).sum::<f64>(), numbers.len() as f64);
    1.0 - 6.0 * sum / (count * (count * count - 1.0))
}

/// Returns the fraction of `numbers` that belong to the oldest half of `count` reports.
fn oldest_among(numbers: &[usize], count: usize) -> f64 {
    numbers.iter().filter(|number| **number < count / 2).count() as f64 / numbers.len() as f64
}

#[test]
fn all_reports_arrive_after_the_service_was_unreachable() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for options in [in_calm_file(&outbox), IN_MEMORY] {
        let mut service = Service::start();
        let reporter = reporter(&service.url, &options);
        service.stop();
        submit(&reporter, "id", 100);
        wait_until("the first failed report", SOON, || statistics(&reporter).state == State::BackingOff);
        assert_eq!(reporter.flush(Some(Duration::from_millis(100))).unwrap_err().kind(), Kind::Pending);
        assert_eq!((service.count(), statistics(&reporter).pending), (0, 100));
        service.resume();
        reporter.flush(Some(SOON)).unwrap();
        let counted = statistics(&reporter);
        assert_eq!((counted.accepted, counted.rejected, counted.expired), (100, 0, 0));
        // The next service has another URL, for which this outbox cannot be opened.
        drop(reporter);
        std::fs::remove_file(&outbox).ok();
    }
}

#[test]
fn sending_resumes_soon_after_a_short_outage_without_a_call() {
    let service = Service::with_behaviour(Behaviour::Unavailable(None));
    let reporter = reporter(&service.url, &IN_MEMORY);
    submit(&reporter, "id", 100);
    service.wait_for(CONNECTIONS + 2, SOON);
    service.recover();
    let well = Instant::now();
    service.wait_until(SOON, |received| received.iter().filter(|request| request.is_accepted()).count() == 100);
    println!("outage: all reports were sent {:?} after the outage, without a call", well.elapsed());
}

#[test]
fn retry_after_is_respected_while_reports_are_queued() {
    let service = Service::start();
    service.rule(Rule::for_all(Behaviour::Throttled(2)).times(1));
    let reporter = reporter(&service.url, &ReporterOptions { max_in_flight: Some(1), ..IN_MEMORY });
    submit(&reporter, "id", 2);
    service.wait_for(3, SOON);
    let received = service.received();
    let (waited, statuses) = (received[1].at - received[0].at, received.iter().map(|request| request.status));
    assert_eq!(statuses.collect::<Vec<_>>(), [429, 200, 200]);
    assert!((Duration::from_secs(2)..Duration::from_secs(5)).contains(&waited), "the reporter waited for {waited:?}");
}

#[test]
fn retry_after_is_respected_when_other_responses_arrive_later() {
    let service = Service::with_behaviour(Behaviour::Slow(Duration::from_millis(300)));
    service.rule(Rule::for_message("id-0", Behaviour::Throttled(2)).times(1));
    let reporter = reporter(&service.url, &IN_MEMORY);
    submit(&reporter, "id", 24);
    service.wait_until(SOON, |received| received.iter().filter(|request| request.is_accepted()).count() == 24);
    let received = service.received();
    let asked = received.iter().find(|request| request.status == 429).unwrap().at;
    let is_soon = |request: &&Received| request.at > asked && request.at - asked < Duration::from_secs(2);
    let meanwhile = received.iter().filter(is_soon).count();
    println!("outage: {meanwhile} requests during the delay that the service asked for");
    // Only requests that were in flight when the service asked for the delay may arrive.
    assert!(meanwhile < CONNECTIONS, "{meanwhile} requests arrived during the delay");
}

#[test]
fn no_flush_overrides_a_wait_that_the_service_asked_for() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for behaviour in [Behaviour::Throttled(1000), Behaviour::Unavailable(Some(1000))] {
        let service = Service::with_behaviour(behaviour);
        let reporter = hurried_reporter(&service.url, &in_calm_file(&outbox));
        submit(&reporter, "id", 20);
        wait_until("a back-off", SOON, || {
            let counted = statistics(&reporter);
            counted.state == State::BackingOff && counted.in_flight == 0
        });
        let requests = service.count();
        for _ in 0..40 {
            assert_eq!(reporter.flush(Some(Duration::from_millis(10))).unwrap_err().kind(), Kind::Pending);
        }
        assert_eq!(service.count(), requests, "{behaviour:?}");
        drop(reporter);
        // The next service has another URL, for which this outbox cannot be opened.
        std::fs::remove_file(&outbox).unwrap();
    }
}

#[test]
fn account_errors_suspend_the_reporter_and_lose_no_report() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    let service = Service::start();
    for options in [in_calm_file(&outbox), IN_MEMORY] {
        let reporter = hurried_reporter(&service.url, &options);
        let mut sent = 0;
        for status in [402, 401, 302, 404] {
            // With 50 reports, each probe sends a different one; with 2, the probes repeat reports.
            for count in [50, 2] {
                service.forget();
                suspend(&reporter, &service, status, count);
                let tried: Vec<_> = service.received().iter().map(|request| request.message_id.clone()).collect();
                let different = tried.iter().collect::<HashSet<_>>().len();
                println!("suspension: {status}: {} requests with {different} of {count} reports", tried.len());
                assert!((FLUSHES..=FLUSHES + 2 * CONNECTIONS + 2).contains(&tried.len()), "{tried:?}");
                assert!(different >= count.min(tried.len() - 1), "each probe must send a different report: {tried:?}");
                service.recover();
                reporter.flush(Some(SOON)).unwrap();
                sent += count as u64;
                let counted = statistics(&reporter);
                assert_eq!((counted.accepted, counted.rejected, counted.state), (sent, 0, State::Running));
            }
        }
    }
}

/// The number of flushes of a suspended reporter, each of which requests a probe.
const FLUSHES: usize = 3;

/// Submits `count` reports while the service responds with `status`, which suspends the reporter. Then requests a few
/// probes.
fn suspend(reporter: &Reporter, service: &Service, status: u16, count: usize) {
    service.does(Behaviour::Status(status));
    submit(reporter, &format!("s{status}"), count);
    wait_until("suspension", SOON, || statistics(reporter).state == State::Suspended);
    for number in 0..FLUSHES {
        assert_eq!(
            reporter.flush(Some(SOON)).unwrap_err().kind(),
            Kind::Suspended,
            "{status}, flush {number} of {count}"
        );
    }
    let counted = statistics(reporter);
    assert_eq!((counted.pending, counted.rejected, counted.events), (count as u64, 0, 0), "{status}");
    assert_eq!(counted.last_error.unwrap().http_status, Some(status));
    // No response to these requests may arrive after the service has recovered.
    wait_until("the end of all requests", SOON, || statistics(reporter).in_flight == 0);
}

#[test]
fn only_the_poison_report_is_eventually_rejected() {
    let folder = Folder::new();
    let (outbox, service) = (folder.outbox(), Service::start());
    service.rule(Rule::for_message("poison", Behaviour::NotEnabled));
    let reporter = hurried_reporter(&service.url, &in_calm_file(&outbox));
    reporter.submit(&sms("poison", true)).unwrap();
    // Other reports succeed meanwhile, one after the other. The retry delays of the poison report add up to 11 s,
    // divided by `HURRY`.
    let (began, mut good) = (Instant::now(), 0);
    let event = loop {
        reporter.submit(&sms(&format!("good-{good}"), true)).unwrap();
        good += 1;
        let is_through = |counted: &nexmo_conversion::Statistics| counted.accepted == good || counted.events > 0;
        wait_until("the acceptance of a good report", SOON, || is_through(&statistics(&reporter)));
        if let Some(event) = reporter.poll(Some(Duration::ZERO)).unwrap() {
            break event;
        }
        assert!(began.elapsed() < SOON, "the poison report was not rejected in time");
    };
    assert_eq!((event.conversion.message_id.as_str(), event.kind), ("poison", EventKind::Rejected));
    assert_eq!(event.http_status, Some(402));
    let requests = service.received().iter().filter(|request| request.message_id == "poison").count();
    println!(
        "suspension: the poison report was rejected after {:?} and {requests} requests, {good} other reports were sent",
        began.elapsed()
    );
    reporter.flush(Some(SOON)).unwrap();
    let counted = statistics(&reporter);
    assert_eq!((counted.accepted, counted.rejected, counted.pending), (good, 1, 0));
    assert!(requests <= 4, "the poison report was sent {requests} times");
    assert!(began.elapsed() > Duration::from_secs(11) / HURRY, "the retry delays of the poison report were too short");
}

#[test]
fn all_reports_arrive_while_half_of_the_responses_reject_the_account() {
    // The service rejects every second request, or a random half of the requests.
    for is_random in [false, true] {
        let folder = Folder::new();
        let outbox = folder.outbox();
        let service = HalfBroken::start(is_random);
        let reporter = reporter(&service.url, &in_calm_file(&outbox));
        submit(&reporter, "id", REPORTS);
        let began = Instant::now();
        wait_until("all reports", SOON, || {
            let counted = statistics(&reporter);
            assert_eq!((counted.rejected, counted.events), (0, 0));
            counted.accepted == REPORTS as u64
        });
        println!("suspension: {REPORTS} reports in {:?} while half of the responses are 401", began.elapsed());
    }
}

/// The number of reports that are sent to a service that responds to half of the requests with 401.
const REPORTS: usize = 200;

/// A service that responds to about half of the requests with 401.
struct HalfBroken {
    url: String,
}

impl HalfBroken {
    fn start(is_random: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let random = Arc::new(Mutex::new((SeededRng::from_environment("half").0, 0_u64)));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, random) = (stream.unwrap(), Arc::clone(&random));
                thread::spawn(move || {
                    let mut buffer = [0; 16 * 1024];
                    // The library sends each request in a single write, without a body, so each read returns one
                    // request.
                    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
                        let mut random = random.lock().unwrap();
                        random.1 += 1;
                        let is_rejected = if is_random { random.0.below(2) == 0 } else { random.1.is_multiple_of(2) };
                        drop(random);
                        let status = if is_rejected { "401 Unauthorized" } else { "200 OK" };
                        let response = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                        if stream.write_all(response.as_bytes()).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { url }
    }
}

#[test]
fn a_sender_that_cannot_reach_the_service_steps_down() {
    let folder = Folder::new();
    let (outbox, service) = (folder.outbox(), Service::start());
    // No server listens on this port.
    let proxy = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let options = Options { base_url: Some(&service.url), proxy: Some(&proxy), ..Options::default() };
    let first = Reporter::new(credentials(), &options, &in_calm_file(&outbox)).unwrap();
    submit(&first, "first", 10);
    wait_until("a failure", SOON, || statistics(&first).state == State::BackingOff);
    let second = reporter(&service.url, &in_calm_file(&outbox));
    submit(&second, "second", 10);
    let began = Instant::now();
    service.wait_until(SOON, |received| received.iter().filter(|request| request.is_accepted()).count() == 20);
    println!("hand-over: all reports were sent after {:?}", began.elapsed());
    second.flush(Some(SOON)).unwrap();
    assert_eq!((statistics(&first).accepted, statistics(&second).accepted), (20, 20));
    wait_until("the standby state", SOON, || statistics(&first).state == State::Standby);
    // Reports that are submitted to the first reporter still wake the second one, which sends them.
    submit(&first, "late", 10);
    service.wait_until(SOON, |received| received.iter().filter(|request| request.is_accepted()).count() == 30);
}

#[test]
fn a_reporter_with_a_wrong_secret_does_not_block_a_reporter_with_the_right_secret() {
    let folder = Folder::new();
    let (outbox, service) = (folder.outbox(), Service::start());
    let wrong = reporter_of(wrong_credentials(), &service.url, &in_calm_file(&outbox));
    submit(&wrong, "wrong", 20);
    wait_until("suspension", SOON, || statistics(&wrong).state == State::Suspended);
    let right = reporter(&service.url, &in_calm_file(&outbox));
    submit(&right, "right", 20);
    // The test calls neither reporter until all reports are sent.
    let begun = Instant::now();
    service.wait_until(SOON, |received| received.iter().filter(|request| request.is_accepted()).count() == 40);
    println!(
        "wrong secret: all reports were sent {:?} after a reporter with the right secret was created",
        begun.elapsed()
    );
    assert!(begun.elapsed() < Duration::from_secs(5), "sending took {:?}", begun.elapsed());
    right.flush(Some(SOON)).unwrap();
    let counted = statistics(&right);
    assert_eq!((counted.submitted, counted.accepted, counted.rejected), (40, 40, 0));
    // The reporter with the right secret also sends reports that are later submitted to the other reporter.
    submit(&wrong, "late", 20);
    service.wait_until(SOON, |received| received.iter().filter(|request| request.is_accepted()).count() == 60);
}

#[test]
fn a_report_that_expires_during_an_outage_becomes_an_event() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for options in [in_calm_file(&outbox), IN_MEMORY] {
        for behaviour in [Behaviour::Unavailable(Some(3600)), Behaviour::NotEnabled] {
            let service = Service::with_behaviour(behaviour);
            let options = ReporterOptions { max_age: Some(Duration::from_secs(1)), ..options };
            let reporter = hurried_reporter(&service.url, &options);
            submit(&reporter, "id", 10);
            wait_until("a back-off or a suspension", SOON, || {
                let counted = statistics(&reporter);
                counted.state != State::Running && counted.in_flight == 0
            });
            let requests = service.count();
            wait_until("the expiry", SOON, || statistics(&reporter).expired == 10);
            // One more request is allowed, because a probe may be sent before the reports have expired.
            assert!(service.count() <= requests + 1, "expired reports must not be sent as probes");
            for _ in 0..10 {
                let event = consume_event(&reporter).unwrap();
                assert_eq!((event.kind, event.http_status), (EventKind::Expired, None));
            }
            assert_eq!((reporter.poll(Some(Duration::ZERO)).unwrap(), statistics(&reporter).pending), (None, 0));
            reporter.flush(Some(SOON)).unwrap();
            drop(reporter);
            std::fs::remove_file(&outbox).ok();
        }
    }
}
