//! Sends notifications between processes through a page of a file that all of them have mapped.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr;
use std::ptr::NonNull;
use std::time::Duration;

/// The size of the mapping, in bytes. It is at most a page, and the file may be shorter.
const SIZE: usize = 4096;

/// A futex in the first four bytes of a file. Only the kernel reads them, so a truncated file does not raise SIGBUS in
/// this process.
#[derive(Debug)]
pub(crate) struct Futex(NonNull<libc::c_void>);

// SAFETY: the address is only passed to the kernel.
unsafe impl Send for Futex {}
// SAFETY: as above.
unsafe impl Sync for Futex {}

impl Futex {
    pub(crate) fn map(file: &File) -> io::Result<Self> {
        // SAFETY: the kernel chooses the address.
        let address =
            unsafe { libc::mmap(ptr::null_mut(), SIZE, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(address).map(Self).ok_or_else(|| io::ErrorKind::Other.into())
    }

    /// Waits until [`Futex::wake_one`] wakes this call by one of `bits`, or until `timeout` expires. Returns at once if
    /// the file does not begin with `expected`. Spurious returns are possible.
    pub(crate) fn wait(&self, expected: [u8; 4], bits: u32, timeout: Duration) {
        let Some(until) = super::uptime().checked_add(timeout) else {
            return;
        };
        let mut deadline = zero_time();
        deadline.tv_sec = until.as_secs().try_into().unwrap_or(deadline.tv_sec);
        deadline.tv_nsec = u64::from(until.subsec_nanos()).try_into().unwrap_or(deadline.tv_nsec);
        let expected = u32::from_ne_bytes(expected);
        // SAFETY: the page is mapped, and the time outlives the call.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.0.as_ptr(),
                libc::FUTEX_WAIT_BITSET,
                expected,
                &raw const deadline,
                ptr::null::<u32>(),
                bits,
            )
        };
    }

    /// Returns whether the file begins with `expected`. Unlike a read, this notifies no process that watches the file.
    pub(crate) fn begins_with(&self, expected: [u8; 4]) -> bool {
        // The operation compares the number and then wakes and requeues no waiter.
        // SAFETY: the page is mapped.
        let compared = unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.0.as_ptr(),
                libc::FUTEX_CMP_REQUEUE,
                0,
                0_usize,
                self.0.as_ptr(),
                u32::from_ne_bytes(expected),
            )
        };
        compared == 0
    }

    /// Wakes one waiter that waits for one of `bits`. Returns false if there is no such waiter.
    pub(crate) fn wake_one(&self, bits: u32) -> bool {
        // SAFETY: the page is mapped.
        let woken = unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.0.as_ptr(),
                libc::FUTEX_WAKE_BITSET,
                1,
                ptr::null::<libc::timespec>(),
                ptr::null::<u32>(),
                bits,
            )
        };
        woken > 0
    }
}

impl Drop for Futex {
    fn drop(&mut self) {
        // SAFETY: the page was mapped with this size and is not used afterwards.
        unsafe { libc::munmap(self.0.as_ptr(), SIZE) };
    }
}

fn zero_time() -> libc::timespec {
    // SAFETY: all fields of the struct are integers, for which zero is a valid value.
    unsafe { std::mem::zeroed() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_waiter_is_woken_through_another_mapping() {
        let path = Path::new(env!("OUT_DIR")).join("futex");
        std::fs::write(&path, b"abcdef").unwrap();
        let map = || Futex::map(&File::open(&path).unwrap()).unwrap();
        let (waiter, waker, is_done) = (map(), map(), AtomicBool::new(false));
        assert!(!waker.wake_one(1), "wake_one must return false if there is no waiter");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                waiter.wait(*b"abcd", 1, Duration::from_secs(60));
                is_done.store(true, Ordering::SeqCst);
            });
            while !is_done.load(Ordering::SeqCst) {
                assert!(!waker.wake_one(2), "a waiter was woken by a bit that it does not wait for");
                waker.wake_one(1);
            }
        });
    }

    #[test]
    fn the_first_bytes_are_compared_without_reading_them() {
        let path = Path::new(env!("OUT_DIR")).join("futex-compared");
        std::fs::write(&path, b"abcdef").unwrap();
        let futex = Futex::map(&File::open(&path).unwrap()).unwrap();
        assert!(futex.begins_with(*b"abcd") && !futex.begins_with(*b"else"));
        std::fs::File::create(&path).unwrap();
        assert!(!futex.begins_with(*b"abcd"), "an empty file must be recognized without SIGBUS");
    }

    #[test]
    fn a_wait_ends_at_its_timeout_or_if_the_content_differs() {
        let path = Path::new(env!("OUT_DIR")).join("futex-other");
        std::fs::write(&path, b"abcdef").unwrap();
        let futex = Futex::map(&File::open(&path).unwrap()).unwrap();
        let start = Instant::now();
        futex.wait(*b"abcd", 1, Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20));
        futex.wait(*b"else", 1, Duration::from_secs(3600));
        std::fs::File::create(&path).unwrap();
        futex.wait(*b"abcd", 1, Duration::from_secs(3600));
    }
}
