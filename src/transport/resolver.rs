//! Looks up host names, and remembers what was found.
//!
//! ```text
//!  age of what was found   0 ......... 60 s .................... 1 h ........
//!  a caller gets           it          it, while a thread        waits for the
//!                                      looks it up anew          look-up
//! ```
//!
//! There is one look-up at a time for a name, on a thread of its own, since the system's look-up knows no time limit.
//! A look-up that failed is not repeated for a second; what was found before serves on.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::is_shortage;
use crate::os;
use crate::os::fork::PerProcess;
use crate::panic::catch_panic;

/// How long what was found is taken for new.
const FRESH: Duration = Duration::from_secs(60);

/// How long what was found serves at all.
const USABLE: Duration = Duration::from_secs(3600);

/// How long a failure is taken for an answer.
const FAILED: Duration = Duration::from_secs(1);

/// The most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 16;

/// A way to look up a name.
pub(crate) trait Lookup: Send + Sync {
    /// The addresses of `host`. May block for as long as it likes.
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own look-up: hosts file, DNS and whatever else the system is set up for.
struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match (host, 0).to_socket_addrs() {
            Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
            // The system's resolver does not say that it could not open a socket or a file.
            Err(error) => Err(os::descriptor_shortage().unwrap_or(error)),
        }
    }
}

/// Why there is no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is no such name, or nobody to ask.
    NotFound,
    /// The deadline came first.
    TimedOut,
    /// The system lacks a thread or a descriptor for it.
    Shortage(String),
}

/// Looks up names and remembers them. Cheap to share; any number of threads may ask at once.
#[derive(Clone)]
pub(crate) struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    lookup: Box<dyn Lookup>,
    names: Mutex<HashMap<String, Name>>,
    /// Told whenever a look-up has ended.
    ended: Condvar,
}

/// What is known of one name.
#[derive(Default)]
struct Name {
    found: Option<(Instant, Vec<IpAddr>)>,
    failed: Option<Instant>,
    /// What the system lacked the last time.
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

    fn needs_look_up(&self, now: Instant) -> bool {
        !self.is_being_looked_up && !self.has_just_failed(now) && self.found_within(FRESH, now).is_none()
    }

    fn is_of_use(&self, now: Instant) -> bool {
        self.is_being_looked_up || self.has_just_failed(now) || self.found_within(USABLE, now).is_some()
    }
}

/// The names that this process knows.
static OF_PROCESS: PerProcess<Resolver> = PerProcess::new();

impl Resolver {
    /// The one that the whole process shares, so that there is one look-up at a time for a name.
    pub(crate) fn of_process() -> Self {
        OF_PROCESS.get_or_make(|| Self::new(SystemLookup)).clone()
    }

    /// Looks up names by `lookup`.
    pub(crate) fn new(lookup: impl Lookup + 'static) -> Self {
        Self { shared: Arc::new(Shared { lookup: Box::new(lookup), names: Mutex::default(), ended: Condvar::new() }) }
    }

