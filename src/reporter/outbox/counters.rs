//! Counts reports by disposition.

use super::event::EventKind;
use crate::clock::Moment;

/// The number of reports ever submitted to an outbox, and the numbers of reports by disposition. Each report has at
/// most one disposition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) submitted: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) expired: u64,
    pub(crate) replaced: u64,
    pub(crate) dropped: u64,
    /// Reports that were removed because they could not be read back, or that the outbox lost.
    pub(crate) damaged: u64,
    /// Events waiting to be acknowledged.
    pub(crate) events: u64,
    /// Events discarded before they were acknowledged, because there were too many or they could not be read.
    pub(crate) events_discarded: u64,
}

impl Counters {
    /// Returns the number of reports without a disposition.
    pub(crate) fn pending(&self) -> u64 {
        let completed = [self.accepted, self.rejected, self.expired, self.replaced, self.dropped, self.damaged];
        completed.iter().fold(self.submitted, |pending, count| pending.saturating_sub(*count))
    }

    /// Counts one report that became an event.
    pub(crate) fn count(&mut self, kind: EventKind) {
        let counter = match kind {
            EventKind::Rejected => &mut self.rejected,
            EventKind::Expired => &mut self.expired,
            EventKind::Dropped => &mut self.dropped,
        };
        *counter = counter.saturating_add(1);
    }
}

/// The state of an outbox at one point in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) counters: Counters,
    /// The time at which the oldest pending report was submitted.
    pub(crate) oldest: Option<Moment>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_is_counted_once() {
        let mut counters = Counters { submitted: 10, accepted: 2, replaced: 1, damaged: 1, ..Counters::default() };
        for kind in [EventKind::Rejected, EventKind::Expired, EventKind::Dropped, EventKind::Dropped] {
            counters.count(kind);
        }
        assert_eq!((counters.rejected, counters.expired, counters.dropped, counters.pending()), (1, 1, 2, 2));
    }
}
