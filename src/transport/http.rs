//! HTTP/1.1 over pooled connections, by ureq.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use ureq::config::{Config, RedirectAuthHeaders};
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, RETRY_AFTER, USER_AGENT};
use ureq::http::uri::Authority;
use ureq::http::{Response, Uri};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::typestate::WithBody;
use ureq::unversioned::transport::{Connector, RustlsConnector, TcpConnector};
use ureq::{Agent, Body, RequestBuilder};

use super::failure::failure;
use super::resolver::Resolver;
use super::trust;
use super::watch::{Generation, Progress, WatchedConnector};
use super::{Exchange, Limits, Transport};
use crate::answer::Answer;
use crate::error::Error;
use crate::options::Trust;
use crate::request::Request;

/// How many idle connections are kept.
const IDLE_CONNECTIONS: usize = 32;

/// How long an idle connection is kept.
const IDLE_TIME: Duration = Duration::from_secs(15);

/// Room for the head of a request, which never takes more than 6 KiB.
const OUTPUT_BUFFER: usize = 8 * 1024;

/// Room for the head of an answer.
const INPUT_BUFFER: usize = 16 * 1024;

/// The most of a body that is read, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// The longest that a body is awaited once the head is complete.
const BODY_TIME: Duration = Duration::from_millis(500);

/// Connections to one service, under one notion of whom to trust.
pub(crate) struct HttpTransport {
    agent: Agent,
    generation: Generation,
}

impl HttpTransport {
    /// Prepares to connect; no connection is made yet.
    pub(crate) fn new(trust: &Trust, resolver: Resolver) -> Result<Self, Error> {
        let generation = Generation::default();
        let inner = ().chain(TcpConnector::default()).chain(RustlsConnector::default());
        let connector = WatchedConnector { inner, generation: generation.clone() };
        let agent = Agent::with_parts(config(trust::roots(trust)?), connector, resolver);
        Ok(Self { agent, generation })
    }

    /// One request. What came of it beside the answer stays in [`Progress`].
    fn run(&self, request: &Request, limits: Limits) -> Result<Answer, ureq::Error> {
        Progress::begin(limits.connect);
        let limited = with_headers(self.agent.post(request.url.as_str()), request)
            .config()
            .timeout_global(Some(limits.total))
            .timeout_resolve(Some(limits.connect))
            .timeout_connect(Some(limits.connect))
            .timeout_recv_body(Some(BODY_TIME))
            .build();
        limited.send_empty().map(answer)
    }
}

impl Transport for HttpTransport {
    fn exchange(&self, request: &Request, limits: Limits) -> Exchange {
        let start = Instant::now();
        let first = self.run(request, limits);
        let seen = Progress::seen();
        let answer = match first {
            Err(error) if was_dead_in_the_pool(&error, seen) => {
                self.generation.end();
                self.run(request, Limits { total: limits.total.saturating_sub(start.elapsed()), ..limits })
            }
            other => other,
        };
        let last = Progress::seen();
        Exchange {
            answer: answer.map_err(|error| failure(&error, last.connected || last.written)),
            written: seen.written || last.written,
        }
    }
}

/// All headers there are. Those that the library would add itself are said here, or it would put them first.
fn with_headers(mut builder: RequestBuilder<WithBody>, request: &Request) -> RequestBuilder<WithBody> {
    if let Some(host) = builder.uri_ref().and_then(Uri::authority).map(Authority::to_string) {
        builder = builder.header(HOST, host);
    }
    builder = builder.header(USER_AGENT, &request.user_agent);
    if let Some(authorization) = &request.authorization {
        builder = builder.header(AUTHORIZATION, authorization.as_str());
    }
    builder.header(CONTENT_LENGTH, "0")
}

/// Whether the request went to a pooled connection that the peer had closed meanwhile. Servers do so all the time, and
/// the caller should not have to know.
fn was_dead_in_the_pool(error: &ureq::Error, seen: Progress) -> bool {
    let is_lost = matches!(error, ureq::Error::Io(error) if is_loss(error.kind()));
    is_lost && !seen.connected && seen.written && !seen.answered
}

fn is_loss(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof, WriteZero};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof | WriteZero)
}

/// Each of the library's defaults that a report must not be left to, set.
fn config(roots: RootCerts) -> Config {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(roots)
        .client_cert(None)
        .use_sni(true)
        .disable_verification(false);
    Agent::config_builder()
        .http_status_as_error(false)
        // A redirected POST comes back as a GET that answers 200: a lost report that looks like success.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .redirect_auth_headers(RedirectAuthHeaders::Never)
        // Else the proxy comes from the environment, for a CGI program even from a request's header.
        .proxy(None)
        .tls_config(tls.build())
        .no_delay(true)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .max_response_header_size(INPUT_BUFFER)
        .input_buffer_size(INPUT_BUFFER)
        .output_buffer_size(OUTPUT_BUFFER)
        .max_idle_connections(IDLE_CONNECTIONS)
        .max_idle_connections_per_host(IDLE_CONNECTIONS)
        .max_idle_age(IDLE_TIME)
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
