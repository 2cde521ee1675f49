//! What the service's answer means. Pure. The status alone decides; the body only makes a better message.

use std::time::{Duration, SystemTime};

use crate::error::{Error, Kind};
use crate::sanitize::quote;

/// The longest wait that an answer can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// An answer as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The value of `Retry-After`, if it is text.
    pub(crate) retry_after: Option<String>,
    /// The body, if it came whole and within its bounds.
    pub(crate) body: Option<Vec<u8>>,
}

impl Response {
    /// Whether the service took the report; if not, why. `secrets` are kept out of the message.
    pub(crate) fn verdict<'a>(&self, secrets: impl Iterator<Item = &'a str>) -> Result<(), Error> {
        let Some((kind, meaning)) = meaning_of(self.status) else {
            return Ok(());
        };
        let quoted = self.body.as_deref().and_then(|body| quote(body, secrets));
        let quoted = quoted.map(|text| format!("; the response says: {text}")).unwrap_or_default();
        Err(Error::new(kind, format!("HTTP {}: {meaning}{quoted}", self.status)))
    }

    /// How long the service asks to wait before the next try: at most an hour; nonsense counts as nothing.
    pub(crate) fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        seconds(text).or_else(|| until(text, now)).map(|wait| wait.min(LONGEST_WAIT))
    }
}

/// The class of a status that is no success, and its meaning.
fn meaning_of(status: u16) -> Option<(Kind, &'static str)> {
    Some(match status {
        200..=299 => return None,
        300..=399 => (
            Kind::Redirected,
            "a redirect, which is never followed; check base_url, and what responds in place of the service",
        ),
        401 => (Kind::Unauthorized, "the credentials are wrong"),
        402 => (Kind::NotEnabled, "conversion is not enabled for the account, or the account's credentials are bad"),
        420 | 422 | 423 => (Kind::Rejected, "the service rejected the parameters"),
        429 => (Kind::RateLimited, "too many requests"),
        408 | 500..=599 => (Kind::Unavailable, "the service is unavailable"),
        _ => (Kind::UnexpectedStatus, "unexpected HTTP status; check base_url"),
    })
}

/// A wait in seconds. More digits than a number can hold are still a long wait.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

/// A wait until an HTTP date; none if that lies in the past.
fn until(text: &str, now: SystemTime) -> Option<Duration> {
    httpdate::parse_http_date(text).ok().map(|date| date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Response {
        Response { status, retry_after: None, body: None }
    }

    #[test]
    fn every_status_has_its_class() {
        let class = |status| answer(status).verdict(std::iter::empty()).map_err(|error| error.kind());
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
    fn the_body_makes_the_message_and_never_the_class() {
        let answer = Response { body: Some(br#"{"title":"OK"}"#.to_vec()), ..answer(402) };
        let error = answer.verdict(std::iter::empty()).unwrap_err();
        assert_eq!(error.kind(), Kind::NotEnabled);
        assert!(
            error.message().starts_with("HTTP 402: ") && error.message().ends_with("the response says: OK"),
            "{error}"
        );
    }

    #[test]
    fn a_wait_is_read_in_both_forms_and_capped() {
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
            let answer = Response { retry_after: Some(text.to_owned()), ..answer(429) };
            assert_eq!(answer.retry_after(now), wait, "{text:?}");
        }
    }
}
