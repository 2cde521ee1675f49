//! Reports that are handed over in microseconds, and sent in the background until the service has them.
//!
//! ```text
//! Reporter -- put --> outbox (memory, or sqlite) <-- take, settle -- worker -- send --> senders --> client
//!                                                                      |
//!                                                                    breaker: whether reports may go out now
//! ```

mod circuit_breaker;
mod close;
mod flush;
mod options;
mod outbox;
mod report_failures;
mod runtime;
mod senders;
mod signals;
mod statistics;
#[cfg(feature = "testing")]
pub mod testing;
mod worker;

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

pub use self::options::{Durability, ReporterOptions};
pub(crate) use self::options::{LARGEST_MOST, LONGEST_AGE, LONGEST_LOCK_WAIT, MOST_IN_FLIGHT, ReporterSettings};
pub use self::outbox::{Event, EventKind, Overflow};
use self::runtime::{Account, Runtime};
use self::senders::Messenger;
pub use self::signals::{LastError, State};
pub use self::statistics::Statistics;
use crate::auth::credentials::Credentials;
use crate::client::Client;
use crate::clock::{Moment, after, from_now};
use crate::conversion::{Conversion, Timestamp};
use crate::error::{Error, Kind};
use crate::options::{ClientSettings, Options};
use crate::os::fork::PerProcess;
use crate::os::wakeup::wait_for_either;

/// How long a wait for events goes without a check, for another process may make some.
const EVENT_SWEEP: Duration = Duration::from_millis(500);

/// Takes reports over and has them sent.
///
/// Any number of threads may share a reporter. After a fork parent and child both go on with it; with an outbox in memory,
/// the child begins with an empty one.
pub struct Reporter {
    client: Arc<dyn Messenger>,
    account: Account,
    plan: ReporterSettings,
    runtime: PerProcess<Runtime>,
    is_closed: AtomicBool,
    /// Whether its owner has abandoned it: calls in progress end.
    is_abandoned: AtomicBool,
}

impl Reporter {
    /// A reporter for the account of `credentials`. Opens its outbox, or makes it, and goes on with what is in it.
    ///
    /// # Errors
    ///
    /// [`Kind::InvalidArgument`] when an option is refused; the kinds of the outbox when it cannot be used.
    pub fn new(
        credentials: Credentials,
        options: &Options<'_>,
        reporter_options: &ReporterOptions<'_>,
    ) -> Result<Self, Error> {
        Self::with_settings(credentials, options.check()?, reporter_options.check()?)
    }

    /// As [`Reporter::new`], with options that were checked already.
    pub(crate) fn with_settings(
        credentials: Credentials,
        settings: ClientSettings,
        plan: ReporterSettings,
    ) -> Result<Self, Error> {
        let account = Account { api_key: credentials.api_key().to_owned(), base_url: settings.base_url.normalized() };
        // One attempt a request: the worker knows when to try again, and with what.
        let settings = ClientSettings {
            max_attempts: 1,
            max_idle_connections: plan.max_in_flight.max(settings.max_idle_connections),
            ..settings
        };
        Self::with_messenger(Arc::new(Client::with_settings(credentials, settings)?), account, plan)
    }

    fn with_messenger(client: Arc<dyn Messenger>, account: Account, plan: ReporterSettings) -> Result<Self, Error> {
        let reporter = Self {
            client,
            account,
            plan,
            runtime: PerProcess::new(),
            is_closed: AtomicBool::new(false),
            is_abandoned: AtomicBool::new(false),
        };
        let runtime = reporter.runtime()?;
        runtime.outbox.snapshot()?;
        reporter.start(runtime);
        Ok(reporter)
    }

