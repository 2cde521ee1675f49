//! The record of one request, for the log and for tests.

use serde::Serialize;

use crate::authentication::Authentication;
use crate::redact::Redactor;
use crate::request::{Channel, Request, Scheme};
use crate::signature::SignatureMethod;
use crate::validator::Outcome;

/// One request and its response, without secrets. Each line of the log is a record in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The time at which the request was received: in UTC, in the format of RFC 3339, with milliseconds.
    pub at: String,
    /// The scheme of the listener that received the request.
    pub scheme: Scheme,
    /// The number of the connection, counted from 1.
    pub connection: u64,
    /// The method as received.
    pub method: String,
    /// The request target as received, with secrets replaced by `***`.
    pub target: String,
    /// The headers, with names in lower case and with secrets replaced by `***`.
    pub headers: Vec<(String, String)>,
    /// The channel that the path names, if the path is valid.
    pub channel: Option<Channel>,
    /// The API key, from the query or the Basic header.
    pub api_key: Option<String>,
    /// The decoded `message-id`.
    pub message_id: Option<String>,
    /// The decoded `delivered`.
    pub delivered: Option<String>,
    /// The decoded `timestamp`.
    pub timestamp: Option<String>,
    /// How the request authenticates, whether or not its credentials are valid.
    pub authentication: Authentication,
    /// The method of the signature, if the signature is valid.
    pub signature_method: Option<SignatureMethod>,
    /// The status of the response.
    pub status: u16,
    /// Sentences that say what is wrong with the request, or that a rule chose the response or closed the connection.
    pub violations: Vec<String>,
}

impl Record {
    pub(crate) fn new(at: String, request: &Request, outcome: &Outcome, redactor: &Redactor) -> Self {
        let parameter = |name| request.query.get(name).map(|value| redactor.text(value));
        let header = |(name, value): &(String, String)| (name.clone(), redactor.header(name, value));
        Self {
            at,
            scheme: request.scheme,
            connection: request.connection,
            method: redactor.text(&request.method),
            target: redactor.target(&request.target),
            headers: request.headers.iter().map(header).collect(),
            channel: outcome.channel,
            api_key: request.api_key().map(|key| redactor.text(&key)),
            message_id: parameter("message-id"),
            delivered: parameter("delivered"),
            timestamp: parameter("timestamp"),
            authentication: Authentication::of(request),
            signature_method: outcome.signature_method,
            status: outcome.response.status,
            violations: outcome.violations.iter().map(|sentence| redactor.text(sentence)).collect(),
        }
    }
}
