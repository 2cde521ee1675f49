//! A callback that receives the record of each request, for tests that make too many requests to keep all records.

use std::fmt;
use std::sync::Arc;

use crate::record::Record;

/// A function that the sandbox calls with the record of each request, one at a time and in order, before it sends the
/// response.
///
/// While the function runs, the sandbox handles no other request.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Record) + Send + Sync>);

impl Observer {
    /// Creates an observer that calls `on_request` with each record.
    pub fn new(on_request: impl Fn(&Record) + Send + Sync + 'static) -> Self {
        Self(Arc::new(on_request))
    }

    pub(crate) fn on_request(&self, record: &Record) {
        (self.0)(record);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Observer")
    }
}
