//! Connects to one service through ureq's connectors, with one TLS configuration.

use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver as UreqResolver};
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{
    ChainedConnector, ConnectionDetails, Connector as UreqConnector, NextTimeout, RustlsConnector,
};
use ureq::{Agent, Error, Timeout};

use super::config::TransportConfig;
use super::connection::Connection;
use super::deadline::Deadline;
use super::route::Route;
use super::tcp::TcpConnector;

/// Capacity of the output buffer: more than the head of most requests. A longer one is sent in parts.
const OUTPUT_BUFFER: usize = 2 * 1024;

/// Capacity for the head of a response.
const INPUT_BUFFER: usize = 32 * 1024;

/// Opens connections.
#[derive(Debug)]
pub(super) struct Connector {
    layers: ChainedConnector<(), TcpConnector, RustlsConnector>,
    config: Config,
    uri: Uri,
    route: Route,
}

impl Connector {
    pub(super) fn new(setup: &TransportConfig, route: Route, tcp: TcpConnector) -> Self {
        Self { layers: tcp.chain(RustlsConnector::default()), config: config(setup), uri: setup.uri.clone(), route }
    }

    /// Opens a connection that is ready for a request, including TLS.
    pub(super) fn connect(&self, deadline: Deadline) -> Result<Connection, Error> {
        let mut addrs = NoResolver.empty();
        let looked_up = self.route.addresses(&self.uri, deadline.renamed(Timeout::Connect, Timeout::Resolve))?;
        looked_up.into_iter().for_each(|address| addrs.push(address));
        let details = ConnectionDetails {
            uri: &self.uri,
            addrs,
            config: &self.config,
            request_level: false,
            resolver: &NoResolver,
            now: Instant::now(),
            timeout: deadline.check()?,
            current_time: Arc::new(Instant::now),
            run_connector: Arc::new(|_| Err(Error::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        self.layers.connect(&details, None)?.map(Connection::new).ok_or(Error::ConnectionFailed)
    }
}

/// The part of ureq's configuration that its connectors use; the rest applies to requests, which ureq does not make
/// here.
fn config(setup: &TransportConfig) -> Config {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(setup.roots.clone())
        .client_cert(setup.client_cert.clone())
        .use_sni(true)
        .disable_verification(false);
    Agent::config_builder()
        // The library's own connector handles the proxy. Otherwise ureq would read one from the environment, in a CGI
        // program even from a request header.
        .proxy(None)
        .tls_config(tls.build())
        .input_buffer_size(INPUT_BUFFER)
        .output_buffer_size(OUTPUT_BUFFER)
        .build()
}

/// Resolves nothing: addresses are resolved before the connector runs.
#[derive(Debug)]
struct NoResolver;

impl UreqResolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Err(Error::HostNotFound)
    }
}
