//! What only tests need: a panic on demand, and structs as a later version might have them. The feature `testing` makes
//! these; no library that is shipped has them, which a golden test of the exported symbols sees to.

use std::sync::atomic::{AtomicBool, Ordering};

use super::reporter::structs::{nexmo_aside, nexmo_reporter_options, nexmo_statistics};
use super::sized::{self, Sized};
use super::status::{NEXMO_OK, nexmo_status};
use super::structs::{nexmo_options, nexmo_result};

static PANIC: AtomicBool = AtomicBool::new(false);

/// Has the next report panic inside the library.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_testing_panic() {
    PANIC.store(true, Ordering::SeqCst);
}

/// How many clients have not been released.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_testing_live_clients() -> usize {
    crate::client::LIVE.load(Ordering::SeqCst)
}

/// Takes the fork handlers out, to show what they are for. There is no way back.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_testing_without_fork_handlers() {
    crate::fork::ARE_OUT.store(true, Ordering::SeqCst);
}

#[allow(clippy::panic)]
pub(crate) fn panic_if_asked() {
    if PANIC.swap(false, Ordering::SeqCst) {
        panic!("a panic that a test asked for");
    }
}

/// A struct as a later version might have it: one field longer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Later<T> {
    today: T,
    added: i64,
}

macro_rules! later {
    ($($today:ty),*) => {$(
        // SAFETY: integers and pointers; each of the structs ends at a multiple of 8.
        unsafe impl Sized for Later<$today> {
            const NAME: &'static str = <$today>::NAME;
            const FIRST_SIZE: usize = <$today>::FIRST_SIZE;
            const KNOWN_FLAGS: u32 = <$today>::KNOWN_FLAGS;
        }
    )*};
}

later!(nexmo_options, nexmo_result, nexmo_reporter_options, nexmo_statistics, nexmo_aside);

/// Reads a struct as a later version would, and tells its added field.
unsafe fn read_later<T: Copy>(given: *const Later<T>, added: &mut i64) -> nexmo_status
where
    Later<T>: Sized,
{
    // SAFETY: the test's promise.
    match unsafe { sized::read(given) } {
        Ok(read) => {
            *added = read.added;
            NEXMO_OK
        }
        Err(refusal) => refusal.status,
    }
}

/// Writes a struct as a later version would, with 7 in its added field.
unsafe fn write_later<T: Copy>(written: *mut Later<T>) -> nexmo_status
where
    Later<T>: Sized,
{
    // SAFETY: the test's promise; a struct of ours is a value whatever its bytes are, all zeroes included.
    let value = Later { added: 7, ..unsafe { std::mem::zeroed() } };
    // SAFETY: the test's promise.
    match unsafe { sized::check_writable(written) } {
        Ok(()) => {
            // SAFETY: the test's promise; the struct was just found to be writable.
            unsafe { sized::write(written, &value) };
            NEXMO_OK
        }
        Err(refusal) => refusal.status,
    }
}

/// Reads options as a later version would, and tells the added field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_testing_read_later_options(
    options: *const Later<nexmo_options>,
    added: &mut i64,
) -> nexmo_status {
    // SAFETY: the test's promise.
    unsafe { read_later(options, added) }
}

/// Writes a result as a later version would, with 7 in the added field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_testing_write_later_result(result: *mut Later<nexmo_result>) -> nexmo_status {
    // SAFETY: the test's promise.
    unsafe { write_later(result) }
}

/// Reads reporter options as a later version would, and tells the added field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_testing_read_later_reporter_options(
    options: *const Later<nexmo_reporter_options>,
    added: &mut i64,
) -> nexmo_status {
    // SAFETY: the test's promise.
    unsafe { read_later(options, added) }
}

/// Writes statistics as a later version would, with 7 in the added field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_testing_write_later_statistics(
    statistics: *mut Later<nexmo_statistics>,
) -> nexmo_status {
    // SAFETY: the test's promise.
    unsafe { write_later(statistics) }
}

/// Writes a report that was set aside as a later version would, with 7 in the added field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_testing_write_later_aside(aside: *mut Later<nexmo_aside>) -> nexmo_status {
    // SAFETY: the test's promise.
    unsafe { write_later(aside) }
}
