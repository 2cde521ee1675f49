//! An outbox in memory. Its contents do not outlive the process, and its operations never wait for a disk.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    Claims, Completion, Counters, Disposition, Entry, Event, EventKind, Key, MAX_EVENTS, Outbox, Overflow, Snapshot,
    check_event_id, full_error, next_event_id, oldest_share, unix_milliseconds,
};
use crate::clock::Moment;
use crate::conversion::Conversion;
use crate::error::Error;

/// How many reports one call checks for their age.
const EXPIRY_BATCH_SIZE: usize = 1000;

/// The last event id of any outbox in memory. A forked child, whose outbox starts empty, continues from it.
static LAST_EVENT_ID: AtomicI64 = AtomicI64::new(0);

/// Reports in memory.
pub(crate) struct MemoryOutbox {
    max_pending: u64,
    overflow: Overflow,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pending: BTreeMap<u64, Entry>,
    keys: HashMap<Key, u64>,
    claims: Claims,
    total_claimed: usize,
    /// Oldest first, so ids increase.
    events: VecDeque<Event>,
    counters: Counters,
}

impl MemoryOutbox {
    pub(crate) fn new(max_pending: u64, overflow: Overflow) -> Self {
        Self { max_pending, overflow, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Removes a pending report without counting it.
    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.pending.remove(&id)?;
        self.keys.remove(&entry.key());
        Some(entry)
    }

    fn make_event(&mut self, id: u64, kind: EventKind, http_status: Option<u16>, message: String) {
        let Some(entry) = self.remove(id) else {
            return;
        };
        self.counters.count(kind);
        let mut id = 0;
        let next = |last| {
            id = next_event_id(last);
            Some(id)
        };
        LAST_EVENT_ID.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).ok();
        let created_unix_ms = unix_milliseconds();
        let conversion = entry.conversion;
        self.events.push_back(Event { id, created_unix_ms, kind, http_status, conversion, message });
        if u64::try_from(self.events.len()).is_ok_and(|count| count > MAX_EVENTS) {
            self.events.pop_front();
            self.counters.events_discarded = self.counters.events_discarded.saturating_add(1);
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(id) = self.pending.keys().next().copied() {
            self.make_event(id, EventKind::Dropped, None, EventKind::Dropped.message().to_owned());
        }
    }
}

impl Outbox for MemoryOutbox {
    fn put(&self, conversion: &Conversion) -> Result<bool, Error> {
        let submitted = Moment::now();
        let key = (conversion.channel, conversion.message_id.clone());
        let mut state = self.state();
        let mut has_dropped = false;
        if let Some(earlier) = state.keys.get(&key).copied() {
            state.remove(earlier);
            state.counters.replaced = state.counters.replaced.saturating_add(1);
        } else if state.counters.pending() >= self.max_pending {
            match self.overflow {
                Overflow::Fail => return Err(full_error(self.max_pending)),
                Overflow::DropOldest => {
                    state.drop_oldest();
                    has_dropped = true;
                }
            }
        }
        state.counters.submitted = state.counters.submitted.saturating_add(1);
        let id = state.counters.submitted;
        state.pending.insert(id, Entry { id, conversion: conversion.clone(), submitted });
        state.keys.insert(key, id);
        Ok(has_dropped)
    }

    fn claim(&self, limit: usize, skip: &dyn Fn(u64) -> bool) -> Result<Vec<Entry>, Error> {
        let mut state = self.state();
        let oldest = oldest_share(state.total_claimed, limit);
        let State { pending, claims, .. } = &mut *state;
        let mut entries: Vec<Entry> = Vec::new();
        for entry in pending.values() {
            if entries.len() >= oldest {
                break;
            }
            if !skip(entry.id) && claims.add(entry) {
                entries.push(entry.clone());
            }
        }
        for entry in pending.values().rev() {
            if entries.len() >= limit {
                break;
            }
            if !skip(entry.id) && claims.add(entry) {
                entries.push(entry.clone());
            }
        }
        state.total_claimed = state.total_claimed.wrapping_add(entries.len());
        Ok(entries)
    }

    fn release(&self, ids: &[u64]) {
        let mut state = self.state();
        ids.iter().for_each(|id| state.claims.remove(*id));
    }

