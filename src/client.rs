//! A client: credentials, options and a transport.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::auth::credentials::Credentials;
use crate::backoff::Backoff;
use crate::conversion::Conversion;
use crate::error::Error;
use crate::options::{ClientSettings, Options};
use crate::os::fork::PerProcess;
use crate::outcome::{Acceptance, Outcome};
use crate::request::Request;
use crate::transport::{Exchange, HttpTransport, Limits, Resolver, Transport, TransportConfig};

/// Reports conversions for one account.
///
/// Any number of threads may share a client. [`Client::report`] blocks until the report succeeds, fails or times out.
/// The client reuses connections. After a fork, parent and child can both continue to use the client.
pub struct Client {
    credentials: Credentials,
    settings: ClientSettings,
    setup: TransportConfig,
    transport: PerProcess<HttpTransport>,
    is_cancelled: AtomicBool,
}

impl Client {
    /// Creates a client for the account of `credentials`.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::System`](crate::Kind::System) if the platform's certificates cannot be used, or if a file
    /// cannot be read for a reason that may be temporary. Returns
    /// [`Kind::InvalidArgument`](crate::Kind::InvalidArgument) if an option or a proxy environment variable is
    /// invalid, or if an option names a file that cannot be read for another reason or has no usable content.
    pub fn new(credentials: Credentials, options: &Options<'_>) -> Result<Self, Error> {
        Self::with_settings(credentials, options.check()?)
    }

    /// Like [`Client::new`], but with options that have already been checked.
    pub(crate) fn with_settings(credentials: Credentials, settings: ClientSettings) -> Result<Self, Error> {
        let setup = TransportConfig::new(&settings)?;
        #[cfg(feature = "testing")]
        LIVE.fetch_add(1, Ordering::SeqCst);
        Ok(Self { credentials, settings, setup, transport: PerProcess::new(), is_cancelled: AtomicBool::new(false) })
    }

    /// Reports `conversion` and waits for the response.
    #[must_use]
    pub fn report(&self, conversion: &Conversion) -> Outcome {
        let transport = self.transport.get_or_make(|| HttpTransport::new(&self.setup, Resolver::of_process()));
        if self.is_cancelled.load(Ordering::SeqCst) {
            transport.cancel();
        }
        report(conversion, &self.credentials, &self.settings, transport, &Environment::REAL, Instant::now())
    }

    /// Cancels all reports in progress and all later ones. They fail with
    /// [`Kind::Cancelled`](crate::Kind::Cancelled), except those whose last attempt gets a response.
    pub fn cancel(&self) {
        // The flag must be set first. A report that does not see the flag has already created the transport, which the
        // next statement then cancels.
        self.is_cancelled.store(true, Ordering::SeqCst);
        if let Some(transport) = self.transport.get() {
            transport.cancel();
        }
    }
}

/// The number of clients in memory, including freed clients that a call still uses.
#[cfg(feature = "testing")]
pub(crate) static LIVE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

#[cfg(feature = "testing")]
impl Drop for Client {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The clock and the random source, which tests can replace.
pub(crate) struct Environment {
    /// Returns the time of day.
    pub(crate) clock: fn() -> SystemTime,
    /// Returns a random number, different on each call and in each process.
    pub(crate) random: fn() -> u64,
}

impl Environment {
    pub(crate) const REAL: Self = Self { clock: SystemTime::now, random };
}

/// Returns a random number, different on each call and in each process.
pub(crate) fn random() -> u64 {
    // The keys of the hasher are random but the same in a forked child, so the process id is added.
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(process::id());
    hasher.finish()
}

/// Reports over `transport` and returns the outcome. Retries retryable failures as often as `settings` allows, within
/// the overall timeout, which counts from `start`.
pub(crate) fn report(
    conversion: &Conversion,
    credentials: &Credentials,
    settings: &ClientSettings,
    transport: &dyn Transport,
    environment: &Environment,
    start: Instant,
) -> Outcome {
    let limits = Limits { connect: settings.connect_timeout, end: start.checked_add(settings.timeout) };
    let mut attempts = 0;
    let mut acceptance = Acceptance::No;
    let mut backoff = Backoff::default();
    loop {
        attempts += 1;
        // Each attempt needs a new request, because a signed request can contain the time of sending.
        let request = Request::new(conversion, credentials, settings, environment.clock);
        let exchange = transport.exchange(&request, limits);
        let last = outcome_of(&request, exchange, environment.clock);
        acceptance = acceptance.max(last.acceptance);
        let is_useful = last.result.as_ref().is_err_and(|error| error.kind().is_retryable());
        let may_retry = is_useful && attempts < settings.max_attempts;
        let wait = may_retry.then(|| backoff.delay(last.retry_after, (environment.random)()));
        let is_in_time = wait.filter(|wait| start.elapsed().saturating_add(*wait) < settings.timeout);
        let next = is_in_time.and_then(|wait| Instant::now().checked_add(wait));
        let Some(next) = next else {
            let retry_after = last.retry_after.or(wait);
            return Outcome { attempts, acceptance, retry_after, elapsed: start.elapsed(), ..last };
        };
        if !transport.pause(next) {
            return Outcome { attempts, acceptance, elapsed: start.elapsed(), ..Outcome::unsent(Error::cancelled()) };
        }
    }
}

/// Returns the outcome of one exchange.
fn outcome_of(request: &Request<'_>, mut exchange: Exchange, clock: fn() -> SystemTime) -> Outcome {
    let result = match &mut exchange.response {
        Ok(response) => response.verdict(request.secrets()),
        Err(error) => Err(error.clone()),
    };
    let response = exchange.response.as_ref();
    let acceptance = match &result {
        Ok(()) => Acceptance::Yes,
        Err(error) if !exchange.written || error.kind().is_unaccepted() => Acceptance::No,
        Err(_) => Acceptance::Unknown,
    };
    Outcome {
        http_status: response.ok().map(|response| response.status),
        retry_after: response.ok().filter(|_| result.is_err()).and_then(|response| response.retry_after(clock())),
        attempts: 1,
        acceptance,
        elapsed: Duration::ZERO,
        result,
    }
}

#[cfg(test)]
mod tests;
