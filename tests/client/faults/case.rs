//! A case describes a fault and its expected effect on the caller.

use std::ops::RangeInclusive;
use std::time::Duration;

use nexmo_conversion::{Acceptance, Kind};

use crate::authority::Identity;
use crate::script::{Script, Step};

/// The timeout of a call that must time out. Even on a busy machine, connecting and sending the request take only a
/// small part of this time.
const SHORT: Duration = Duration::from_secs(1);

/// The timeout of any other call. It is so long that it does not expire, even on a slow machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A fault and its expected effect. Texts may contain the placeholders that [`Endpoints`](crate::endpoints::Endpoints)
/// replaces.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) base_url: String,
    /// The scripts of the server, one for each connection, in order.
    pub(crate) scripts: Vec<Script>,
    /// Whether the server listens only on `[::1]`.
    pub(crate) is_only_on_ipv6: bool,
    /// The connect timeout and the overall timeout of each call. By default they depend on the expected results.
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    /// Whether the call waits for a body for the maximum time that the library allows.
    pub(crate) awaits_body: bool,
    /// The URL of the proxy, if any.
    pub(crate) proxy: Option<String>,
    /// The certificate of the client, if any.
    pub(crate) identity: Option<Identity>,
    /// The maximum number of attempts for each call.
    pub(crate) attempts: Option<u32>,
    /// The expected result of each call, in order.
    pub(crate) calls: Vec<Expected>,
    /// The expected total number of requests.
    pub(crate) requests: RangeInclusive<usize>,
    /// The texts that the servers must receive.
    pub(crate) received: Vec<String>,
}

/// The expected result of a call.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// The expected error kind; `None` for a success.
    pub(crate) kind: Option<Kind>,
    /// The expected HTTP status.
    pub(crate) http_status: Option<u16>,
    /// Other possible error kinds, without an HTTP status, if the result depends on the machine.
    pub(crate) other_kinds: Vec<Kind>,
    /// The possible values of the acceptance; more than one if the result depends on the machine.
    pub(crate) acceptance: Vec<Acceptance>,
    pub(crate) attempts: RangeInclusive<u32>,
    /// The suggested delay in milliseconds; `None` if no delay is suggested.
    pub(crate) retry_after: Option<RangeInclusive<u64>>,
    /// Text that the message must contain.
    pub(crate) says: Option<String>,
    /// The time within which the call must end, if the case checks this.
    pub(crate) within: Option<Duration>,
}

/// Returns a case with this name and a plain HTTP server.
pub(crate) fn case(name: impl Into<String>) -> Case {
    Case {
        name: name.into(),
        base_url: "http://{here}".to_owned(),
        scripts: Vec::new(),
        is_only_on_ipv6: false,
        connect_timeout: None,
        timeout: None,
        awaits_body: false,
        proxy: None,
        identity: None,
        attempts: None,
        calls: Vec::new(),
        requests: 1..=1,
        received: Vec::new(),
    }
}

/// Returns a case with this name and a TLS server.
pub(crate) fn secure_case(name: impl Into<String>) -> Case {
    case(name).at("https://localhost:{port}")
}

