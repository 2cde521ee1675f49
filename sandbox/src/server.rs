//! Connections: the only file that knows the HTTP library.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::query::Query;
use crate::request::{Request, Scheme};
use crate::response::Answer;
use crate::service::Office;

/// A body is wrong however long it is; reading this much lets a client finish sending and hear so.
const LONGEST_BODY: usize = 64 * 1024;

/// How long to leave the system alone when it has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The two listeners and the key to the second.
pub(crate) struct Doors {
    pub(crate) http: TcpListener,
    pub(crate) https: TcpListener,
    pub(crate) tls: TlsAcceptor,
}

/// Serves both doors until `stop` is sent or its sender is gone; connections end with the runtime.
pub(crate) async fn serve(doors: Doors, office: Arc<Office>, stop: oneshot::Receiver<()>) {
    tokio::select! {
        () = serve_http(doors.http, &office) => {}
        () = serve_https(doors.https, doors.tls, &office) => {}
        _ = stop => {}
    }
}

async fn serve_http(listener: TcpListener, office: &Arc<Office>) {
    loop {
        let (stream, connection) = next(&listener, office).await;
        tokio::spawn(talk(stream, Scheme::Http, connection, office.clone()));
    }
}

async fn serve_https(listener: TcpListener, tls: TlsAcceptor, office: &Arc<Office>) {
    loop {
        let (stream, connection) = next(&listener, office).await;
        let (handshake, office) = (tls.accept(stream), office.clone());
        tokio::spawn(async move {
            // A client that does not trust us goes away here; its connection is counted, and there is no request.
            if let Ok(stream) = handshake.await {
                talk(stream, Scheme::Https, connection, office).await;
            }
        });
    }
}

async fn next(listener: &TcpListener, office: &Office) -> (TcpStream, u64) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Without it answers may wait for an acknowledgement; failing to set it only makes them later.
                let _ = stream.set_nodelay(true);
                return (stream, office.connected());
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn talk<S>(stream: S, scheme: Scheme, connection: u64, office: Arc<Office>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|incoming| {
        let office = office.clone();
        async move { answer(incoming, scheme, connection, &office).await }
    });
    // A connection that breaks, or that speaks no HTTP, concerns its client alone.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Why there is no answer; the HTTP library then closes the connection.
#[derive(Debug)]
struct HungUp;

impl fmt::Display for HungUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a rule says so")
    }
}

impl std::error::Error for HungUp {}

async fn answer(
    incoming: hyper::Request<Incoming>,
    scheme: Scheme,
    connection: u64,
    office: &Office,
) -> Result<Response<Full<Bytes>>, HungUp> {
    let request = read(incoming, scheme, connection).await;
    let verdict = office.attend(&request, SystemTime::now());
    if !verdict.delay.is_zero() {
        tokio::time::sleep(verdict.delay).await;
    }
    if verdict.is_hanging_up { Err(HungUp) } else { Ok(response(verdict.answer)) }
}

async fn read(incoming: hyper::Request<Incoming>, scheme: Scheme, connection: u64) -> Request {
    let (head, body) = incoming.into_parts();
    // A body that is too long or breaks off is a body.
    let has_body = Limited::new(body, LONGEST_BODY).collect().await.map_or(true, |body| !body.to_bytes().is_empty());
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

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        // Every value is made here from numbers and fixed words, so none is refused.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
