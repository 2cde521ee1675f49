//! Validates the parameters of an authenticated request.

use std::collections::BTreeSet;

use crate::authentication::Authentication;
use crate::query::Query;
use crate::request::Request;
use crate::timestamp::{is_date_and_time, is_unix_seconds};
use crate::violation::{INVALID, MALFORMED, MISSING, Violation};

const KNOWN: [&str; 6] = ["api_key", "api_secret", "delivered", "message-id", "sig", "timestamp"];
const REQUIRED: [&str; 2] = ["message-id", "delivered"];
const MAX_MESSAGE_ID_LENGTH: usize = 256;

/// Returns every violation; the first decides the status.
pub(crate) fn violations(request: &Request) -> Vec<Violation> {
    let mut violations = missing(&request.query);
    violations.extend(invalid(request));
    violations.extend(malformed(request));
    violations
}

fn missing(query: &Query) -> Vec<Violation> {
    let absent = REQUIRED.into_iter().filter(|name| query.count(name) == 0);
    absent.map(|name| Violation::new(MISSING, format!("{name} is missing."))).collect()
}

fn invalid(request: &Request) -> Vec<Violation> {
    let query = &request.query;
    let sentences = [
        query.get("message-id").and_then(invalid_message_id),
        query.get("delivered").and_then(invalid_delivered),
        query.get("timestamp").and_then(|text| invalid_timestamp(text, Authentication::of(request))),
    ];
    sentences.into_iter().flatten().map(|sentence| Violation::new(INVALID, sentence)).collect()
}

fn invalid_message_id(text: &str) -> Option<String> {
    match text.len() {
        0 => Some("message-id is empty.".into()),
        1..=MAX_MESSAGE_ID_LENGTH => None,
        length => Some(format!("message-id has {length} bytes; the limit is {MAX_MESSAGE_ID_LENGTH}.")),
    }
}

fn invalid_delivered(text: &str) -> Option<String> {
    let valid = ["true", "false", "1", "0"].contains(&text);
    (!valid).then(|| format!("delivered is '{text}'; it must be true, false, 1 or 0."))
}

fn invalid_timestamp(text: &str, authentication: Authentication) -> Option<String> {
    let signed = authentication == Authentication::Signature;
    let valid = is_date_and_time(text) || (signed && is_unix_seconds(text));
    let form = if signed { "'yyyy-MM-dd HH:mm:ss' or in UNIX seconds" } else { "'yyyy-MM-dd HH:mm:ss'" };
    (!valid).then(|| format!("timestamp is '{text}'; it must be a valid time in the form {form}."))
}

fn malformed(request: &Request) -> Vec<Violation> {
    let mut sentences = undecodable(&request.query);
    sentences.extend(repeated(&request.query));
    sentences.extend(unknown(&request.query));
    sentences.extend(key_in_two_places(request));
    sentences.extend(request.has_body.then(|| "The request has a body.".to_owned()));
    sentences.into_iter().map(|sentence| Violation::new(MALFORMED, sentence)).collect()
}

fn undecodable(query: &Query) -> Vec<String> {
    let undecodable = query.pairs.iter().filter(|pair| pair.name.is_none() || pair.value.is_none());
    undecodable
        .map(|pair| format!("{} is not percent-encoded UTF-8.", pair.name.as_deref().unwrap_or("A name")))
        .collect()
}

fn repeated(query: &Query) -> Vec<String> {
    let repeated = names(query).into_iter().filter(|name| query.count(name) > 1);
    repeated.map(|name| format!("{name} is given {} times.", query.count(name))).collect()
}

fn unknown(query: &Query) -> Vec<String> {
    let unknown = names(query).into_iter().filter(|name| !KNOWN.contains(name));
    unknown.map(|name| format!("'{name}' is not a parameter of the service.")).collect()
}

