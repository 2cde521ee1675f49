//! HTTP/1.1 over pooled connections, by ureq.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::config::{Config, RedirectAuthHeaders};
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, RETRY_AFTER, USER_AGENT};
use ureq::http::uri::Authority;
use ureq::http::{HeaderValue, Response, Uri};
use ureq::tls::{ClientCert, RootCerts, TlsConfig, TlsProvider};
use ureq::typestate::WithBody;
use ureq::unversioned::transport::{Connector, RustlsConnector};
use ureq::{Agent, Body, RequestBuilder};

use super::cancel::Cancel;
use super::failure::failure;
use super::proxy::Proxy;
use super::resolver::Resolver;
use super::route::{NoLookUp, Route};
use super::tcp::TcpConnector;
use super::trust;
use super::watch::{Generation, Progress, WatchedConnector};
use super::{Exchange, Limits, Transport};
use crate::answer::Answer;
use crate::error::Error;
use crate::fork;
use crate::options::{Settings, Trust};
use crate::proxy_url::ProxyUrl;
use crate::request::Request;

/// How long an idle connection is kept.
const IDLE_TIME: Duration = Duration::from_secs(15);

/// Room for the head of a request, which never takes more than 6 KiB.
const OUTPUT_BUFFER: usize = 8 * 1024;

/// Room for the head of an answer.
const INPUT_BUFFER: usize = 32 * 1024;

/// The most of a body that is read, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// How soon a connection that died in the pool is known to be dead. A later loss happened to a request that was alive.
const DEATH_TIME: Duration = Duration::from_secs(1);

/// The longest that a body is awaited once the head is complete.
const BODY_TIME: Duration = Duration::from_millis(500);

/// All that connections are made by, read and checked, with nothing inside that a forked child could not use.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    roots: RootCerts,
    client_cert: Option<ClientCert>,
    proxy: Option<ProxyUrl>,
    connections: u32,
}

impl Setup {
    /// Reads the files that `settings` name.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(Self {
            // Plain HTTP has no use for them, but an error in them is told all the same.
            roots: match (settings.base_url.scheme(), &settings.trust) {
                ("http", Trust::Platform) => RootCerts::WebPki,
                (_, trust) => trust::roots(trust)?,
            },
            client_cert: settings.identity.as_ref().map(trust::client_cert).transpose()?,
            proxy: settings.proxy.clone(),
            connections: settings.connections,
        })
    }
}

/// Connections to one service, under one notion of whom to trust.
pub(crate) struct HttpTransport {
    agent: Agent,
    generation: Generation,
    cancel: Arc<Cancel>,
    resolver: Resolver,
}

impl HttpTransport {
    /// Prepares to connect; no connection is made yet.
    pub(crate) fn new(setup: &Setup, resolver: Resolver) -> Self {
        warm_up();
        let (generation, cancel) = (Generation::default(), Arc::<Cancel>::default());
        let route = Route { resolver: resolver.clone(), proxy: setup.proxy.clone(), cancel: Arc::clone(&cancel) };
        let tcp = TcpConnector { route, cancel: Arc::clone(&cancel), proxy: setup.proxy.clone().map(Proxy) };
        let connector =
            WatchedConnector { inner: tcp.chain(RustlsConnector::default()), generation: generation.clone() };
        Self { agent: Agent::with_parts(config(setup), connector, NoLookUp), generation, cancel, resolver }
    }

    /// Ends every exchange and every pause under way, and lets none begin.
    pub(crate) fn cancel(&self) {
        self.cancel.throw();
        self.resolver.wake();
    }

    /// One request. What came of it beside the answer stays in [`Progress`].
    fn run(&self, request: &Request, limits: Limits) -> Result<Answer, ureq::Error> {
        // The library's own limits are the agent's, and to give a request others costs a copy of the whole configuration.
        Progress::begin(limits);
        with_headers(self.agent.post(request.url.as_str()), request).send_empty().map(answer)
    }
}

