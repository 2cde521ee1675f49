//! Resolves host names and caches the addresses.
//!
//! ```text
//!  age of the addresses    0 ......... 60 s .................... 1 h ........
//!  a caller                uses        uses them while a         waits for
//!                          them        thread looks them up      a lookup
//! ```
//!
//! Lookups run on separate threads, because the system's lookup has no timeout. A name normally has one lookup at a
//! time. If a lookup hangs, another is started in parallel, up to a limit. After a failed lookup, cached addresses
//! remain in use until they are one hour old, and the next lookup starts no sooner than one second later, unless the
//! cause was a lack of resources.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, iter};

use crate::error::is_shortage;
use crate::os;
use crate::os::fork::PerProcess;
use crate::panic::catch_panic;
use crate::sync::{Condvar, Mutex};

/// The age up to which cached addresses are used without another lookup.
const FRESH: Duration = Duration::from_secs(60);

/// The age up to which cached addresses are used while another lookup is in progress.
const USABLE: Duration = Duration::from_secs(3600);

/// The time for which a failure is cached, unless the cause was a lack of resources.
const FAILED: Duration = Duration::from_secs(1);

/// The time that a lookup may take before another is started in parallel. The time doubles with each parallel lookup.
const NEXT_LOOKUP_AFTER: Duration = Duration::from_secs(2);

/// The maximum number of lookups of one name that are in progress at once.
const MOST_LOOKUPS: u32 = 8;

/// The maximum number of addresses of one name that are tried.
const MOST_ADDRESSES: usize = 16;

/// The maximum number of hosts and ports for which a preferred address is remembered.
const MOST_PREFERENCES: usize = 64;

/// A method to resolve host names.
pub(crate) trait Lookup: Send + Sync {
    /// Returns the addresses of `host`. May block indefinitely.
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's lookup, which uses the hosts file, DNS and any other sources that the system is configured to use.
struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match (host, 0).to_socket_addrs() {
            Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
            // The resolver's error does not say whether the system could not open a socket or a file, so
            // `descriptor_shortage` checks.
            Err(error) => Err(os::descriptor_shortage().unwrap_or(error)),
        }
    }
}

/// The reason why there is no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The name does not exist or has no address, or the lookup failed, for example because no server responded.
    NotFound,
    /// The deadline expired, or the caller was cancelled.
    TimedOut,
    /// The system lacks a resource for the lookup, such as a thread or a descriptor.
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
    /// Notified when a lookup ends, and by [`Resolver::wake`].
    ended: Condvar,
    /// The address to try first for each host and port, if the host has several addresses.
    preferences: Mutex<HashMap<(String, u16), IpAddr>>,
}

/// The cached state of one name.
#[derive(Default)]
struct Name {
    found: Option<(Instant, Vec<IpAddr>)>,
    failed: Option<Instant>,
    /// The error message, if the system lacked a resource for the last lookup.
    shortage: Option<String>,
    /// The number of lookups started, the sequence number of the newest lookup that has ended, and the number of
    /// lookups in progress.
    started: u64,
    ended: u64,
    in_progress: u32,
    /// The time of the last attempt to start a lookup.
    started_at: Option<Instant>,
}

impl Name {
    fn found_within(&self, age: Duration, now: Instant) -> Option<&[IpAddr]> {
        let (at, addresses) = self.found.as_ref()?;
        (now.saturating_duration_since(*at) < age).then_some(addresses)
    }

    fn has_just_failed(&self, now: Instant) -> bool {
        self.failed.is_some_and(|at| now.saturating_duration_since(at) < FAILED)
    }

    /// Returns whether the newest lookup is in progress. Older lookups do not count, because they may hang.
    fn is_being_looked_up(&self) -> bool {
        self.ended < self.started
    }

    /// Returns the time at which another lookup may be started, or None if too many are in progress.
    fn next_lookup(&self, now: Instant) -> Option<Instant> {
        match (self.in_progress, self.started_at) {
            (0, _) | (_, None) => Some(now),
            (MOST_LOOKUPS.., _) => None,
            (others, Some(at)) => at.checked_add(NEXT_LOOKUP_AFTER.saturating_mul(1 << (others - 1))),
        }
    }

    fn needs_lookup(&self, now: Instant) -> bool {
        !self.has_just_failed(now)
            && self.found_within(FRESH, now).is_none()
            && self.next_lookup(now).is_some_and(|at| at <= now)
    }

    fn is_of_use(&self, now: Instant) -> bool {
        self.in_progress > 0 || self.has_just_failed(now) || self.found_within(USABLE, now).is_some()
    }
}

/// The resolver of this process.
static OF_PROCESS: PerProcess<Resolver> = PerProcess::new();

impl Resolver {
    /// Returns the resolver of the whole process. All clients share its cache and its lookups.
    pub(crate) fn of_process() -> Self {
        OF_PROCESS.get_or_make(|| Self::new(SystemLookup)).clone()
    }

    /// Creates a resolver that resolves names with `lookup`.
    pub(crate) fn new(lookup: impl Lookup + 'static) -> Self {
        Self {
            shared: Arc::new(Shared {
                lookup: Box::new(lookup),
                names: Mutex::default(),
                ended: Condvar::default(),
                preferences: Mutex::default(),
            }),
        }
    }

