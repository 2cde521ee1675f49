//! Tests how a reporter stores reports, sends them to the sandbox and returns events.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;

use std::collections::HashSet;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use common::outbox_db::OutboxContents;
use common::process::{Child, children, wait_for_end, write_line};
use common::service::Service;
use common::{
    Folder, IN_MEMORY, SOON, consume_event, in_calm_file, reporter, reporter_of, sms, statistics, wait_until,
};
use nexmo_conversion::{
    Channel, Conversion, Credentials, Durability, EventKind, Kind, Options, Overflow, Reporter, ReporterOptions, State,
    Timestamp,
};
use nexmo_sandbox::{Behaviour, Rule};

fn submit(reporter: &Reporter, name: &str, count: usize) {
    (0..count).for_each(|number| reporter.submit(&sms(&format!("{name}-{number}"), true)).unwrap());
}

children![submit_without_threads_in_a_child];

/// Starts a service that accepts no reports until it recovers.
fn unavailable_service() -> Service {
    Service::with_behaviour(Behaviour::Unavailable(None))
}

/// Returns a reporter that backs off because its first report failed.
fn reporter_backing_off(service: &Service, options: &ReporterOptions<'_>) -> Reporter {
    let reporter = reporter(&service.url, options);
    reporter.submit(&sms("first", true)).unwrap();
    wait_until("the back-off", SOON, || statistics(&reporter).state == State::BackingOff);
    reporter
}

/// Returns the options for an outbox at `outbox` and for an outbox in memory.
fn both(outbox: &Path) -> [ReporterOptions<'_>; 2] {
    [in_calm_file(outbox), IN_MEMORY]
}

#[test]
fn submitted_reports_arrive() {
    for durability in [Durability::Process, Durability::Power, Durability::None] {
        let (folder, service) = (Folder::new(), Service::start());
        let outbox = folder.outbox();
        let options = match durability {
            Durability::None => IN_MEMORY,
            _ => ReporterOptions { durability, ..in_calm_file(&outbox) },
        };
        let reporter = reporter(&service.url, &options);
        submit(&reporter, "id", 100);
        reporter.flush(Some(SOON)).unwrap();
        assert_eq!(service.arrived().len(), 100, "{durability:?}");
        assert_eq!(service.count(), 100, "{durability:?}");
        let counted = statistics(&reporter);
        assert_eq!((counted.submitted, counted.accepted, counted.pending), (100, 100, 0));
        assert_eq!((counted.state, counted.last_error, counted.oldest_pending), (State::Running, None, None));
        reporter.close(Some(SOON)).unwrap();
        assert_eq!(reporter.submit(&sms("late", true)).unwrap_err().kind(), Kind::Closed);
        assert_eq!(statistics(&reporter).state, State::Closed);
    }
}

#[test]
fn pending_reports_are_sent_at_the_next_start() {
    let (folder, service) = (Folder::new(), unavailable_service());
    let outbox = folder.outbox();
    let first = reporter(&service.url, &in_calm_file(&outbox));
    submit(&first, "id", 10);
    assert_eq!(first.close(Some(Duration::ZERO)).unwrap_err().kind(), Kind::Pending);
    drop(first);
    service.recover();
    let second = reporter(&service.url, &in_calm_file(&outbox));
    second.flush(Some(SOON)).unwrap();
    let counted = statistics(&second);
    assert_eq!((counted.submitted, counted.accepted), (10, 10));
}

#[test]
fn a_rejected_report_becomes_an_event_that_stays_until_it_is_acknowledged() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for status in [420, 422, 423] {
        for options in both(&outbox) {
            let service = Service::start();
            service.rule(Rule::for_message("bad", Behaviour::Status(status)));
            let reporter = reporter(&service.url, &options);
            reporter.submit(&sms("bad", true)).unwrap();
            reporter.submit(&sms("good", true)).unwrap();
            reporter.flush(Some(SOON)).unwrap();
            let event = reporter.poll(None).unwrap().unwrap();
            assert_eq!(
                reporter.poll(Some(Duration::ZERO)).unwrap().as_ref(),
                Some(&event),
                "an unacknowledged event must be returned again"
            );
            assert_eq!(consume_event(&reporter).as_ref(), Some(&event));
            reporter.acknowledge(event.id).unwrap();
            assert_eq!((event.conversion.message_id.as_str(), event.kind), ("bad", EventKind::Rejected));
            assert_eq!(event.http_status, Some(status));
            assert!(event.conversion.timestamp.is_some(), "the event must have the time of submission");
            assert!(reporter.poll(Some(Duration::ZERO)).unwrap().is_none());
            let counted = statistics(&reporter);
            assert_eq!((counted.submitted, counted.accepted, counted.rejected, counted.events), (2, 1, 1, 0));
            drop(reporter);
            std::fs::remove_file(&outbox).ok();
        }
    }
}

