//! A store in memory. Its contents are lost when the process ends, and its operations do not access the disk.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::counters::{Counters, Snapshot};
use super::event;
use super::event::{Event, EventKind, MAX_EVENTS};
use super::store::{Completion, Disposition, Entry, Found, Key, Order, Overflow, Search, Store, full_error};
use crate::clock::Moment;
use crate::conversion::Conversion;
use crate::error::Error;
use crate::os::wakeup::Noticed;
use crate::sync::Mutex;

/// The last event id of any outbox in memory. In a forked child, the outbox starts empty, and its ids continue from
/// this one.
static LAST_EVENT_ID: AtomicI64 = AtomicI64::new(0);

/// The reports and events of an outbox in memory.
pub(crate) struct MemoryStore {
    max_pending: u64,
    overflow: Overflow,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pending: BTreeMap<u64, Entry>,
    keys: Keys,
    /// The events in the order of their ids, which `remove_event` requires.
    events: VecDeque<Event>,
    counters: Counters,
}

/// The ids of the pending reports by key, in 256 maps. Submits wait while a map grows, and a single map of a million
/// keys would take a few hundred milliseconds.
#[derive(Default)]
struct Keys(BTreeMap<u8, HashMap<Key, u64>>);

impl Keys {
    /// Returns the map that may contain a key.
    fn map(&mut self, key: &Key) -> &mut HashMap<Key, u64> {
        // The ids of messages often differ only at the end.
        let end = key.1.as_str().bytes().rev().take(8);
        self.0.entry(end.fold(0, |hash: u8, byte| hash.wrapping_mul(31).wrapping_add(byte))).or_default()
    }
}

impl MemoryStore {
    pub(crate) fn new(max_pending: u64, overflow: Overflow) -> Self {
        Self { max_pending, overflow, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// Removes a pending report without counting it.
    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.pending.remove(&id)?;
        let key = entry.key();
        self.keys.map(&key).remove(&key);
        Some(entry)
    }

    /// Removes a report and records its disposition, if the report still exists.
    fn complete(&mut self, id: u64, disposition: &Disposition) {
        let Some(entry) = self.remove(id) else {
            return;
        };
        match disposition {
            Disposition::Accepted => self.counters.accepted = self.counters.accepted.saturating_add(1),
            Disposition::Event(kind, http_status, message) => {
                self.counters.count(*kind);
                let mut id = 0;
                let next = |last| {
                    id = event::next_id(last);
                    Some(id)
                };
                LAST_EVENT_ID.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).ok();
                self.events.push_back(Event {
                    id,
                    created_unix_ms: event::unix_milliseconds(),
                    kind: *kind,
                    http_status: *http_status,
                    conversion: entry.conversion,
                    message: message.clone(),
                });
                if u64::try_from(self.events.len()).is_ok_and(|count| count > MAX_EVENTS) {
                    self.events.pop_front();
                    self.counters.events_discarded = self.counters.events_discarded.saturating_add(1);
                }
            }
        }
    }
}

impl Store for MemoryStore {
    fn put(&self, conversion: &Conversion) -> Result<bool, Error> {
        let submitted = Moment::now();
        let key = (conversion.channel, conversion.message_id.clone());
        let mut state = self.state();
        let state = &mut *state;
        let is_full = state.counters.pending() >= self.max_pending;
        let has_dropped = is_full && !state.keys.map(&key).contains_key(&key);
        if has_dropped {
            match self.overflow {
                Overflow::Fail => return Err(full_error(self.max_pending)),
                Overflow::DropOldest => {
                    if let Some(oldest) = state.pending.keys().next().copied() {
                        state.complete(oldest, &Disposition::event(EventKind::Dropped));
                    }
                }
            }
        }
        state.counters.submitted = state.counters.submitted.saturating_add(1);
        let id = state.counters.submitted;
        if let Some(earlier) = state.keys.map(&key).insert(key, id) {
            state.pending.remove(&earlier);
            state.counters.replaced = state.counters.replaced.saturating_add(1);
        }
        state.pending.insert(id, Entry { id, conversion: conversion.clone(), submitted });
        Ok(has_dropped)
    }

