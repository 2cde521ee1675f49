//! Credentials, options and a transport become a client that reports conversions.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::auth::credentials::Credentials;
use crate::backoff;
use crate::conversion::Conversion;
use crate::error::{Error, Kind};
use crate::options::{ClientSettings, Options};
use crate::os::fork::PerProcess;
use crate::outcome::{Acceptance, Outcome};
use crate::request::Request;
use crate::transport::{Exchange, HttpTransport, Limits, Resolver, Transport, TransportConfig};

/// Reports the conversions of one account.
///
/// Any number of threads may share a client. Each report blocks its caller until the answer is there or the time
/// limit has run out; connections are kept for the next report. After a fork parent and child both go on with it.
pub struct Client {
    credentials: Credentials,
    settings: ClientSettings,
    setup: TransportConfig,
    transport: PerProcess<HttpTransport>,
    is_cancelled: AtomicBool,
}

impl Client {
    /// A client for the account of `credentials`.
    ///
    /// # Errors
    ///
    /// [`Kind::InvalidArgument`](crate::Kind::InvalidArgument) when an option is refused, or a file that it names cannot be read or
    /// holds nothing usable.
    pub fn new(credentials: Credentials, options: &Options<'_>) -> Result<Self, Error> {
        Self::with_settings(credentials, options.check()?)
    }

    /// As [`Client::new`], with options that were checked already.
    pub(crate) fn with_settings(credentials: Credentials, settings: ClientSettings) -> Result<Self, Error> {
        let setup = TransportConfig::new(&settings)?;
        #[cfg(feature = "testing")]
        LIVE.fetch_add(1, Ordering::SeqCst);
        Ok(Self { credentials, settings, setup, transport: PerProcess::new(), is_cancelled: AtomicBool::new(false) })
    }

    /// Reports `conversion` and waits for the answer.
    #[must_use]
    pub fn report(&self, conversion: &Conversion) -> Outcome {
        let transport = self.transport.get_or_make(|| HttpTransport::new(&self.setup, Resolver::of_process()));
        if self.is_cancelled.load(Ordering::SeqCst) {
            transport.cancel();
        }
        report(conversion, &self.credentials, &self.settings, transport, &Environment::REAL, Instant::now())
    }

    /// Ends all reports under way with [`Kind::Cancelled`](crate::Kind::Cancelled), and all that are still begun.
    pub fn cancel(&self) {
        // In this order: a report that does not see the switch has made its transport before, and it is found here.
        self.is_cancelled.store(true, Ordering::SeqCst);
        if let Some(transport) = self.transport.get() {
            transport.cancel();
        }
    }
}

/// How many clients there are, those included that were freed and are still in use by a call.
#[cfg(feature = "testing")]
pub(crate) static LIVE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

