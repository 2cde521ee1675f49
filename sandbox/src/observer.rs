//! A callback for each request, for tests with too many requests to keep.

use std::fmt;
use std::sync::Arc;

use crate::record::Record;

/// Called with the record of each request, one at a time and in order, before the response is sent.
///
/// All other requests wait while it runs.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Record) + Send + Sync>);

impl Observer {
    /// An observer that calls `on_request` with each record.
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
