//! What the tests of the reporter share: folders, reporters, a service that remembers what it heard, other processes, and
//! the books of an outbox file.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

pub(crate) mod books;
pub(crate) mod process;
pub(crate) mod service;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use nexmo_conversion::{
    Channel, Conversion, Credentials, Durability, Event, Kind, MessageId, Options, Overflow, Reporter, ReporterOptions,
    Statistics,
};

/// Longer than anything takes that works. Who waits for as long has found a fault.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// As [`SOON`], for the long forms.
pub(crate) const LATER: Duration = Duration::from_secs(900);

/// Asks for the long forms of the tests, which `make crash` runs.
pub(crate) fn is_long() -> bool {
    std::env::var_os("NEXMO_TEST_LONG").is_some()
}

/// A folder of its own, which is removed with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("nexmo-reporter-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
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

/// A reporter with the right secret.
pub(crate) fn reporter(base_url: &str, reporter_options: &ReporterOptions<'_>) -> Reporter {
    reporter_of(credentials(), base_url, reporter_options)
}

pub(crate) fn reporter_of(
    credentials: Credentials,
    base_url: &str,
    reporter_options: &ReporterOptions<'_>,
) -> Reporter {
    let options = Options { base_url: Some(base_url), ..Options::default() };
    let deadline = Instant::now() + SOON;
    loop {
        match Reporter::new(credentials.clone(), &options, reporter_options) {
            // Others may be at the file for longer than the options allow, on a slow machine.
            Err(error) if error.kind() == Kind::OutboxBusy && Instant::now() < deadline => {}
            made => return made.unwrap(),
        }
    }
}

pub(crate) fn in_file(outbox: &Path) -> ReporterOptions<'_> {
    ReporterOptions { outbox: Some(outbox), ..ReporterOptions::default() }
}

/// As [`in_file`], for tests that are not about waiting: nothing is busy, however slow the machine is.
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

/// What a reporter counts, which adds up.
pub(crate) fn statistics(reporter: &Reporter) -> Statistics {
    let statistics = reporter.statistics().unwrap();
    let Statistics { accepted, rejected, expired, replaced, dropped, damaged, pending, .. } = statistics;
    let sum = accepted + rejected + expired + replaced + dropped + damaged + pending;
    assert_eq!(statistics.submitted, sum, "{statistics:?}");
    statistics
}

/// The oldest event, which is acknowledged, if there is one.
pub(crate) fn take_event(reporter: &Reporter) -> Option<Event> {
    let event = reporter.poll(Some(Duration::ZERO)).unwrap()?;
    reporter.acknowledge(event.id).unwrap();
    Some(event)
}

/// Waits until it is so, and fails after `limit`.
#[track_caller]
pub(crate) fn wait_until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {limit:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Dice whose seed `NEXMO_TEST_SEED` gives, or the clock. It is printed, so that a failure can be had again, as far as
    /// it does not hang on the moment.
    pub(crate) fn of_today(test: &str) -> (Self, u64) {
        let given = std::env::var("NEXMO_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || u64::from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos());
        let seed = given.unwrap_or_else(now);
        println!("{test}: NEXMO_TEST_SEED={seed}");
        (Self::new(seed), seed)
    }

    pub(crate) fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    /// Any time up to `longest`.
    pub(crate) fn while_up_to(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.throw(u64::try_from(longest.as_micros()).unwrap()))
    }
}
