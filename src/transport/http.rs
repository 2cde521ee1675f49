//! Exchanges HTTP/1.1 requests and responses over pooled connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::cancel::Cancel;
use super::config::TransportConfig;
use super::connection::{Connection, RoundTrip};
use super::connector::Connector;
use super::deadline::Deadline;
use super::error::{Failure, Limit};
use super::pool::Pool;
use super::resolver::Resolver;
use super::route::Route;
use super::tcp::TcpConnector;
use super::{Exchange, Limits, Transport};
use crate::error::Error;
use crate::os::fork;
use crate::request::Request;
use crate::response::Response;

/// The time within which a request fails on an idle connection that the peer has closed. If a connection is lost later,
/// the server is assumed to have begun to process the request.
const DEATH_TIME: Duration = Duration::from_secs(1);

/// The connections to one service with one configuration.
pub(crate) struct HttpTransport {
    connector: Connector,
    pool: Pool,
    cancel: Arc<Cancel>,
    resolver: Resolver,
}

impl HttpTransport {
    /// Creates a transport without opening a connection.
    pub(crate) fn new(config: &TransportConfig, resolver: Resolver) -> Self {
        warm_up();
        let cancel = Arc::<Cancel>::default();
        let route = Route {
            service: config.base_url.clone(),
            proxy: config.proxy.clone(),
            resolver: resolver.clone(),
            cancel: Arc::clone(&cancel),
        };
        let pool = Pool::new(usize::try_from(config.max_idle_connections).unwrap_or(usize::MAX));
        Self { connector: Connector::new(config.endpoint.clone(), TcpConnector::new(route)), pool, cancel, resolver }
    }

    /// Cancels every exchange and pause in progress, and all later ones.
    pub(crate) fn cancel(&self) {
        self.cancel.cancel();
        self.resolver.wake();
    }

    /// Sends one request on `connection`, and keeps the connection if it can be reused. `deadline` has not passed yet.
    fn run(&self, mut connection: Connection, request: &Request<'_>, deadline: Deadline) -> RoundTrip {
        let trip = connection.round_trip(request.bytes(), deadline);
        if trip.is_reusable {
            self.pool.put(connection);
        }
        trip
    }

    /// Sends one request on a new connection. `is_written` says whether part of the request may already have been
    /// written to a dead connection.
    fn run_on_new(&self, request: &Request<'_>, limits: Limits, whole: Deadline, is_written: bool) -> Exchange {
        let connect = Deadline::new(Instant::now(), limits.connect, Limit::Connect).or(whole);
        let connected = self.connector.connect(connect);
        match connected.and_then(|connected| whole.check(Instant::now()).map(|()| connected)) {
            Ok((stream, address)) => {
                let trip = self.run(Connection(stream), request, whole);
                if !trip.has_response {
                    self.connector.avoid(address);
                }
                self.to_error(trip.result, request, true, true)
            }
            Err(failure) => self.to_error(Err(failure), request, false, is_written),
        }
    }

    fn to_error(
        &self,
        result: Result<Response, Failure>,
        request: &Request<'_>,
        is_connected: bool,
        written: bool,
    ) -> Exchange {
        let response = result.map_err(|failure| match self.cancel.is_cancelled() {
            true => Error::cancelled(),
            false => {
                let error = failure.to_error(is_connected, request.authority());
                // Certificate files that changed and could not be used may be the cause.
                match self.connector.certificate_problem() {
                    Some(problem) => {
                        let message = format!("{error}; {problem}; the certificates read before are still in use");
                        Error::new(error.kind(), message)
                    }
                    None => error,
                }
            }
        });
        Exchange { response, written }
    }
}

impl Transport for HttpTransport {
    fn exchange(&self, request: &Request<'_>, limits: Limits) -> Exchange {
        let start = Instant::now();
        let whole = Deadline { at: limits.end, limit: Limit::Total };
        if let Err(failure) = whole.check(start) {
            return self.to_error(Err(failure), request, false, false);
        }
        let Some(pooled) = self.pool.acquire(start) else {
            return self.run_on_new(request, limits, whole, false);
        };
        let trip = self.run(pooled, request, whole);
        if was_dead_in_the_pool(&trip, start) && !self.cancel.is_cancelled() {
            // The other idle connections are probably dead too.
            self.pool.clear();
            return self.run_on_new(request, limits, whole, true);
        }
        self.to_error(trip.result, request, true, true)
    }

    fn pause(&self, deadline: Instant) -> bool {
        self.cancel.sleep_until(deadline)
    }
}

/// Returns whether the exchange that began at `start` probably failed because the peer had already closed the idle
/// connection. Servers often close idle connections, so the caller sends the request again instead of reporting a
/// failure.
fn was_dead_in_the_pool(trip: &RoundTrip, start: Instant) -> bool {
    let is_lost = trip.result.as_ref().is_err_and(Failure::is_loss);
    is_lost && !trip.has_response && start.elapsed() < DEATH_TIME
}

/// Makes the underlying libraries initialize their process-wide state. The libraries hold locks while they do so, and
/// a child that is forked during that time would wait for these locks forever.
fn warm_up() {
    static IS_WARM: AtomicBool = AtomicBool::new(false);
    fork::with_no_fork(|| {
        if !IS_WARM.swap(true, Ordering::AcqRel) {
            for suite in rustls::crypto::ring::default_provider().cipher_suites {
                suite.tls13().map(|suite| suite.common.hash_provider.hash(&[]));
            }
        }
    });
}