    /// Moves the preferred address for `host` and `port` to the front of `addresses`.
    pub(super) fn put_preferred_first(&self, host: &str, port: u16, addresses: &mut [IpAddr]) {
        let preferred = self.shared.preferences.lock().get(&(host.to_owned(), port)).copied();
        let position = preferred.and_then(|preferred| addresses.iter().position(|address| *address == preferred));
        if let Some(front) = position.and_then(|position| addresses.get_mut(..=position)) {
            front.rotate_right(1);
        }
    }

    /// Makes later connections to `host` and `port` try `address` first.
    pub(super) fn prefer(&self, host: &str, port: u16, address: IpAddr) {
        let mut preferences = self.shared.preferences.lock();
        if preferences.len() >= MOST_PREFERENCES {
            preferences.clear();
        }
        preferences.insert((host.to_owned(), port), address);
    }

    /// Makes later connections to `host` and `port` first try the address that follows `address` in the list, because
    /// a connection to `address` failed after it was established.
    pub(super) fn avoid(&self, host: &str, port: u16, address: IpAddr) {
        let addresses = known_without_lookup(host).or_else(|| {
            let names = self.shared.names.lock();
            names.get(host).and_then(|name| name.found.as_ref()).map(|(_, addresses)| addresses.clone())
        });
        let addresses = addresses.unwrap_or_default();
        let after = addresses.iter().skip_while(|other| **other != address).nth(1).or(addresses.first());
        if let Some(next) = after.filter(|_| addresses.len() > 1) {
            self.prefer(host, port, *next);
        }
    }

    /// Returns the addresses of `host` at the time `now`. If no usable addresses are cached, waits for a lookup until
    /// `deadline` or until `is_over` returns true. [`Resolver::wake`] makes a waiting call check `is_over` again.
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
        let mut names = self.shared.names.lock();
        self.start_lookup_if_needed(&mut names, host, now);
        let mut now = now;
        loop {
            let name = names.get(host).ok_or(Failure::NotFound)?;
            if let Some(addresses) = name.found_within(USABLE, now) {
                return Ok(addresses.to_vec());
            }
            if !name.is_being_looked_up() {
                return Err(name.shortage.clone().map_or(Failure::NotFound, Failure::Shortage));
            }
            if is_over() {
                return Err(Failure::TimedOut);
            }
            names = match name.next_lookup(now).into_iter().chain(deadline).min() {
                Some(until) => self.shared.ended.wait_timeout(names, until.saturating_duration_since(now)).0,
                None => self.shared.ended.wait(names),
            };
            now = Instant::now();
            if names.get(host).is_some_and(Name::is_being_looked_up) {
                if deadline.is_some_and(|until| now >= until) {
                    return Err(Failure::TimedOut);
                }
                self.start_lookup_if_needed(&mut names, host, now);
            }
        }
    }

    /// Wakes callers that wait for a lookup, so that they check whether they still need it.
    pub(super) fn wake(&self) {
        drop(self.shared.names.lock());
        self.shared.ended.notify_all();
    }

    /// Starts a lookup of `host` if one is needed.
    fn start_lookup_if_needed(&self, names: &mut HashMap<String, Name>, host: &str, now: Instant) {
        if names.get(host).is_some_and(|name| !name.needs_lookup(now)) {
            return;
        }
        names.retain(|_, name| name.is_of_use(now));
        let name = names.entry(host.to_owned()).or_default();
        let (shared, owned, number) = (Arc::clone(&self.shared), host.to_owned(), name.started.saturating_add(1));
        let result = os::spawn("nexmo-dns", move || shared.resolve(&owned, number));
        name.started_at = Some(now);
        if result.is_ok() {
            name.started = number;
            name.in_progress = name.in_progress.saturating_add(1);
        }
        name.shortage = result.err().map(|error| error.to_string());
    }
}

impl Shared {
    /// Performs lookup number `number` of `host` and stores the result.
    fn resolve(&self, host: &str, number: u64) {
        let found = catch_panic(|| self.lookup.addresses(host));
        let now = Instant::now();
        let mut names = self.names.lock();
        let name = names.entry(host.to_owned()).or_default();
        name.in_progress = name.in_progress.saturating_sub(1);
        let is_outdated = number < name.ended;
        name.ended = name.ended.max(number);
        match found {
            // A newer lookup ended before this one, so this result is ignored.
            _ if is_outdated => {}
            Some(Ok(addresses)) if !addresses.is_empty() => {
                name.found = Some((now, alternating(addresses)));
                name.failed = None;
            }
            // A newer lookup is in progress, so this failure is ignored.
            _ if name.is_being_looked_up() => {}
            // The failure is not cached, so the next call starts another lookup.
            Some(Err(error)) if is_shortage(&error) => name.shortage = Some(error.to_string()),
            _ => name.failed = Some(now),
        }
        drop(names);
        self.ended.notify_all();
    }
}

/// Alternates between the address families (RFC 8305, section 4), so that a family that does not work delays a
/// connection by only one address. Otherwise keeps the system's order.
fn alternating(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let first_is_ipv4 = addresses.first().is_some_and(IpAddr::is_ipv4);
    let (same, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv4() == first_is_ipv4);
    let (mut same, mut other) = (same.into_iter(), other.into_iter());
    iter::from_fn(|| Some([same.next(), other.next()]).filter(|pair| pair.iter().any(Option::is_some)))
        .flatten()
        .flatten()
        .take(MOST_ADDRESSES)
        .collect()
}

/// Returns the addresses of a host that needs no lookup: an IP address, or `localhost`, which is loopback regardless of
/// the hosts file.
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
mod tests;
