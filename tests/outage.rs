//! A service that is down, refuses the account or sends everybody elsewhere for a while: that costs time and nothing else.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

mod common;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use common::service::{Hearing, Service};
use common::{
    Folder, IN_MEMORY, LATER, SOON, in_calm_file, is_long, reporter, reporter_of, sms, statistics, take_event,
    wait_until, wrong_credentials,
};
use nexmo_conversion::{EventKind, Kind, Reporter, ReporterOptions, State};
use nexmo_sandbox::{Behaviour, Rule};

const CONNECTIONS: usize = 8;

/// The most requests a second that a service which is down may hear, over its outage, beside those that were under way when
/// it went down. Back-off with full jitter begins at 100 ms on average and doubles.
const STORM: f64 = 10.0;

/// How many reports are fresh while the others drain.
const FRESH: usize = 20;

#[test]
fn after_an_outage_all_arrive_the_newest_first() {
    let (count, limit) = if is_long() { (100_000, LATER) } else { (10_000, SOON) };
    let (folder, service) = (Folder::new(), Service::doing(Behaviour::Unavailable(None)));
    let outbox = folder.outbox();
    let reporter = reporter(&service.url, &in_calm_file(&outbox));
    let down = Instant::now();
    submit(&reporter, "id", count);
    let (was_down, knocks) = (down.elapsed(), service.count());
    let rate = (knocks.saturating_sub(CONNECTIONS)) as f64 / was_down.as_secs_f64();
    assert!(rate < STORM, "{knocks} requests in {was_down:?}");
    assert_eq!((statistics(&reporter).pending, statistics(&reporter).state), (count as u64, State::BackingOff));
    service.forget();

    let behind = drain_with_fresh(&reporter, &service);
    reporter.flush(Some(limit)).unwrap();
    let counted = statistics(&reporter);
    let drained: Vec<usize> = service.heard().iter().filter_map(|hearing| number(hearing, "id")).collect();
    assert_eq!(drained.iter().collect::<HashSet<_>>().len(), count, "all arrived");
    let (newest_first, share) = (-rank_correlation(&drained), oldest_among(&drained[..count / 2], count));
    println!(
        "outage: {count} submitted while it was down for {was_down:?}, {knocks} requests meanwhile ({rate:.1} a second); newest \
         first {newest_first:.3}, the share of the oldest {share:.3}; a fresh report waited for {behind:?} others; {counted:?}"
    );
    assert!(newest_first > 0.9, "{newest_first}");
    // One in 32 is the oldest.
    assert!((0.02..0.05).contains(&share), "{share}");
    assert!(*behind.iter().max().unwrap() <= 2 * CONNECTIONS, "{behind:?}");
    assert_eq!((counted.accepted, counted.pending), ((count + FRESH) as u64, 0));
}

/// Lets the drain begin, slowly, and submits fresh reports. Tells how many others were heard before each of them.
fn drain_with_fresh(reporter: &Reporter, service: &Service) -> Vec<usize> {
    service.does(Behaviour::Slow(Duration::from_millis(100)));
    // It probes at once, and has no time for more.
    assert_eq!(reporter.flush(Some(Duration::ZERO)).unwrap_err().kind(), Kind::Pending);
    service.wait_for(2 * CONNECTIONS, SOON);
    let mut behind = Vec::new();
    for fresh in 0..FRESH {
        reporter.submit(&sms(&format!("fresh-{fresh}"), true)).unwrap();
        let before = service.count();
        let place = |heard: &[Hearing]| heard.iter().position(|hearing| number(hearing, "fresh") == Some(fresh));
        service.wait_until(SOON, |heard| place(heard).is_some());
        behind.push(place(&service.heard()).unwrap().saturating_sub(before));
    }
    service.recover();
    behind
}

fn submit(reporter: &Reporter, name: &str, count: usize) {
    (0..count).for_each(|number| reporter.submit(&sms(&format!("{name}-{number}"), true)).unwrap());
}

/// The number of the report, if it is one of that name and was taken.
fn number(hearing: &Hearing, name: &str) -> Option<usize> {
    let (found, number) = hearing.message_id.split_once('-')?;
    (found == name && hearing.is_taken()).then(|| number.parse().unwrap())
}

/// Spearman's: 1 if `numbers` ascend, -1 if they descend, 0 if they do neither.
fn rank_correlation(numbers: &[usize]) -> f64 {
    let mut places: Vec<usize> = (0..numbers.len()).collect();
    places.sort_by_key(|place| numbers[*place]);
    let apart = |(rank, place): (usize, &usize)| (rank.abs_diff(*place) as f64).powi(2);
    let (sum, count) = (places.iter().enumerate().map(apart).sum::<f64>(), numbers.len() as f64);
    1.0 - 6.0 * sum / (count * (count * count - 1.0))
}

