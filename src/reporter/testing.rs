//! What only tests and measurements need: a reporter without a service.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::outbox::{Entry, Fate, Outbox, Settlement};
use super::runtime::{Account, open};
use super::senders::Messenger;
use super::{Reporter, ReporterOptions};
use crate::conversion::Conversion;
use crate::error::{Error, Kind};
use crate::outcome::{Acceptance, Outcome};

/// What [`syncs`] tells.
pub(super) static SYNCS: AtomicU64 = AtomicU64::new(0);

/// A service that takes every report after a while, or is down.
#[derive(Debug, Default)]
pub struct Stub {
    is_down: AtomicBool,
    latency: Duration,
}

impl Stub {
    /// A service that answers after `latency`.
    #[must_use]
    pub fn new(latency: Duration) -> Self {
        Self { is_down: AtomicBool::new(false), latency }
    }

    /// Takes the service down, or brings it back.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }
}

impl Messenger for Arc<Stub> {
    fn report(&self, _: &Conversion) -> Outcome {
        if !self.latency.is_zero() {
            std::thread::sleep(self.latency);
        }
        if self.is_down.load(Ordering::SeqCst) {
            return Outcome::unsent(Error::new(Kind::Network, "the stub is down"));
        }
        Outcome {
            result: Ok(()),
            http_status: Some(200),
            attempts: 1,
            acceptance: Acceptance::Yes,
            elapsed: Duration::ZERO,
            retry_after: None,
        }
    }

    fn cancel(&self) {}
}

fn account() -> Account {
    Account { api_key: "stub".to_owned(), base_url: "stub".to_owned() }
}

impl Reporter {
    /// A reporter that reports to `stub`.
    ///
    /// # Errors
    ///
    /// As [`Reporter::new`].
    pub fn to_stub(stub: &Arc<Stub>, reporter_options: &ReporterOptions<'_>) -> Result<Self, Error> {
        Self::with_messenger(Arc::new(Arc::clone(stub)), account(), reporter_options.check()?)
    }
}

/// How often a log was flushed to its disk for those who submit.
#[must_use]
pub fn syncs() -> u64 {
    SYNCS.load(Ordering::SeqCst)
}

/// Takes and settles all that is in the outbox at `path`, `batch` at a time, without sending it. Tells how many there were,
/// and how long it took.
///
/// # Errors
///
/// The kinds of the outbox.
pub fn drain(path: &Path, batch: usize) -> Result<(usize, Duration), Error> {
    let options = ReporterOptions { outbox: Some(path), ..ReporterOptions::default() };
    let outbox = open(&options.check()?, &account())?;
    outbox.try_become_sender()?;
    // Opens the file, and reads its log if it was left with one.
    outbox.snapshot()?;
    let (start, mut count) = (Instant::now(), 0_usize);
    loop {
        let entries = claim(&*outbox, batch)?;
        if entries.is_empty() {
            return Ok((count, start.elapsed()));
        }
        complete(&*outbox, &entries)?;
        count = count.saturating_add(entries.len());
    }
}

/// Claims a batch. Never inlined: `benches/gate` counts it by its name.
#[inline(never)]
fn claim(outbox: &dyn Outbox, batch: usize) -> Result<Vec<Entry>, Error> {
    outbox.take(batch, &|_| false)
}

/// Completes a batch as accepted. Never inlined: `benches/gate` counts it by its name.
#[inline(never)]
fn complete(outbox: &dyn Outbox, entries: &[Entry]) -> Result<(), Error> {
    let settled: Vec<_> = entries.iter().map(|entry| Settlement { id: entry.id, fate: Fate::Accepted }).collect();
    outbox.settle(&settled)
}
