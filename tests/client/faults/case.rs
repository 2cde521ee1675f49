//! One case of a table: a fault, and what the caller sees of it.

use std::ops::RangeInclusive;
use std::time::Duration;

use nexmo_conversion::{Acceptance, Kind};

use crate::authority::Identity;
use crate::script::{Script, Step};

/// The timeout of a call that must exceed it. Connecting and sending the request takes a small part of it, even on a
/// busy machine.
const SHORT: Duration = Duration::from_secs(1);

/// The timeout of any other call, which is never reached, however slow the machine is.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// One fault. Texts may contain the placeholders that [`Endpoints`](crate::endpoints::Endpoints) replaces.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) base_url: String,
    /// What the server does on its first connection, its second, and so on.
    pub(crate) scripts: Vec<Script>,
    /// Whether the server listens only at `[::1]`.
    pub(crate) is_only_on_ipv6: bool,
    /// The timeouts of each call; if none, they depend on the expected results.
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    /// Whether the call waits for a body as long as the library allows.
    pub(crate) awaits_body: bool,
    /// The proxy to use.
    pub(crate) proxy: Option<String>,
    /// The identity in the client certificate.
    pub(crate) identity: Option<Identity>,
    /// The maximum number of attempts.
    pub(crate) attempts: Option<u32>,
    /// The expected result of each report.
    pub(crate) calls: Vec<Expected>,
    /// The expected total number of requests.
    pub(crate) requests: RangeInclusive<usize>,
    /// What the servers must have received.
    pub(crate) received: Vec<String>,
}

/// The expected result of a call.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// The expected class; `None` is success.
    pub(crate) kind: Option<Kind>,
    /// The expected status.
    pub(crate) http_status: Option<u16>,
    /// Other possible classes without a status, which depend on the machine.
    pub(crate) other_kinds: Vec<Kind>,
    /// The possible acceptances; more than one if it depends on the machine.
    pub(crate) acceptance: Vec<Acceptance>,
    pub(crate) attempts: RangeInclusive<u32>,
    /// The suggested delay; none if there is none.
    pub(crate) retry_after: Option<RangeInclusive<u64>>,
    /// Text that the message must contain.
    pub(crate) says: Option<String>,
    /// The time within which the call must end, if the case is about time.
    pub(crate) within: Option<Duration>,
}

/// A fault called `name`, of a plain HTTP server.
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

/// A fault called `name`, of a TLS server.
pub(crate) fn secure_case(name: impl Into<String>) -> Case {
    case(name).at("https://localhost:{port}")
}

impl Case {
    /// Reports go to `base_url`.
    pub(crate) fn at(self, base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), ..self }
    }

    /// The server plays `script` on its next connection.
    pub(crate) fn plays(mut self, script: Script) -> Self {
        self.scripts.push(script);
        self
    }

    /// The server listens only at `[::1]`.
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

    /// The call waits for a body as long as the library allows.
    pub(crate) fn awaits_body(self) -> Self {
        Self { awaits_body: true, ..self }
    }

    /// Reports go through `proxy`.
    pub(crate) fn through(self, proxy: &str) -> Self {
        Self { proxy: Some(proxy.to_owned()), ..self }
    }

    /// The client has a certificate with this `identity`.
    pub(crate) fn shows(self, identity: Identity) -> Self {
        Self { identity: Some(identity), ..self }
    }

    /// Sets the maximum number of attempts.
    pub(crate) fn attempts(self, attempts: u32) -> Self {
        Self { attempts: Some(attempts), ..self }
    }

    /// The next call succeeds with `http_status`.
    pub(crate) fn succeeds(self, http_status: u16) -> Self {
        self.ends(None, Acceptance::Yes).status(http_status)
    }

    /// The next call fails with `kind`, after a request that may have been accepted unless a response of that kind rejects it.
    pub(crate) fn fails(self, kind: Kind) -> Self {
        let is_rejection = matches!(kind, Kind::Unauthorized | Kind::NotEnabled | Kind::Rejected | Kind::RateLimited);
        self.ends(Some(kind), if is_rejection { Acceptance::No } else { Acceptance::Unknown })
    }

    /// The next call fails with `kind`, after an earlier attempt that may have been accepted.
    pub(crate) fn fails_after_unknown(self, kind: Kind) -> Self {
        self.ends(Some(kind), Acceptance::Unknown)
    }

    /// The next call fails with `kind` before anything was written.
    pub(crate) fn fails_unsent(self, kind: Kind) -> Self {
        self.ends(Some(kind), Acceptance::No)
    }

    /// The next call ends with `kind`, or with success if it is none.
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

    /// The call just described may also end with `kind`, without a status.
    pub(crate) fn or(self, kind: Kind) -> Self {
        self.change(|call| call.other_kinds.push(kind))
    }

    /// The call just described may also end before anything was written.
    pub(crate) fn or_unsent(self) -> Self {
        self.change(|call| call.acceptance.push(Acceptance::No))
    }

    /// The call just described returns this status.
    pub(crate) fn status(self, http_status: u16) -> Self {
        self.change(|call| call.http_status = Some(http_status))
    }

    /// The call just described suggests a delay of that many milliseconds.
    pub(crate) fn asks_to_wait(self, milliseconds: RangeInclusive<u64>) -> Self {
        self.change(|call| call.retry_after = Some(milliseconds))
    }

    /// The call just described makes that many attempts.
    pub(crate) fn makes(self, attempts: RangeInclusive<u32>) -> Self {
        self.change(|call| call.attempts = attempts)
    }

    /// The message of the call just described contains `words`.
    pub(crate) fn says(self, words: &str) -> Self {
        self.change(|call| call.says = Some(words.to_owned()))
    }

    /// The call just described ends within that many milliseconds, whatever its timeouts. This makes the case one
    /// about time.
    pub(crate) fn within(self, milliseconds: u64) -> Self {
        self.change(|call| call.within = Some(Duration::from_millis(milliseconds)))
    }

    /// Sets the expected total number of requests.
    pub(crate) fn requests(self, requests: RangeInclusive<usize>) -> Self {
        Self { requests, ..self }
    }

    /// No request is expected.
    pub(crate) fn no_request(self) -> Self {
        self.requests(0..=0)
    }

    /// A server receives `words`.
    pub(crate) fn receives(mut self, words: &str) -> Self {
        self.received.push(words.to_owned());
        self
    }

    /// Returns the connect timeout and the overall timeout.
    pub(crate) fn limits(&self) -> (Duration, Duration) {
        let limit = if self.may_time_out() { SHORT } else { LONG };
        (self.connect_timeout.unwrap_or(limit), self.timeout.unwrap_or(limit))
    }

    /// Whether the duration of a call is checked.
    pub(crate) fn is_about_time(&self) -> bool {
        self.calls.iter().any(|call| call.within.is_some())
    }

    /// Whether it mostly waits and leaves the processor to others.
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