/// What part of `numbers` belongs to the oldest half of `count`.
fn oldest_among(numbers: &[usize], count: usize) -> f64 {
    numbers.iter().filter(|number| **number < count / 2).count() as f64 / numbers.len() as f64
}

#[test]
fn a_service_that_cannot_be_reached_costs_nothing_but_time() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for options in [in_calm_file(&outbox), IN_MEMORY] {
        let mut service = Service::start();
        let reporter = reporter(&service.url, &options);
        service.go_away();
        submit(&reporter, "id", 100);
        wait_until("a look at the service", SOON, || statistics(&reporter).state == State::BackingOff);
        assert_eq!(reporter.flush(Some(Duration::from_millis(100))).unwrap_err().kind(), Kind::Pending);
        assert_eq!((service.count(), statistics(&reporter).pending), (0, 100));
        service.resume();
        reporter.flush(Some(SOON)).unwrap();
        let counted = statistics(&reporter);
        assert_eq!((counted.accepted, counted.rejected, counted.expired), (100, 0, 0));
        // The account of the file is that of this service.
        drop(reporter);
        std::fs::remove_file(&outbox).ok();
    }
}

#[test]
fn without_a_call_it_goes_on_soon_after_a_short_outage() {
    let service = Service::doing(Behaviour::Unavailable(None));
    let reporter = reporter(&service.url, &IN_MEMORY);
    submit(&reporter, "id", 100);
    service.wait_for(CONNECTIONS + 2, SOON);
    service.recover();
    let well = Instant::now();
    service.wait_until(SOON, |heard| heard.iter().filter(|hearing| hearing.is_taken()).count() == 100);
    println!("outage: without a call all was sent {:?} after it", well.elapsed());
}

#[test]
fn a_service_that_asks_for_time_gets_it_though_reports_are_queued() {
    let service = Service::start();
    service.rule(Rule::for_all(Behaviour::Throttled(2)).times(1));
    let reporter = reporter(&service.url, &ReporterOptions { max_in_flight: Some(1), ..IN_MEMORY });
    submit(&reporter, "id", 2);
    service.wait_for(3, SOON);
    let heard = service.heard();
    let (waited, statuses) = (heard[1].at - heard[0].at, heard.iter().map(|hearing| hearing.status));
    assert_eq!(statuses.collect::<Vec<_>>(), [429, 200, 200]);
    assert!((Duration::from_secs(2)..Duration::from_secs(5)).contains(&waited), "{waited:?}");
}

#[test]
fn a_service_that_asks_for_time_gets_it_though_others_are_answered_later() {
    let service = Service::doing(Behaviour::Slow(Duration::from_millis(300)));
    service.rule(Rule::for_message("id-0", Behaviour::Throttled(2)).times(1));
    let reporter = reporter(&service.url, &IN_MEMORY);
    submit(&reporter, "id", 24);
    service.wait_until(SOON, |heard| heard.iter().filter(|hearing| hearing.is_taken()).count() == 24);
    let heard = service.heard();
    let asked = heard.iter().find(|hearing| hearing.status == 429).unwrap().at;
    let is_soon = |hearing: &&Hearing| hearing.at > asked && hearing.at - asked < Duration::from_secs(2);
    let meanwhile = heard.iter().filter(is_soon).count();
    println!("outage: {meanwhile} requests in the time that the service had asked for");
    // Those that were on their way at that moment.
    assert!(meanwhile < CONNECTIONS, "{meanwhile}");
}

#[test]
fn what_somebody_must_correct_suspends_the_reporter_and_costs_no_report() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    let service = Service::start();
    for reporter in [reporter(&service.url, &in_calm_file(&outbox)), reporter(&service.url, &IN_MEMORY)] {
        let mut sent = 0;
        for status in [402, 401, 302, 404] {
            // Of many each is probed once; of two each more than once.
            for count in [50, 2] {
                service.forget();
                suspend(&reporter, &service, status, count);
                let tried: Vec<_> = service.heard().iter().map(|hearing| hearing.message_id.clone()).collect();
                let different = tried.iter().collect::<HashSet<_>>().len();
                println!("suspension: {status}: {} requests with {different} of {count} reports", tried.len());
                assert!((FLUSHES..=FLUSHES + 2 * CONNECTIONS + 2).contains(&tried.len()), "{tried:?}");
                assert!(different >= count.min(tried.len() - 1), "each probe takes a different report: {tried:?}");
                service.recover();
                reporter.flush(Some(SOON)).unwrap();
                sent += count as u64;
                let counted = statistics(&reporter);
                assert_eq!((counted.accepted, counted.rejected, counted.state), (sent, 0, State::Running));
            }
        }
    }
}