/// Reports an `api_key` in the query of a request with an `Authorization` header. The header also contains a key, and
/// the two could differ.
fn key_in_two_places(request: &Request) -> Option<String> {
    let both = request.query.count("api_key") > 0 && request.authorizations().next().is_some();
    both.then(|| "api_key is given in the query and in the Authorization header.".into())
}

fn names(query: &Query) -> BTreeSet<&str> {
    query.pairs.iter().filter_map(|pair| pair.name.as_deref()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::post;

    fn of(query: &str) -> Vec<Violation> {
        violations(&post(&format!("/?{query}"), &[]))
    }

    fn statuses(query: &str) -> Vec<u16> {
        of(query).iter().map(|violation| violation.status).collect()
    }

    #[test]
    fn valid_reports_have_no_violation() {
        for delivered in ["true", "false", "1", "0"] {
            assert_eq!(of(&format!("message-id=x&delivered={delivered}")), []);
        }
        assert_eq!(of("api_key=a&api_secret=b&message-id=x&delivered=1&timestamp=2020-01-01%2012%3A00:00"), []);
        assert_eq!(of("message-id=x&delivered=1&timestamp=2020-01-01+12:00:00"), []);
        assert_eq!(of(&format!("delivered=1&message-id={}", "x".repeat(256))), []);
    }

    #[test]
    fn each_required_parameter_is_checked() {
        assert_eq!(of("delivered=1"), [Violation::new(420, "message-id is missing.")]);
        assert_eq!(of("message-id=x"), [Violation::new(420, "delivered is missing.")]);
        assert_eq!(statuses(""), [420, 420]);
    }

    #[test]
    fn each_value_is_checked() {
        assert_eq!(of("message-id=&delivered=1"), [Violation::new(423, "message-id is empty.")]);
        assert_eq!(statuses(&format!("delivered=1&message-id={}", "x".repeat(257))), [423]);
        assert_eq!(statuses(&format!("delivered=1&message-id={}", "%C3%A5".repeat(129))), [423]);
        for delivered in ["", "TRUE", "yes", "2", "%201"] {
            assert_eq!(statuses(&format!("message-id=x&delivered={delivered}")), [423], "{delivered}");
        }
        assert_eq!(statuses("message-id=x&delivered=1&timestamp="), [423]);
        assert_eq!(statuses("message-id=x&delivered=1&timestamp=2020-02-30%2012:00:00"), [423]);
    }

    #[test]
    fn unix_seconds_are_valid_in_signed_requests_only() {
        assert_eq!(statuses("message-id=x&delivered=1&timestamp=1577880000"), [423]);
        assert_eq!(of("message-id=x&delivered=1&timestamp=1577880000&sig=00"), []);
    }

    #[test]
    fn queries_that_the_service_does_not_define_are_malformed() {
        assert_eq!(of("message-id=x&delivered=1&delivered=1"), [Violation::new(422, "delivered is given 2 times.")]);
        assert_eq!(of("message-id=x&delivered=1&a=b"), [Violation::new(422, "'a' is not a parameter of the service.")]);
        assert_eq!(of("message-id=%ff&delivered=1"), [Violation::new(422, "message-id is not percent-encoded UTF-8.")]);
        assert_eq!(of("message-id=x&delivered=1&%=b"), [Violation::new(422, "A name is not percent-encoded UTF-8.")]);
        assert_eq!(statuses("message-id=x&delivered=1&"), [422]);
        assert_eq!(statuses("Message-Id=x&message-id=x&delivered=1"), [422]);
    }

    #[test]
    fn a_body_and_a_second_key_are_malformed() {
        let mut request = post("/?message-id=x&delivered=1&api_key=k", &[("authorization", "Basic azpz")]);
        request.has_body = true;
        assert_eq!(violations(&request).iter().map(|violation| violation.status).collect::<Vec<_>>(), [422, 422]);
    }

    #[test]
    fn missing_parameters_are_reported_before_invalid_and_invalid_before_malformed_ones() {
        assert_eq!(statuses("delivered=no&a=b"), [420, 423, 422]);
    }
}
