//! What only tests need: a panic on demand, and structs as a later version might have them. The feature `testing` makes
//! these; no library that is shipped has them, which a golden test of the exported symbols sees to.

use std::sync::atomic::{AtomicBool, Ordering};

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

/// `nexmo_options` as a later version might have them: one field longer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LaterOptions {
    options: nexmo_options,
    added: i64,
}

/// `nexmo_result` as a later version might have it: one field longer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LaterResult {
    result: nexmo_result,
    added: i64,
}

// SAFETY: integers and pointers; both structs end at a multiple of 8.
unsafe impl Sized for LaterOptions {
    const NAME: &'static str = "options";
    const FIRST_SIZE: usize = nexmo_options::FIRST_SIZE;
    const KNOWN_FLAGS: u32 = nexmo_options::KNOWN_FLAGS;
}

// SAFETY: as above.
unsafe impl Sized for LaterResult {
    const NAME: &'static str = "result";
    const FIRST_SIZE: usize = nexmo_result::FIRST_SIZE;
    const KNOWN_FLAGS: u32 = nexmo_result::KNOWN_FLAGS;
}

/// Reads options as a later version would, and tells its added field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_testing_read_later_options(
    options: *const LaterOptions,
    added: &mut i64,
) -> nexmo_status {
    // SAFETY: the test's promise.
    match unsafe { sized::read(options) } {
        Ok(read) => {
            *added = read.added;
            NEXMO_OK
        }
        Err(refusal) => refusal.status,
    }
}

/// Writes a result as a later version would, with 7 in its added field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_testing_write_later_result(result: *mut LaterResult) -> nexmo_status {
    // SAFETY: the test's promise; a result is a value whatever its bytes are, all zeroes included.
    let written = LaterResult { added: 7, ..unsafe { std::mem::zeroed() } };
    // SAFETY: the test's promise.
    match unsafe { sized::check_writable(result) } {
        Ok(()) => {
            // SAFETY: the test's promise; the struct was just found to be writable.
            unsafe { sized::write(result, &written) };
            NEXMO_OK
        }
        Err(refusal) => refusal.status,
    }
}
