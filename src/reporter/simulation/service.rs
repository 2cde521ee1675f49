//! A model of a service that limits its request rate, slows down or fails.

use std::time::Duration;

use crate::error::Kind;

/// The response to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Response {
    Accepted,
    /// 429, with this `Retry-After`.
    Throttled(Option<Duration>),
    Unavailable,
    /// No response within the client's timeout.
    TimedOut,
}

impl Response {
    pub(super) fn kind(self) -> Option<Kind> {
        match self {
            Self::Accepted => None,
            Self::Throttled(_) => Some(Kind::RateLimited),
            Self::Unavailable => Some(Kind::Unavailable),
            Self::TimedOut => Some(Kind::Timeout),
        }
    }

    pub(super) fn retry_after(self) -> Option<Duration> {
        if let Self::Throttled(retry_after) = self { retry_after } else { None }
    }
}

/// How a service limits, delays or fails requests.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    None,
    /// A token bucket: `rate` tokens per second, at most `burst`. A request without a token gets 429.
    Bucket {
        rate: f64,
        burst: f64,
        retry_after: Option<Duration>,
    },
    /// Requests wait in a queue and are served at `rate` per second.
    Queue {
        rate: f64,
    },
    /// The service accepts every request after this delay.
    Slow(Duration),
    /// No request is accepted.
    Down,
}

/// A service whose limit changes at given times.
#[derive(Debug)]
pub(super) struct Service {
    limit: Limit,
    changes: Vec<(Duration, Limit)>,
    /// Every n-th request fails.
    pub(super) failing: Option<u64>,
    requests: u64,
    tokens: f64,
    refilled: Duration,
    /// The time at which the queue is empty.
    served: Duration,
}

impl Service {
    pub(super) fn new(limit: Limit) -> Self {
        let tokens = if let Limit::Bucket { burst, .. } = limit { burst } else { 0.0 };
        Self {
            limit,
            changes: Vec::new(),
            failing: None,
            requests: 0,
            tokens,
            refilled: Duration::ZERO,
            served: Duration::ZERO,
        }
    }

    /// Adds a change of the limit at the time `at`, which must follow all earlier changes.
    pub(super) fn then(mut self, at: Duration, limit: Limit) -> Self {
        self.changes.push((at, limit));
        self
    }

    /// Returns the response to a request that arrives at `now`, preceded by the time at which it is sent.
    pub(super) fn respond(&mut self, now: Duration) -> (Duration, Response) {
        while self.changes.first().is_some_and(|(at, _)| *at <= now) {
            self.limit = self.changes.remove(0).1;
        }
        self.requests += 1;
        if self.failing.is_some_and(|failing| self.requests.is_multiple_of(failing)) {
            return (now, Response::Unavailable);
        }
        match self.limit {
            Limit::None => (now, Response::Accepted),
            Limit::Slow(by) => (now + by, Response::Accepted),
            Limit::Down => (now, Response::Unavailable),
            Limit::Queue { rate } => {
                self.served = self.served.max(now) + Duration::from_secs_f64(1.0 / rate);
                (self.served, Response::Accepted)
            }
            Limit::Bucket { rate, burst, retry_after } => {
                let refill = (now - self.refilled).as_secs_f64() * rate;
                self.refilled = now;
                self.tokens = (self.tokens + refill).min(burst);
                if self.tokens < 1.0 {
                    return (now, Response::Throttled(retry_after));
                }
                self.tokens -= 1.0;
                (now, Response::Accepted)
            }
        }
    }
}
