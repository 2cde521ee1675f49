//! Helpers that several tests share: folders, reporters, a service that records requests, child processes, and access
//! to the contents of an outbox file.
#![allow(dead_code, unused_imports, unused_macros, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

pub(crate) mod outbox_db;
pub(crate) mod process;
pub(crate) mod service;

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use nexmo_conversion::{
    Channel, Conversion, Credentials, Durability, Event, Kind, MessageId, Options, Overflow, Reporter, ReporterOptions,
    Statistics,
};

/// A time limit that an operation exceeds only if it fails.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Like [`SOON`], but for the long variants of the tests.
pub(crate) const LATER: Duration = Duration::from_secs(900);

/// Returns whether to run the long variants of the tests, as `make crash` does.
pub(crate) fn is_long() -> bool {
    std::env::var_os("NEXMO_TEST_LONG").is_some()
}

/// Returns whether this process runs as root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Creates a reporter if this process has not created one, because the first one replaces the file locks of SQLite, and
/// no test may have a database open then (docs/limitations.md).
fn create_first_reporter() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("first-reporter-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        reporter("http://127.0.0.1:1", &in_file(&folder.join("outbox"))).close(Some(Duration::ZERO)).unwrap();
        fs::remove_dir_all(&folder).ok();
    });
}

/// A temporary folder, which is removed when this value is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("nexmo-reporter-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        create_first_reporter();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn outbox(&self) -> PathBuf {
        self.0.join("outbox")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::query("abcd1234", "s3cret").unwrap()
}

pub(crate) fn wrong_credentials() -> Credentials {
    Credentials::query("abcd1234", "wr0ng").unwrap()
}

pub(crate) fn sms(message_id: &str, delivered: bool) -> Conversion {
    Conversion { channel: Channel::Sms, message_id: MessageId::new(message_id).unwrap(), delivered, timestamp: None }
}

/// The factor by which [`hurried_reporter`] shortens its intervals.
pub(crate) const HURRY: u32 = 20;

/// Creates a reporter with credentials that the sandbox accepts.
pub(crate) fn reporter(base_url: &str, reporter_options: &ReporterOptions<'_>) -> Reporter {
    reporter_of(credentials(), base_url, reporter_options)
}

pub(crate) fn reporter_of(
    credentials: Credentials,
    base_url: &str,
    reporter_options: &ReporterOptions<'_>,
) -> Reporter {
    once_unlocked(|| Reporter::new(credentials.clone(), &options(base_url), reporter_options))
}

/// Creates a reporter like [`reporter`], but with shorter intervals between requested probes, between retries of a
/// failing report, and between checks for expired reports.
pub(crate) fn hurried_reporter(base_url: &str, reporter_options: &ReporterOptions<'_>) -> Reporter {
    once_unlocked(|| Reporter::hurried(credentials(), &options(base_url), reporter_options, HURRY))
}

fn options(base_url: &str) -> Options<'_> {
    Options { base_url: Some(base_url), ..Options::default() }
}

/// Calls `create` until it does not return [`Kind::OutboxBusy`]. On a slow machine, other reporters may lock the outbox
/// for longer than the busy timeout.
fn once_unlocked(create: impl Fn() -> Result<Reporter, nexmo_conversion::Error>) -> Reporter {
    let deadline = Instant::now() + SOON;
    loop {
        match create() {
            Err(error) if error.kind() == Kind::OutboxBusy && Instant::now() < deadline => {}
            created => return created.unwrap(),
        }
    }
}

pub(crate) fn in_file(outbox: &Path) -> ReporterOptions<'_> {
    ReporterOptions { outbox: Some(outbox), ..ReporterOptions::default() }
}

/// Returns the options of [`in_file`] with a long busy timeout, for tests that must not find the outbox busy on a slow
/// machine.
pub(crate) fn in_calm_file(outbox: &Path) -> ReporterOptions<'_> {
    ReporterOptions { busy_timeout: Some(SOON), ..in_file(outbox) }
}

pub(crate) const IN_MEMORY: ReporterOptions<'_> = ReporterOptions {
    outbox: None,
    durability: Durability::None,
    max_pending: None,
    overflow: Overflow::Fail,
    max_age: None,
    max_in_flight: None,
    busy_timeout: None,
    allow_network_file_system: false,
};

/// Returns the statistics, and checks that they add up.
pub(crate) fn statistics(reporter: &Reporter) -> Statistics {
    let statistics = reporter.statistics().unwrap();
    let Statistics { accepted, rejected, expired, replaced, dropped, damaged, pending, .. } = statistics;
    let sum = accepted + rejected + expired + replaced + dropped + damaged + pending;
    assert_eq!(statistics.submitted, sum, "{statistics:?}");
    statistics
}

/// Returns and acknowledges the oldest event, if there is one.
pub(crate) fn consume_event(reporter: &Reporter) -> Option<Event> {
    let event = reporter.poll(Some(Duration::ZERO)).unwrap()?;
    reporter.acknowledge(event.id).unwrap();
    Some(event)
}

/// Waits until `is_so` returns true. Fails after `limit`.
#[track_caller]
pub(crate) fn wait_until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < deadline, "timed out after {limit:?} waiting for: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A pseudorandom number generator that returns the same numbers for the same seed.
pub(crate) struct SeededRng(u64);

impl SeededRng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Creates a generator seeded from `NEXMO_TEST_SEED`, or from the clock, and returns it with its seed. Prints the
    /// seed, so a failure that does not depend on timing can be reproduced.
    pub(crate) fn from_environment(test: &str) -> (Self, u64) {
        let given = std::env::var("NEXMO_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || u64::from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos());
        let seed = given.unwrap_or_else(now);
        println!("{test}: NEXMO_TEST_SEED={seed}");
        (Self::new(seed), seed)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    /// Returns a random duration below `longest`.
    pub(crate) fn while_up_to(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(longest.as_micros()).unwrap()))
    }
}
