//! Handles the file size limit of the host program (RLIMIT_FSIZE). A write beyond the limit raises SIGXFSZ, which by
//! default ends the process.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// If the size of files is limited, blocks the signal SIGXFSZ on this thread until the value is dropped, so that a
/// write beyond the limit only returns an error. The library's own threads block all signals anyway.
#[derive(Debug)]
pub(crate) struct WithoutSignal {
    /// The signals that were blocked before; None if this value did not block the signal.
    before: Option<libc::sigset_t>,
    /// Whether the signal was already pending.
    was_pending: bool,
    /// Prevents sending this value to another thread, because each thread blocks signals separately.
    is_not_send: PhantomData<*const ()>,
}

impl WithoutSignal {
    /// Blocks the signal if there is a limit. Without a limit, makes only one system call.
    pub(crate) fn begin() -> Self {
        let mut guard = Self { before: None, was_pending: false, is_not_send: PhantomData };
        if is_limited() {
            guard.was_pending = is_pending();
            let (set, mut before) = (signal(), MaybeUninit::uninit());
            // SAFETY: both sets outlive the call, which initializes `before` if it succeeds.
            if unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, before.as_mut_ptr()) } == 0 {
                // SAFETY: the call succeeded.
                guard.before = Some(unsafe { before.assume_init() });
            }
        }
        guard
    }
}

impl Drop for WithoutSignal {
    fn drop(&mut self) {
        let Some(before) = self.before else {
            return;
        };
        if !self.was_pending && is_pending() {
            let set = signal();
            let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: the set and the time outlive the call, and NULL means that no information about the signal is
            // requested.
            unsafe { libc::sigtimedwait(&raw const set, ptr::null_mut(), &raw const now) };
        }
        // SAFETY: the set outlives the call.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut()) };
    }
}

/// Returns whether the size of files is limited. Returns true if the limit cannot be read.
fn is_limited() -> bool {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: the struct outlives the call, which initializes it if it succeeds.
    unsafe {
        libc::getrlimit(libc::RLIMIT_FSIZE, limit.as_mut_ptr()) != 0
            || limit.assume_init().rlim_cur != libc::RLIM_INFINITY
    }
}

fn is_pending() -> bool {
    let mut pending = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set outlives the call, which initializes it if it succeeds.
    unsafe { libc::sigpending(pending.as_mut_ptr()) == 0 && libc::sigismember(pending.as_ptr(), libc::SIGXFSZ) == 1 }
}

/// Returns the set that contains only SIGXFSZ.
fn signal() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the first call initializes the set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGXFSZ);
        set.assume_init()
    }
}

/// Calls `pwrite` with a 64-bit offset. If a file size limit or a quota is reached, reports a full disk, so that SQLite
/// does too.
///
/// # Safety
///
/// Same as for `pwrite`.
pub(crate) unsafe extern "C" fn write_at(
    file: libc::c_int,
    bytes: *const libc::c_void,
    count: usize,
    offset: i64,
) -> isize {
    // SAFETY: the caller guarantees that the arguments are valid.
    let written = unsafe { libc::pwrite64(file, bytes, count, offset) };
    // SAFETY: the address is that of this thread's `errno`.
    let error = unsafe { &mut *libc::__errno_location() };
    if written < 0 && matches!(*error, libc::EFBIG | libc::EDQUOT) {
        *error = libc::ENOSPC;
    }
    written
}

/// Calls `pread` with a 64-bit offset. Replaces with EREMOTEIO the errors that SQLite would report as a corrupt file,
/// because they can be temporary.
///
/// # Safety
///
/// Same as for `pread`.
pub(crate) unsafe extern "C" fn read_at(
    file: libc::c_int,
    bytes: *mut libc::c_void,
    count: usize,
    offset: i64,
) -> isize {
    // SAFETY: the caller guarantees that the arguments are valid.
    let read = unsafe { libc::pread64(file, bytes, count, offset) };
    // SAFETY: the address is that of this thread's `errno`.
    let error = unsafe { &mut *libc::__errno_location() };
    if read < 0 && matches!(*error, libc::EIO | libc::ERANGE | libc::ENXIO) {
        *error = libc::EREMOTEIO;
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_blocked_without_a_limit() {
        assert!(WithoutSignal::begin().before.is_none() || is_limited());
    }
}