    /// The addresses of `host` at the time `now`. Only if none are known is a look-up waited for: until `deadline`, or
    /// until there is no need any more because `is_over`, which [`Resolver::wake`] has looked at again.
    pub(super) fn addresses(
        &self,
        host: &str,
        now: Instant,
        deadline: Option<Instant>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, Failure> {
        if let Some(known) = known_without_look_up(host) {
            return Ok(known);
        }
        let mut names = self.shared.names();
        self.begin_look_up_if_needed(&mut names, host, now);
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

    /// Has those who wait for a look-up see whether they still need it.
    pub(super) fn wake(&self) {
        drop(self.shared.names());
        self.shared.ended.notify_all();
    }

    /// Begins to look `host` up, unless that is not needed.
    fn begin_look_up_if_needed(&self, names: &mut HashMap<String, Name>, host: &str, now: Instant) {
        if names.get(host).is_some_and(|name| !name.needs_look_up(now)) {
            return;
        }
        names.retain(|_, name| name.is_of_use(now));
        let name = names.entry(host.to_owned()).or_default();
        let (shared, owned) = (Arc::clone(&self.shared), host.to_owned());
        let started = os::spawn("nexmo-dns", move || shared.look_up(&owned));
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

    fn look_up(&self, host: &str) {
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
            // The next call looks it up again.
            Some(Err(error)) if is_shortage(&error) => name.shortage = Some(error.to_string()),
            _ => name.failed = Some(now),
        }
        drop(names);
        self.ended.notify_all();
    }
}

/// Numbers speak for themselves, and `localhost` is this machine whatever a hosts file says.
fn known_without_look_up(host: &str) -> Option<Vec<IpAddr>> {
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

    /// A look-up that ends when, and as, the test says.
    struct Prepared {
        asked: Sender<String>,
        answers: Mutex<Receiver<io::Result<Vec<IpAddr>>>>,
    }

    impl Lookup for Prepared {
        fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
            self.asked.send(host.to_owned()).unwrap();
            self.answers.lock().unwrap().recv().unwrap()
        }
    }

    struct Bench {
        resolver: Resolver,
        asked: Receiver<String>,
        answers: Sender<io::Result<Vec<IpAddr>>>,
        start: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let (asked_sender, asked) = channel();
            let (answers, answers_receiver) = channel();
            let lookup = Prepared { asked: asked_sender, answers: Mutex::new(answers_receiver) };
            Self { resolver: Resolver::new(lookup), asked, answers, start: Instant::now() }
        }

        fn ask(&self, age: Duration) -> Result<Vec<IpAddr>, Failure> {
            self.resolver.addresses("host.test", self.start + age, None, &|| false)
        }

        /// Waits until no look-up is under way, then says when the last one ended.
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
    fn what_was_found_serves_for_a_minute_without_another_look_up() {
        let mut bench = Bench::new();
        bench.answers.send(Ok(vec![FIRST, SECOND])).unwrap();
        assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST, SECOND]));
        bench.settle();
        assert_eq!(bench.ask(FRESH - Duration::from_secs(1)), Ok(vec![FIRST, SECOND]));
        assert_eq!(bench.asked.try_iter().count(), 1);
    }

    #[test]
    fn what_is_older_serves_while_it_is_looked_up_anew() {
        let mut bench = Bench::new();
        bench.answers.send(Ok(vec![FIRST])).unwrap();
        assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
        bench.settle();
        // No answer is prepared: a caller who waited for the look-up would wait for ever.
        assert_eq!(bench.ask(FRESH), Ok(vec![FIRST]));
        assert_eq!(bench.ask(FRESH), Ok(vec![FIRST]));
        bench.answers.send(Ok(vec![SECOND])).unwrap();
        bench.settle();
        assert_eq!(bench.ask(Duration::ZERO), Ok(vec![SECOND]));
        assert_eq!(bench.asked.try_iter().count(), 2);
    }

    #[test]
    fn what_was_found_outlives_failures_for_an_hour() {
        let mut bench = Bench::new();
        bench.answers.send(Ok(vec![FIRST])).unwrap();
        assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
        bench.settle();
        bench.answers.send(failure()).unwrap();
        assert_eq!(bench.ask(FRESH), Ok(vec![FIRST]));
        bench.settle();
        bench.answers.send(failure()).unwrap();
        assert_eq!(bench.ask(USABLE), Err(Failure::NotFound));
    }

    #[test]
    fn a_failure_is_an_answer_for_a_second() {
        let mut bench = Bench::new();
        bench.answers.send(failure()).unwrap();
        assert_eq!(bench.ask(Duration::ZERO), Err(Failure::NotFound));
        bench.settle();
        assert_eq!(bench.ask(Duration::ZERO), Err(Failure::NotFound));
        bench.answers.send(Ok(vec![FIRST])).unwrap();
        assert_eq!(bench.ask(FAILED), Ok(vec![FIRST]));
        assert_eq!(bench.asked.try_iter().count(), 2);
    }

    #[test]
    fn a_caller_waits_no_longer_than_its_deadline() {
        let bench = Bench::new();
        let now = Instant::now();
        assert_eq!(bench.resolver.addresses("host.test", now, Some(now), &|| false), Err(Failure::TimedOut));
        bench.answers.send(Ok(vec![FIRST])).unwrap();
        assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
        assert_eq!(bench.asked.try_iter().count(), 1);
    }

    #[test]
    fn a_caller_who_is_over_waits_no_more() {
        let bench = Bench::new();
        assert_eq!(bench.resolver.addresses("host.test", bench.start, None, &|| true), Err(Failure::TimedOut));
        bench.answers.send(Ok(vec![FIRST])).unwrap();
        assert_eq!(bench.ask(Duration::ZERO), Ok(vec![FIRST]));
    }

    #[test]
    fn numbers_and_localhost_need_no_look_up() {
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
