//! One thing wrong with a request, and the status that such a thing earns.

/// The service knows the caller not, or not well enough.
pub(crate) const UNAUTHORIZED: u16 = 401;
/// The account may not report conversions.
pub(crate) const NOT_ENABLED: u16 = 402;
/// A parameter that must be there is not.
pub(crate) const MISSING: u16 = 420;
/// The request is made in a way that the service does not define.
pub(crate) const MALFORMED: u16 = 422;
/// A parameter has a value that it cannot have.
pub(crate) const INVALID: u16 = 423;

/// A status and the sentence that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) sentence: String,
}

impl Fault {
    pub(crate) fn new(status: u16, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into() }
    }
}
