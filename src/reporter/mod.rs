//! Queues reports and sends them in the background. Retries each one until the service accepts or rejects it, or it
//! expires.
//!
//! ```text
//! Reporter -- put --> outbox (memory or SQLite) <-- claim, complete -- worker -- send --> senders --> client
//!                                                                        |
//!                                                                      circuit breaker: may reports be sent?
//! ```

mod circuit_breaker;
mod close;
mod flush;
mod in_flight_limit;
mod options;
mod outbox;
mod pace;
mod report_failures;
mod runtime;
mod senders;
mod signals;
#[cfg(test)]
mod simulation;
mod statistics;
#[cfg(feature = "testing")]
pub mod testing;
mod worker;

use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

pub use self::options::{Durability, ReporterOptions};
pub(crate) use self::options::{MAX_AGE, MAX_BUSY_TIMEOUT, MAX_IN_FLIGHT_LIMIT, MAX_PENDING_LIMIT, ReporterSettings};
use self::outbox::Account;
pub use self::outbox::{Event, EventKind, Overflow};
use self::runtime::Runtime;
use self::senders::Messenger;
pub use self::statistics::{LastError, State, Statistics};
use crate::auth::credentials::Credentials;
use crate::client::Client;
use crate::clock::{Moment, after, from_now};
use crate::conversion::Conversion;
use crate::error::{Error, Kind};
use crate::options::{ClientSettings, Options};
use crate::os::file_size::WithoutSignal;
use crate::os::fork::PerProcess;
use crate::os::wakeup::wait_for_either;
use crate::timestamp::Timestamp;

/// The interval at which `poll` checks for events while there is no worker to signal them.
const EVENT_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Queues reports and sends them in the background.
///
/// Any number of threads may share a reporter. After a fork, the parent and the child can both continue to use it; in
/// the child, an outbox in memory starts empty.
pub struct Reporter {
    client: Arc<dyn Messenger>,
    account: Account,
    settings: ReporterSettings,
    runtime: PerProcess<Runtime>,
    is_closed: AtomicBool,
    /// Whether the reporter has been abandoned. Calls that are waiting then return an error.
    is_abandoned: AtomicBool,
}

impl Reporter {
    /// Creates a reporter for the account of `credentials`. Opens or creates the outbox and starts sending the
    /// reports that it contains.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::InvalidArgument`] if an option is invalid, [`Kind::System`] if the system's certificates
    /// cannot be used or no file descriptor is available, or an outbox error if the outbox cannot be used.
    pub fn new(
        credentials: Credentials,
        options: &Options<'_>,
        reporter_options: &ReporterOptions<'_>,
    ) -> Result<Self, Error> {
        Self::with_settings(credentials, options.check()?, reporter_options.check()?)
    }

    /// Like [`Reporter::new`], but with options that have already been checked.
    pub(crate) fn with_settings(
        credentials: Credentials,
        client_settings: ClientSettings,
        settings: ReporterSettings,
    ) -> Result<Self, Error> {
        let account =
            Account { api_key: credentials.api_key().to_owned(), base_url: client_settings.base_url.normalized() };
        // The client makes one attempt per report, because the worker decides when to retry and which report to send
        // next.
        let client_settings = ClientSettings {
            max_attempts: 1,
            max_idle_connections: settings.max_in_flight.max(client_settings.max_idle_connections),
            ..client_settings
        };
        Self::with_messenger(Arc::new(Client::with_settings(credentials, client_settings)?), account, settings)
    }

    fn with_messenger(client: Arc<dyn Messenger>, account: Account, settings: ReporterSettings) -> Result<Self, Error> {
        let reporter = Self {
            client,
            account,
            settings,
            runtime: PerProcess::new(),
            is_closed: AtomicBool::new(false),
            is_abandoned: AtomicBool::new(false),
        };
        let runtime = reporter.runtime()?;
        runtime.outbox.snapshot()?;
        reporter.start(&runtime);
        drop(runtime);
        Ok(reporter)
    }

