//! The record of one request, as a line of the log and in tests.

use serde::Serialize;

use crate::authentication::Authentication;
use crate::redact::Redactor;
use crate::request::{Channel, Request, Scheme};
use crate::signature::SignatureMethod;
use crate::validator::Outcome;

/// One request and its response, without secrets. Serialized as JSON it is one line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// When the request was received: UTC, RFC 3339 with milliseconds.
    pub at: String,
    /// The listener that it arrived at.
    pub scheme: Scheme,
    /// The number of its connection, counted from 1.
    pub connection: u64,
    /// The method as received.
    pub method: String,
    /// The request target as received, with secrets replaced by `***`.
    pub target: String,
    /// Names (in lower case) and values, in order; Basic credentials are replaced by `Basic ***`.
    pub headers: Vec<(String, String)>,
    /// The channel in the path, if the path is one of the service's.
    pub channel: Option<Channel>,
    /// The API key, from the query or the Basic header.
    pub api_key: Option<String>,
    /// The `message-id`, decoded.
    pub message_id: Option<String>,
    /// `delivered` as received.
    pub delivered: Option<String>,
    /// `timestamp`, decoded.
    pub timestamp: Option<String>,
    /// How the request authenticates, successful or not.
    pub authentication: Authentication,
    /// The method of the signature, if it is valid.
    pub signature_method: Option<SignatureMethod>,
    /// The status of the response.
    pub status: u16,
    /// What is wrong with the request, one sentence each, and whether a rule chose the response.
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
