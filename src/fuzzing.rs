//! The private functions that `fuzz/` feeds and `benches/gate` counts, made public in their builds and nowhere else.

use std::time::{Duration, SystemTime};

use crate::auth::signature;
use crate::auth::signature::Method;
use crate::error::Error;
use crate::response::Response;

/// What of a body is shown, when `secret` must not be.
#[must_use]
pub fn quote(body: &[u8], secret: &str) -> Option<String> {
    crate::sanitize::quote(body, [secret].into_iter())
}

/// The wait that a `Retry-After` asks for.
#[must_use]
pub fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    Response { status: 429, retry_after: Some(text.to_owned()), body: None }.retry_after(now)
}

/// The signatures of `parameters` by all methods.
#[must_use]
pub fn signatures(parameters: &[(&str, &str)], secret: &str) -> Vec<String> {
    [Method::Md5Hash, Method::HmacMd5, Method::HmacSha1, Method::HmacSha256, Method::HmacSha512]
        .into_iter()
        .map(|method| signature::sign(method, parameters, secret))
        .collect()
}

/// The status of the answer at the beginning of `input`, and its body if that comes whole, read in pieces of `size` bytes.
#[must_use]
pub fn answer(input: &[u8], size: usize) -> Option<(u16, Option<Vec<u8>>)> {
    crate::transport::read_answer(input, size)
}

/// What the answer at the beginning of `input` means, if it comes whole; `secret` is kept out of the message.
#[must_use]
pub fn verdict(input: &[u8], secret: &str) -> Option<Result<(), Error>> {
    let (status, body) = answer(input, usize::MAX)?;
    Some(Response { status, retry_after: None, body }.verdict([secret].into_iter()))
}
