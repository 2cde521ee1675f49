//! An outbox in memory: nothing in it outlives the process, and nothing it does waits for a disk.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::outbox::{
    Aside, Entry, Fate, Inventory, Key, MOST_ASIDE, Outbox, Reason, Settlement, Taken, Tally, WhenFull, full,
    oldest_share,
};
use crate::clock::Moment;
use crate::conversion::Conversion;
use crate::error::Error;

/// How many reports are looked at in one go for being too old.
const EXPIRED_AT_ONCE: usize = 1000;

/// Reports in memory.
pub(crate) struct MemoryOutbox {
    most: u64,
    when_full: WhenFull,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pending: BTreeMap<u64, Entry>,
    keys: HashMap<Key, u64>,
    taken: Taken,
    taken_ever: usize,
    aside: VecDeque<Aside>,
    tally: Tally,
}

impl MemoryOutbox {
    pub(crate) fn new(most: u64, when_full: WhenFull) -> Self {
        Self { most, when_full, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a pending report out of everything but the tally.
    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.pending.remove(&id)?;
        self.keys.remove(&entry.key());
        Some(entry)
    }

    fn set_aside(&mut self, id: u64, reason: Reason, http_status: Option<u16>, message: String) {
        let Some(entry) = self.remove(id) else {
            return;
        };
        self.tally.count(reason);
        self.aside.push_back(Aside { conversion: entry.conversion, reason, http_status, message });
        if u64::try_from(self.aside.len()).is_ok_and(|count| count > MOST_ASIDE) {
            self.aside.pop_front();
            self.tally.forgotten = self.tally.forgotten.saturating_add(1);
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(id) = self.pending.keys().next().copied() {
            self.set_aside(id, Reason::Dropped, None, Reason::Dropped.told().to_owned());
        }
    }
}

impl Outbox for MemoryOutbox {
    fn put(&self, conversion: &Conversion) -> Result<bool, Error> {
        let accepted = Moment::now();
        let key = (conversion.channel, conversion.message_id.clone());
        let mut state = self.state();
        let mut has_dropped = false;
        if let Some(earlier) = state.keys.get(&key).copied() {
            state.remove(earlier);
            state.tally.replaced = state.tally.replaced.saturating_add(1);
        } else if state.tally.pending() >= self.most {
            match self.when_full {
                WhenFull::Refuse => return Err(full(self.most)),
                WhenFull::DropOldest => {
                    state.drop_oldest();
                    has_dropped = true;
                }
            }
        }
        state.tally.accepted = state.tally.accepted.saturating_add(1);
        let id = state.tally.accepted;
        state.pending.insert(id, Entry { id, conversion: conversion.clone(), accepted });
        state.keys.insert(key, id);
        Ok(has_dropped)
    }

    fn take(&self, limit: usize, skip: &dyn Fn(u64) -> bool) -> Result<Vec<Entry>, Error> {
        let mut state = self.state();
        let oldest = oldest_share(state.taken_ever, limit);
        let State { pending, taken, .. } = &mut *state;
        let mut entries: Vec<Entry> = Vec::new();
        for entry in pending.values() {
            if entries.len() >= oldest {
                break;
            }
            if !skip(entry.id) && taken.add(entry) {
                entries.push(entry.clone());
            }
        }
        for entry in pending.values().rev() {
            if entries.len() >= limit {
                break;
            }
            if !skip(entry.id) && taken.add(entry) {
                entries.push(entry.clone());
            }
        }
        state.taken_ever = state.taken_ever.wrapping_add(entries.len());
        Ok(entries)
    }

    fn release(&self, ids: &[u64]) {
        let mut state = self.state();
        ids.iter().for_each(|id| state.taken.remove(*id));
    }

    fn settle(&self, batch: &[Settlement]) -> Result<(), Error> {
        let mut state = self.state();
        for Settlement { id, fate } in batch {
            state.taken.remove(*id);
            match fate {
                Fate::Sent if state.remove(*id).is_some() => state.tally.sent = state.tally.sent.saturating_add(1),
                Fate::Sent => {}
                Fate::Aside(reason, http_status, message) => {
                    state.set_aside(*id, *reason, *http_status, message.clone());
                }
            }
        }
        Ok(())
    }

    fn expire(&self, is_too_old: &dyn Fn(&Moment) -> bool) -> Result<usize, Error> {
        let mut state = self.state();
        // Not in the order of their age, where the clock was set in between.
        let oldest = state.pending.values().take(EXPIRED_AT_ONCE).filter(|entry| is_too_old(&entry.accepted));
        let old: Vec<u64> = oldest.map(|entry| entry.id).collect();
        let free: Vec<u64> = old.into_iter().filter(|id| !state.taken.holds(*id)).collect();
        for id in &free {
            state.set_aside(*id, Reason::Expired, None, Reason::Expired.told().to_owned());
        }
        Ok(free.len())
    }

    fn fetch_aside(&self) -> Result<Option<Aside>, Error> {
        Ok(self.state().aside.pop_front())
    }

    fn inventory(&self) -> Result<Inventory, Error> {
        let state = self.state();
        let aside = u64::try_from(state.aside.len()).unwrap_or(u64::MAX);
        let oldest = state.pending.values().next().map(|entry| entry.accepted);
        Ok(Inventory { tally: Tally { aside, ..state.tally }, oldest })
    }

    fn has_aside(&self) -> Result<bool, Error> {
        Ok(!self.state().aside.is_empty())
    }

    fn last(&self) -> Result<u64, Error> {
        Ok(self.state().tally.accepted)
    }

    fn is_done_up_to(&self, id: u64) -> Result<bool, Error> {
        Ok(self.state().pending.keys().next().is_none_or(|oldest| *oldest > id))
    }

    fn lead(&self) -> Result<bool, Error> {
        Ok(true)
    }

    fn resign(&self) {}

    fn watch(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn hush(&self) -> bool {
        false
    }

    fn notices(&self) -> bool {
        true
    }

    fn lost(&self) -> u64 {
        0
    }
}
