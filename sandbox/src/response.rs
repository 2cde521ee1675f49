//! Responses, with the bodies that the service's documentation gives for some statuses.

use serde_json::{Value, json};

use crate::query::decode;
use crate::request::Request;
use crate::violation::{INVALID, MALFORMED, MISSING, NOT_ENABLED, UNAUTHORIZED};

const THROTTLED: u16 = 429;
const UNAVAILABLE: u16 = 503;
const ERRORS: &str = "https://developer.nexmo.com/api-errors";

/// A complete response. It does not depend on the HTTP library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Response {
    /// Returns a response with this status, and with the headers and the documented body that belong to the status, if
    /// any.
    ///
    /// `number` makes the `instance` of each 401 unique, as in the service's responses.
    pub(crate) fn with_status(status: u16, number: u64) -> Self {
        match status {
            200 => Self::empty(200).header("content-type", "text/plain").body("OK"),
            300..=399 => Self::empty(status).header("location", "/moved"),
            405 => Self::empty(405).header("allow", "POST"),
            _ => documented_body(status, number).map_or_else(|| Self::empty(status), |body| Self::json(status, &body)),
        }
    }

    /// Returns 429 with `Retry-After`.
    pub(crate) fn throttled(seconds: u32) -> Self {
        Self::empty(THROTTLED).header("retry-after", seconds)
    }

    /// Returns 503, with `Retry-After` if `seconds` is given.
    pub(crate) fn unavailable(seconds: Option<u32>) -> Self {
        let response = Self::empty(UNAVAILABLE);
        seconds.into_iter().fold(response, |response, seconds| response.header("retry-after", seconds))
    }

    /// Returns a response that repeats the credentials and the target, both as received and decoded, in the fields
    /// that a client may show in an error message.
    pub(crate) fn echo(status: u16, request: &Request) -> Self {
        let authorization = request.authorizations().collect::<Vec<_>>().join(" ");
        let title = format!("{authorization} {}", request.target);
        let basic = request.basic().map(|basic| format!("{}:{}", basic.key, basic.secret)).unwrap_or_default();
        let detail = format!("{basic} {}", decode(&request.target).unwrap_or_default());
        Self::json(status, &json!({ "type": ERRORS, "title": title, "error_title": title, "detail": detail }))
    }

    /// Returns 500 for a request that could not be logged.
    pub(crate) fn log_failed(error: &std::io::Error) -> Self {
        Self::empty(500)
            .header("content-type", "text/plain")
            .body(&format!("The sandbox cannot write its log: {error}"))
    }

    fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    fn json(status: u16, body: &Value) -> Self {
        Self::empty(status).header("content-type", "application/json").body(&body.to_string())
    }

    fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    fn body(self, body: &str) -> Self {
        Self { body: body.into(), ..self }
    }
}

fn documented_body(status: u16, number: u64) -> Option<Value> {
    match status {
        UNAUTHORIZED => Some(json!({
            "type": format!("{ERRORS}#unauthorized"),
            "title": "Invalid credentials supplied",
            "detail": "You did not provide correct credentials.",
            "instance": format!("{number:032x}"),
        })),
        NOT_ENABLED => Some(json!({
            "type": format!("{ERRORS}#forbidden"),
            "title": "Conversion has not been enabled for your account",
        })),
        MISSING | MALFORMED | INVALID => Some(json!({
            "type": format!("{ERRORS}#3"),
            "title": "Invalid parameters. The value of one or more parameters is invalid.",
            "resolution": "Check your parameters and try again.",
        })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::post;

    fn keys(status: u16) -> Vec<String> {
        let response = Response::with_status(status, 10);
        assert_eq!(response.headers, [("content-type", "application/json".to_owned())], "{status}");
        let body: Value = serde_json::from_str(&response.body).unwrap();
        body.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn documented_statuses_have_their_bodies() {
        assert_eq!(keys(401), ["detail", "instance", "title", "type"]);
        assert_eq!(keys(402), ["title", "type"]);
        for status in [420, 422, 423] {
            assert_eq!(keys(status), ["resolution", "title", "type"], "{status}");
        }
    }

    #[test]
    fn success_has_the_body_ok_and_undocumented_statuses_have_none() {
        assert_eq!(Response::with_status(200, 1).body, "OK");
        for status in [202, 204, 302, 404, 405, 429, 500, 503] {
            assert_eq!(Response::with_status(status, 1).body, "", "{status}");
        }
    }

    #[test]
    fn retry_after_is_sent_if_given() {
        assert_eq!(Response::throttled(30).headers, [("retry-after", "30".to_owned())]);
        assert_eq!(Response::unavailable(Some(5)).headers, [("retry-after", "5".to_owned())]);
        assert_eq!(Response::unavailable(None).headers, []);
    }

    #[test]
    fn an_echo_contains_every_form_of_the_secret() {
        let header = ("authorization", "Basic YWJjZDEyMzQ6czNjcmV0");
        let echo = Response::echo(401, &post("/?api_secret=s%33cret&sig=ab", &[header]));
        for form in ["s%33cret", "api_secret=s3cret", "sig=ab", "Basic YWJjZDEyMzQ6czNjcmV0", "abcd1234:s3cret"] {
            assert!(echo.body.contains(form), "{form}");
        }
    }
}
