use std::sync::atomic::{AtomicU32, Ordering};
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

    /// Waits until no lookup is in progress, then sets the start, from which `ask` counts ages, to the current time.
    fn complete(&mut self) {
        let mut names = self.resolver.shared.names.lock();
        while names.values().any(|name| name.in_progress > 0) {
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
    // No result is prepared, so a caller that waited for the lookup would wait forever.
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

#[test]
fn a_lookup_that_hangs_does_not_prevent_later_ones() {
    let mut bench = Bench::new();
    let start = bench.start;
    let past = Some(start);
    let ask = |bench: &Bench, age| bench.resolver.addresses("host.test", start + age, past, &|| false);
    // No result is prepared, so the first lookup hangs.
    assert_eq!(ask(&bench, Duration::ZERO), Err(Failure::TimedOut));
    assert_eq!(bench.asked.recv().unwrap(), "host.test");
    assert_eq!(ask(&bench, NEXT_LOOKUP_AFTER - Duration::from_millis(1)), Err(Failure::TimedOut));
    assert_eq!(bench.asked.try_iter().count(), 0, "another lookup must not start before NEXT_LOOKUP_AFTER");
    // Further lookups, which also hang, start at growing intervals until the limit is reached.
    let mut age = Duration::ZERO;
    for others in 0..MOST_LOOKUPS - 1 {
        age += NEXT_LOOKUP_AFTER * (1 << others);
        assert_eq!(ask(&bench, age), Err(Failure::TimedOut));
        assert_eq!(bench.asked.recv().unwrap(), "host.test");
    }
    assert_eq!(ask(&bench, age + Duration::from_secs(3600)), Err(Failure::TimedOut));
    assert_eq!(bench.asked.try_iter().count(), 0, "no lookup may start beyond the limit");
    // One of the lookups ends.
    bench.results.send(Ok(vec![FIRST])).unwrap();
    assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
    (1..MOST_LOOKUPS).for_each(|_| bench.results.send(failure()).unwrap());
    bench.complete();
    assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
}

#[test]
fn a_name_is_resolved_while_the_lookup_of_another_hangs() {
    struct HangsOnce(Mutex<Receiver<()>>);
    impl Lookup for HangsOnce {
        fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
            if host == "hangs.test" {
                self.0.lock().recv().ok();
            }
            Ok(vec![FIRST])
        }
    }
    let (end, wait) = channel();
    let resolver = Resolver::new(HangsOnce(Mutex::new(wait)));
    let now = Instant::now();
    assert_eq!(resolver.addresses("hangs.test", now, Some(now), &|| false), Err(Failure::TimedOut));
    assert_eq!(resolver.addresses("other.test", now, None, &|| false), Ok(vec![FIRST]));
    drop(end);
    assert_eq!(resolver.addresses("hangs.test", now, None, &|| false), Ok(vec![FIRST]));
}

#[test]
fn a_waiting_caller_starts_another_lookup_if_one_hangs() {
    struct FirstHangs(AtomicU32, Mutex<Receiver<()>>);
    impl Lookup for FirstHangs {
        fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => Err(io::Error::other(format!("{:?}", self.1.lock().recv()))),
                _ => Ok(vec![SECOND]),
            }
        }
    }
    let (_end, wait) = channel();
    let resolver = Resolver::new(FirstHangs(AtomicU32::new(0), Mutex::new(wait)));
    assert_eq!(resolver.addresses("host.test", Instant::now(), None, &|| false), Ok(vec![SECOND]));
}

#[test]
fn families_alternate_and_each_keeps_its_order() {
    let [a, b, c] = [1, 2, 3].map(|last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)));
    let [x, y] = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse::<IpAddr>().unwrap());
    assert_eq!(alternating(vec![x, y, a, b, c]), [x, a, y, b, c]);
    assert_eq!(alternating(vec![a, b, x]), [a, x, b]);
    assert_eq!(alternating(vec![a]), [a]);
    assert_eq!(alternating(vec![x; 40].into_iter().chain([a]).collect()).get(1), Some(&a));
}

#[test]
fn the_last_good_address_comes_first() {
    let resolver = Bench::new().resolver;
    let order = |port| {
        let mut addresses = [FIRST, SECOND, IpAddr::V6(Ipv6Addr::LOCALHOST)];
        resolver.put_preferred_first("host.test", port, &mut addresses);
        addresses.to_vec()
    };
    resolver.prefer("host.test", 443, SECOND);
    assert_eq!(order(443), [SECOND, FIRST, IpAddr::V6(Ipv6Addr::LOCALHOST)]);
    assert_eq!(order(80), [FIRST, SECOND, IpAddr::V6(Ipv6Addr::LOCALHOST)]);
    (0..1000).for_each(|port| resolver.prefer("host.test", port, SECOND));
    assert!(resolver.shared.preferences.lock().len() <= MOST_PREFERENCES);
}
