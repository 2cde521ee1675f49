//! Closes every outbox before a fork: a child would inherit SQLite's record of the locks it holds, but not the locks.
//! Files are closed between two transactions, and both processes open them again at the next use.

use std::any::Any;
use std::process;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::os::fork;
use crate::reporter::outbox::sqlite::connection::Store;
use crate::reporter::outbox::sqlite::file;

/// The outboxes of this process.
static STORES: Mutex<Vec<Weak<Store>>> = Mutex::new(Vec::new());

/// Registers `store` to be closed before each fork.
pub(crate) fn register(store: &Arc<Store>) {
    static IS_REGISTERED: AtomicBool = AtomicBool::new(false);
    fork::hold_during_forks_once(&IS_REGISTERED, close_all);
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
    Box::new(Closed { stores, process: process::id(), registered, _opening: file::block_opening() })
}

impl Drop for Closed {
    fn drop(&mut self) {
        let stores = std::mem::take(&mut self.stores);
        if self.process == process::id() {
            stores.iter().for_each(|store| store.resume_after_fork());
        } else {
            // These are the parent's, with locks that no thread of the child will release. The child creates its own.
            self.registered.clear();
            std::mem::forget(stores);
        }
    }
}

fn lock() -> MutexGuard<'static, Vec<Weak<Store>>> {
    STORES.lock().unwrap_or_else(PoisonError::into_inner)
}
