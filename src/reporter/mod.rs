//! Reports that are handed over in microseconds, and sent in the background until the service has them.
//!
//! ```text
//! Reporter -- put --> outbox (memory, or sqlite) <-- take, settle -- worker -- send --> senders --> client
//!                                                                      |
//!                                                                    gate: whether reports may go out now
//! ```

mod gate;
mod memory;
mod options;
mod outbox;
mod senders;
mod shared;
mod sqlite;
#[cfg(feature = "testing")]
pub mod stub;
mod troubles;
mod worker;

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

pub use self::options::{Durability, ReporterOptions};
pub use self::outbox::{Aside, Reason, WhenFull};
pub use self::shared::{LastError, State};

use self::memory::MemoryOutbox;
pub(crate) use self::options::Plan;
use self::outbox::Outbox;
use self::senders::{Messenger, Senders};
use self::shared::Shared;
use self::sqlite::{SqliteOutbox, Terms};
use self::worker::Worker;
use crate::client::Client;
use crate::clock::{Moment, from_now};
use crate::conversion::{Conversion, Timestamp};
use crate::credentials::Credentials;
use crate::error::{Error, Kind};
use crate::fork::Renewed;
use crate::options::{Options, Settings};

/// How long those who wait for the outbox to empty go without a look, for another process may be emptying it.
const LOOK: Duration = Duration::from_millis(20);

/// How long `close` waits for what it interrupts.
const INTERRUPTION: Duration = Duration::from_millis(500);

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

/// Whose reports an outbox holds.
struct Account {
    api_key: String,
    base_url: String,
}

/// What one process has of a reporter.
struct Running {
    outbox: Arc<dyn Outbox>,
    senders: Arc<Senders>,
    shared: Arc<Shared>,
    /// How many calls of `submit` are under way.
    submitting: AtomicUsize,
    /// Whether the worker was started.
    is_started: Mutex<bool>,
}

/// How many reports there were, and what became of them. They are counted by the outbox, over all that ever used it.
///
/// `accepted` is the sum of `sent`, `refused`, `expired`, `replaced`, `dropped` and `pending`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// Accepted by `submit`.
    pub accepted: u64,
    /// Taken by the service.
    pub sent: u64,
    /// Refused by the service.
    pub refused: u64,
    /// Grown older than the age limit.
    pub expired: u64,
    /// Replaced by a later report for the same message.
    pub replaced: u64,
    /// Dropped, because the outbox was full.
    pub dropped: u64,
    /// Still to be sent.
    pub pending: u64,
    /// Set aside, and waiting to be fetched by `poll`.
    pub aside: u64,
    /// Set aside and forgotten before they were fetched, because there were too many.
    pub forgotten: u64,
    /// How many outbox files were damaged or removed while this reporter used them, and replaced by new ones.
    pub outboxes_lost: u64,
    /// How often the outbox could not be read or written in the background.
    pub outbox_errors: u64,
    /// How long ago the oldest pending report was accepted.
    pub oldest_pending: Option<Duration>,
    /// How many are being sent by this reporter at this moment.
    pub under_way: usize,
    /// What this reporter is doing.
    pub state: State,
    /// What last went wrong in the background.
    pub last_error: Option<LastError>,
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
        let _submitting = Submitting::new(&running.submitting);
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

    /// Waits until every report that the outbox accepted before this call has left it.
    ///
    /// # Errors
    ///
    /// [`Kind::Timeout`] when some are left after `timeout`; [`Kind::Parked`] when the service takes no reports of the
    /// account, which was just tried; [`Kind::Aside`] when none is left, and some were set aside.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        let deadline = from_now(timeout);
        let running = self.running()?;
        self.start(running);
        let last = running.outbox.last()?;
        let probes = running.shared.told().probes;
        running.shared.ask_for_probe();
        while !is_done(running, last)? {
            let told = running.shared.told();
            if told.state == State::Parked && told.probes != probes {
                return Err(self.left(Kind::Parked, "the service takes no reports of the account for now")?);
            }
            self.refuse_if_abandoned()?;
            if Instant::now() >= deadline {
                return Err(self.left(Kind::Timeout, "the time is over")?);
            }
            running.shared.wait(deadline, LOOK);
        }
        match running.outbox.inventory()?.tally.aside {
            0 => Ok(()),
            aside => Err(Error::new(Kind::Aside, format!("none is pending; set aside, and to be polled: {aside}"))),
        }
    }

    fn left(&self, kind: Kind, told: &str) -> Result<Error, Error> {
        let pending = self.running()?.outbox.inventory().map(|inventory| inventory.tally.pending().to_string());
        let pending = pending.unwrap_or_else(|error| format!("not to be told ({error})"));
        Ok(Error::new(kind, format!("{told}; still pending: {pending}")))
    }

    fn refuse_if_abandoned(&self) -> Result<(), Error> {
        match self.is_abandoned.load(Ordering::SeqCst) {
            true => Err(Error::new(Kind::Cancelled, "the reporter was freed during the call")),
            false => Ok(()),
        }
    }

    /// How many reports there were, and what became of them.
    ///
    /// # Errors
    ///
    /// The kinds of the outbox.
    pub fn statistics(&self) -> Result<Statistics, Error> {
        let running = self.running()?;
        self.start(running);
        let inventory = running.outbox.inventory()?;
        let (told, tally) = (running.shared.told(), inventory.tally);
        let is_closed = self.is_closed.load(Ordering::SeqCst);
        Ok(Statistics {
            accepted: tally.accepted,
            sent: tally.sent,
            refused: tally.refused,
            expired: tally.expired,
            replaced: tally.replaced,
            dropped: tally.dropped,
            pending: tally.pending(),
            aside: tally.aside,
            forgotten: tally.forgotten,
            outboxes_lost: running.outbox.lost(),
            outbox_errors: told.outbox_errors,
            oldest_pending: inventory.oldest.map(|oldest| Moment::now().since(&oldest)),
            under_way: running.senders.load().under_way,
            state: if is_closed { State::Closed } else { told.state },
            last_error: told.last_error,
        })
    }

    /// Takes no more reports, goes on sending for up to `timeout` or until all that were accepted have left the outbox, and
    /// then ends what is under way. What is left goes out when a reporter next opens the outbox.
    ///
    /// # Errors
    ///
    /// [`Kind::Pending`] when some are left.
    pub fn close(&self, timeout: Duration) -> Result<(), Error> {
        let deadline = from_now(timeout);
        self.is_closed.store(true, Ordering::SeqCst);
        let running = self.running()?;
        while Instant::now() < deadline && running.submitting.load(Ordering::SeqCst) > 0 {
            self.refuse_if_abandoned()?;
            running.shared.wait(deadline, Duration::from_millis(1));
        }
        let last = running.outbox.last();
        let is_empty = || last.as_ref().is_ok_and(|last| is_done(running, *last).unwrap_or(false));
        while Instant::now() < deadline && !running.has_ended() && !is_empty() {
            self.refuse_if_abandoned()?;
            running.shared.wait(deadline, LOOK);
        }
        self.end(running);
        let deadline = from_now(INTERRUPTION.min(timeout));
        while Instant::now() < deadline && !running.has_ended() {
            running.shared.wait(deadline, LOOK);
        }
        self.refuse_if_abandoned()?;
        match running.outbox.inventory()?.tally.pending() {
            0 => Ok(()),
            pending => Err(Error::new(Kind::Pending, format!("the reporter is closed; still pending: {pending}"))),
        }
    }

    /// As [`Reporter::close`] without any time, for an owner that does not ask what is left. Waits for nothing.
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
        self.is_closed.store(true, Ordering::SeqCst);
        if let Some(running) = self.running.get() {
            self.end(running);
        }
    }

    /// Has the worker run, unless the reporter is closed. Without one, which a system may be too short of, reports wait for
    /// the next call.
    fn start(&self, running: &Running) {
        if !self.is_closed.load(Ordering::SeqCst) {
            running.start(&self.plan);
        }
    }

    fn end(&self, running: &Running) {
        running.shared.end();
        self.client.cancel();
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

/// A call of `submit` that is under way.
struct Submitting<'a>(&'a AtomicUsize);

