//! Handles forks, so that parent and child can both continue to use the library.
//!
//! A child has one thread, the one that forked, and a copy of all memory. In the child, a lock that another thread held
//! would stay locked forever. Connections are shared with the parent, so data from both processes would mix. Therefore:
//!
//! * the few locks that a child needs are acquired before the fork and released after it in both processes;
//! * the child closes its copies of all connections without sending anything;
//! * everything else that contains locks or connections is a [`PerProcess`]: the child abandons the parent's value and
//!   creates its own.
#![allow(unsafe_code)]

mod connections;
mod per_process;

use std::any::Any;
use std::cell::UnsafeCell;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::{process, ptr};

use self::connections::Connections;
pub(crate) use self::connections::{connection_closed, open_connection};
pub(crate) use self::per_process::PerProcess;
use crate::os;
use crate::sync::Mutex;

/// The id of the process in which [`mark_process`] last ran.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Points to a number that is not 0 in a process in which [`mark_process`] ran. Null if the system cannot reset the
/// number in children. In that case, [`PROCESS`] is used, although a child in another PID namespace can have the same
/// process id.
static MARK: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

/// Whether a test has disabled the handlers.
#[cfg(feature = "testing")]
pub(crate) static ARE_DISABLED: AtomicBool = AtomicBool::new(false);

fn are_disabled() -> bool {
    #[cfg(feature = "testing")]
    return ARE_DISABLED.load(Ordering::SeqCst);
    #[cfg(not(feature = "testing"))]
    false
}

/// A function that acquires a lock and returns a guard in a box. Dropping the box releases the lock.
type Acquire = fn() -> Box<dyn Any>;

/// The functions that acquire the locks of other modules before a fork.
static LOCKS: Mutex<Vec<Acquire>> = Mutex::new(Vec::new());

/// The locks held during a fork, released in this order. Releasing the locks of other modules can close a connection,
/// which needs the lock of the connections.
type Held = (MutexGuard<'static, Connections>, Vec<Box<dyn Any>>, MutexGuard<'static, Vec<Acquire>>);

/// The locks that the forking thread holds. Not a thread-local, because a terminating thread can fork after its
/// thread-locals are destroyed.
struct Keep(UnsafeCell<Option<Held>>);

// SAFETY: in a parent, only the thread that holds the lock of `LOCKS` accesses the value. A child has only one thread.
unsafe impl Sync for Keep {}

static HELD: Keep = Keep(UnsafeCell::new(None));

/// Installs the fork handlers at load time, so that they run for every later call of `fork`.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = watch;

extern "C" fn watch() {
    if let Some(mark) = os::wiped_in_children() {
        MARK.store(ptr::from_ref(mark).cast_mut(), Ordering::Release);
    }
    mark_process();
    os::at_fork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/// Records that this process can use the library.
fn mark_process() {
    PROCESS.store(process::id(), Ordering::Release);
    if let Some(mark) = mark() {
        mark.store(1, Ordering::Release);
    }
}

fn mark() -> Option<&'static AtomicU32> {
    // SAFETY: the pointer is null or refers to a number that lives as long as the process.
    unsafe { MARK.load(Ordering::Acquire).as_ref() }
}

/// Returns whether this process can use the library. It cannot if it was created by `_Fork` or a raw `clone`: these
/// run no fork handlers, so locks of the library may stay locked forever in the new process.
pub(crate) fn is_sound() -> bool {
    let is_marked = match mark() {
        Some(mark) => mark.load(Ordering::Acquire) != 0,
        None => PROCESS.load(Ordering::Acquire) == process::id(),
    };
    is_marked || are_disabled()
}

/// Runs `work` while no fork can start, so that no child inherits only a part of the changes that `work` makes.
pub(crate) fn with_no_fork<T>(work: impl FnOnce() -> T) -> T {
    let _locks = LOCKS.lock();
    work()
}

/// Registers `acquire`, which is called before each fork. Its result is dropped after the fork.
pub(crate) fn hold_during_forks(acquire: Acquire) {
    LOCKS.lock().push(acquire);
}

/// Like [`hold_during_forks`], but does nothing if `is_known` is already set. Sets `is_known`.
pub(crate) fn hold_during_forks_once(is_known: &AtomicBool, acquire: Acquire) {
    let mut locks = LOCKS.lock();
    if !is_known.swap(true, Ordering::AcqRel) {
        locks.push(acquire);
    }
}

extern "C" fn before_fork() {
    if !is_sound() || are_disabled() {
        return;
    }
    let locks = LOCKS.lock();
    let others = locks.iter().map(|acquire| acquire()).collect();
    let held = (connections::lock_for_fork(), others, locks);
    // SAFETY: the lock of `LOCKS` is held.
    unsafe { *HELD.0.get() = Some(held) };
}

/// Returns the locks acquired before the fork, or None if there are none because the process cannot use the library.
fn claim_held() -> Option<Held> {
    // SAFETY: in the parent, this thread holds the lock of `LOCKS`; in the child, it is the only thread.
    unsafe { (*HELD.0.get()).take() }
}

extern "C" fn after_fork_in_parent() {
    if is_sound() && !are_disabled() {
        drop(claim_held());
    }
}

extern "C" fn after_fork_in_child() {
    if are_disabled() {
        return;
    }
    // If the parent acquired no locks, the library stays unusable in the child too.
    if let Some((mut connections, ..)) = claim_held() {
        per_process::begin_generation();
        mark_process();
        connections.close_in_child();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock whose release closes a connection.
    struct Closing;

    impl Drop for Closing {
        fn drop(&mut self) {
            connection_closed(-1, || ());
        }
    }

    #[test]
    fn releasing_a_lock_after_a_fork_can_close_a_connection() {
        mark_process();
        hold_during_forks(|| Box::new(Closing));
        before_fork();
        // SAFETY: this thread holds the lock of `LOCKS`.
        assert!(unsafe { (*HELD.0.get()).is_some() });
        after_fork_in_parent();
    }
}
