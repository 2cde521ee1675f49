//! A minimal HTTP client. It can send any bytes, including invalid requests.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use nexmo_sandbox::Sandbox;

/// The target of a valid report from the default account.
pub(crate) const VALID: &str = "/conversions/sms?api_key=abcd1234&api_secret=s3cret&delivered=true&message-id=00A0B0C0";

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A client that makes its requests over one connection.
pub(crate) struct Client<S: Read + Write>(BufReader<S>);

impl Client<TcpStream> {
    pub(crate) fn to(url: &str) -> Self {
        Self(BufReader::new(TcpStream::connect(url.trim_start_matches("http://")).unwrap()))
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) fn post(&mut self, target: &str) -> Response {
        self.send(&format!("POST {target} HTTP/1.1\r\nhost: sandbox\r\ncontent-length: 0\r\n\r\n"))
    }

    pub(crate) fn send(&mut self, request: &str) -> Response {
        self.write(request);
        self.read()
    }

    pub(crate) fn write(&mut self, request: &str) {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// Returns the number of bytes received until the server closes the connection, or 0 if it resets the connection.
    pub(crate) fn rest(mut self) -> usize {
        self.0.read_to_end(&mut Vec::new()).unwrap_or(0)
    }

    fn read(&mut self) -> Response {
        let status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: HashMap<_, _> = std::iter::from_fn(|| self.header()).collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Response { status, headers, body: String::from_utf8(body).unwrap() }
    }

    fn header(&mut self) -> Option<(String, String)> {
        let line = self.line();
        line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.into()))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().into()
    }
}

/// Makes one POST request over a new connection.
pub(crate) fn post(sandbox: &Sandbox, target: &str) -> Response {
    Client::to(&sandbox.http_url()).post(target)
}
