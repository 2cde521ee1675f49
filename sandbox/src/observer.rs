//! Somebody who hears of each request, for tests that must not keep them all.

use std::fmt;
use std::sync::Arc;

use crate::record::Record;

/// Called with the record of each request, one after the other in the order in which they are judged, before the answer.
/// It holds up all others for as long as it lasts.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(&Record) + Send + Sync>);

impl Listener {
    /// A listener that does `hear` with each record.
    pub fn new(hear: impl Fn(&Record) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    pub(crate) fn hear(&self, record: &Record) {
        (self.0)(record);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Listener")
    }
}
