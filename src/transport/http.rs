//! HTTP/1.1 over pooled connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::Timeout;
use ureq::http::Uri;
use ureq::tls::{ClientCert, RootCerts};

use super::cancel::Cancel;
use super::connection::{Connection, RoundTrip};
use super::connector::Connector;
use super::deadline::Deadline;
use super::error::Failure;
use super::pool::Pool;
use super::proxy::Proxy;
use super::resolver::Resolver;
use super::route::Route;
use super::tcp::TcpConnector;
use super::{Exchange, Limits, Transport, certificates};
use crate::error::Error;
use crate::options::proxy_url::ProxyUrl;
use crate::options::{ClientSettings, Trust};
use crate::os::fork;
use crate::request::Request;
use crate::response::Response;

/// How soon a connection that died in the pool is known to be dead. A later loss happened to a request that was alive.
const DEATH_TIME: Duration = Duration::from_secs(1);

/// All that connections are made by, read and checked, with nothing inside that a forked child could not use.
#[derive(Debug, Clone)]
pub(crate) struct TransportConfig {
    pub(super) uri: Uri,
    pub(super) roots: RootCerts,
    pub(super) client_cert: Option<ClientCert>,
    proxy: Option<ProxyUrl>,
    max_idle_connections: u32,
}

impl TransportConfig {
    /// Reads the files that `settings` name.
    pub(crate) fn new(settings: &ClientSettings) -> Result<Self, Error> {
        let no_uri = |_| Error::argument("base_url", "is no URL");
        Ok(Self {
            uri: settings.base_url.as_str().parse().map_err(no_uri)?,
            // Plain HTTP has no use for them, but an error in them is told all the same.
            roots: match (settings.base_url.scheme(), &settings.trust) {
                ("http", Trust::Platform) => RootCerts::WebPki,
                (_, trust) => certificates::roots(trust)?,
            },
            client_cert: settings.identity.as_ref().map(certificates::client_cert).transpose()?,
            proxy: settings.proxy.clone(),
            max_idle_connections: settings.max_idle_connections,
        })
    }
}

/// Connections to one service, under one notion of whom to trust.
pub(crate) struct HttpTransport {
    connector: Connector,
    pool: Pool,
    cancel: Arc<Cancel>,
    resolver: Resolver,
}

impl HttpTransport {
    /// Prepares to connect; no connection is made yet.
    pub(crate) fn new(setup: &TransportConfig, resolver: Resolver) -> Self {
        warm_up();
        let cancel = Arc::<Cancel>::default();
        let route = Route { resolver: resolver.clone(), proxy: setup.proxy.clone(), cancel: Arc::clone(&cancel) };
        let tcp = TcpConnector { cancel: Arc::clone(&cancel), proxy: setup.proxy.clone().map(Proxy) };
        let pool = Pool::new(usize::try_from(setup.max_idle_connections).unwrap_or(usize::MAX));
        Self { connector: Connector::new(setup, route, tcp), pool, cancel, resolver }
    }

    /// Ends every exchange and every pause under way, and lets none begin.
    pub(crate) fn cancel(&self) {
        self.cancel.throw();
        self.resolver.wake();
    }

    /// One request on `connection`, which is kept if it can carry another.
    fn run(&self, mut connection: Connection, request: &Request<'_>, deadline: Deadline) -> RoundTrip {
        let trip = connection.round_trip(request.bytes(), deadline);
        if trip.is_reusable {
            self.pool.put(connection);
        }
        trip
    }

    /// One request on a connection of its own, after perhaps another went out on one that was dead.
    fn run_on_new(&self, request: &Request<'_>, limits: Limits, whole: Deadline, is_written: bool) -> Exchange {
        let connect = Deadline::new(Instant::now(), limits.connect, Timeout::Connect).or(whole);
        match self.connector.connect(connect) {
            Ok(connection) => {
                let trip = self.run(connection, request, whole);
                self.to_error(trip.result, request, true, is_written || trip.is_written)
            }
            Err(error) => self.to_error(Err(error.into()), request, false, is_written),
        }
    }

    fn to_error(
        &self,
        result: Result<Response, Failure>,
        request: &Request<'_>,
        is_connected: bool,
        written: bool,
    ) -> Exchange {
        let answer = result.map_err(|failure| match self.cancel.is_thrown() {
            true => Error::cancelled(),
            false => failure.to_error(is_connected, request.authority()),
        });
        Exchange { answer, written }
    }
}

impl Transport for HttpTransport {
    fn exchange(&self, request: &Request<'_>, limits: Limits) -> Exchange {
        let start = Instant::now();
        let whole = Deadline::new(start, limits.total, Timeout::Global);
        let Some(pooled) = self.pool.take() else {
            return self.run_on_new(request, limits, whole, false);
        };
        let trip = self.run(pooled, request, whole);
        if was_dead_in_the_pool(&trip, start.elapsed()) && !self.cancel.is_thrown() {
            // Then the others of its time are likely dead too.
            self.pool.clear();
            return self.run_on_new(request, limits, whole, trip.is_written);
        }
        self.to_error(trip.result, request, true, trip.is_written)
    }

    fn pause(&self, deadline: Instant) -> bool {
        self.cancel.sleep_until(deadline)
    }
}

/// Whether the request went to a pooled connection that the peer had closed meanwhile. Servers do so all the time, and
/// the caller should not have to know.
fn was_dead_in_the_pool(trip: &RoundTrip, elapsed: Duration) -> bool {
    let is_lost = trip.result.as_ref().is_err_and(Failure::is_loss);
    is_lost && trip.is_written && !trip.is_answered && elapsed < DEATH_TIME
}

/// Has the libraries below initialise what they have one of in the process. They do so under locks which, if a fork found
/// them held, a child would wait for without end.
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