#[cfg(feature = "testing")]
impl Drop for Client {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What a report takes from the world, and a test makes up.
pub(crate) struct Environment {
    /// The time of day.
    pub(crate) clock: fn() -> SystemTime,
    /// Any number, another each time and in each process.
    pub(crate) random: fn() -> u64,
}

impl Environment {
    pub(crate) const REAL: Self = Self { clock: SystemTime::now, random };
}

/// Any number, another each time and in each process.
pub(crate) fn random() -> u64 {
    // The keys of the hasher are random, but the same in a forked child.
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(process::id());
    hasher.finish()
}

/// Reports over `transport`, as often as `settings` allow and it is of use, and tells what became of it. The limit over
/// everything counts from `start`.
pub(crate) fn report(
    conversion: &Conversion,
    credentials: &Credentials,
    settings: &ClientSettings,
    transport: &dyn Transport,
    world: &Environment,
    start: Instant,
) -> Outcome {
    let mut attempts = 0;
    let mut acceptance = Acceptance::No;
    loop {
        attempts += 1;
        // Signed anew each time: a signature is of the moment of sending.
        let request = Request::new(conversion, credentials, settings, (world.clock)());
        let left = settings.timeout.saturating_sub(start.elapsed());
        let exchange = transport.exchange(&request, Limits { connect: settings.connect_timeout, total: left });
        let last = judge(&request, exchange, (world.clock)());
        acceptance = acceptance.max(last.acceptance);
        let wait = wait_before_next(&last, attempts, settings, world);
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

/// How long to wait before another attempt; none if there is to be no other.
fn wait_before_next(last: &Outcome, attempts: u32, settings: &ClientSettings, world: &Environment) -> Option<Duration> {
    let error = last.result.as_ref().err()?;
    let is_of_use = error.kind().is_retryable() && attempts < settings.max_attempts;
    is_of_use.then(|| backoff::wait(attempts, last.retry_after, (world.random)()))
}

/// The outcome of one exchange.
fn judge(request: &Request<'_>, exchange: Exchange, now: SystemTime) -> Outcome {
    let answer = exchange.answer.as_ref();
    let result = answer.map_err(Error::clone).and_then(|answer| answer.verdict(request.secrets()));
    let acceptance = match &result {
        Ok(()) => Acceptance::Yes,
        Err(error) if !exchange.written || is_rejection(error.kind()) => Acceptance::No,
        Err(_) => Acceptance::Unknown,
    };
    Outcome {
        http_status: answer.ok().map(|answer| answer.status),
        retry_after: answer.ok().filter(|_| result.is_err()).and_then(|answer| answer.retry_after(now)),
        attempts: 1,
        acceptance,
        elapsed: Duration::ZERO,
        result,
    }
}

/// Whether the response says that the service did not accept the report.
fn is_rejection(kind: Kind) -> bool {
    matches!(kind, Kind::Unauthorized | Kind::NotEnabled | Kind::Rejected | Kind::RateLimited)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::conversion::{Channel, MessageId};
    use crate::response::Response;

    /// Gives prepared exchanges, keeps the limits it was given, and lets no time pass in a pause.
    #[derive(Default)]
    struct Prepared {
        exchanges: Mutex<Vec<Exchange>>,
        limits: Mutex<Vec<Limits>>,
        pauses: Mutex<Vec<Duration>>,
        is_cancelled: bool,
    }

    impl Transport for Prepared {
        fn exchange(&self, _: &Request<'_>, limits: Limits) -> Exchange {
            self.limits.lock().unwrap().push(limits);
            self.exchanges.lock().unwrap().remove(0)
        }

        fn pause(&self, deadline: Instant) -> bool {
            self.pauses.lock().unwrap().push(deadline.saturating_duration_since(Instant::now()));
            !self.is_cancelled
        }
    }

    const WORLD: Environment = Environment { clock: || SystemTime::UNIX_EPOCH, random: || 1 << 63 };

    fn outcome_of(transport: &Prepared, attempts: u32) -> Outcome {
        let message_id = MessageId::new("id").unwrap();
        let conversion = Conversion { channel: Channel::Voice, message_id, delivered: false, timestamp: None };
        let options =
            Options { timeout: Some(Duration::from_secs(7)), max_attempts: Some(attempts), ..Options::default() };
        let credentials = Credentials::query("key", "hush-hush").unwrap();
        report(&conversion, &credentials, &options.check().unwrap(), transport, &WORLD, Instant::now())
    }

    fn prepared(exchanges: Vec<Exchange>) -> Prepared {
        Prepared { exchanges: Mutex::new(exchanges), ..Prepared::default() }
    }

    fn answered(status: u16, retry_after: Option<&str>) -> Exchange {
        let body = Some(b"you sent hush-hush".to_vec());
        Exchange { answer: Ok(Response { status, retry_after: retry_after.map(str::to_owned), body }), written: true }
    }

    fn lost(written: bool) -> Exchange {
        Exchange { answer: Err(Error::new(Kind::Network, "connection refused")), written }
    }

    #[test]
    fn a_2xx_means_accepted_and_asks_for_no_wait() {
        let outcome = outcome_of(&prepared(vec![answered(202, Some("9"))]), 3);
        assert_eq!((outcome.result, outcome.http_status, outcome.acceptance), (Ok(()), Some(202), Acceptance::Yes));
        assert_eq!((outcome.attempts, outcome.retry_after), (1, None));
    }

    #[test]
    fn a_429_means_not_accepted_and_keeps_its_wait_and_no_secret() {
        let outcome = outcome_of(&prepared(vec![answered(429, Some("9"))]), 1);
        let error = outcome.result.unwrap_err();
        assert_eq!(
            (error.kind(), outcome.http_status, outcome.acceptance),
            (Kind::RateLimited, Some(429), Acceptance::No)
        );
        assert_eq!(outcome.retry_after, Some(Duration::from_secs(9)));
        assert!(error.message().ends_with("you sent ***"), "{error}");
    }

    #[test]
    fn a_failure_before_a_byte_was_written_means_not_accepted() {
        assert_eq!(outcome_of(&prepared(vec![lost(false)]), 1).acceptance, Acceptance::No);
        assert_eq!(outcome_of(&prepared(vec![lost(true)]), 1).acceptance, Acceptance::Unknown);
    }

    #[test]
    fn what_can_succeed_later_is_tried_again_after_a_growing_wait() {
        let transport = prepared(vec![lost(true), lost(false), answered(503, None), answered(200, None)]);
        let outcome = outcome_of(&transport, 9);
        assert_eq!((outcome.result, outcome.attempts, outcome.acceptance), (Ok(()), 4, Acceptance::Yes));
        let pauses: Vec<u128> =
            transport.pauses.lock().unwrap().iter().map(|pause| pause.as_millis().div_ceil(10) * 10).collect();
        assert_eq!(pauses, [100, 200, 400]);
        assert!(transport.limits.lock().unwrap().iter().all(|limits| limits.connect == Duration::from_secs(5)));
    }

    #[test]
    fn what_was_once_written_without_a_response_stays_unknown() {
        let outcome = outcome_of(&prepared(vec![lost(true), lost(false)]), 2);
        assert_eq!((outcome.attempts, outcome.acceptance), (2, Acceptance::Unknown));
    }

    #[test]
    fn a_rejecting_response_means_not_accepted_unless_an_earlier_attempt_may_have_been() {
        for (status, acceptance) in [
            (401, Acceptance::No),
            (402, Acceptance::No),
            (420, Acceptance::No),
            (422, Acceptance::No),
            (423, Acceptance::No),
            (429, Acceptance::No),
            (302, Acceptance::Unknown),
            (404, Acceptance::Unknown),
            (408, Acceptance::Unknown),
            (500, Acceptance::Unknown),
            (503, Acceptance::Unknown),
        ] {
            assert_eq!(outcome_of(&prepared(vec![answered(status, None)]), 1).acceptance, acceptance, "{status}");
        }
        let outcome = outcome_of(&prepared(vec![answered(503, None), answered(420, None)]), 2);
        assert_eq!((outcome.result.unwrap_err().kind(), outcome.acceptance), (Kind::Rejected, Acceptance::Unknown));
        let outcome = outcome_of(&prepared(vec![lost(false), answered(422, None)]), 2);
        assert_eq!(outcome.acceptance, Acceptance::No);
    }

    #[test]
    fn what_is_useless_to_repeat_is_not_repeated() {
        for status in [302, 401, 402, 404, 420, 422, 423] {
            assert_eq!(outcome_of(&prepared(vec![answered(status, None)]), 9).attempts, 1, "{status}");
        }
        let tls = Exchange { answer: Err(Error::new(Kind::Tls, "unknown issuer")), written: false };
        assert_eq!(outcome_of(&prepared(vec![tls]), 9).attempts, 1);
    }

    #[test]
    fn a_wait_that_would_pass_the_limit_is_not_begun_and_is_told() {
        let transport = prepared(vec![answered(503, Some("7"))]);
        let outcome = outcome_of(&transport, 9);
        assert_eq!((outcome.attempts, outcome.retry_after), (1, Some(Duration::from_secs(7))));
        assert!(transport.pauses.lock().unwrap().is_empty());
    }

    #[test]
    fn a_pause_that_was_ended_ends_the_report() {
        let transport = Prepared { is_cancelled: true, ..prepared(vec![lost(true)]) };
        let outcome = outcome_of(&transport, 9);
        assert_eq!((outcome.attempts, outcome.acceptance), (1, Acceptance::Unknown));
        assert_eq!(outcome.result.unwrap_err().kind(), Kind::Cancelled);
    }
}