/// How many flushes ask a suspended reporter for a probe. One is made a second.
const FLUSHES: usize = 3;

/// Has the service answer so to so many reports, and to a few probes.
fn suspend(reporter: &Reporter, service: &Service, status: u16, count: usize) {
    service.does(Behaviour::Status(status));
    submit(reporter, &format!("s{status}"), count);
    // The gate was wide open; from now on one at a time probes, when it is asked for.
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
    // The next flush is to tell of what is sent after it.
    wait_until("quiet", SOON, || statistics(reporter).in_flight == 0);
}

#[test]
fn one_poisoned_report_is_refused_in_the_end_and_alone() {
    let folder = Folder::new();
    let (outbox, service) = (folder.outbox(), Service::start());
    service.rule(Rule::for_message("poison", Behaviour::NotEnabled));
    let reporter = reporter(&service.url, &in_calm_file(&outbox));
    reporter.submit(&sms("poison", true)).unwrap();
    // Good ones come all the time, one after the other. The rests of the poisoned one add up to 11 s.
    let (began, mut good) = (Instant::now(), 0);
    let event = loop {
        reporter.submit(&sms(&format!("good-{good}"), true)).unwrap();
        good += 1;
        let is_through = |counted: &nexmo_conversion::Statistics| counted.accepted == good || counted.events > 0;
        wait_until("a good report", SOON, || is_through(&statistics(&reporter)));
        if let Some(event) = reporter.poll(Some(Duration::ZERO)).unwrap() {
            break event;
        }
        assert!(began.elapsed() < SOON, "it is still not refused");
    };
    assert_eq!((event.conversion.message_id.as_str(), event.kind), ("poison", EventKind::Rejected));
    assert_eq!(event.http_status, Some(402));
    let strikes = service.heard().iter().filter(|hearing| hearing.message_id == "poison").count();
    println!(
        "suspension: poison was refused after {:?} and {strikes} requests, {good} good ones went by",
        began.elapsed()
    );
    reporter.flush(Some(SOON)).unwrap();
    let counted = statistics(&reporter);
    assert_eq!((counted.accepted, counted.rejected, counted.pending), (good, 1, 0));
    assert!(strikes <= 4, "{strikes}");
    assert!(began.elapsed() > Duration::from_secs(11), "its rests were cut short");
}

#[test]
fn a_wrong_secret_does_not_stop_who_has_the_right_one() {
    let folder = Folder::new();
    let (outbox, service) = (folder.outbox(), Service::start());
    let wrong = reporter_of(wrong_credentials(), &service.url, &in_calm_file(&outbox));
    submit(&wrong, "wrong", 20);
    wait_until("suspension", SOON, || statistics(&wrong).state == State::Suspended);
    let right = reporter(&service.url, &in_calm_file(&outbox));
    submit(&right, "right", 20);
    // Neither is called until all are sent.
    let begun = Instant::now();
    service.wait_until(SOON, |heard| heard.iter().filter(|hearing| hearing.is_taken()).count() == 40);
    println!("wrong secret: all was sent {:?} after the right one came", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    right.flush(Some(SOON)).unwrap();
    let counted = statistics(&right);
    assert_eq!((counted.submitted, counted.accepted, counted.rejected), (40, 40, 0));
    // What the wrong one accepts now is sent by the other, which notices it.
    submit(&wrong, "late", 20);
    service.wait_until(SOON, |heard| heard.iter().filter(|hearing| hearing.is_taken()).count() == 60);
}

#[test]
fn a_report_that_expires_during_an_outage_becomes_an_event() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for options in [in_calm_file(&outbox), IN_MEMORY] {
        for behaviour in [Behaviour::Unavailable(Some(3600)), Behaviour::NotEnabled] {
            let service = Service::doing(behaviour);
            let options = ReporterOptions { max_age: Some(Duration::from_secs(1)), ..options };
            let reporter = reporter(&service.url, &options);
            submit(&reporter, "id", 10);
            let submitted = Instant::now();
            wait_until("age", SOON, || submitted.elapsed() > Duration::from_millis(1100));
            wait_until("quiet", SOON, || statistics(&reporter).in_flight == 0);
            // While it is suspended, or told to wait, it looks after them at its next probe, which is now.
            reporter.flush(Some(SOON)).unwrap();
            assert_eq!(statistics(&reporter).expired, 10, "{behaviour:?}");
            for _ in 0..10 {
                let event = take_event(&reporter).unwrap();
                assert_eq!((event.kind, event.http_status), (EventKind::Expired, None));
            }
            assert_eq!((reporter.poll(Some(Duration::ZERO)).unwrap(), statistics(&reporter).pending), (None, 0));
            reporter.flush(Some(SOON)).unwrap();
            drop(reporter);
            std::fs::remove_file(&outbox).ok();
        }
    }
}
