//! Tests when connections are reused, when they are replaced, and how an invalid response affects a report.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use nexmo_conversion::{Acceptance, Channel, Client, Conversion, Credentials, Kind, MessageId, Options, Outcome};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK";

/// The responses of a server on one connection, in order. After the last response the server closes the connection.
type Script = Vec<Vec<u8>>;

/// A server that plays a script for each connection, in order. It sends an event after each response, with the numbers
/// of the connection and the request, and another event when it has played a script.
struct Server {
    base_url: String,
    events: Receiver<String>,
}

impl Server {
    fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, events) = channel();
        thread::spawn(move || {
            for (connection, script) in scripts.into_iter().enumerate() {
                play(&mut listener.accept().unwrap().0, script, connection, &sender);
                sender.send(format!("{connection} closed")).ok();
            }
        });
        Self { base_url, events }
    }

    /// Like `start`, but responds only when the first two connections are open, and sends no event at a script's end.
    fn start_together(mut scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, events) = channel();
        thread::spawn(move || {
            let mut streams: Vec<TcpStream> = (0..2).map(|_| listener.accept().unwrap().0).collect();
            let last = scripts.split_off(2);
            let threads = streams.drain(..).zip(scripts).enumerate().map(|(connection, (mut stream, script))| {
                let sender = sender.clone();
                thread::spawn(move || play(&mut stream, script, connection, &sender))
            });
            let threads: Vec<_> = threads.collect();
            for script in last {
                play(&mut listener.accept().unwrap().0, script, 2, &sender);
            }
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        Self { base_url, events }
    }

    fn client(&self) -> Client {
        let credentials = Credentials::query("key", "hush-hush").unwrap();
        Client::new(credentials, &Options { base_url: Some(&self.base_url), ..Options::default() }).unwrap()
    }

    fn wait_for(&self, event: &str) {
        assert!(self.events.iter().any(|seen| seen == event), "the server did not send the event {event:?}");
    }
}

fn play(stream: &mut TcpStream, script: Script, connection: usize, sender: &Sender<String>) {
    for (request, response) in script.into_iter().enumerate() {
        if read_head(stream).is_none() {
            return;
        }
        stream.write_all(&response).unwrap();
        sender.send(format!("{connection} responded to {request}")).ok();
    }
}

fn read_head(stream: &mut TcpStream) -> Option<()> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    Some(())
}

fn report(client: &Client) -> Outcome {
    let message_id = MessageId::new("id").unwrap();
    client.report(&Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None })
}

/// Returns the outcome of a report to a server that sends this response and closes the connection.
fn outcome_of(response: &[u8]) -> Outcome {
    let server = Server::start(vec![vec![response.to_vec()]]);
    report(&server.client())
}

fn assert_fails(outcome: &Outcome, kind: Kind, http_status: Option<u16>) {
    let error = outcome.result.as_ref().unwrap_err();
    let acceptance = match http_status {
        Some(401 | 402 | 420 | 422 | 423 | 429) => Acceptance::No,
        _ => Acceptance::Unknown,
    };
    assert_eq!((error.kind(), outcome.http_status, outcome.acceptance), (kind, http_status, acceptance), "{error}");
}

#[test]
fn a_connection_is_reused_for_later_reports() {
    let server = Server::start(vec![vec![OK.to_vec(); 3]]);
    let client = server.client();
    for _ in 0..3 {
        assert_eq!(report(&client).acceptance, Acceptance::Yes);
    }
    server.wait_for("0 responded to 2");
}

#[test]
fn a_dead_idle_connection_is_replaced_transparently() {
    let server = Server::start(vec![vec![OK.to_vec()], vec![OK.to_vec()]]);
    let client = server.client();
    assert_eq!(report(&client).acceptance, Acceptance::Yes);
    server.wait_for("0 closed");
    let second = report(&client);
    assert_eq!((second.result, second.attempts, second.acceptance), (Ok(()), 1, Acceptance::Yes));
    server.wait_for("1 responded to 0");
}