impl<'a> Submitting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Submitting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl Running {
    fn new(reporter: &Reporter) -> Result<Self, Error> {
        let outbox = open(&reporter.plan, &reporter.account)?;
        let shared = Shared::new()
            .map_err(|error| Error::new(Kind::Outbox, format!("the system has no descriptor left: {error}")))?;
        let shared = Arc::new(shared);
        let rung = Arc::clone(&shared);
        let connections = usize::try_from(reporter.plan.connections).unwrap_or(1);
        let ring = Box::new(move || rung.wake.ring());
        let senders = Arc::new(Senders::new(Arc::clone(&reporter.client), connections, ring));
        Ok(Self { outbox, senders, shared, submitting: AtomicUsize::new(0), is_started: Mutex::new(false) })
    }

    /// Starts the worker, unless it runs.
    fn start(&self, plan: &Plan) {
        let mut is_started = self.is_started.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_started {
            let (outbox, senders) = (Arc::clone(&self.outbox), Arc::clone(&self.senders));
            // Asked here already, so that the first look at the state finds what is so. The worker meets a failure again.
            let is_leading = self.outbox.lead().unwrap_or(false);
            let state = if is_leading { State::Running } else { State::StandingBy };
            self.shared.tell(|told| told.state = state);
            *is_started = Worker::start(outbox, senders, Arc::clone(&self.shared), plan).is_ok();
        }
    }

    /// Whether there is no worker any more, or never was one.
    fn has_ended(&self) -> bool {
        let is_started = *self.is_started.lock().unwrap_or_else(PoisonError::into_inner);
        !is_started || self.shared.told().is_ended
    }
}

/// Whether no report up to number `id` is pending. Those who hold the outbox for long are waited for.
fn is_done(running: &Running, id: u64) -> Result<bool, Error> {
    match running.outbox.is_done_up_to(id) {
        Err(error) if error.kind() == Kind::OutboxBusy => Ok(false),
        other => other,
    }
}

fn open(plan: &Plan, account: &Account) -> Result<Arc<dyn Outbox>, Error> {
    let Some(path) = &plan.outbox else {
        return Ok(Arc::new(MemoryOutbox::new(plan.most, plan.when_full)));
    };
    let terms = Terms {
        path,
        allow_network: plan.allow_network,
        api_key: &account.api_key,
        base_url: &account.base_url,
        survives_power_loss: plan.survives_power_loss,
        most: plan.most,
        when_full: plan.when_full,
        lock_wait: plan.lock_wait,
    };
    Ok(Arc::new(SqliteOutbox::new(&terms)?))
}

/// The report with the time of its event. A clock that was never set tells none: the service then takes the time of arrival.
fn stamped(conversion: &Conversion) -> Conversion {
    let now = || Moment::now().has_time_of_day().then(|| Timestamp::from_system_time(SystemTime::now()));
    Conversion { timestamp: conversion.timestamp.or_else(now), ..conversion.clone() }
}
