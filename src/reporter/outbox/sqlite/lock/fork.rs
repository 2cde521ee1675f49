//! No connection to a file crosses a fork: a child would inherit SQLite's notes of which locks it holds, and not the
//! locks. So before a fork every outbox is closed, between two transactions; both sides open it again at its next use.

use std::any::Any;
use std::process;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::os::fork;
use crate::reporter::outbox::sqlite::connection::Store;
use crate::reporter::outbox::sqlite::file;

/// The outboxes of this process.
static STORES: Mutex<Vec<Weak<Store>>> = Mutex::new(Vec::new());

/// Has forks close `store`.
pub(crate) fn register(store: &Arc<Store>) {
    static IS_KNOWN: AtomicBool = AtomicBool::new(false);
    fork::hold_during_forks_once(&IS_KNOWN, close_all);
    let mut stores = lock();
    stores.retain(|other| other.strong_count() > 0);
    stores.push(Arc::downgrade(store));
}

/// All outboxes, closed for as long as this lives.
struct Closed {
    stores: Vec<Arc<Store>>,
    process: u32,
    registered: MutexGuard<'static, Vec<Weak<Store>>>,
    _opening: MutexGuard<'static, ()>,
}

fn close_all() -> Box<dyn Any> {
    let registered = lock();
    let stores = registered.iter().filter_map(Weak::upgrade).collect::<Vec<_>>();
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
            self.registered.clear();
            std::mem::forget(stores);
        }
    }
}

fn lock() -> MutexGuard<'static, Vec<Weak<Store>>> {
    STORES.lock().unwrap_or_else(PoisonError::into_inner)
}
