//! What can be wrong with a request, and the status of the response in each case.

/// The credentials are missing or wrong.
pub(crate) const UNAUTHORIZED: u16 = 401;
/// Conversions are not enabled for the account.
pub(crate) const NOT_ENABLED: u16 = 402;
/// A required parameter is missing.
pub(crate) const MISSING: u16 = 420;
/// The request has a form that the service's documentation does not define.
pub(crate) const MALFORMED: u16 = 422;
/// A parameter has an invalid value.
pub(crate) const INVALID: u16 = 423;

/// A status and the sentence that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) status: u16,
    pub(crate) sentence: String,
}

impl Violation {
    pub(crate) fn new(status: u16, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into() }
    }
}