    /// Stores a report, which is then as safe as the reporter's durability. One for the same message that was not accepted yet
    /// is replaced. Without a timestamp the report gets that of this moment.
    ///
    /// # Errors
    ///
    /// The kinds of the outbox, and [`Kind::Closed`]: the report was not stored, unless
    /// [`may_be_stored`](Error::may_be_stored) says otherwise.
    pub fn submit(&self, conversion: &Conversion) -> Result<(), Error> {
        let runtime = self.runtime()?;
        // Counted before the look, so that a close either is seen here, or waits.
        let _submitting = runtime.begin_submitting();
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(Error::new(Kind::Closed, "the reporter is closed"));
        }
        let has_dropped = runtime.outbox.put(&stamped(conversion))?;
        self.start(runtime);
        runtime.signals.submitted();
        if has_dropped {
            runtime.signals.events.notify();
        }
        Ok(())
    }

    /// Waits until there is an event, and returns the oldest one, which stays until it is acknowledged: until then every call,
    /// of any process, returns the same event. None: `timeout` expired first.
    ///
    /// `timeout` of `None` sets no limit; zero checks once.
    ///
    /// # Errors
    ///
    /// [`Kind::Closed`] when the reporter is closed and no event is left; [`Kind::Cancelled`] when it was freed during the
    /// call; the kinds of the outbox.
    pub fn poll(&self, timeout: Option<Duration>) -> Result<Option<Event>, Error> {
        let deadline = timeout.map(from_now);
        let runtime = self.runtime()?;
        loop {
            // Before the check, so that an event that is made meanwhile is not missed.
            runtime.signals.events.clear();
            let event = runtime.outbox.oldest_event();
            if !matches!(event, Ok(None)) {
                runtime.signals.events.notify();
                return event;
            }
            self.fail_if_abandoned()?;
            if self.is_over(runtime) {
                runtime.signals.events.notify();
                return Err(Error::new(Kind::Closed, "the reporter is closed and has no more events"));
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(None);
            }
            self.start(runtime);
            let next = deadline.map_or(after(now, EVENT_SWEEP), |deadline| deadline.min(after(now, EVENT_SWEEP)));
            wait_for_either(runtime.signals.events.as_fd(), Some(runtime.signals.ended.as_fd()), Some(next));
        }
    }

    /// Removes the event with that id and no other. One that is gone already is fine.
    ///
    /// # Errors
    ///
    /// [`Kind::InvalidArgument`] when no event can have that id; the kinds of the outbox, with which the event is still there.
    pub fn acknowledge(&self, event_id: i64) -> Result<(), Error> {
        let runtime = self.runtime()?;
        runtime.outbox.acknowledge(event_id)?;
        runtime.signals.events.clear();
        let is_any_left = !runtime.outbox.snapshot().is_ok_and(|snapshot| snapshot.counters.events == 0);
        if is_any_left || self.is_over(runtime) {
            runtime.signals.events.notify();
        }
        Ok(())
    }

    /// Whether it is closed and no call of `close` waits any more, so that a poll has only events to return.
    fn is_over(&self, runtime: &Runtime) -> bool {
        self.is_closed.load(Ordering::SeqCst) && !runtime.is_closing()
    }

    /// A descriptor that is readable while an event waits to be acknowledged, and once the reporter is closed. It belongs to the
    /// reporter. A forked child has another.
    ///
    /// # Errors
    ///
    /// [`Kind::System`] when the system has no descriptors left; the kinds of the outbox.
    pub fn fd(&self) -> Result<RawFd, Error> {
        let runtime = self.runtime()?;
        self.start(runtime);
        Ok(runtime.signals.events.as_fd().as_raw_fd())
    }

    /// Has the worker run, unless the reporter is closed. Without one, which a system may be too short of, reports wait for
    /// the next call.
    fn start(&self, runtime: &Runtime) {
        if !self.is_closed.load(Ordering::SeqCst) {
            runtime.start(&self.plan);
        }
    }

    /// What this process has of the reporter. Should it fail, the next call tries again.
    fn runtime(&self) -> Result<&Runtime, Error> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let made = Runtime::new(self)?;
        Ok(self.runtime.get_or_make(|| made))
    }
}

/// The report with the time of its event. A clock that was never set tells none: the service then takes the time of arrival.
fn stamped(conversion: &Conversion) -> Conversion {
    let now = || Moment::now().has_time_of_day().then(|| Timestamp::from_system_time(SystemTime::now()));
    Conversion { timestamp: conversion.timestamp.or_else(now), ..conversion.clone() }
}
