use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

const FIRST: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

/// A lookup that ends when the test provides its result.
struct Prepared {
    asked: Sender<String>,
    results: Mutex<Receiver<io::Result<Vec<IpAddr>>>>,
}

impl Lookup for Prepared {
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.send(host.to_owned()).unwrap();
        self.results.lock().recv().unwrap()
    }
}

struct Bench {
    resolver: Resolver,
    asked: Receiver<String>,
    results: Sender<io::Result<Vec<IpAddr>>>,
    start: Instant,
}

impl Bench {
    fn new() -> Self {
        let (asked_sender, asked) = channel();
        let (results, results_receiver) = channel();
        let lookup = Prepared { asked: asked_sender, results: Mutex::new(results_receiver) };
        Self { resolver: Resolver::new(lookup), asked, results, start: Instant::now() }
    }

    fn ask(&self, age: Duration) -> Result<Vec<IpAddr>, Failure> {
        self.resolver.addresses("host.test", self.start + age, None, &|| false)
    }

    /// Waits until no lookup is in progress, then sets the time at which the last one ended.
    fn complete(&mut self) {
        let mut names = self.resolver.shared.names.lock();
        while names.values().any(|name| name.is_being_looked_up) {
            names = self.resolver.shared.ended.wait(names);
        }
        drop(names);
        self.start = Instant::now();
    }
}

fn failure() -> io::Result<Vec<IpAddr>> {
    Err(io::Error::other("no such name"))
}

#[test]
fn addresses_are_cached_for_a_minute_without_another_lookup() {
    let mut bench = Bench::new();
    bench.results.send(Ok(vec![FIRST, SECOND])).unwrap();
    assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST, SECOND]));
    bench.complete();
    assert_eq!(bench.ask(FRESH - Duration::from_secs(1)), Ok(vec![FIRST, SECOND]));
    assert_eq!(bench.asked.try_iter().count(), 1);
}

#[test]
fn stale_addresses_are_used_while_a_lookup_runs() {
    let mut bench = Bench::new();
    bench.results.send(Ok(vec![FIRST])).unwrap();
    assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
    bench.complete();
    // No result is prepared: a caller that waited for the lookup would wait permanently.
    assert_eq!(bench.ask(FRESH), Ok(vec![FIRST]));
    assert_eq!(bench.ask(FRESH), Ok(vec![FIRST]));
    bench.results.send(Ok(vec![SECOND])).unwrap();
    bench.complete();
    assert_eq!(bench.ask(Duration::ZERO), Ok(vec![SECOND]));
    assert_eq!(bench.asked.try_iter().count(), 2);
}

#[test]
fn addresses_outlive_failed_lookups_for_an_hour() {
    let mut bench = Bench::new();
    bench.results.send(Ok(vec![FIRST])).unwrap();
    assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
    bench.complete();
    bench.results.send(failure()).unwrap();
    assert_eq!(bench.ask(FRESH), Ok(vec![FIRST]));
    bench.complete();
    bench.results.send(failure()).unwrap();
    assert_eq!(bench.ask(USABLE), Err(Failure::NotFound));
}

#[test]
fn a_failure_is_cached_for_a_second() {
    let mut bench = Bench::new();
    bench.results.send(failure()).unwrap();
    assert_eq!(bench.ask(Duration::ZERO), Err(Failure::NotFound));
    bench.complete();
    assert_eq!(bench.ask(Duration::ZERO), Err(Failure::NotFound));
    bench.results.send(Ok(vec![FIRST])).unwrap();
    assert_eq!(bench.ask(FAILED), Ok(vec![FIRST]));
    assert_eq!(bench.asked.try_iter().count(), 2);
}

#[test]
fn a_caller_waits_no_longer_than_its_deadline() {
    let bench = Bench::new();
    let now = Instant::now();
    assert_eq!(bench.resolver.addresses("host.test", now, Some(now), &|| false), Err(Failure::TimedOut));
    bench.results.send(Ok(vec![FIRST])).unwrap();
    assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
    assert_eq!(bench.asked.try_iter().count(), 1);
}

#[test]
fn a_cancelled_caller_stops_waiting() {
    let bench = Bench::new();
    assert_eq!(bench.resolver.addresses("host.test", bench.start, None, &|| true), Err(Failure::TimedOut));
    bench.results.send(Ok(vec![FIRST])).unwrap();
    assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
}

#[test]
fn ip_addresses_and_localhost_need_no_lookup() {
    let bench = Bench::new();
    for (host, address) in [("192.0.2.1", "192.0.2.1"), ("[2001:db8::1]", "2001:db8::1"), ("LocalHost", "127.0.0.1")] {
        let found = bench.resolver.addresses(host, bench.start, None, &|| false).unwrap();
        assert_eq!(found.first(), Some(&address.parse().unwrap()));
    }
    assert_eq!(bench.asked.try_iter().count(), 0);
}
