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

use std::any::Any;
use std::cell::UnsafeCell;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use std::{io, process, ptr};

use crate::os;
use crate::sync::{Condvar, Mutex};

/// The time that a fork waits for connections that are being opened or closed. A disk that hangs must not prevent the
/// fork.
const MAX_WAIT: Duration = Duration::from_millis(100);

/// The number of forks between the first process that used the library and this one.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The process in which the handlers last ran.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Not 0 in a process that the handlers ran in. Null if the system cannot wipe it in children; then the process id counts,
/// which may be the same in another PID namespace.
static MARK: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

/// The open connections of this process. Its lock is not held while a connection is opened or closed, except in the
/// child of a fork, which has no other thread.
static CONNECTIONS: Mutex<Connections> =
    Mutex::new(Connections { open: Vec::new(), changing: 0, is_fork_waiting: false });

/// Notified when `changing` or `is_fork_waiting` changes while a fork waits.
static CONNECTIONS_CHANGED: Condvar = Condvar::new();

/// Connections, and other files that a child must close.
struct Connections {
    open: Vec<RawFd>,
    /// The number of connections that are being opened or closed.
    changing: usize,
    /// Whether a fork waits until `changing` is 0. Meanwhile, no thread may begin to open or close a connection.
    is_fork_waiting: bool,
}

/// Whether a test has disabled the handlers.
#[cfg(feature = "testing")]
pub(crate) static ARE_DISABLED: AtomicBool = AtomicBool::new(false);

fn are_disabled() -> bool {
    #[cfg(feature = "testing")]
    return ARE_DISABLED.load(Ordering::SeqCst);
    #[cfg(not(feature = "testing"))]
    false
}

/// Acquires one lock, which is released when the box is dropped.
type Acquire = fn() -> Box<dyn Any>;

/// The other locks to hold during a fork.
static LOCKS: Mutex<Vec<Acquire>> = Mutex::new(Vec::new());

/// The locks held during a fork, released in this order.
type Held = (Vec<Box<dyn Any>>, MutexGuard<'static, Connections>, MutexGuard<'static, Vec<Acquire>>);

/// The locks that the forking thread holds. Not a thread-local, because a terminating thread can fork after its
/// thread-locals are destroyed.
struct Keep(UnsafeCell<Option<Held>>);

// SAFETY: only the thread that holds the lock of `LOCKS` accesses the value. In a child, that is the only thread.
unsafe impl Sync for Keep {}

static HELD: Keep = Keep(UnsafeCell::new(None));

/// Installs the fork handlers at load time, so that they run for every fork.
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
    // SAFETY: it is null or refers to a number that lives as long as the process.
    unsafe { MARK.load(Ordering::Acquire).as_ref() }
}

/// Whether this process can use the library: one created without the handlers, by `_Fork` or a raw `clone`, has broken
/// locks.
pub(crate) fn is_sound() -> bool {
    let is_marked = match mark() {
        Some(mark) => mark.load(Ordering::Acquire) != 0,
        None => PROCESS.load(Ordering::Acquire) == process::id(),
    };
    is_marked || are_disabled()
}

/// Runs `work` while no fork can start, so that a child never sees its changes half done.
pub(crate) fn with_no_fork<T>(work: impl FnOnce() -> T) -> T {
    let _locks = LOCKS.lock();
    work()
}

/// Calls `acquire` before each fork, and drops its result after it.
pub(crate) fn hold_during_forks(acquire: Acquire) {
    LOCKS.lock().push(acquire);
}

/// Like [`hold_during_forks`], but does nothing after the first call, which `is_known` records.
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
    let held = (others, wait_for_connections(), locks);
    // SAFETY: the lock of `LOCKS` is held.
    unsafe { *HELD.0.get() = Some(held) };
}

/// Waits until no connection is being opened or closed, for at most [`MAX_WAIT`], and locks the list. A call still
/// in progress after that is most likely blocked in the kernel, before its file has a descriptor to inherit.
fn wait_for_connections() -> MutexGuard<'static, Connections> {
    let mut connections = CONNECTIONS.lock();
    if connections.changing > 0 {
        connections.is_fork_waiting = true;
        let condition = |connections: &mut Connections| connections.changing > 0;
        connections = CONNECTIONS_CHANGED.wait_timeout_while(connections, MAX_WAIT, condition).0;
        connections.is_fork_waiting = false;
        CONNECTIONS_CHANGED.notify_all();
    }
    connections
}

