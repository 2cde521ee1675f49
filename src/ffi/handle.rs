//! Handles are tickets: a number that is never used twice, in the guise of a pointer. A ticket that was given back, or never
//! given out, is found out and refused; nothing behind it can be touched.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Refusal;
use super::status::{NEXMO_ERR_HANDLE, NEXMO_ERR_INTERNAL, NEXMO_ERR_NULL, NEXMO_OK, nexmo_status};
use super::structs::nexmo_result;
use super::tell::{if_sound, tell_done};
use crate::guard::guard;

/// One more than the last ticket: half of the numbers that 32 bits hold, so that it is positive as any kind of integer.
const TICKETS: u32 = 1 << 31;

/// The last ticket that was given out, of any table: a ticket of one is none of another.
static LAST: AtomicU32 = AtomicU32::new(0);

/// The tickets that are out, and what each stands for. Its lock is held for a look and no longer.
pub(crate) struct Table<T: 'static> {
    entries: Mutex<BTreeMap<u32, Arc<T>>>,
    last: &'static AtomicU32,
}

type Entries<T> = BTreeMap<u32, Arc<T>>;

impl<T> Table<T> {
    /// An empty table. Whoever has one sees to it that [`Table::lock`] is held during forks, or a child might find it locked
    /// for ever.
    pub(crate) const fn new() -> Self {
        Self { entries: Mutex::new(BTreeMap::new()), last: &LAST }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new ticket for `value`.
    pub(crate) fn insert<H>(&self, value: T) -> Result<*mut H, Refusal> {
        let last = self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| {
            last.checked_add(1).filter(|next| *next < TICKETS)
        });
        let ticket = last.map(|last| last.saturating_add(1));
        let ticket = ticket
            .map_err(|_| Refusal::new(NEXMO_ERR_INTERNAL, "2147483647 handles were made, and there are no more"))?;
        self.lock().insert(ticket, Arc::new(value));
        Ok(ptr::without_provenance_mut(usize::try_from(ticket).unwrap_or_default()))
    }

    /// What the ticket `handle` stands for.
    pub(crate) fn get<H>(&self, handle: *const H) -> Result<Arc<T>, Refusal> {
        let found = ticket(handle).and_then(|ticket| self.lock().get(&ticket).map(Arc::clone));
        found.ok_or_else(refused)
    }

    /// Takes the ticket `handle` back. What it stood for lives until the last call that uses it is over.
    pub(crate) fn remove<H>(&self, handle: *const H) -> Result<Arc<T>, Refusal> {
        let found = ticket(handle).and_then(|ticket| self.lock().remove(&ticket));
        found.ok_or_else(refused)
    }

    /// The work of an exported `..._new`: has `make` make something, and writes its ticket to `place`, the parameter of that
    /// `name`. NULL stands there if anything is refused.
    ///
    /// # Safety
    ///
    /// `place` and `result` are NULL or point to what the header asks for.
    pub(crate) unsafe fn tell_new<H>(
        &self,
        name: &str,
        place: *mut *mut H,
        result: *mut nexmo_result,
        make: impl FnOnce() -> Result<T, Refusal>,
    ) -> nexmo_status {
        if !place.is_null() {
            // SAFETY: the caller's promise.
            unsafe { place.write_unaligned(ptr::null_mut()) };
        }
        let work = || {
            if place.is_null() {
                return Err(Refusal::new(NEXMO_ERR_NULL, format!("{name} is NULL: give a place for the handle")));
            }
            let ticket = self.insert(make()?)?;
            // SAFETY: the caller's promise.
            unsafe { place.write_unaligned(ticket) };
            Ok(())
        };
        // SAFETY: the caller's promise.
        unsafe { tell_done(result, work, || {}) }
    }

    /// The work of an exported `..._free`: takes the ticket back, if it is not NULL, and has `end` end what is under way.
    pub(crate) fn free<H>(&self, handle: *const H, end: impl FnOnce(&T)) -> nexmo_status {
        if handle.is_null() {
            return NEXMO_OK;
        }
        match guard(|| if_sound().and_then(|()| self.remove(handle)).map(|value| end(&value))) {
            Some(Ok(())) => NEXMO_OK,
            Some(Err(refusal)) => refusal.status,
            None => NEXMO_ERR_INTERNAL,
        }
    }
}

fn ticket<H>(handle: *const H) -> Option<u32> {
    u32::try_from(handle.addr()).ok()
}

fn refused() -> Refusal {
    Refusal::new(NEXMO_ERR_HANDLE, "the handle is NULL, was freed, or never was one")
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Table<&str> = Table::new();

    #[test]
    fn a_ticket_stands_for_its_value_until_it_is_given_back() {
        let first: *mut u8 = TABLE.insert("first").ok().unwrap();
        let second: *mut u8 = TABLE.insert("second").ok().unwrap();
        assert_ne!(first, second);
        assert_eq!((*TABLE.get(first).ok().unwrap(), *TABLE.get(second).ok().unwrap()), ("first", "second"));
        assert_eq!(*TABLE.remove(first).ok().unwrap(), "first");
        assert!(TABLE.remove(first).is_err() && TABLE.get(first).is_err());
        assert!(TABLE.get(second).is_ok());
        let third: *mut u8 = TABLE.insert("third").ok().unwrap();
        assert_ne!(first, third);
    }

    #[test]
    fn a_ticket_of_one_table_is_none_of_another() {
        static OTHER: Table<u8> = Table::new();
        let handle: *mut u8 = TABLE.insert("mine").ok().unwrap();
        let other: *mut u8 = OTHER.insert(1).ok().unwrap();
        assert!(OTHER.get(handle).is_err() && TABLE.get(other).is_err());
    }

    #[test]
    fn what_never_was_a_ticket_is_refused() {
        for number in [0, 1 << 30, usize::MAX, 1 << 40] {
            let handle: *const u8 = ptr::without_provenance(number);
            assert_eq!(TABLE.get(handle).err().unwrap().status, NEXMO_ERR_HANDLE);
        }
    }

    #[test]
    fn when_the_tickets_are_used_up_there_are_no_more() {
        static NEARLY_ALL: AtomicU32 = AtomicU32::new(TICKETS - 2);
        let table: Table<u8> = Table { last: &NEARLY_ALL, ..Table::new() };
        let last: *mut u8 = table.insert(1).ok().unwrap();
        assert_eq!(last.addr(), (1 << 31) - 1);
        assert!(table.insert::<u8>(2).is_err() && table.insert::<u8>(3).is_err());
    }
}