    fn find(&self, search: Search, is_wanted: &dyn Fn(u64) -> bool) -> Result<Found, Error> {
        let state = self.state();
        let mut found = Found::default();
        let in_order: Box<dyn Iterator<Item = &Entry>> = match search.order {
            Order::OldestFirst => {
                let first = search.after.map_or(0, |id| id.saturating_add(1));
                Box::new(state.pending.range(first..).map(|(_, entry)| entry))
            }
            Order::NewestFirst => {
                let end = search.after.unwrap_or(u64::MAX);
                Box::new(state.pending.range(..end).rev().map(|(_, entry)| entry))
            }
        };
        for entry in in_order.take(usize::try_from(search.max_examined).unwrap_or(usize::MAX)) {
            if found.entries.len() >= search.limit {
                break;
            }
            found.last = Some(entry.id);
            if is_wanted(entry.id) {
                found.entries.push(entry.clone());
            }
        }
        Ok(found)
    }

    fn complete(&self, batch: &[Completion]) -> Result<(), Error> {
        let mut state = self.state();
        batch.iter().for_each(|completion| state.complete(completion.id, &completion.disposition));
        Ok(())
    }

    fn oldest_event(&self) -> Result<Option<Event>, Error> {
        Ok(self.state().events.front().cloned())
    }

    fn last_event_id(&self) -> Result<i64, Error> {
        Ok(LAST_EVENT_ID.load(Ordering::SeqCst))
    }

    fn remove_event(&self, id: i64) -> Result<(), Error> {
        let mut state = self.state();
        if let Ok(position) = state.events.binary_search_by_key(&id, |event| event.id) {
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

    fn oldest(&self) -> Result<Option<Moment>, Error> {
        Ok(self.snapshot()?.oldest)
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

    fn clear_watch(&self) -> Noticed {
        Noticed::default()
    }

    fn is_notified(&self) -> bool {
        true
    }

    fn clear_opened(&self) -> bool {
        false
    }

    fn was_opened(&self) -> bool {
        false
    }

    fn danger(&self) -> Option<Error> {
        None
    }

    fn shrink(&self, _: Duration, _: Instant) {
        // Other threads can submit between two maps.
        for index in 0..=u8::MAX {
            if let Some(map) = self.state().keys.0.get_mut(&index) {
                map.shrink_to_fit();
            }
        }
        self.state().events.shrink_to_fit();
    }

    fn resets(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversion::{Channel, MessageId};

    fn put(store: &MemoryStore, id: &str) {
        let message_id = MessageId::new(id).unwrap();
        store.put(&Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }).unwrap();
    }

    #[test]
    fn no_map_of_keys_is_large() {
        let store = MemoryStore::new(20_000, Overflow::Fail);
        (0..20_000).for_each(|number| put(&store, &format!("{number:032x}")));
        let lengths: Vec<usize> = store.state().keys.0.values().map(HashMap::len).collect();
        assert_eq!(lengths.iter().sum::<usize>(), 20_000);
        assert!(lengths.iter().all(|length| *length < 400), "{lengths:?}");
    }

    #[test]
    fn remove_event_removes_only_the_event_with_that_id() {
        let store = MemoryStore::new(1, Overflow::DropOldest);
        (0..4).for_each(|number| put(&store, &number.to_string()));
        let first = store.oldest_event().unwrap().unwrap();
        assert_eq!((store.oldest_event().unwrap().unwrap(), first.kind), (first.clone(), EventKind::Dropped));
        assert_eq!(store.snapshot().unwrap().counters.events, 3);
        store.remove_event(first.id).unwrap();
        store.remove_event(first.id).unwrap();
        let second = store.oldest_event().unwrap().unwrap();
        assert!(second.id > first.id && second.conversion.message_id.as_str() == "1");
        assert_eq!(store.snapshot().unwrap().counters.events, 2);
    }

    #[test]
    fn oldest_event_beyond_the_limit_is_discarded_and_counted() {
        let store = MemoryStore::new(1, Overflow::DropOldest);
        (0..MAX_EVENTS + 3).for_each(|number| put(&store, &number.to_string()));
        let counters = store.snapshot().unwrap().counters;
        assert_eq!((counters.events, counters.events_discarded, counters.dropped), (MAX_EVENTS, 2, MAX_EVENTS + 2));
        assert_eq!(store.oldest_event().unwrap().unwrap().conversion.message_id.as_str(), "2");
    }
}