impl Transport for HttpTransport {
    fn exchange(&self, request: &Request, limits: Limits) -> Exchange {
        let start = Instant::now();
        let first = self.run(request, limits);
        let seen = Progress::seen();
        let answer = match first {
            Err(error) if was_dead_in_the_pool(&error, seen, start.elapsed()) && !self.cancel.is_thrown() => {
                self.generation.end();
                self.run(request, Limits { total: limits.total.saturating_sub(start.elapsed()), ..limits })
            }
            other => other,
        };
        let last = Progress::seen();
        let answer = answer.or_else(|error| match last.refused_status {
            _ if self.cancel.is_thrown() => Err(Error::cancelled()),
            Some(status) if matches!(error, ureq::Error::Protocol(_)) => {
                Ok(Answer { status, retry_after: None, body: None })
            }
            _ => Err(failure(&error, last.connected || last.written, request.authority())),
        });
        Exchange { answer, written: seen.written || last.written }
    }

    fn pause(&self, deadline: Instant) -> bool {
        self.cancel.sleep_until(deadline)
    }
}

/// All headers there are. Those that the library would add itself are said here, or it would put them first.
fn with_headers(mut builder: RequestBuilder<WithBody>, request: &Request) -> RequestBuilder<WithBody> {
    if let Some(host) = builder.uri_ref().and_then(Uri::authority).map(Authority::to_string) {
        builder = builder.header(HOST, host);
    }
    builder = builder.header(USER_AGENT, &request.user_agent);
    if let Some(authorization) = &request.authorization {
        // Text that was checked on its way in; were it none, the service would say 401.
        let mut value = HeaderValue::from_str(authorization).unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        builder = builder.header(AUTHORIZATION, value);
    }
    builder.header(CONTENT_LENGTH, "0")
}

/// Whether the request went to a pooled connection that the peer had closed meanwhile. Servers do so all the time, and
/// the caller should not have to know.
fn was_dead_in_the_pool(error: &ureq::Error, seen: Progress, elapsed: Duration) -> bool {
    let is_lost = matches!(error, ureq::Error::Io(error) if is_loss(error.kind()));
    is_lost && !seen.connected && seen.written && !seen.answered && elapsed < DEATH_TIME
}

fn is_loss(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof, WriteZero};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof | WriteZero)
}

/// Has the libraries below initialise what they have one of in the process. They do so under locks which, if a fork found
/// them held, a child would wait for without end.
fn warm_up() {
    static IS_WARM: AtomicBool = AtomicBool::new(false);
    fork::with_no_fork(|| {
        if !IS_WARM.swap(true, Ordering::AcqRel) {
            let config = Agent::config_builder().proxy(None).build();
            Agent::with_parts(config, (), NoLookUp).post("http://localhost/").send_empty().ok();
            for suite in rustls::crypto::ring::default_provider().cipher_suites {
                suite.tls13().map(|suite| suite.common.hash_provider.hash(&[]));
            }
        }
    });
}

/// Each of the library's defaults that a report must not be left to, set.
fn config(setup: &Setup) -> Config {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(setup.roots.clone())
        .client_cert(setup.client_cert.clone())
        .use_sni(true)
        .disable_verification(false);
    let idle_connections = usize::try_from(setup.connections).unwrap_or(usize::MAX);
    Agent::config_builder()
        .http_status_as_error(false)
        // A redirected POST comes back as a GET that answers 200: a lost report that looks like success.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .redirect_auth_headers(RedirectAuthHeaders::Never)
        // Our own connector knows the proxy. Else the library takes one from the environment, in a CGI program even from a
        // request's header.
        .proxy(None)
        .tls_config(tls.build())
        .no_delay(true)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .max_response_header_size(INPUT_BUFFER)
        .input_buffer_size(INPUT_BUFFER)
        .output_buffer_size(OUTPUT_BUFFER)
        .max_idle_connections(idle_connections)
        .max_idle_connections_per_host(idle_connections)
        .max_idle_age(IDLE_TIME)
        .timeout_recv_body(Some(BODY_TIME))
        .build()
}

fn answer(mut response: Response<Body>) -> Answer {
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Answer { status: response.status().as_u16(), retry_after, body: whole_body(response.body_mut()) }
}

/// The body, if it comes whole within its bounds. One that does not costs the connection, which is closed.
fn whole_body(body: &mut Body) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(LONGEST_BODY).ok()?.saturating_add(1);
    body.as_reader().take(bound).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= LONGEST_BODY).then_some(bytes)
}
