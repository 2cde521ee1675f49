//! The few system calls there are, each behind a safe function.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::thread;

/// Stack of our threads, in bytes. The deepest thing they do is the system's name look-up.
const STACK_SIZE: usize = 512 * 1024;

/// Starts a thread that belongs to the library: small, and deaf to all signals, which are the host program's.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name(name.to_owned()).stack_size(STACK_SIZE);
    with_signals_blocked(|| builder.spawn(work).map(drop))
}

/// Runs `action` with every signal blocked. A thread started meanwhile inherits that for good.
fn with_signals_blocked<T>(action: impl FnOnce() -> T) -> T {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are local and outlive the calls; `before` is filled by the call that reads `all`.
    let is_blocked = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) == 0
    };
    let result = action();
    if is_blocked {
        // SAFETY: the call above succeeded, so `before` is filled.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    }
    result
}

/// Has `action` called in each child that `fork` makes, before `fork` returns there.
pub(crate) fn after_fork_in_child(action: extern "C" fn()) {
    // SAFETY: `action` is a function, which is never unloaded: the library is linked with `nodelete`. Where the system
    // has no memory left to note it, a forked child shares its parent's connections, as without this call.
    unsafe { libc::pthread_atfork(None, None, Some(action)) };
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_thread_of_ours_hears_no_signal() {
        let (sender, receiver) = channel();
        let blocked_here = is_blocked(libc::SIGTERM);
        spawn("test", move || sender.send(is_blocked(libc::SIGTERM)).unwrap()).unwrap();
        assert!(receiver.recv().unwrap());
        assert_eq!(is_blocked(libc::SIGTERM), blocked_here);
    }

    fn is_blocked(signal: libc::c_int) -> bool {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `set` is local; a NULL second argument only asks.
        unsafe {
            assert_eq!(libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), set.as_mut_ptr()), 0);
            libc::sigismember(set.as_ptr(), signal) == 1
        }
    }
}
