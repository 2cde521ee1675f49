//! Reports that are handed over in microseconds, and sent in the background until the service has them.
//!
//! ```text
//! Reporter -- put --> outbox (memory, or sqlite) <-- take, settle -- worker -- send --> senders --> client
//!                                                                      |
//!                                                                    gate: whether reports may go out now
//! ```

mod close;
mod flush;
mod gate;
mod memory;
mod options;
mod outbox;
mod running;
mod senders;
mod shared;
mod sqlite;
mod statistics;
#[cfg(feature = "testing")]
pub mod stub;
mod troubles;
mod worker;

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

pub use self::options::{Durability, ReporterOptions};
pub use self::outbox::{Aside, Reason, WhenFull};
pub use self::shared::{LastError, State};
pub use self::statistics::Statistics;

pub(crate) use self::options::Plan;
use self::running::{Account, Running};
use self::senders::Messenger;
use crate::client::Client;
use crate::clock::Moment;
use crate::conversion::{Conversion, Timestamp};
use crate::credentials::Credentials;
use crate::error::{Error, Kind};
use crate::fork::Renewed;
use crate::options::{Options, Settings};

/// Takes reports over and has them sent.
///
/// Any number of threads may share a reporter. After a fork parent and child both go on with it; with an outbox in memory,
/// the child begins with an empty one.
pub struct Reporter {
    client: Arc<dyn Messenger>,
    account: Account,
    plan: Plan,
    running: Renewed<Running>,
    is_closed: AtomicBool,
    /// Whether its owner has given it up: calls under way end.
    is_abandoned: AtomicBool,
}

impl Reporter {
    /// A reporter for the account of `credentials`. Opens its outbox, or makes it, and goes on with what is in it.
    ///
    /// # Errors
    ///
    /// [`Kind::Argument`] when an option is refused; the kinds of the outbox when it cannot be used.
    pub fn new(
        credentials: Credentials,
        options: &Options<'_>,
        reporter_options: &ReporterOptions<'_>,
    ) -> Result<Self, Error> {
        Self::with_settings(credentials, options.check()?, reporter_options.check()?)
    }

    /// As [`Reporter::new`], with options that were checked already.
    pub(crate) fn with_settings(credentials: Credentials, settings: Settings, plan: Plan) -> Result<Self, Error> {
        let account =
            Account { api_key: credentials.api_key().to_owned(), base_url: settings.base_url.as_str().to_owned() };
        // One attempt a request: the worker knows when to try again, and with what.
        let settings = Settings { attempts: 1, connections: plan.connections.max(settings.connections), ..settings };
        Self::with_messenger(Arc::new(Client::with_settings(credentials, settings)?), account, plan)
    }

    fn with_messenger(client: Arc<dyn Messenger>, account: Account, plan: Plan) -> Result<Self, Error> {
        let reporter = Self {
            client,
            account,
            plan,
            running: Renewed::new(),
            is_closed: AtomicBool::new(false),
            is_abandoned: AtomicBool::new(false),
        };
        let running = reporter.running()?;
        running.outbox.inventory()?;
        reporter.start(running);
        Ok(reporter)
    }

    /// Accepts a report, which is then as safe as the reporter's durability. One for the same message that was not sent yet
    /// is replaced. Without a timestamp the report gets that of this moment.
    ///
    /// # Errors
    ///
    /// The kinds of the outbox, and [`Kind::Closed`]: the report was not accepted.
    pub fn submit(&self, conversion: &Conversion) -> Result<(), Error> {
        let running = self.running()?;
        // Counted before the look, so that a close either is seen here, or waits.
        let _submitting = running.begin_submitting();
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(Error::new(Kind::Closed, "the reporter is closed"));
        }
        let has_dropped = running.outbox.put(&stamped(conversion))?;
        self.start(running);
        running.shared.accepted();
        if has_dropped {
            running.shared.aside.ring();
        }
        Ok(())
    }

    /// Hands out a report that was set aside, each once, over all that use the outbox.
    ///
    /// # Errors
    ///
    /// The kinds of the outbox.
    pub fn poll(&self) -> Result<Option<Aside>, Error> {
        let running = self.running()?;
        // Before the look, so that what is set aside meanwhile is not missed.
        running.shared.aside.hush();
        let aside = running.outbox.fetch_aside();
        if !matches!(aside, Ok(None)) {
            running.shared.aside.ring();
        }
        aside
    }

    /// A descriptor that is readable when [`Reporter::poll`] may have something. It belongs to the reporter. A forked child
    /// has another.
    ///
    /// # Errors
    ///
    /// [`Kind::Outbox`] when the system has no descriptors left.
    pub fn fd(&self) -> Result<RawFd, Error> {
        let running = self.running()?;
        self.start(running);
        Ok(running.shared.aside.as_fd().as_raw_fd())
    }

    /// Has the worker run, unless the reporter is closed. Without one, which a system may be too short of, reports wait for
    /// the next call.
    fn start(&self, running: &Running) {
        if !self.is_closed.load(Ordering::SeqCst) {
            running.start(&self.plan);
        }
    }

    /// What this process has of the reporter. Should it fail, the next call tries again.
    fn running(&self) -> Result<&Running, Error> {
        if let Some(running) = self.running.get() {
            return Ok(running);
        }
        let made = Running::new(self)?;
        Ok(self.running.get_or_make(|| made))
    }
}

/// The report with the time of its event. A clock that was never set tells none: the service then takes the time of arrival.
fn stamped(conversion: &Conversion) -> Conversion {
    let now = || Moment::now().has_time_of_day().then(|| Timestamp::from_system_time(SystemTime::now()));
    Conversion { timestamp: conversion.timestamp.or_else(now), ..conversion.clone() }
}
