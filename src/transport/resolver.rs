//! Resolves host names and caches the addresses.
//!
//! ```text
//!  age of the addresses    0 ......... 60 s .................... 1 h ........
//!  a caller gets           them        them, while a thread      a wait for
//!                                      looks them up again       the lookup
//! ```
//!
//! There is one DNS lookup at a time for each name, on a separate thread, because the system's lookup has no timeout.
//! A failed lookup is not repeated for a second; cached addresses remain in use.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::is_shortage;
use crate::os;
use crate::os::fork::PerProcess;
use crate::panic::catch_panic;

/// How long cached addresses are fresh.
const FRESH: Duration = Duration::from_secs(60);

/// How long cached addresses are usable.
const USABLE: Duration = Duration::from_secs(3600);

/// How long a failure is cached.
const FAILED: Duration = Duration::from_secs(1);

/// The maximum number of addresses of a name that are tried.
const MOST_ADDRESSES: usize = 16;

/// A DNS lookup.
pub(crate) trait Lookup: Send + Sync {
    /// Returns the addresses of `host`. May block indefinitely.
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's lookup: hosts file, DNS and whatever else the system is configured to use.
struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match (host, 0).to_socket_addrs() {
            Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
            // The system's resolver does not report that it could not open a socket or a file.
            Err(error) => Err(os::descriptor_shortage().unwrap_or(error)),
        }
    }
}

/// Why there is no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The name does not exist, or no server responded.
    NotFound,
    /// The deadline expired.
    TimedOut,
    /// The system lacks a thread or a descriptor for the lookup.
    Shortage(String),
}

/// Resolves names and caches the addresses. Cheap to clone; any number of threads may use it at once.
#[derive(Clone)]
pub(crate) struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    lookup: Box<dyn Lookup>,
    names: Mutex<HashMap<String, Name>>,
    /// Notified whenever a lookup ends.
    ended: Condvar,
}

/// The cached state of one name.
#[derive(Default)]
struct Name {
    found: Option<(Instant, Vec<IpAddr>)>,
    failed: Option<Instant>,
    /// The resource that the system lacked in the last lookup.
    shortage: Option<String>,
    is_being_looked_up: bool,
}

impl Name {
    fn found_within(&self, age: Duration, now: Instant) -> Option<&[IpAddr]> {
        let (at, addresses) = self.found.as_ref()?;
        (now.saturating_duration_since(*at) < age).then_some(addresses)
    }

    fn has_just_failed(&self, now: Instant) -> bool {
        self.failed.is_some_and(|at| now.saturating_duration_since(at) < FAILED)
    }

    fn needs_lookup(&self, now: Instant) -> bool {
        !self.is_being_looked_up && !self.has_just_failed(now) && self.found_within(FRESH, now).is_none()
    }

    fn is_of_use(&self, now: Instant) -> bool {
        self.is_being_looked_up || self.has_just_failed(now) || self.found_within(USABLE, now).is_some()
    }
}

/// The names cached in this process.
static OF_PROCESS: PerProcess<Resolver> = PerProcess::new();

impl Resolver {
    /// The resolver of the whole process, so that there is one lookup at a time for each name.
    pub(crate) fn of_process() -> Self {
        OF_PROCESS.get_or_make(|| Self::new(SystemLookup)).clone()
    }

    /// Resolves names with `lookup`.
    pub(crate) fn new(lookup: impl Lookup + 'static) -> Self {
        Self { shared: Arc::new(Shared { lookup: Box::new(lookup), names: Mutex::default(), ended: Condvar::new() }) }
    }