#[test]
fn a_full_outbox_fails_new_submits_until_there_is_space() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for options in both(&outbox) {
        let service = unavailable_service();
        let reporter = reporter_backing_off(&service, &ReporterOptions { max_pending: Some(10), ..options });
        submit(&reporter, "id", 9);
        assert_eq!(reporter.submit(&sms("too many", true)).unwrap_err().kind(), Kind::OutboxFull);
        // A later report for a pending message replaces the pending report, so it needs no space.
        reporter.submit(&sms("id-3", false)).unwrap();
        assert_eq!(reporter.submit(&sms("too many", true)).unwrap_err().kind(), Kind::OutboxFull);
        let counted = statistics(&reporter);
        assert_eq!((counted.submitted, counted.replaced, counted.pending, counted.dropped), (11, 1, 10, 0));
        service.recover();
        reporter.flush(Some(SOON)).unwrap();
        reporter.submit(&sms("too many", true)).unwrap();
        reporter.flush(Some(SOON)).unwrap();
        let last_versions = service.last_versions();
        assert_eq!((last_versions.len(), last_versions["id-3"], last_versions["too many"]), (11, false, true));
    }
}

#[test]
fn a_full_outbox_drops_its_oldest_report_if_so_configured() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for options in both(&outbox) {
        let service = unavailable_service();
        let options = ReporterOptions { max_pending: Some(10), overflow: Overflow::DropOldest, ..options };
        let reporter = reporter_backing_off(&service, &options);
        submit(&reporter, "id", 9);
        // The age of the later report starts at its own submission, so it is not among the oldest.
        reporter.submit(&sms("id-0", false)).unwrap();
        submit(&reporter, "new", 3);
        let counted = statistics(&reporter);
        assert_eq!((counted.submitted, counted.replaced, counted.dropped, counted.pending), (14, 1, 3, 10));
        for dropped in ["first", "id-1", "id-2"] {
            let event = consume_event(&reporter).unwrap();
            assert_eq!((event.conversion.message_id.as_str(), event.kind), (dropped, EventKind::Dropped));
            assert_eq!(event.http_status, None);
        }
        assert!(reporter.poll(Some(Duration::ZERO)).unwrap().is_none());
        service.forget();
        service.recover();
        reporter.flush(Some(SOON)).unwrap();
        let arrived: HashSet<_> = service.arrived().into_keys().collect();
        let kept = (3..9).map(|number| (format!("id-{number}"), true));
        let new = (0..3).map(|number| (format!("new-{number}"), true));
        assert_eq!(arrived, kept.chain(new).chain([("id-0".to_owned(), false)]).collect());
    }
}

#[test]
fn a_report_dropped_while_in_flight_has_one_outcome() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for options in both(&outbox) {
        let service = Service::with_behaviour(Behaviour::Slow(Duration::from_millis(500)));
        let options = ReporterOptions { max_pending: Some(1), overflow: Overflow::DropOldest, ..options };
        let reporter = reporter(&service.url, &options);
        reporter.submit(&sms("early", true)).unwrap();
        service.wait_for(1, SOON);
        reporter.submit(&sms("late", true)).unwrap();
        reporter.flush(Some(SOON)).unwrap();
        let counted = statistics(&reporter);
        assert_eq!((counted.submitted, counted.accepted, counted.dropped, counted.pending), (2, 1, 1, 0));
    }
}

#[test]
fn the_reports_of_the_two_channels_do_not_replace_each_other() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    for options in both(&outbox) {
        let service = unavailable_service();
        let reporter = reporter_backing_off(&service, &options);
        for channel in [Channel::Sms, Channel::Voice] {
            reporter.submit(&Conversion { channel, ..sms("same", false) }).unwrap();
            reporter.submit(&Conversion { channel, ..sms("same", true) }).unwrap();
        }
        let counted = statistics(&reporter);
        assert_eq!((counted.submitted, counted.replaced, counted.pending), (5, 2, 3));
        service.recover();
        service.forget();
        reporter.flush(Some(SOON)).unwrap();
        assert_eq!(service.arrived()[&("same".to_owned(), true)], 2, "one report per channel must arrive");
        assert_eq!(service.count(), 3);
    }
}

