//! What goes back: a status, and the body that the service's documents give it.

use serde_json::{Value, json};

use crate::query::decode;
use crate::request::Request;
use crate::violation::{INVALID, MALFORMED, MISSING, NOT_ENABLED, UNAUTHORIZED};

const THROTTLED: u16 = 429;
const UNAVAILABLE: u16 = 503;
const ERRORS: &str = "https://developer.nexmo.com/api-errors";

/// A complete answer, still free of any HTTP library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The status as the service would send it: with its documented body, or with none.
    ///
    /// `number` tells apart the 401 answers of one run, as `instance` does for the service.
    pub(crate) fn of(status: u16, number: u64) -> Self {
        match status {
            200 => Self::empty(200).with("content-type", "text/plain").saying("OK"),
            300..=399 => Self::empty(status).with("location", "/moved"),
            405 => Self::empty(405).with("allow", "POST"),
            _ => document(status, number).map_or_else(|| Self::empty(status), |body| Self::json(status, &body)),
        }
    }

    /// 429 with the wait it asks for.
    pub(crate) fn throttled(seconds: u32) -> Self {
        Self::empty(THROTTLED).with("retry-after", seconds)
    }

    /// 503, with a wait if one is given.
    pub(crate) fn unavailable(seconds: Option<u32>) -> Self {
        let answer = Self::empty(UNAVAILABLE);
        seconds.into_iter().fold(answer, |answer, seconds| answer.with("retry-after", seconds))
    }

    /// A careless server: it repeats all it was sent where a reader expects its message, plain and decoded.
    pub(crate) fn echo(status: u16, request: &Request) -> Self {
        let authorization = request.authorizations().collect::<Vec<_>>().join(" ");
        let title = format!("{authorization} {}", request.target);
        let basic = request.basic().map(|basic| format!("{}:{}", basic.key, basic.secret)).unwrap_or_default();
        let detail = format!("{basic} {}", decode(&request.target).unwrap_or_default());
        Self::json(status, &json!({ "type": ERRORS, "title": title, "error_title": title, "detail": detail }))
    }

    /// 500, since the request could not be put on record.
    pub(crate) fn unrecorded(error: &std::io::Error) -> Self {
        Self::empty(500)
            .with("content-type", "text/plain")
            .saying(&format!("The sandbox cannot write its log: {error}"))
    }

    fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    fn json(status: u16, body: &Value) -> Self {
        Self::empty(status).with("content-type", "application/json").saying(&body.to_string())
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    fn saying(self, body: &str) -> Self {
        Self { body: body.into(), ..self }
    }
}

fn document(status: u16, number: u64) -> Option<Value> {
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
        let answer = Answer::of(status, 10);
        assert_eq!(answer.headers, [("content-type", "application/json".to_owned())], "{status}");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        body.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn documented_statuses_have_their_documents() {
        assert_eq!(keys(401), ["detail", "instance", "title", "type"]);
        assert_eq!(keys(402), ["title", "type"]);
        for status in [420, 422, 423] {
            assert_eq!(keys(status), ["resolution", "title", "type"], "{status}");
        }
    }

    #[test]
    fn success_says_ok_and_all_else_says_nothing() {
        assert_eq!(Answer::of(200, 1).body, "OK");
        for status in [202, 204, 302, 404, 405, 429, 500, 503] {
            assert_eq!(Answer::of(status, 1).body, "", "{status}");
        }
    }

    #[test]
    fn waits_are_told_when_there_are_any() {
        assert_eq!(Answer::throttled(30).headers, [("retry-after", "30".to_owned())]);
        assert_eq!(Answer::unavailable(Some(5)).headers, [("retry-after", "5".to_owned())]);
        assert_eq!(Answer::unavailable(None).headers, []);
    }

    #[test]
    fn an_echo_holds_every_form_of_the_secret() {
        let header = ("authorization", "Basic YWJjZDEyMzQ6czNjcmV0");
        let echo = Answer::echo(401, &post("/?api_secret=s%33cret&sig=ab", &[header]));
        for form in ["s%33cret", "api_secret=s3cret", "sig=ab", "Basic YWJjZDEyMzQ6czNjcmV0", "abcd1234:s3cret"] {
            assert!(echo.body.contains(form), "{form}");
        }
    }
}
