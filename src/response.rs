//! Interprets the service's response. Only the status determines the result; the body only improves the message. Pure.

use std::time::{Duration, SystemTime};

use crate::secret::Wiped;

use crate::error::{Error, Kind};
use crate::sanitize::{quote, redact};

/// The maximum delay before a retry. A longer delay that a response requests is shortened to this one.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A response as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The `Retry-After` header, if its value is text, with the `Date` header. In a box, because few responses have a
    /// `Retry-After` header.
    pub(crate) retry_after: Option<Box<RetryAfter>>,
    /// The body, if it is complete and within the size limit.
    pub(crate) body: Option<Wiped<Vec<u8>>>,
}

/// The headers that determine the delay that the service requests before a retry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RetryAfter {
    /// The value of `Retry-After`.
    pub(crate) value: String,
    /// The value of `Date`, if it is text.
    pub(crate) date: Option<String>,
}

impl Response {
    /// Returns Ok if the service accepted the report. Otherwise, redacts the body and returns an error whose message
    /// contains none of `secrets`.
    pub(crate) fn verdict<'a>(&mut self, secrets: impl Iterator<Item = &'a str>) -> Result<(), Error> {
        let Some((kind, meaning)) = meaning_of(self.status) else {
            return Ok(());
        };
        let secrets: Vec<&str> = secrets.filter(|secret| !secret.is_empty()).collect();
        let quoted = self.body.as_mut().and_then(|body| {
            redact(body, &secrets);
            quote(body, &secrets)
        });
        let quoted = quoted.map(|text| format!("; the response says: {text}")).unwrap_or_default();
        Err(Error::new(kind, format!("HTTP {}: {meaning}{quoted}", self.status)))
    }

    /// Returns the delay that the service requests before a retry, at most an hour. Ignores invalid values. A date is
    /// compared with the `Date` of the response, because the clocks of the service and of this machine may differ, or
    /// with `now` if the response has no valid `Date`.
    pub(crate) fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        let RetryAfter { value, date } = self.retry_after.as_deref()?;
        let text = value.trim();
        let sent = || date.as_deref().and_then(|date| httpdate::parse_http_date(date.trim()).ok());
        seconds(text).or_else(|| until(text, sent().unwrap_or(now))).map(|wait| wait.min(LONGEST_WAIT))
    }
}

/// Returns the error kind and the meaning of an HTTP status, or None if the status is a success.
fn meaning_of(status: u16) -> Option<(Kind, &'static str)> {
    Some(match status {
        200..=299 => return None,
        300..=399 => (
            Kind::Redirected,
            "a redirect, which is never followed; check base_url, and whether another server responds in place of the service",
        ),
        401 => (Kind::Unauthorized, "the credentials are wrong"),
        402 => (Kind::NotEnabled, "conversion is not enabled for the account, or the credentials are wrong"),
        420 | 422 | 423 => (Kind::Rejected, "the service rejected the parameters"),
        429 => (Kind::RateLimited, "too many requests"),
        408 | 500..=599 => (Kind::Unavailable, "the service is unavailable"),
        _ => (Kind::UnexpectedStatus, "unexpected HTTP status; check base_url"),
    })
}

/// Parses a delay in seconds. On overflow, returns `u64::MAX` seconds. Returns None if `text` is not a number.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

/// Parses an HTTP date and returns the delay from `now` until that date, or zero if the date has passed. Returns None
/// if `text` is not a date.
fn until(text: &str, now: SystemTime) -> Option<Duration> {
    httpdate::parse_http_date(text).ok().map(|date| date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16) -> Response {
        Response { status, retry_after: None, body: None }
    }

    #[test]
    fn every_status_maps_to_its_class() {
        let class = |status| response(status).verdict(std::iter::empty()).map_err(|error| error.kind());
        for status in 0..=999 {
            let expected = match status {
                200..=299 => Ok(()),
                300..=399 => Err(Kind::Redirected),
                401 => Err(Kind::Unauthorized),
                402 => Err(Kind::NotEnabled),
                420 | 422 | 423 => Err(Kind::Rejected),
                429 => Err(Kind::RateLimited),
                408 => Err(Kind::Unavailable),
                500..=599 => Err(Kind::Unavailable),
                _ => Err(Kind::UnexpectedStatus),
            };
            assert_eq!(class(status), expected, "{status}");
        }
    }

    #[test]
    fn the_body_affects_the_message_and_never_the_class() {
        let mut response = Response { body: Some(br#"{"title":"OK"}"#.to_vec().into()), ..response(402) };
        let error = response.verdict(std::iter::empty()).unwrap_err();
        assert_eq!(error.kind(), Kind::NotEnabled);
        assert!(
            error.message().starts_with("HTTP 402: ") && error.message().ends_with("the response says: OK"),
            "{error}"
        );
    }

    #[test]
    fn a_retry_delay_is_parsed_in_both_forms_and_capped() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let hour = Some(Duration::from_secs(3600));
        for (text, wait) in [
            ("30", Some(Duration::from_secs(30))),
            (" 0 ", Some(Duration::ZERO)),
            ("86400", hour),
            ("99999999999999999999999", hour),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(Duration::from_secs(60))),
            ("Sun Nov  6 08:50:37 1994", Some(Duration::from_secs(60))),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(Duration::ZERO)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", hour),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
        ] {
            let retry_after = Some(Box::new(RetryAfter { value: text.to_owned(), date: None }));
            let response = Response { retry_after, ..response(429) };
            assert_eq!(response.retry_after(now), wait, "{text:?}");
        }
    }

    #[test]
    fn a_retry_date_is_compared_with_the_date_of_the_response() {
        let date = |text| httpdate::parse_http_date(text).unwrap();
        let now = date("Sun, 06 Nov 1994 08:49:37 GMT");
        let wait = |retry_after: &str, date: &str| {
            let retry_after = RetryAfter { value: retry_after.to_owned(), date: Some(date.to_owned()) };
            Response { retry_after: Some(Box::new(retry_after)), ..response(429) }.retry_after(now).unwrap().as_secs()
        };
        for hour in ["07", "08", "09"] {
            let at = |minute: u32| format!("Sun, 06 Nov 1994 {hour}:{minute}:00 GMT");
            assert_eq!(wait(&at(32), &at(30)), 120);
            assert_eq!(wait(&at(30), &at(32)), 0);
        }
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT", "soon"), 60);
        assert_eq!(wait("7", "Sun, 06 Nov 1994 07:00:00 GMT"), 7);
    }
}
