//! Gives `fuzz/` and `benches/gate` access to private functions. Compiled only for fuzzing or with feature `testing`.

use std::time::{Duration, SystemTime};

use crate::auth::signature;
use crate::auth::signature::Method;
use crate::error::Error;
use crate::response::{Response, RetryAfter};

/// Returns the text that an error message quotes from a body, without `secret`, or None if it quotes nothing.
#[must_use]
pub fn quote(body: &[u8], secret: &str) -> Option<String> {
    let secrets = [secret];
    crate::sanitize::quote(body, if secret.is_empty() { &[] } else { &secrets })
}

/// Returns the delay that a response with these `Retry-After` and `Date` headers requests.
#[must_use]
pub fn retry_after(text: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let retry_after = RetryAfter { value: text.to_owned(), date: date.map(str::to_owned) };
    Response { status: 429, retry_after: Some(Box::new(retry_after)), body: None }.retry_after(now)
}

/// Returns the signatures of `parameters`, one for each method.
#[must_use]
pub fn signatures(parameters: &[(&str, &str)], secret: &str) -> Vec<String> {
    Method::ALL.iter().map(|method| signature::sign(*method, parameters, secret)).collect()
}

/// Parses the response at the beginning of `input`: first the whole head, then the body in pieces of `size` bytes.
/// Returns the status and, if the body is complete, the body. Returns None if the head is invalid or incomplete.
#[must_use]
pub fn response(input: &[u8], size: usize) -> Option<(u16, Option<Vec<u8>>)> {
    let (status, body) = crate::transport::read_response(input, size)?;
    Some((status, body.map(|body| body.to_vec())))
}

/// Parses a PEM file. Discards the private key and returns the certificates in DER.
#[must_use]
pub fn certificates_in(pem: &[u8]) -> Vec<Vec<u8>> {
    crate::transport::certificates_in(pem)
}

/// Reads a proxy's response to `CONNECT`. Returns the error message, or None on success, and the number of bytes read.
#[must_use]
pub fn connect_response(input: &[u8]) -> (Option<String>, usize) {
    let (result, read) = crate::transport::read_connect_response(input);
    (result.err().map(|error| error.to_string()), read)
}

/// Returns Ok if the response at the beginning of `input` is a success. Otherwise returns an error whose message does
/// not contain `secret`. Returns None if the head is invalid or incomplete.
#[must_use]
pub fn verdict(input: &[u8], secret: &str) -> Option<Result<(), Error>> {
    let (status, body) = crate::transport::read_response(input, usize::MAX)?;
    Some(Response { status, retry_after: None, body }.verdict([secret].into_iter()))
}
