//! What goes out: reports are taken and given to the senders, as many as the gate lets through.

use std::time::Instant;

use super::{PAUSE, Worker};
use crate::client;
use crate::clock::{Moment, after};
use crate::error::{Error, Kind};
use crate::outcome::Outcome;
use crate::reporter::outbox::{Entry, EventKind, Fate, Settlement};

/// The most reports that were sent and could not be taken out of the outbox. With more, nothing is sent.
const MOST_UNSETTLED: usize = 10_000;

/// How many times as many are taken as can be under way, so that no sender waits for the outbox while answers are gathered.
/// What is newer goes out before them all the same.
const AHEAD: usize = 8;

impl Worker {
    /// Takes reports as long as more may be under way; no fewer than `least` while all senders have enough to do.
    pub(super) fn refill(&mut self, least: usize) {
        let now = Instant::now();
        let load = self.senders.load();
        let width = self.breaker.width(now).min(self.connections);
        // As long as the gate is not wide open, it says how many may be under way at all.
        let is_wide_open = width == self.connections && !self.breaker.is_probing();
        let room = if is_wide_open { width.saturating_mul(AHEAD) } else { width };
        let wanted = room.saturating_sub(load.queued).saturating_sub(load.in_flight).saturating_sub(load.answered);
        let has_room = wanted > 0 && self.unsettled.len() < MOST_UNSETTLED && now >= self.take_due;
        self.signals.want_reports(has_room);
        if !has_room || is_wide_open && wanted < least {
            return;
        }
        match self.take(wanted, now) {
            Ok(entries) if entries.is_empty() => self.find_none(now),
            Ok(entries) => {
                if self.send(entries) >= wanted {
                    // What comes next is found when there is room again, which the answers tell.
                    self.signals.want_reports(false);
                }
            }
            Err(error) => self.take_due = self.outbox_failed(error),
        }
    }

    /// Takes reports that do not rest. A probe is one without troubles, if there is one.
    fn take(&self, wanted: usize, now: Instant) -> Result<Vec<Entry>, Error> {
        if self.breaker.is_probing() {
            let entries = self.outbox.take(wanted, &|id| self.breaker.has_failed(id))?;
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
        self.outbox.take(wanted, &|id| self.breaker.rests(id, now))
    }

    /// Has all sent that are not too old. Tells how many.
    fn send(&mut self, entries: Vec<Entry>) -> usize {
        let (moment, limit) = (Moment::now(), self.max_age);
        let (old, entries): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| moment.since(&entry.submitted) > limit);
        let fate = Fate::Event(EventKind::Expired, None, EventKind::Expired.message().to_owned());
        self.unsettled.extend(old.iter().map(|entry| Settlement { id: entry.id, fate: fate.clone() }));
        entries.iter().for_each(|entry| self.breaker.goes_out(entry.id));
        let count = entries.len();
        let Err((unsent, error)) = self.senders.send(entries) else {
            return count;
        };
        self.note(&Outcome::unsent(Error::new(Kind::System, error.to_string())));
        unsent.iter().for_each(|entry| self.breaker.came_back(entry.id));
        self.outbox.release(&unsent.iter().map(|entry| entry.id).collect::<Vec<_>>());
        self.take_due = after(Instant::now(), PAUSE);
        count.saturating_sub(unsent.len())
    }

    /// There is nothing to send now. While suspended that settles whether it is one report's fault: there is no other to ask.
    fn find_none(&mut self, now: Instant) {
        self.breaker.found_none(now, client::random());
        // Reports have been wanted since before they were looked for, so that none is missed.
        self.waits_for_another = self.breaker.is_in_doubt();
        if self.is_suspension_in_doubt {
            self.note_probe(now);
        }
    }
}