#[test]
fn each_event_reaches_at_least_one_of_many_consumers() {
    const COUNT: usize = 500;
    let (folder, service) = (Folder::new(), Service::with_behaviour(Behaviour::Status(420)));
    let outbox = folder.outbox();
    let reporters = [reporter(&service.url, &in_calm_file(&outbox)), reporter(&service.url, &in_calm_file(&outbox))];
    let polled = Mutex::new(HashSet::new());
    let deadline = Instant::now() + SOON;
    thread::scope(|scope| {
        for reporter in [&reporters[0], &reporters[1], &reporters[0], &reporters[1]] {
            let polled = &polled;
            scope.spawn(move || {
                while polled.lock().unwrap().len() < COUNT && Instant::now() < deadline {
                    match reporter.poll(Some(Duration::ZERO)) {
                        Ok(Some(event)) => {
                            polled.lock().unwrap().insert(event.conversion.message_id);
                            match reporter.acknowledge(event.id) {
                                Ok(()) => (),
                                Err(error) => assert_eq!(error.kind(), Kind::OutboxBusy, "{error}"),
                            }
                        }
                        Ok(None) => thread::yield_now(),
                        Err(error) => assert_eq!(error.kind(), Kind::OutboxBusy, "{error}"),
                    }
                }
            });
        }
        submit(&reporters[1], "id", COUNT);
    });
    reporters[0].flush(Some(SOON)).unwrap();
    assert_eq!(polled.into_inner().unwrap().len(), COUNT);
    for reporter in &reporters {
        assert!(reporter.poll(Some(Duration::ZERO)).unwrap().is_none());
        let counted = statistics(reporter);
        assert_eq!((counted.rejected, counted.events, counted.events_discarded), (COUNT as u64, 0, 0));
    }
}

#[test]
fn the_descriptor_is_readable_while_an_event_is_waiting() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    let service = Service::with_behaviour(Behaviour::Status(420));
    let sender = reporter(&service.url, &in_calm_file(&outbox));
    let other = reporter(&service.url, &in_calm_file(&outbox));
    let in_memory = reporter(&service.url, &IN_MEMORY);
    for (submitter, poller) in [(&sender, &sender), (&sender, &other), (&in_memory, &in_memory)] {
        assert!(poller.poll(Some(Duration::ZERO)).unwrap().is_none());
        let descriptor = poller.fd().unwrap();
        assert!(!becomes_readable(descriptor, Duration::ZERO));
        submitter.submit(&sms("bad", true)).unwrap();
        assert!(becomes_readable(descriptor, SOON));
        let event = poller.poll(Some(SOON)).unwrap().unwrap();
        assert!(
            becomes_readable(descriptor, Duration::ZERO),
            "the descriptor must be readable until the event is acknowledged"
        );
        poller.acknowledge(event.id).unwrap();
        wait_until("the descriptor to become unreadable", SOON, || {
            assert!(poller.poll(Some(Duration::ZERO)).unwrap().is_none());
            !becomes_readable(descriptor, Duration::ZERO)
        });
        // The event also notified the other reporter of this outbox. A poll that finds no event clears the
        // notification.
        sender.poll(Some(Duration::ZERO)).unwrap();
        other.poll(Some(Duration::ZERO)).unwrap();
    }
}

#[allow(unsafe_code)]
fn becomes_readable(descriptor: RawFd, limit: Duration) -> bool {
    // SAFETY: the reporter that owns the descriptor still exists.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let mut poll = libc::pollfd { fd: std::os::fd::AsRawFd::as_raw_fd(&borrowed), events: libc::POLLIN, revents: 0 };
    // SAFETY: the only entry is a local variable.
    unsafe { libc::poll(&raw mut poll, 1, libc::c_int::try_from(limit.as_millis()).unwrap()) == 1 }
}

