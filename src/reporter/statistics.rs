//! How many reports there were, and what became of them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Reporter;
use super::shared::{LastError, State};
use crate::clock::Moment;
use crate::error::Error;

/// How many reports there were, and what became of them. They are counted by the outbox, over all that ever used it.
///
/// `accepted` is the sum of `sent`, `refused`, `expired`, `replaced`, `dropped` and `pending`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// Accepted by `submit`.
    pub accepted: u64,
    /// Taken by the service.
    pub sent: u64,
    /// Refused by the service.
    pub refused: u64,
    /// Grown older than the age limit.
    pub expired: u64,
    /// Replaced by a later report for the same message.
    pub replaced: u64,
    /// Dropped, because the outbox was full.
    pub dropped: u64,
    /// Still to be sent.
    pub pending: u64,
    /// Set aside, and waiting to be fetched by `poll`.
    pub aside: u64,
    /// Set aside and forgotten before they were fetched, because there were too many.
    pub forgotten: u64,
    /// How many outbox files were damaged or removed while this reporter used them, and replaced by new ones.
    pub outboxes_lost: u64,
    /// How often the outbox could not be read or written in the background.
    pub outbox_errors: u64,
    /// How long ago the oldest pending report was accepted.
    pub oldest_pending: Option<Duration>,
    /// How many are being sent by this reporter at this moment.
    pub under_way: usize,
    /// What this reporter is doing.
    pub state: State,
    /// What last went wrong in the background.
    pub last_error: Option<LastError>,
}

impl Reporter {
    /// How many reports there were, and what became of them.
    ///
    /// # Errors
    ///
    /// The kinds of the outbox.
    pub fn statistics(&self) -> Result<Statistics, Error> {
        let running = self.running()?;
        self.start(running);
        let inventory = running.outbox.inventory()?;
        let (told, tally) = (running.shared.told(), inventory.tally);
        let is_closed = self.is_closed.load(Ordering::SeqCst);
        Ok(Statistics {
            accepted: tally.accepted,
            sent: tally.sent,
            refused: tally.refused,
            expired: tally.expired,
            replaced: tally.replaced,
            dropped: tally.dropped,
            pending: tally.pending(),
            aside: tally.aside,
            forgotten: tally.forgotten,
            outboxes_lost: running.outbox.lost(),
            outbox_errors: told.outbox_errors,
            oldest_pending: inventory.oldest.map(|oldest| Moment::now().since(&oldest)),
            under_way: running.senders.load().under_way,
            state: if is_closed { State::Closed } else { told.state },
            last_error: told.last_error,
        })
    }
}
