//! What is kept of one request: the same for the log file and for a test.

use serde::Serialize;

use crate::authentication::Authentication;
use crate::redact::Mask;
use crate::request::{Channel, Request, Scheme};
use crate::signature::SignatureMethod;
use crate::validator::Verdict;

/// One request and how it was answered, without any secret. As JSON it is one line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// When the request was judged: UTC, RFC 3339 with milliseconds.
    pub at: String,
    /// Which listener took it.
    pub scheme: Scheme,
    /// The connection it came on; the first since the start is 1.
    pub connection: u64,
    /// The method as received.
    pub method: String,
    /// The request target as received, but for secrets, which are shown as `***`.
    pub target: String,
    /// Names (in lower case) and values in the order received; credentials are shown as `Basic ***`.
    pub headers: Vec<(String, String)>,
    /// What the path names, if it is one of the service's.
    pub channel: Option<Channel>,
    /// The key of the caller, from the query or the Basic header.
    pub api_key: Option<String>,
    /// The `message-id`, decoded.
    pub message_id: Option<String>,
    /// `delivered` as it was written.
    pub delivered: Option<String>,
    /// `timestamp`, decoded.
    pub timestamp: Option<String>,
    /// The way the caller tried to prove who it is, successful or not.
    pub authentication: Authentication,
    /// The method of the signature, once it is verified.
    pub signature_method: Option<SignatureMethod>,
    /// The status of the answer.
    pub status: u16,
    /// What was wrong with the request, a sentence each; empty if nothing was.
    pub faults: Vec<String>,
}

impl Record {
    pub(crate) fn new(at: String, request: &Request, verdict: &Verdict, mask: &Mask) -> Self {
        let parameter = |name| request.query.get(name).map(|value| mask.text(value));
        let header = |(name, value): &(String, String)| (name.clone(), mask.header(name, value));
        Self {
            at,
            scheme: request.scheme,
            connection: request.connection,
            method: mask.text(&request.method),
            target: mask.target(&request.target),
            headers: request.headers.iter().map(header).collect(),
            channel: verdict.channel,
            api_key: request.api_key().map(|key| mask.text(&key)),
            message_id: parameter("message-id"),
            delivered: parameter("delivered"),
            timestamp: parameter("timestamp"),
            authentication: Authentication::of(request),
            signature_method: verdict.signature_method,
            status: verdict.answer.status,
            faults: verdict.faults.iter().map(|sentence| mask.text(sentence)).collect(),
        }
    }
}
