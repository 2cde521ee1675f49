//! Holds values that each forked child must create for itself.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

/// The number of forks, with fork handlers, between the process that loaded the library and this one.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Abandons the values of all [`PerProcess`] in the child of a fork.
pub(super) fn begin_generation() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
}

/// A value that each process creates for itself.
///
/// A value that was abandoned by a fork or by [`PerProcess::abandon`] is neither used nor freed, because it may
/// contain locks that stay locked forever, or inconsistent data. Such a value stays reachable until its `PerProcess`
/// is dropped, so leak checkers do not report it.
pub(crate) struct PerProcess<T> {
    newest: AtomicPtr<Link<T>>,
}

struct Link<T> {
    value: T,
    generation: u64,
    is_abandoned: AtomicBool,
    older: *mut Link<T>,
}

// SAFETY: one thread may create a value and another drop it, for which `T` is `Send`; threads otherwise access values
// only by shared reference, for which `T` is `Sync`.
unsafe impl<T: Send + Sync> Sync for PerProcess<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Send for PerProcess<T> {}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { newest: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Returns the value of this process, creating it with `make` if there is none yet. If several threads create a
    /// value at once, the first one is used and the others are dropped.
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        let newest = self.newest.load(Ordering::SeqCst);
        match self.usable(newest) {
            Some(value) => value,
            None => self.add(newest, make()),
        }
    }

    /// Returns the value of this process, if there is one.
    pub(crate) fn get(&self) -> Option<&T> {
        self.usable(self.newest.load(Ordering::SeqCst))
    }

    /// Abandons the value of this process. The next call of [`PerProcess::get_or_make`] creates a new value.
    pub(crate) fn abandon(&self) {
        // SAFETY: the pointer is null or refers to a published link, which lives as long as `self`.
        if let Some(link) = unsafe { self.newest.load(Ordering::SeqCst).as_ref() } {
            link.is_abandoned.store(true, Ordering::Release);
        }
    }

    fn usable(&self, link: *mut Link<T>) -> Option<&T> {
        // SAFETY: the pointer is null or refers to a published link, which lives as long as `self`.
        unsafe { link.as_ref() }.filter(|link| link.is_usable()).map(|link| &link.value)
    }

    fn add(&self, older: *mut Link<T>, value: T) -> &T {
        let generation = GENERATION.load(Ordering::Acquire);
        let link = Box::into_raw(Box::new(Link { value, generation, is_abandoned: AtomicBool::new(false), older }));
        match self.newest.compare_exchange(older, link, Ordering::SeqCst, Ordering::SeqCst) {
            // SAFETY: the link was just published, and lives as long as `self`.
            Ok(_) => unsafe { &(*link).value },
            Err(newest) => {
                // SAFETY: the link was just created from a box and not published.
                let own = unsafe { Box::from_raw(link) };
                match self.usable(newest) {
                    Some(value) => value,
                    None => self.add(newest, own.value),
                }
            }
        }
    }
}

impl<T> Link<T> {
    fn is_usable(&self) -> bool {
        self.generation == GENERATION.load(Ordering::Acquire) && !self.is_abandoned.load(Ordering::Acquire)
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let mut link = *self.newest.get_mut();
        // SAFETY: links come from boxes, and no other references to them exist. The first abandoned link and all older
        // ones are kept.
        while !link.is_null() && unsafe { (*link).is_usable() } {
            // SAFETY: as above.
            link = unsafe { Box::from_raw(link) }.older;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_value_is_created_once_and_dropped_with_its_owner() {
        let value = Arc::new(());
        let per_process = PerProcess::new();
        per_process.get_or_make(|| Arc::clone(&value));
        per_process.get_or_make(|| panic!("get_or_make created a second value"));
        assert!(per_process.get().is_some());
        drop(per_process);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn an_abandoned_value_is_created_again_and_never_dropped() {
        let (first, second) = (Arc::new(1), Arc::new(2));
        let per_process = PerProcess::new();
        assert_eq!(**per_process.get_or_make(|| Arc::clone(&first)), 1);
        per_process.abandon();
        assert!(per_process.get().is_none());
        assert_eq!(**per_process.get_or_make(|| Arc::clone(&second)), 2);
        drop(per_process);
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 1));
    }
}