/// Returns the locks acquired before the fork, or None in a process that cannot use the library and acquired no locks.
fn claim_held() -> Option<Held> {
    // SAFETY: only the thread that holds the locks calls this, after a fork.
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
    if let Some((_, mut connections, _)) = claim_held() {
        GENERATION.fetch_add(1, Ordering::AcqRel);
        mark_process();
        connections.changing = 0;
        connections.open.drain(..).for_each(os::close);
    }
}

/// Opens a connection and registers it, so that a child closes it. Its descriptor is never a standard one. A fork waits
/// for the call, but only for [`MAX_WAIT`].
pub(crate) fn open_connection<C>(open: impl FnOnce() -> io::Result<C>) -> io::Result<C>
where
    C: AsRawFd + From<OwnedFd> + Into<OwnedFd>,
{
    let change = Change::begin(|_| {});
    let connection = os::above_standard(open()?)?;
    CONNECTIONS.lock().open.push(connection.as_raw_fd());
    drop(change);
    Ok(connection)
}

/// Closes `descriptor` and removes it from the list. A fork waits for the call, as for [`open_connection`].
pub(crate) fn connection_closed(descriptor: RawFd, close: impl FnOnce()) {
    let _change = Change::begin(|open| open.retain(|other| *other != descriptor));
    close();
}

/// A guard that counts a connection as being opened or closed.
struct Change;

impl Change {
    /// Waits until no fork is waiting, calls `change` with the list of connections and begins the change.
    fn begin(change: impl FnOnce(&mut Vec<RawFd>)) -> Self {
        let mut connections = CONNECTIONS.lock();
        while connections.is_fork_waiting {
            connections = CONNECTIONS_CHANGED.wait(connections);
        }
        change(&mut connections.open);
        connections.changing = connections.changing.saturating_add(1);
        Self
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        let mut connections = CONNECTIONS.lock();
        connections.changing = connections.changing.saturating_sub(1);
        if connections.is_fork_waiting {
            CONNECTIONS_CHANGED.notify_all();
        }
    }
}

/// A value that each process creates for itself.
///
/// A value that was abandoned by a fork or by [`PerProcess::abandon`] is neither used nor freed, because it may contain
/// locks that stay locked forever or inconsistent data. It stays reachable, so that leak checkers do not report it.
pub(crate) struct PerProcess<T> {
    newest: AtomicPtr<Link<T>>,
}

struct Link<T> {
    value: T,
    generation: u64,
    is_abandoned: AtomicBool,
    older: *mut Link<T>,
}

// SAFETY: any thread may create values, but accesses them only by shared reference; the owner of the list drops them.
unsafe impl<T: Send + Sync> Sync for PerProcess<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Send for PerProcess<T> {}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { newest: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Returns the value of this process, creating it with `make` if there is none yet.
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

    /// Abandons the value of this process. The next call creates a new value.
    pub(crate) fn abandon(&self) {
        // SAFETY: a link, once published, lives as long as `self`.
        if let Some(link) = unsafe { self.newest.load(Ordering::SeqCst).as_ref() } {
            link.is_abandoned.store(true, Ordering::Release);
        }
    }

    fn usable(&self, link: *mut Link<T>) -> Option<&T> {
        // SAFETY: a link, once published, lives as long as `self`.
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
        // SAFETY: links come from boxes, and no other reference exists any more. The first abandoned link and all older
        // ones are kept.
        while !link.is_null() && unsafe { (*link).is_usable() } {
            // SAFETY: as above.
            link = unsafe { Box::from_raw(link) }.older;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn an_open_that_hangs_delays_neither_others_nor_a_fork() {
        let ((begin, has_begun), (release, released)) = (channel(), channel::<()>());
        let (end, ended) = channel();
        let hanging = thread::spawn(move || {
            open_connection(|| {
                begin.send(()).unwrap();
                released.recv().ok();
                File::open("/dev/null")
            })
        });
        has_begun.recv().unwrap();
        thread::spawn(move || {
            let file = open_connection(|| File::open("/dev/null")).unwrap();
            connection_closed(file.as_raw_fd(), || ());
            // SAFETY: the child only exits.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: the call ends the child without running code of the parent.
                unsafe { libc::_exit(i32::from(CONNECTIONS.lock().changing > 0)) };
            }
            let mut status = -1;
            // SAFETY: the status outlives the call.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            let after = open_connection(|| File::open("/dev/null")).unwrap();
            connection_closed(after.as_raw_fd(), || ());
            end.send(status).unwrap();
        });
        let status = ended.recv_timeout(Duration::from_secs(60));
        drop(release);
        let file = hanging.join().unwrap().unwrap();
        connection_closed(file.as_raw_fd(), || ());
        assert_eq!(status, Ok(0));
    }

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