#[test]
fn no_other_idle_connection_of_the_same_age_is_tried_after_a_dead_one() {
    // The client opens two connections at once. The server closes each of them without a response when it receives a
    // second request on it.
    let dying = || vec![OK.to_vec(), Vec::new()];
    let server = Server::start_together(vec![dying(), dying(), vec![OK.to_vec()]]);
    let client = server.client();
    std::thread::scope(|scope| {
        for report in [(); 2].map(|()| scope.spawn(|| report(&client))) {
            assert_eq!(report.join().unwrap().acceptance, Acceptance::Yes);
        }
    });
    let third = report(&client);
    assert_eq!((third.result, third.attempts), (Ok(()), 1));
}

#[test]
fn an_idle_connection_that_closes_during_a_request_is_replaced_transparently() {
    // The server receives the second request on the first connection, which it closes without a response, and then
    // responds to the request on the second connection.
    let server = Server::start(vec![vec![OK.to_vec(), Vec::new()], vec![OK.to_vec()]]);
    let client = server.client();
    assert_eq!(report(&client).acceptance, Acceptance::Yes);
    let second = report(&client);
    assert_eq!((second.result, second.attempts, second.acceptance), (Ok(()), 1, Acceptance::Yes));
    server.wait_for("1 responded to 0");
}

#[test]
fn an_idle_connection_that_closes_after_an_interim_response_is_an_error() {
    let begun = b"HTTP/1.1 103 Hints\r\n\r\n".to_vec();
    let server = Server::start(vec![vec![OK.to_vec(), begun], vec![OK.to_vec()]]);
    let client = server.client();
    assert_eq!(report(&client).result, Ok(()));
    let outcome = report(&client);
    assert_eq!((outcome.result.unwrap_err().kind(), outcome.acceptance), (Kind::Network, Acceptance::Unknown));
}

#[test]
fn a_new_connection_that_closes_during_a_request_is_an_error() {
    assert_fails(&outcome_of(b""), Kind::Network, None);
    assert_fails(&outcome_of(b"HTTP/1.1 200 OK\r\ncontent-le"), Kind::Network, None);
}

#[test]
fn bytes_after_a_response_are_never_read_as_the_next_response() {
    let forged = [OK, b"HTTP/1.1 402 Forged\r\ncontent-length: 0\r\n\r\n"].concat();
    let server = Server::start(vec![vec![forged], vec![OK.to_vec()]]);
    let client = server.client();
    assert_eq!(report(&client).acceptance, Acceptance::Yes);
    assert_eq!(report(&client).acceptance, Acceptance::Yes);
    server.wait_for("1 responded to 0");
}

#[test]
fn a_response_that_is_not_http_is_a_protocol_error() {
    assert_fails(&outcome_of(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Kind::Protocol, None);
    assert_fails(&outcome_of(b"HTTP/1.1 abc OK\r\n\r\n"), Kind::Protocol, None);
    let endless = [b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &[b'x'; 40_000]].concat();
    assert_fails(&outcome_of(&endless), Kind::Protocol, None);
}

#[test]
fn a_malformed_or_too_long_body_does_not_change_the_class() {
    let too_long = [b"HTTP/1.1 402 No\r\ncontent-length: 100000\r\n\r\n".as_slice(), &[b'x'; 100_000]].concat();
    assert_fails(&outcome_of(&too_long), Kind::NotEnabled, Some(402));
    assert_fails(&outcome_of(b"HTTP/1.1 402 No\r\ncontent-length: 10\r\n\r\nshort"), Kind::NotEnabled, Some(402));
    assert_fails(
        &outcome_of(b"HTTP/1.1 402 No\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
        Kind::NotEnabled,
        Some(402),
    );
    assert_eq!(outcome_of(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort").acceptance, Acceptance::Yes);
}

#[test]
fn a_redirect_is_never_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let location = format!("http://{}/", elsewhere.local_addr().unwrap());
    for status in [301, 302, 303, 307, 308] {
        let response = format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        assert_fails(&outcome_of(response.as_bytes()), Kind::Redirected, Some(status));
    }
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err(), "the redirect was followed");
}
