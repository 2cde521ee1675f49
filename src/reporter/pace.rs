//! The intervals at which the worker probes, retries and checks for expired reports. Tests use shorter ones.

use std::time::Duration;

/// The intervals of the worker and its circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The time between two probes while suspended, plus or minus a quarter.
    pub(crate) probe: Duration,
    /// The minimum time between two probes requested by callers.
    pub(crate) requested_probe: Duration,
    /// The delays of a report that keeps failing while others are accepted: the first, the second, and all later
    /// delays.
    pub(crate) retry_delays: [Duration; 3],
    /// The minimum time between two checks for expired reports, if the first found none.
    pub(crate) expiry: Duration,
    /// The time between two checks by an idle sender for changes that it was not notified of, the maximum time
    /// between two checks for expired reports, and the time without a write after which the outbox releases unused
    /// disk space.
    pub(crate) idle: Duration,
}

impl Pace {
    pub(crate) const REAL: Self = Self {
        probe: Duration::from_secs(60),
        requested_probe: Duration::from_secs(1),
        retry_delays: [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)],
        expiry: Duration::from_secs(10),
        idle: Duration::from_secs(60),
    };
}
