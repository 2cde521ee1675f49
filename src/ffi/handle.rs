//! Handles are identifiers, not addresses: numbers that are passed as pointers and never reused. The library detects a
//! handle that was freed or was never valid, and never accesses memory through it.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard};

use super::c_string::null;
use super::call::{CallError, call, perform};
use super::result::nexmo_result;
use super::status::{NEXMO_ERR_INTERNAL, NEXMO_ERR_INVALID_HANDLE, NEXMO_OK, nexmo_status};
use crate::outcome::Acceptance;
use crate::sync::Mutex;

/// The first handle. Some runtimes reject small numbers as pointers. For example, Go terminates a program that holds a
/// pointer below 4096.
const FIRST: u64 = 65_536;

/// One more than the last handle. Every handle fits into a pointer, a double and, where pointers have 4 bytes, an
/// `int`.
const END: u64 = if size_of::<usize>() == 8 { 1 << 46 } else { 1 << 31 };

/// The next handle. All tables share it, so no handle is valid in two tables.
static NEXT: AtomicU64 = AtomicU64::new(FIRST);

/// The valid handles, each with its object. The lock of the table is not held during I/O.
pub(super) struct Table<T: 'static> {
    entries: Mutex<Entries<T>>,
    next: &'static AtomicU64,
}

type Entries<T> = BTreeMap<u64, Arc<T>>;

impl<T> Table<T> {
    /// Creates an empty table. The owner must ensure that the forking thread holds [`Table::lock`] during a fork;
    /// otherwise the table could stay locked forever in the child.
    pub(super) const fn new() -> Self {
        Self { entries: Mutex::new(BTreeMap::new()), next: &NEXT }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        self.entries.lock()
    }

    /// Creates a handle for `value`.
    pub(super) fn insert(&self, value: T) -> Result<u64, CallError> {
        let next = |next: u64| (next < END).then(|| next.saturating_add(1));
        let handle = self.next.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        let handle = handle.map_err(|_| CallError::new(NEXMO_ERR_INTERNAL, "no handle is left in this process"))?;
        self.lock().insert(handle, Arc::new(value));
        Ok(handle)
    }

    /// Returns the object of `handle`.
    pub(super) fn get(&self, handle: u64) -> Result<Arc<T>, CallError> {
        self.lock().get(&handle).map(Arc::clone).ok_or_else(invalid)
    }

    /// Makes `handle` invalid. Its object lives until the last call that uses the object returns.
    pub(super) fn remove(&self, handle: u64) -> Result<Arc<T>, CallError> {
        self.lock().remove(&handle).ok_or_else(invalid)
    }

    /// Implements an exported `..._new`: calls `make` and writes the handle, or NULL on failure, to `output`, the
    /// parameter called `name`.
    ///
    /// # Safety
    ///
    /// `output` and `result` are NULL or meet the requirements of the header.
    pub(super) unsafe fn new_handle<H>(
        &self,
        name: &str,
        output: *mut *mut H,
        result: *mut nexmo_result,
        make: impl FnOnce() -> Result<T, CallError>,
    ) -> nexmo_status {
        if !output.is_null() {
            // SAFETY: guaranteed by the caller.
            unsafe { output.write_unaligned(ptr::null_mut()) };
        }
        let work = || {
            if output.is_null() {
                return Err(null(name));
            }
            let handle = self.insert(make()?)?;
            let pointer = ptr::without_provenance_mut(usize::try_from(handle).unwrap_or_default());
            // SAFETY: guaranteed by the caller.
            unsafe { output.write_unaligned(pointer) };
            Ok(nexmo_result::ok())
        };
        // SAFETY: guaranteed by the caller.
        unsafe { call(result, Acceptance::No, || {}, work) }
    }

    /// Implements an exported `..._free`: makes the handle invalid and calls `end` to cancel calls in progress. Does
    /// nothing for NULL.
    pub(super) fn free<H>(&self, handle: *const H, end: impl FnOnce(&T)) -> nexmo_status {
        if handle.is_null() {
            return NEXMO_OK;
        }
        let work = || self.remove(number(handle)).map(|value| end(&value)).map(|()| nexmo_result::ok());
        perform(Acceptance::No, || {}, work).status
    }
}

/// Returns the number of a handle.
pub(super) fn number<H>(handle: *const H) -> u64 {
    u64::try_from(handle.addr()).unwrap_or(0)
}

fn invalid() -> CallError {
    CallError::new(NEXMO_ERR_INVALID_HANDLE, "the handle is NULL, was freed, or is not a handle for this function")
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Table<&str> = Table::new();

    #[test]
    fn a_handle_identifies_its_value_until_it_is_removed_and_is_not_reused() {
        let first = TABLE.insert("first").ok().unwrap();
        let second = TABLE.insert("second").ok().unwrap();
        assert!(first >= 65_536 && second > first);
        assert_eq!((*TABLE.get(first).ok().unwrap(), *TABLE.get(second).ok().unwrap()), ("first", "second"));
        assert_eq!(*TABLE.remove(first).ok().unwrap(), "first");
        assert!(TABLE.remove(first).is_err() && TABLE.get(first).is_err());
        assert!(TABLE.get(second).is_ok());
        assert!(TABLE.insert("third").ok().unwrap() > second);
    }

    #[test]
    fn a_handle_of_one_table_is_invalid_in_another() {
        static OTHER: Table<u8> = Table::new();
        let handle = TABLE.insert("mine").ok().unwrap();
        let other = OTHER.insert(1).ok().unwrap();
        assert!(OTHER.get(handle).is_err() && TABLE.get(other).is_err());
    }

    #[test]
    fn a_number_that_was_never_a_handle_is_invalid() {
        for number in [0, 1, 4096, 1 << 30, 1 << 40, u64::MAX] {
            assert_eq!(TABLE.get(number).err().unwrap().status, NEXMO_ERR_INVALID_HANDLE);
        }
    }

    #[test]
    fn no_handle_is_created_when_the_numbers_are_used_up() {
        static NEARLY_ALL: AtomicU64 = AtomicU64::new(END - 1);
        let table: Table<u8> = Table { next: &NEARLY_ALL, ..Table::new() };
        assert_eq!(table.insert(1).ok().unwrap(), END - 1);
        assert!(table.insert(2).is_err() && table.insert(3).is_err());
    }
}
