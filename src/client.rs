//! Credentials, options and a transport become a client that reports conversions.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::answer::Answer;
use crate::conversion::Conversion;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::options::{Options, Settings};
use crate::outcome::{Outcome, Taken};
use crate::request::Request;
use crate::transport::{Exchange, HttpTransport, Limits, Resolver, Transport};

/// Reports the conversions of one account.
///
/// Any number of threads may share a client. Each report blocks its caller until the answer is there or the time
/// limit has run out; connections are kept for the next report.
pub struct Client {
    credentials: Credentials,
    settings: Settings,
    transport: Arc<dyn Transport>,
}

impl Client {
    /// A client for the account of `credentials`.
    ///
    /// # Errors
    ///
    /// [`Kind::Argument`](crate::Kind::Argument) when an option is refused, or the CA file cannot be read or holds
    /// no usable certificate.
    pub fn new(credentials: Credentials, options: &Options<'_>) -> Result<Self, Error> {
        let settings = options.check()?;
        let transport = Arc::new(HttpTransport::new(&settings.trust, Resolver::default())?);
        Ok(Self { credentials, settings, transport })
    }

    /// Reports `conversion` and waits for the answer.
    #[must_use]
    pub fn report(&self, conversion: &Conversion) -> Outcome {
        report(conversion, &self.credentials, &self.settings, &*self.transport, SystemTime::now)
    }
}

/// Makes one request over `transport`, and tells what became of it.
pub(crate) fn report(
    conversion: &Conversion,
    credentials: &Credentials,
    settings: &Settings,
    transport: &dyn Transport,
    clock: fn() -> SystemTime,
) -> Outcome {
    let start = Instant::now();
    let request = Request::new(conversion, credentials, settings, clock());
    let exchange = transport.exchange(&request, Limits { connect: settings.connect_timeout, total: settings.timeout });
    judge(&request, exchange, start, clock())
}

fn judge(request: &Request, exchange: Exchange, start: Instant, now: SystemTime) -> Outcome {
    let answer = exchange.answer.as_ref();
    let result = answer.map_err(Error::clone).and_then(|answer| answer.verdict(request.secrets()));
    let taken = match (&result, exchange.written) {
        (Ok(()), _) => Taken::Yes,
        (Err(_), true) => Taken::Perhaps,
        (Err(_), false) => Taken::No,
    };
    Outcome {
        http_status: answer.ok().map(|answer| answer.status),
        retry_after: answer.ok().filter(|_| result.is_err()).and_then(|answer| Answer::retry_after(answer, now)),
        attempts: 1,
        taken,
        elapsed: start.elapsed(),
        result,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::conversion::{Channel, MessageId};
    use crate::error::Kind;

    /// Gives one prepared exchange and keeps the limits it was given.
    struct Prepared(Mutex<Option<Exchange>>, Mutex<Option<Limits>>);

    impl Transport for Prepared {
        fn exchange(&self, _: &Request, limits: Limits) -> Exchange {
            *self.1.lock().unwrap() = Some(limits);
            self.0.lock().unwrap().take().unwrap()
        }
    }

    fn outcome(answer: Result<Answer, Error>, written: bool) -> Outcome {
        let transport = Prepared(Mutex::new(Some(Exchange { answer, written })), Mutex::default());
        let conversion = Conversion {
            channel: Channel::Voice,
            message_id: MessageId::new("id").unwrap(),
            delivered: false,
            timestamp: None,
        };
        let options = Options { timeout: Some(Duration::from_secs(7)), ..Options::default() };
        let credentials = Credentials::query("key", "hush-hush").unwrap();
        let outcome =
            report(&conversion, &credentials, &options.check().unwrap(), &transport, || SystemTime::UNIX_EPOCH);
        let limits = transport.1.lock().unwrap().take().unwrap();
        assert_eq!((limits.connect, limits.total), (Duration::from_secs(5), Duration::from_secs(7)));
        outcome
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: Some("9".into()), body: Some(body.into()) }
    }

    #[test]
    fn a_success_is_taken_and_asks_for_no_wait() {
        let outcome = outcome(Ok(answer(202, "")), true);
        assert_eq!((outcome.result, outcome.http_status, outcome.taken), (Ok(()), Some(202), Taken::Yes));
        assert_eq!((outcome.attempts, outcome.retry_after), (1, None));
    }

    #[test]
    fn a_refusal_is_perhaps_taken_and_keeps_its_wait_and_no_secret() {
        let outcome = outcome(Ok(answer(429, "you sent hush-hush")), true);
        let error = outcome.result.unwrap_err();
        assert_eq!((error.kind(), outcome.http_status, outcome.taken), (Kind::RateLimited, Some(429), Taken::Perhaps));
        assert_eq!(outcome.retry_after, Some(Duration::from_secs(9)));
        assert!(error.message().ends_with("you sent ***"), "{error}");
    }

    #[test]
    fn a_failure_before_a_byte_was_written_was_not_taken() {
        let error = Error::new(Kind::Network, "connection refused");
        assert_eq!(outcome(Err(error.clone()), false).taken, Taken::No);
        assert_eq!(outcome(Err(error), true).taken, Taken::Perhaps);
    }
}
