//! Connections and HTTP. No other file uses the HTTP library.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response as HttpResponse, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::query::Query;
use crate::request::{Request, Scheme};
use crate::response::Response;
use crate::service::Service;

/// The maximum number of bytes of a body that are read. Any body is a violation, but it is read because some clients
/// read the response only after they have sent the whole body.
const MAX_BODY_SIZE: usize = 64 * 1024;

/// The pause after `accept` has failed, for example because no descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

pub(crate) struct Listeners {
    pub(crate) http: TcpListener,
    pub(crate) https: TcpListener,
    pub(crate) tls: TlsAcceptor,
}

/// Serves until `stop` receives a value or its sender is dropped. Dropping the runtime then closes the connections.
pub(crate) async fn serve(listeners: Listeners, service: Arc<Service>, stop: oneshot::Receiver<()>) {
    tokio::select! {
        () = serve_http(listeners.http, &service) => {}
        () = serve_https(listeners.https, listeners.tls, &service) => {}
        _ = stop => {}
    }
}

async fn serve_http(listener: TcpListener, service: &Arc<Service>) {
    loop {
        let (stream, connection) = accept(&listener, service).await;
        tokio::spawn(serve_connection(stream, Scheme::Http, connection, service.clone()));
    }
}

async fn serve_https(listener: TcpListener, tls: TlsAcceptor, service: &Arc<Service>) {
    loop {
        let (stream, connection) = accept(&listener, service).await;
        let (handshake, service) = (tls.accept(stream), service.clone());
        tokio::spawn(async move {
            // If the handshake fails, the connection is counted, but there is no request.
            if let Ok(stream) = handshake.await {
                serve_connection(stream, Scheme::Https, connection, service).await;
            }
        });
    }
}

async fn accept(listener: &TcpListener, service: &Service) -> (TcpStream, u64) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Without this option, a response may be delayed until the peer acknowledges earlier data.
                let _ = stream.set_nodelay(true);
                return (stream, service.connected());
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve_connection<S>(stream: S, scheme: Scheme, connection: u64, service: Arc<Service>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handler = service_fn(|incoming| {
        let service = service.clone();
        async move { respond(incoming, scheme, connection, &service).await }
    });
    // An error affects only this connection.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), handler).await;
}

/// An error that makes the HTTP library close the connection without a response.
#[derive(Debug)]
struct Disconnect;

impl fmt::Display for Disconnect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("closed by a rule")
    }
}

impl std::error::Error for Disconnect {}

async fn respond(
    incoming: hyper::Request<Incoming>,
    scheme: Scheme,
    connection: u64,
    service: &Service,
) -> Result<HttpResponse<Full<Bytes>>, Disconnect> {
    let request = read(incoming, scheme, connection).await;
    let outcome = service.handle(&request, SystemTime::now());
    if !outcome.delay.is_zero() {
        tokio::time::sleep(outcome.delay).await;
    }
    if outcome.closes_connection { Err(Disconnect) } else { Ok(http_response(outcome.response)) }
}

async fn read(incoming: hyper::Request<Incoming>, scheme: Scheme, connection: u64) -> Request {
    let (head, body) = incoming.into_parts();
    // A body that is too long or incomplete counts as a body.
    let has_body = Limited::new(body, MAX_BODY_SIZE).collect().await.map_or(true, |body| !body.to_bytes().is_empty());
    Request {
        scheme,
        connection,
        method: head.method.to_string(),
        target: head.uri.to_string(),
        path: head.uri.path().into(),
        query: Query::parse(head.uri.query()),
        headers: texts(&head.headers),
        has_body,
    }
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn http_response(response: Response) -> HttpResponse<Full<Bytes>> {
    let mut http = HttpResponse::new(Full::new(Bytes::from(response.body)));
    *http.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        // The values are numbers and constants, so they are always valid.
        if let Ok(value) = HeaderValue::try_from(value) {
            http.headers_mut().insert(name, value);
        }
    }
    http
}