#[test]
fn a_report_keeps_its_timestamp_however_late_it_is_sent() {
    let folder = Folder::new();
    let outbox = folder.outbox();
    let service = unavailable_service();
    let first = reporter(&service.url, &in_calm_file(&outbox));
    let (before, timestamp) = (now(), Timestamp::parse("2020-01-01 12:00:00").unwrap());
    first.submit(&Conversion { timestamp: Some(timestamp), ..sms("given", true) }).unwrap();
    first.submit(&sms("stamped", true)).unwrap();
    let after = now();
    assert_eq!(first.close(Some(Duration::ZERO)).unwrap_err().kind(), Kind::Pending);
    // The next reporter sends the reports in a later second. The service rejects them, so their events show the
    // timestamps.
    wait_until("another second", SOON, || now() > after);
    service.does(Behaviour::Status(420));
    let reporter = reporter(&service.url, &in_calm_file(&outbox));
    reporter.flush(Some(SOON)).unwrap();
    for conversion in [(); 2].map(|()| consume_event(&reporter).unwrap().conversion) {
        let returned = conversion.timestamp.unwrap();
        match conversion.message_id.as_str() {
            "given" => assert_eq!(returned, timestamp),
            _ => assert!((before..=after).contains(&returned), "{returned:?}"),
        }
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_unix_seconds(i64::try_from(since.as_secs()).unwrap()).unwrap()
}

#[test]
fn an_outbox_cannot_be_opened_for_another_account() {
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = folder.outbox();
    drop(reporter(&service.url, &in_calm_file(&outbox)));
    let open = |key: &str, url: &str| {
        let options = Options { base_url: Some(url), ..Options::default() };
        Reporter::new(Credentials::query(key, "s3cret").unwrap(), &options, &in_calm_file(&outbox)).map(drop)
    };
    assert_eq!(open("efgh5678", &service.url).unwrap_err().kind(), Kind::OutboxWrongAccount);
    assert_eq!(open("abcd1234", "https://localhost:1").unwrap_err().kind(), Kind::OutboxWrongAccount);
    open("abcd1234", &service.url).unwrap();
}

#[test]
fn no_secret_is_in_the_files() {
    let (folder, service) = (Folder::new(), unavailable_service());
    let outbox = folder.outbox();
    let secret = Credentials::query("abcd1234", "s3cret").unwrap();
    let reporter = reporter_of(secret, &service.url, &in_calm_file(&outbox));
    submit(&reporter, "id", 100);
    wait_until("a request", SOON, || service.count() > 0);
    reporter.close(Some(Duration::ZERO)).unwrap_err();
    drop(reporter);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"s3cret"), "{path:?}");
        names.push(path);
    }
    assert!(names.contains(&outbox) && names.len() > 1, "{names:?}");
}

#[test]
fn the_statistics_agree_with_the_rows_of_the_file() {
    let (folder, service) = (Folder::new(), Service::start());
    let outbox = folder.outbox();
    service.rule(Rule::for_message("bad-0", Behaviour::Status(422)));
    let options = ReporterOptions { max_pending: Some(20), overflow: Overflow::DropOldest, ..in_calm_file(&outbox) };
    let reporter = reporter(&service.url, &options);
    submit(&reporter, "good", 5);
    submit(&reporter, "bad", 1);
    reporter.flush(Some(SOON)).unwrap();
    service.does(Behaviour::Unavailable(Some(3600)));
    submit(&reporter, "rest", 25);
    reporter.submit(&sms("rest-24", false)).unwrap();
    let is_unavailable = |last: nexmo_conversion::LastError| last.http_status == Some(503);
    wait_until("a response with status 503", SOON, || statistics(&reporter).last_error.is_some_and(is_unavailable));
    let (counted, contents) = (statistics(&reporter), OutboxContents::read(&outbox).unwrap());
    contents.audit();
    let expected =
        OutboxContents { submitted: 32, accepted: 5, replaced: 1, ended: 6, damaged: 0, rows: 20, events: 6 };
    assert_eq!(contents, expected);
    assert_eq!((counted.submitted, counted.accepted, counted.replaced), (32, 5, 1));
    assert_eq!((counted.rejected, counted.dropped, counted.expired), (1, 5, 0));
    assert_eq!((counted.pending, counted.events), (20, 6));
    assert!(counted.oldest_pending.unwrap() < SOON);
    let last = counted.last_error.unwrap();
    assert_eq!((last.error.kind(), last.http_status), (Kind::Unavailable, Some(503)));
}

/// Submits a report under a limit on the address space that leaves no space for the stack of another thread.
#[allow(unsafe_code)]
fn submit_without_threads_in_a_child(task: &[String]) {
    let reporter = reporter(&task[0], &IN_MEMORY);
    // Allocates and frees memory, which the calls below can then reuse without more address space.
    drop((0..200).map(|_| Vec::<u8>::with_capacity(8 * 1024)).collect::<Vec<_>>());
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').next().unwrap().parse().unwrap();
    // SAFETY: the call has no pointer argument.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap();
    let limit = libc::rlimit { rlim_cur: (pages * page + 400 * 1024) as libc::rlim_t, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the limit is a local variable.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
    reporter.submit(&sms("id", true)).unwrap();
    let mut last = None;
    wait_until("the recorded error", SOON, || {
        last = reporter.statistics().unwrap().last_error.map(|last| last.error);
        last.is_some()
    });
    let last = last.unwrap();
    write_line(&format!("{:?} {}", last.kind(), last.message().contains("no thread can be created")));
    wait_for_end();
}

#[test]
fn a_reporter_without_threads_records_the_error_and_keeps_the_report() {
    let service = Service::start();
    let child = Child::start("submit_without_threads_in_a_child", &[&service.url]);
    assert_eq!(child.read_line(SOON), "System true");
    child.end();
}
