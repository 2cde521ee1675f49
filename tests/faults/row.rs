//! One row of a table: what goes wrong, and what a caller may see of it.

use std::ops::RangeInclusive;
use std::time::Duration;

use nexmo_conversion::{Acceptance, Kind};

use crate::authority::Identity;
use crate::script::{Script, Step};

/// The time limit of a call that must run into it. The connection and the request take a small part of it, on a busy machine
/// too.
const SHORT: Duration = Duration::from_secs(1);

/// The time limit of any other call: no machine is so slow that it reaches it.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// One fault. Texts may hold the places that [`Site`](crate::site::Site) fills in.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) base_url: String,
    /// What the server does on its first connection, its second, and so on.
    pub(crate) scripts: Vec<Script>,
    /// Whether the server is to be had at `[::1]` alone.
    pub(crate) is_only_on_ipv6: bool,
    /// The limits of each call; where there is none, what its calls end with decides.
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    /// Whether the call waits for a body as long as the library does.
    pub(crate) awaits_body: bool,
    /// The proxy to go through.
    pub(crate) proxy: Option<String>,
    /// Whom the client shows itself to be.
    pub(crate) identity: Option<Identity>,
    /// The most attempts to make.
    pub(crate) attempts: Option<u32>,
    /// How often the caller reports, and what becomes of each.
    pub(crate) calls: Vec<Expected>,
    /// How many requests may be seen in all.
    pub(crate) requests: RangeInclusive<usize>,
    /// What must have been heard by the servers.
    pub(crate) heard: Vec<String>,
}

/// What a call may end with.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// The class that is right; `None` is success.
    pub(crate) kind: Option<Kind>,
    /// The status that comes with it.
    pub(crate) http_status: Option<u16>,
    /// Classes without a status that are right too, where the machine decides.
    pub(crate) other_kinds: Vec<Kind>,
    /// What the result may say of the acceptance; more than one where the machine decides.
    pub(crate) acceptance: Vec<Acceptance>,
    pub(crate) attempts: RangeInclusive<u32>,
    /// The wait that the caller is asked for; none where there is none.
    pub(crate) retry_after: Option<RangeInclusive<u64>>,
    /// Words that the message must hold.
    pub(crate) says: Option<String>,
    /// The time within which the call must end, where the row is one about time.
    pub(crate) within: Option<Duration>,
}

/// A fault called `name`, of a server that speaks plain HTTP.
pub(crate) fn row(name: impl Into<String>) -> Row {
    Row {
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
        heard: Vec::new(),
    }
}

/// A fault called `name`, of a server that is asked for TLS.
pub(crate) fn secure_row(name: impl Into<String>) -> Row {
    row(name).at("https://localhost:{port}")
}

impl Row {
    /// Reports go to `base_url`.
    pub(crate) fn at(self, base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), ..self }
    }

    /// The server plays `script` on its next connection.
    pub(crate) fn plays(mut self, script: Script) -> Self {
        self.scripts.push(script);
        self
    }

    /// The server is to be had at `[::1]` alone.
    pub(crate) fn only_on_ipv6(self) -> Self {
        Self { is_only_on_ipv6: true, ..self }
    }

    /// The call may last so many milliseconds.
    pub(crate) fn limit(self, timeout: u64) -> Self {
        Self { timeout: Some(Duration::from_millis(timeout)), ..self }
    }

    /// Looking up and connecting may last so many milliseconds.
    pub(crate) fn connect_limit(self, connect_timeout: u64) -> Self {
        Self { connect_timeout: Some(Duration::from_millis(connect_timeout)), ..self }
    }

    /// The call waits for a body as long as the library does.
    pub(crate) fn awaits_body(self) -> Self {
        Self { awaits_body: true, ..self }
    }

    /// Reports go through `proxy`.
    pub(crate) fn through(self, proxy: &str) -> Self {
        Self { proxy: Some(proxy.to_owned()), ..self }
    }

    /// The client has a certificate that shows it to be `identity`.
    pub(crate) fn shows(self, identity: Identity) -> Self {
        Self { identity: Some(identity), ..self }
    }

    /// So many attempts are allowed.
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

    /// The next call ends with `kind`, or with success where it is none.
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

    /// The call just described may end with `kind` too, and without a status.
    pub(crate) fn or(self, kind: Kind) -> Self {
        self.change(|call| call.other_kinds.push(kind))
    }

    /// The call just described may end before anything was written.
    pub(crate) fn or_unsent(self) -> Self {
        self.change(|call| call.acceptance.push(Acceptance::No))
    }

    /// The call just described tells this status.
    pub(crate) fn status(self, http_status: u16) -> Self {
        self.change(|call| call.http_status = Some(http_status))
    }

    /// The call just described tells to wait for so many milliseconds.
    pub(crate) fn asks_to_wait(self, milliseconds: RangeInclusive<u64>) -> Self {
        self.change(|call| call.retry_after = Some(milliseconds))
    }

    /// The call just described makes so many attempts.
    pub(crate) fn makes(self, attempts: RangeInclusive<u32>) -> Self {
        self.change(|call| call.attempts = attempts)
    }

    /// The message of the call just described holds `words`.
    pub(crate) fn says(self, words: &str) -> Self {
        self.change(|call| call.says = Some(words.to_owned()))
    }

    /// The call just described ends within so many milliseconds, whatever its limits. That makes the row one about time.
    pub(crate) fn within(self, milliseconds: u64) -> Self {
        self.change(|call| call.within = Some(Duration::from_millis(milliseconds)))
    }

    /// So many requests may be seen in all.
    pub(crate) fn requests(self, requests: RangeInclusive<usize>) -> Self {
        Self { requests, ..self }
    }

    /// No request may be seen.
    pub(crate) fn no_request(self) -> Self {
        self.requests(0..=0)
    }

    /// A server hears `words`.
    pub(crate) fn hears(mut self, words: &str) -> Self {
        self.heard.push(words.to_owned());
        self
    }

    /// How long connecting may last, and how long the whole of a call.
    pub(crate) fn limits(&self) -> (Duration, Duration) {
        let limit = if self.may_time_out() { SHORT } else { LONG };
        (self.connect_timeout.unwrap_or(limit), self.timeout.unwrap_or(limit))
    }

    /// Whether a call of it is measured.
    pub(crate) fn is_about_time(&self) -> bool {
        self.calls.iter().any(|call| call.within.is_some())
    }

    /// Whether it spends its time waiting, and leaves the processor to others.
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