    fn complete(&self, batch: &[Completion]) -> Result<(), Error> {
        let mut state = self.state();
        for Completion { id, disposition } in batch {
            state.claims.remove(*id);
            match disposition {
                Disposition::Accepted if state.remove(*id).is_some() => {
                    state.counters.accepted = state.counters.accepted.saturating_add(1);
                }
                Disposition::Accepted => {}
                Disposition::Event(kind, http_status, message) => {
                    state.make_event(*id, *kind, *http_status, message.clone());
                }
            }
        }
        Ok(())
    }

    fn expire(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Error> {
        let mut state = self.state();
        // If the clock was set, the order is not the order of age.
        let oldest = state.pending.values().take(EXPIRY_BATCH_SIZE).filter(|entry| is_too_old(&entry.submitted));
        let expired: Vec<u64> = oldest.map(|entry| entry.id).collect();
        let unclaimed: Vec<u64> = expired.into_iter().filter(|id| !state.claims.contains(*id)).collect();
        for id in &unclaimed {
            state.make_event(*id, EventKind::Expired, None, EventKind::Expired.message().to_owned());
        }
        Ok(unclaimed.len())
    }

    fn oldest_event(&self) -> Result<Option<Event>, Error> {
        Ok(self.state().events.front().cloned())
    }

    fn acknowledge(&self, event_id: i64) -> Result<(), Error> {
        check_event_id(event_id, LAST_EVENT_ID.load(Ordering::SeqCst))?;
        let mut state = self.state();
        if let Ok(position) = state.events.binary_search_by_key(&event_id, |event| event.id) {
            state.events.remove(position);
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Snapshot, Error> {
        let state = self.state();
        let events = u64::try_from(state.events.len()).unwrap_or(u64::MAX);
        let oldest = state.pending.values().next().map(|entry| entry.submitted);
        Ok(Snapshot { counters: Counters { events, ..state.counters }, oldest })
    }

    fn has_events(&self) -> Result<bool, Error> {
        Ok(!self.state().events.is_empty())
    }

    fn last(&self) -> Result<u64, Error> {
        Ok(self.state().counters.submitted)
    }

    fn is_done_up_to(&self, id: u64) -> Result<bool, Error> {
        Ok(self.state().pending.keys().next().is_none_or(|oldest| *oldest > id))
    }

    fn try_become_sender(&self) -> Result<bool, Error> {
        Ok(true)
    }

    fn step_down(&self) {}

    fn watch(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn clear_watch(&self) -> bool {
        false
    }

    fn is_watching(&self) -> bool {
        true
    }

    fn resets(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversion::{Channel, MessageId};

    fn put(outbox: &MemoryOutbox, id: &str) {
        let message_id = MessageId::new(id).unwrap();
        outbox.put(&Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }).unwrap();
    }

    #[test]
    fn acknowledge_removes_only_that_event() {
        let outbox = MemoryOutbox::new(1, Overflow::DropOldest);
        (0..4).for_each(|number| put(&outbox, &number.to_string()));
        let first = outbox.oldest_event().unwrap().unwrap();
        assert_eq!((outbox.oldest_event().unwrap().unwrap(), first.kind), (first.clone(), EventKind::Dropped));
        assert_eq!(outbox.snapshot().unwrap().counters.events, 3);
        outbox.acknowledge(first.id).unwrap();
        outbox.acknowledge(first.id).unwrap();
        let second = outbox.oldest_event().unwrap().unwrap();
        assert!(second.id > first.id && second.conversion.message_id.as_str() == "1");
        assert!(outbox.acknowledge(7).is_err());
        assert_eq!(outbox.snapshot().unwrap().counters.events, 2);
    }

    #[test]
    fn oldest_event_beyond_the_limit_is_discarded_and_counted() {
        let outbox = MemoryOutbox::new(1, Overflow::DropOldest);
        (0..MAX_EVENTS + 3).for_each(|number| put(&outbox, &number.to_string()));
        let counters = outbox.snapshot().unwrap().counters;
        assert_eq!((counters.events, counters.events_discarded, counters.dropped), (MAX_EVENTS, 2, MAX_EVENTS + 2));
        assert_eq!(outbox.oldest_event().unwrap().unwrap().conversion.message_id.as_str(), "2");
    }
}