    /// Stores a report with the durability that the options select. Replaces any pending report for the same message.
    /// If the report has no timestamp, adds the current time, unless the system clock was never set.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::Closed`] if the reporter is closed, or an outbox error. If the call fails, the report is not
    /// stored, unless [`may_be_stored`](Error::may_be_stored) returns true.
    pub fn submit(&self, conversion: &Conversion) -> Result<(), Error> {
        let runtime = self.runtime()?;
        // The call is counted before the check, so that either this call sees that the reporter is closed, or a
        // concurrent `close` sees this call.
        let _submitting = runtime.begin_submitting();
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(Error::new(Kind::Closed, "the reporter is closed"));
        }
        let has_dropped = runtime.outbox.put(&with_timestamp(conversion))?;
        self.start(&runtime);
        runtime.signals.submitted();
        if has_dropped {
            runtime.signals.events.notify();
        }
        Ok(())
    }

    /// Waits for an event and returns the oldest one, or None if `timeout` expires first. Every call, in any process
    /// that uses the outbox, returns the same event until that event is acknowledged or discarded.
    ///
    /// If `timeout` is `None`, waits without limit; if it is zero, checks once.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::Closed`] if the reporter is closed and no event is left, [`Kind::Cancelled`] if the reporter
    /// is freed during the call, or an outbox error.
    pub fn poll(&self, timeout: Option<Duration>) -> Result<Option<Event>, Error> {
        let deadline = timeout.map(from_now);
        let runtime = self.runtime()?;
        loop {
            // The signal is cleared before the check, so that an event created during the check is not missed.
            runtime.signals.events.clear();
            let event = runtime.outbox.oldest_event();
            if !matches!(event, Ok(None)) {
                runtime.signals.events.notify();
                return event;
            }
            self.fail_if_abandoned()?;
            if self.is_finished(&runtime) {
                runtime.signals.events.notify();
                return Err(Error::new(Kind::Closed, "the reporter is closed and has no more events"));
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(None);
            }
            self.start(&runtime);
            let retry = Some(after(now, EVENT_POLL_INTERVAL)).filter(|_| !runtime.is_started());
            let next = deadline.into_iter().chain(retry).min();
            wait_for_either(runtime.signals.events.as_fd(), Some(runtime.signals.ended.as_fd()), next);
        }
    }

    /// Removes the event whose id is `event_id`. Succeeds even if the event is already gone.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::InvalidArgument`] if no event can have that id, or an outbox error, after which the event may
    /// still be in the outbox.
    pub fn acknowledge(&self, event_id: i64) -> Result<(), Error> {
        let runtime = self.runtime()?;
        runtime.outbox.acknowledge(event_id)?;
        runtime.signals.events.clear();
        let is_any_left = !runtime.outbox.snapshot().is_ok_and(|snapshot| snapshot.counters.events == 0);
        if is_any_left || self.is_finished(&runtime) {
            runtime.signals.events.notify();
        }
        Ok(())
    }

    /// Returns whether the reporter is closed and no call to `close` is in progress. From then on, `poll` returns the
    /// remaining events without waiting for new ones.
    fn is_finished(&self, runtime: &Runtime) -> bool {
        self.is_closed.load(Ordering::SeqCst) && !runtime.is_closing()
    }

    /// Returns a file descriptor that is readable while an event is waiting to be acknowledged, and once the reporter
    /// is closed. The reporter owns the descriptor, and the caller must not close it. A forked child has a different
    /// one.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::System`] if no file descriptor is available, or an outbox error.
    pub fn fd(&self) -> Result<RawFd, Error> {
        let runtime = self.runtime()?;
        self.start(&runtime);
        Ok(runtime.signals.events.as_fd().as_raw_fd())
    }

    /// Starts the worker unless the reporter is closed. If no thread can be started, a later call tries again.
    fn start(&self, runtime: &Runtime) {
        if !self.is_closed.load(Ordering::SeqCst) {
            runtime.start(&self.settings);
        }
    }

    /// Returns the runtime of this process for one call, creating it if necessary. If that fails, the next call tries
    /// again.
    fn runtime(&self) -> Result<Call<'_>, Error> {
        let without_signal = WithoutSignal::begin();
        let runtime = match self.runtime.get() {
            Some(runtime) => runtime,
            None => {
                let runtime = Runtime::new(&self.client, &self.account, &self.settings)?;
                self.runtime.get_or_make(|| runtime)
            }
        };
        Ok(Call { runtime, _without_signal: without_signal })
    }
}

/// The runtime during one call. Blocks SIGXFSZ, which would end the process if a write exceeded the file size limit.
struct Call<'a> {
    runtime: &'a Runtime,
    _without_signal: WithoutSignal,
}

impl Deref for Call<'_> {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.runtime
    }
}

/// Returns the report, with the current time as its timestamp if it has none. Adds no timestamp if the clock appears
/// never to have been set; the service then uses the time of arrival.
fn with_timestamp(conversion: &Conversion) -> Conversion {
    let now = || Moment::now().has_time_of_day().then(|| Timestamp::from_system_time(SystemTime::now()));
    Conversion { timestamp: conversion.timestamp.or_else(now), ..conversion.clone() }
}
