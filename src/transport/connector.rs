//! Makes connections to one service, by ureq's connectors under one notion of whom to trust.

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

use super::connection::Connection;
use super::deadline::Deadline;
use super::http::TransportConfig;
use super::route::Route;
use super::tcp::TcpConnector;

/// Room for what goes out: more than the head of most requests takes. A longer one goes out in parts.
const OUTPUT_BUFFER: usize = 2 * 1024;

/// Room for the head of an answer.
const INPUT_BUFFER: usize = 32 * 1024;

/// Makes connections.
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

    /// A connection that is ready for a request, TLS included.
    pub(super) fn connect(&self, deadline: Deadline) -> Result<Connection, Error> {
        let mut addrs = NoLookUp.empty();
        let looked_up = self.route.addresses(&self.uri, deadline.renamed(Timeout::Connect, Timeout::Resolve))?;
        looked_up.into_iter().for_each(|address| addrs.push(address));
        let details = ConnectionDetails {
            uri: &self.uri,
            addrs,
            config: &self.config,
            request_level: false,
            resolver: &NoLookUp,
            now: Instant::now(),
            timeout: deadline.check()?,
            current_time: Arc::new(Instant::now),
            run_connector: Arc::new(|_| Err(Error::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        self.layers.connect(&details, None)?.map(Connection::new).ok_or(Error::ConnectionFailed)
    }
}

/// What the connectors take of the library's configuration; the rest is for requests, which it does not make here.
fn config(setup: &TransportConfig) -> Config {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(setup.roots.clone())
        .client_cert(setup.client_cert.clone())
        .use_sni(true)
        .disable_verification(false);
    Agent::config_builder()
        // Our own connector knows the proxy. Else the library takes one from the environment, in a CGI program even from a
        // request's header.
        .proxy(None)
        .tls_config(tls.build())
        .input_buffer_size(INPUT_BUFFER)
        .output_buffer_size(OUTPUT_BUFFER)
        .build()
}

/// Knows no name: addresses are looked up before there is a connector that could ask.
#[derive(Debug)]
struct NoLookUp;

impl UreqResolver for NoLookUp {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Err(Error::HostNotFound)
    }
}
