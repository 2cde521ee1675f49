//! Closes the open outboxes before a fork, because a child that inherited the open files would share its parent's
//! locks on them. Files are closed between two transactions. The parent and the child open them again when they next
//! use them.

use std::any::Any;
use std::process;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, MutexGuard, Weak};

use super::busy_timeout::set_fork_waiting;
use crate::os::fork;
use crate::reporter::outbox::sqlite::database::Database;
use crate::sync::Mutex;

/// The outboxes of this process.
static DATABASES: Mutex<Vec<Weak<Database>>> = Mutex::new(Vec::new());

/// Registers `database` to be closed before each fork.
pub(crate) fn register(database: &Arc<Database>) {
    static IS_REGISTERED: AtomicBool = AtomicBool::new(false);
    fork::hold_during_forks_once(&IS_REGISTERED, close_all);
    let mut databases = lock();
    databases.retain(|other| other.strong_count() > 0);
    databases.push(Arc::downgrade(database));
}

/// A guard that keeps the outboxes closed until it is dropped.
struct Closed {
    databases: Vec<Arc<Database>>,
    process: u32,
    registered: MutexGuard<'static, Vec<Weak<Database>>>,
}

fn close_all() -> Box<dyn Any> {
    set_fork_waiting(true);
    let registered = lock();
    let databases = registered.iter().filter_map(Weak::upgrade).collect::<Vec<_>>();
    databases.iter().for_each(|database| database.close_for_fork());
    set_fork_waiting(false);
    Box::new(Closed { databases, process: process::id(), registered })
}

impl Drop for Closed {
    fn drop(&mut self) {
        let databases = std::mem::take(&mut self.databases);
        if self.process == process::id() {
            databases.iter().for_each(|database| database.resume_after_fork());
        } else {
            // These databases belong to the parent, and no thread of the child can release their locks. The child
            // creates its own databases.
            self.registered.clear();
            std::mem::forget(databases);
        }
    }
}

fn lock() -> MutexGuard<'static, Vec<Weak<Database>>> {
    DATABASES.lock()
}
