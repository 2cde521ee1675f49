//! No connection to a file crosses a fork: a child would inherit SQLite's notes of which locks it holds, and not the
//! locks. So before a fork every outbox is closed, between two transactions; both sides open it again at its next use.

use std::any::Any;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::file;
use super::store::Store;
use crate::fork;

/// The outboxes of this process.
static STORES: Mutex<Stores> = Mutex::new(Stores { all: Vec::new(), is_known: false });

struct Stores {
    all: Vec<Weak<Store>>,
    /// Whether forks know that there is something to close.
    is_known: bool,
}

/// Has forks close `store`.
pub(super) fn register(store: &Arc<Store>) {
    let mut stores = lock();
    if !stores.is_known {
        // Forks take their own locks before this one, but not before they know of it.
        fork::hold_during_forks(close_all);
        stores.is_known = true;
    }
    stores.all.retain(|other| other.strong_count() > 0);
    stores.all.push(Arc::downgrade(store));
}

/// All outboxes, closed for as long as this lives.
struct Closed {
    stores: Vec<Arc<Store>>,
    process: u32,
    registered: MutexGuard<'static, Stores>,
    _opening: MutexGuard<'static, ()>,
}

fn close_all() -> Box<dyn Any> {
    let registered = lock();
    let stores = registered.all.iter().filter_map(Weak::upgrade).collect::<Vec<_>>();
    stores.iter().for_each(|store| store.close_for_fork());
    Box::new(Closed { stores, process: process::id(), registered, _opening: file::no_opening() })
}

impl Drop for Closed {
    fn drop(&mut self) {
        let stores = std::mem::take(&mut self.stores);
        if self.process == process::id() {
            stores.iter().for_each(|store| store.go_on_after_fork());
        } else {
            // The parent's, with locks inside that nobody here will ever release. The child makes its own.
            self.registered.all.clear();
            std::mem::forget(stores);
        }
    }
}

fn lock() -> MutexGuard<'static, Stores> {
    STORES.lock().unwrap_or_else(PoisonError::into_inner)
}