    /// Returns the addresses of `host` at the time `now`. Waits for a lookup only if no usable addresses are cached,
    /// until `deadline` or until `is_over`, which [`Resolver::wake`] makes it check again.
    pub(super) fn addresses(
        &self,
        host: &str,
        now: Instant,
        deadline: Option<Instant>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, Failure> {
        if let Some(known) = known_without_lookup(host) {
            return Ok(known);
        }
        let mut names = self.shared.names();
        self.start_lookup_if_needed(&mut names, host, now);
        let mut now = now;
        loop {
            let name = names.get(host).ok_or(Failure::NotFound)?;
            if let Some(addresses) = name.found_within(USABLE, now) {
                return Ok(addresses.to_vec());
            }
            if !name.is_being_looked_up {
                return Err(name.shortage.clone().map_or(Failure::NotFound, Failure::Shortage));
            }
            if is_over() {
                return Err(Failure::TimedOut);
            }
            names = self.shared.wait(names, deadline.map(|until| until.saturating_duration_since(now)));
            now = Instant::now();
            if deadline.is_some_and(|until| now >= until) && names.get(host).is_some_and(|name| name.is_being_looked_up)
            {
                return Err(Failure::TimedOut);
            }
        }
    }

    /// Wakes callers that wait for a lookup, so that they check whether they still need it.
    pub(super) fn wake(&self) {
        drop(self.shared.names());
        self.shared.ended.notify_all();
    }

    /// Starts a lookup of `host`, unless none is needed.
    fn start_lookup_if_needed(&self, names: &mut HashMap<String, Name>, host: &str, now: Instant) {
        if names.get(host).is_some_and(|name| !name.needs_lookup(now)) {
            return;
        }
        names.retain(|_, name| name.is_of_use(now));
        let name = names.entry(host.to_owned()).or_default();
        let (shared, owned) = (Arc::clone(&self.shared), host.to_owned());
        let started = os::spawn("nexmo-dns", move || shared.resolve(&owned));
        name.is_being_looked_up = started.is_ok();
        name.shortage = started.err().map(|error| error.to_string());
    }
}

impl Shared {
    fn names(&self) -> MutexGuard<'_, HashMap<String, Name>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        names: MutexGuard<'a, HashMap<String, Name>>,
        most: Option<Duration>,
    ) -> MutexGuard<'a, HashMap<String, Name>> {
        match most {
            Some(most) => self.ended.wait_timeout(names, most).unwrap_or_else(PoisonError::into_inner).0,
            None => self.ended.wait(names).unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn resolve(&self, host: &str) {
        let found = catch_panic(|| self.lookup.addresses(host));
        let now = Instant::now();
        let mut names = self.names();
        let name = names.entry(host.to_owned()).or_default();
        name.is_being_looked_up = false;
        match found {
            Some(Ok(addresses)) if !addresses.is_empty() => {
                name.found = Some((now, addresses.into_iter().take(MOST_ADDRESSES).collect()));
                name.failed = None;
            }
            // The next call starts another lookup.
            Some(Err(error)) if is_shortage(&error) => name.shortage = Some(error.to_string()),
            _ => name.failed = Some(now),
        }
        drop(names);
        self.ended.notify_all();
    }
}

/// IP addresses are used as they are, and `localhost` is loopback regardless of the hosts file.
fn known_without_lookup(host: &str) -> Option<Vec<IpAddr>> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Some(vec![address]);
    }
    host.eq_ignore_ascii_case("localhost").then(|| vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
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
            self.results.lock().unwrap().recv().unwrap()
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
        fn settle(&mut self) {
            let mut names = self.resolver.shared.names();
            while names.values().any(|name| name.is_being_looked_up) {
                names = self.resolver.shared.wait(names, None);
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
        bench.settle();
        assert_eq!(bench.ask(FRESH - Duration::from_secs(1)), Ok(vec![FIRST, SECOND]));
        assert_eq!(bench.asked.try_iter().count(), 1);
    }

    #[test]
    fn stale_addresses_are_used_while_a_lookup_runs() {
        let mut bench = Bench::new();
        bench.results.send(Ok(vec![FIRST])).unwrap();
        assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
        bench.settle();
        // No result is prepared: a caller that waited for the lookup would wait permanently.
        assert_eq!(bench.ask(FRESH), Ok(vec![FIRST]));
        assert_eq!(bench.ask(FRESH), Ok(vec![FIRST]));
        bench.results.send(Ok(vec![SECOND])).unwrap();
        bench.settle();
        assert_eq!(bench.ask(Duration::ZERO), Ok(vec![SECOND]));
        assert_eq!(bench.asked.try_iter().count(), 2);
    }

    #[test]
    fn addresses_outlive_failed_lookups_for_an_hour() {
        let mut bench = Bench::new();
        bench.results.send(Ok(vec![FIRST])).unwrap();
        assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
        bench.settle();
        bench.results.send(failure()).unwrap();
        assert_eq!(bench.ask(FRESH), Ok(vec![FIRST]));
        bench.settle();
        bench.results.send(failure()).unwrap();
        assert_eq!(bench.ask(USABLE), Err(Failure::NotFound));
    }

    #[test]
    fn a_failure_is_cached_for_a_second() {
        let mut bench = Bench::new();
        bench.results.send(failure()).unwrap();
        assert_eq!(bench.ask(Duration::ZERO), Err(Failure::NotFound));
        bench.settle();
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
        for (host, address) in
            [("192.0.2.1", "192.0.2.1"), ("[2001:db8::1]", "2001:db8::1"), ("LocalHost", "127.0.0.1")]
        {
            let found = bench.resolver.addresses(host, bench.start, None, &|| false).unwrap();
            assert_eq!(found.first(), Some(&address.parse().unwrap()));
        }
        assert_eq!(bench.asked.try_iter().count(), 0);
    }
}
