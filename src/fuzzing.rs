//! Private functions that `fuzz/` and `benches/gate` call, public only in their builds.

use std::time::{Duration, SystemTime};

use crate::auth::signature;
use crate::auth::signature::Method;
use crate::error::Error;
use crate::response::{Response, RetryAfter};

/// Returns the part of a body that an error message quotes, without `secret`.
#[must_use]
pub fn quote(body: &[u8], secret: &str) -> Option<String> {
    let secrets = [secret];
    crate::sanitize::quote(body, if secret.is_empty() { &[] } else { &secrets })
}

/// Returns the delay that a `Retry-After` value asks for in a response with that `Date`.
#[must_use]
pub fn retry_after(text: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let retry_after = RetryAfter { value: text.to_owned(), date: date.map(str::to_owned) };
    Response { status: 429, retry_after: Some(Box::new(retry_after)), body: None }.retry_after(now)
}

/// Returns the signatures of `parameters` by all methods.
#[must_use]
pub fn signatures(parameters: &[(&str, &str)], secret: &str) -> Vec<String> {
    Method::ALL.iter().map(|method| signature::sign(*method, parameters, secret)).collect()
}

/// Parses the response at the beginning of `input`, read in pieces of `size` bytes. Returns its status, and its body
/// if complete.
#[must_use]
pub fn response(input: &[u8], size: usize) -> Option<(u16, Option<Vec<u8>>)> {
    crate::transport::read_response(input, size)
}

/// Returns the certificates in a PEM file, in DER, after looking for a key in it.
#[must_use]
pub fn certificates_in(pem: &[u8]) -> Vec<Vec<u8>> {
    crate::transport::certificates_in(pem)
}

/// Reads a proxy's response to `CONNECT`. Returns the failure, if it is one, and the number of bytes read.
#[must_use]
pub fn connect_response(input: &[u8]) -> (Option<String>, usize) {
    let (result, read) = crate::transport::read_connect_response(input);
    (result.err().map(|error| error.to_string()), read)
}

/// Returns the meaning of the response at the beginning of `input` if it is complete, without `secret` in the
/// message.
#[must_use]
pub fn verdict(input: &[u8], secret: &str) -> Option<Result<(), Error>> {
    let (status, body) = response(input, usize::MAX)?;
    Some(Response { status, retry_after: None, body: body.map(Into::into) }.verdict([secret].into_iter()))
}