impl Case {
    /// Sets the base URL of the client.
    pub(crate) fn at(self, base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), ..self }
    }

    /// Adds the script for the next connection of the server.
    pub(crate) fn plays(mut self, script: Script) -> Self {
        self.scripts.push(script);
        self
    }

    /// Makes the server listen only on `[::1]`.
    pub(crate) fn only_on_ipv6(self) -> Self {
        Self { is_only_on_ipv6: true, ..self }
    }

    /// Sets the overall timeout in milliseconds.
    pub(crate) fn limit(self, timeout: u64) -> Self {
        Self { timeout: Some(Duration::from_millis(timeout)), ..self }
    }

    /// Sets the connect timeout in milliseconds.
    pub(crate) fn connect_limit(self, connect_timeout: u64) -> Self {
        Self { connect_timeout: Some(Duration::from_millis(connect_timeout)), ..self }
    }

    /// Makes the call wait for a body for the maximum time that the library allows.
    pub(crate) fn awaits_body(self) -> Self {
        Self { awaits_body: true, ..self }
    }

    /// Sets the URL of the proxy.
    pub(crate) fn through(self, proxy: &str) -> Self {
        Self { proxy: Some(proxy.to_owned()), ..self }
    }

    /// Gives the client a certificate with this identity.
    pub(crate) fn shows(self, identity: Identity) -> Self {
        Self { identity: Some(identity), ..self }
    }

    /// Sets the maximum number of attempts.
    pub(crate) fn attempts(self, attempts: u32) -> Self {
        Self { attempts: Some(attempts), ..self }
    }

    /// Expects the next call to succeed with `http_status`.
    pub(crate) fn succeeds(self, http_status: u16) -> Self {
        self.ends(None, Acceptance::Yes).status(http_status)
    }

    /// Expects the next call to fail with `kind` after a request. The service may have accepted the report, unless
    /// `kind` is a rejection.
    pub(crate) fn fails(self, kind: Kind) -> Self {
        let is_rejection = matches!(kind, Kind::Unauthorized | Kind::NotEnabled | Kind::Rejected | Kind::RateLimited);
        self.ends(Some(kind), if is_rejection { Acceptance::No } else { Acceptance::Unknown })
    }

    /// Expects the next call to fail with `kind` after an earlier attempt that the service may have accepted.
    pub(crate) fn fails_after_unknown(self, kind: Kind) -> Self {
        self.ends(Some(kind), Acceptance::Unknown)
    }

    /// Expects the next call to fail with `kind` before the client writes any part of the report.
    pub(crate) fn fails_unsent(self, kind: Kind) -> Self {
        self.ends(Some(kind), Acceptance::No)
    }

    /// Expects the next call to fail with `kind`, or to succeed if `kind` is `None`.
    fn ends(mut self, kind: Option<Kind>, acceptance: Acceptance) -> Self {
        self.calls.push(Expected {
            kind,
            http_status: None,
            other_kinds: Vec::new(),
            acceptance: vec![acceptance],
            attempts: 1..=1,
            retry_after: None,
            says: None,
            within: None,
        });
        self
    }

    /// Allows the last described call to fail with `kind` too, without a status.
    pub(crate) fn or(self, kind: Kind) -> Self {
        self.change(|call| call.other_kinds.push(kind))
    }

    /// Allows the last described call to fail before the client writes any part of the report.
    pub(crate) fn or_unsent(self) -> Self {
        self.change(|call| call.acceptance.push(Acceptance::No))
    }

    /// Expects the last described call to return this status.
    pub(crate) fn status(self, http_status: u16) -> Self {
        self.change(|call| call.http_status = Some(http_status))
    }

    /// Expects the last described call to suggest a delay in this range of milliseconds.
    pub(crate) fn asks_to_wait(self, milliseconds: RangeInclusive<u64>) -> Self {
        self.change(|call| call.retry_after = Some(milliseconds))
    }

    /// Expects the last described call to make this number of attempts.
    pub(crate) fn makes(self, attempts: RangeInclusive<u32>) -> Self {
        self.change(|call| call.attempts = attempts)
    }

    /// Expects the message of the last described call to contain `words`.
    pub(crate) fn says(self, words: &str) -> Self {
        self.change(|call| call.says = Some(words.to_owned()))
    }

    /// Expects the last described call to end within this time, regardless of its timeouts.
    pub(crate) fn within(self, milliseconds: u64) -> Self {
        self.change(|call| call.within = Some(Duration::from_millis(milliseconds)))
    }

    /// Sets the expected total number of requests.
    pub(crate) fn requests(self, requests: RangeInclusive<usize>) -> Self {
        Self { requests, ..self }
    }

    /// Expects no request.
    pub(crate) fn no_request(self) -> Self {
        self.requests(0..=0)
    }

    /// Expects a server to receive `words`.
    pub(crate) fn receives(mut self, words: &str) -> Self {
        self.received.push(words.to_owned());
        self
    }

    /// Returns the connect timeout and the overall timeout.
    pub(crate) fn limits(&self) -> (Duration, Duration) {
        let limit = if self.may_time_out() { SHORT } else { LONG };
        (self.connect_timeout.unwrap_or(limit), self.timeout.unwrap_or(limit))
    }

    /// Returns whether the case checks the duration of a call.
    pub(crate) fn is_about_time(&self) -> bool {
        self.calls.iter().any(|call| call.within.is_some())
    }

    /// Returns whether the case spends most of its time waiting, without using the processor.
    pub(crate) fn is_idle(&self) -> bool {
        let is_flood = |step: &Step| matches!(step, Step::Endless(_) | Step::EndlessRecords { .. });
        (self.may_time_out() || self.awaits_body || self.attempts.is_some())
            && !self.scripts.iter().flatten().any(is_flood)
    }

    fn may_time_out(&self) -> bool {
        self.calls.iter().any(|call| call.kind == Some(Kind::Timeout) || call.other_kinds.contains(&Kind::Timeout))
    }

    fn change(mut self, change: impl FnOnce(&mut Expected)) -> Self {
        change(self.calls.last_mut().unwrap());
        self
    }
}
