//! Reporters with a stub or with shorter intervals, and measurements of an outbox, for tests and benchmarks.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::outbox::{Account, Completion, Disposition, Entry, Outbox};
use super::senders::Messenger;
use super::{Reporter, ReporterOptions};
use crate::auth::credentials::Credentials;
use crate::conversion::Conversion;
use crate::error::{Error, Kind};
use crate::options::Options;
use crate::outcome::{Acceptance, Outcome};

/// The counter that [`syncs`] returns.
pub(super) static SYNCS: AtomicU64 = AtomicU64::new(0);

/// A service that accepts every report after a fixed latency, or is down.
#[derive(Debug, Default)]
pub struct Stub {
    is_down: AtomicBool,
    latency: Duration,
}

impl Stub {
    /// Creates a stub that responds after `latency`.
    #[must_use]
    pub fn new(latency: Duration) -> Self {
        Self { is_down: AtomicBool::new(false), latency }
    }

    /// Sets whether the stub is down.
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
    /// Creates a reporter that sends to `stub`.
    ///
    /// # Errors
    ///
    /// Fails like [`Reporter::new`].
    pub fn to_stub(stub: &Arc<Stub>, reporter_options: &ReporterOptions<'_>) -> Result<Self, Error> {
        Self::with_messenger(Arc::new(Arc::clone(stub)), account(), reporter_options.check()?)
    }

    /// Like [`Reporter::new`], but divides by `factor` the minimum time between requested probes, the delays of
    /// reports that keep failing, the time between checks for expired reports, and the time between checks by an idle
    /// sender.
    ///
    /// # Errors
    ///
    /// Fails like [`Reporter::new`].
    pub fn hurried(
        credentials: Credentials,
        options: &Options<'_>,
        reporter_options: &ReporterOptions<'_>,
        factor: u32,
    ) -> Result<Self, Error> {
        let mut settings = reporter_options.check()?;
        let pace = &mut settings.pace;
        pace.requested_probe /= factor;
        pace.expiry /= factor;
        pace.idle /= factor;
        pace.retry_delays.iter_mut().for_each(|delay| *delay /= factor);
        Self::with_settings(credentials, options.check()?, settings)
    }
}

/// Returns how many times a submit flushed a WAL to disk.
#[must_use]
pub fn syncs() -> u64 {
    SYNCS.load(Ordering::SeqCst)
}

/// Claims and completes every report in the outbox at `path`, `batch` reports at a time, without sending any. Returns
/// the number of reports and the elapsed time.
///
/// # Errors
///
/// Returns an outbox error if the outbox cannot be used.
pub fn drain(path: &Path, batch: usize) -> Result<(usize, Duration), Error> {
    let options = ReporterOptions { outbox: Some(path), ..ReporterOptions::default() };
    let outbox = Outbox::new(&options.check()?.outbox, &account())?;
    outbox.try_become_sender()?;
    // Opens the file and reads any existing WAL before the measurement starts.
    outbox.snapshot()?;
    let (start, mut count) = (Instant::now(), 0_usize);
    loop {
        let entries = claim(&outbox, batch)?;
        if entries.is_empty() {
            return Ok((count, start.elapsed()));
        }
        complete(&outbox, &entries)?;
        count = count.saturating_add(entries.len());
    }
}

/// Claims a batch. Never inlined, because `benches/gate` identifies the function by its name.
#[inline(never)]
fn claim(outbox: &Outbox, batch: usize) -> Result<Vec<Entry>, Error> {
    outbox.claim(batch, None, &|_| false)
}

/// Completes a batch as accepted. Never inlined, because `benches/gate` identifies the function by its name.
#[inline(never)]
fn complete(outbox: &Outbox, entries: &[Entry]) -> Result<(), Error> {
    let completions: Vec<_> =
        entries.iter().map(|entry| Completion { id: entry.id, disposition: Disposition::Accepted }).collect();
    outbox.complete(&completions)
}
