//! Functions for tests, exported only with the feature `testing`. They cause a panic, count the clients, disable the
//! fork handlers, and use structs as a later version might define them. `tests/abi.rs` checks that a library without
//! the feature exports none of these functions.

use std::sync::atomic::{AtomicBool, Ordering};

use super::credentials::nexmo_credentials;
use super::layout::{Field, Layout};
use super::options::nexmo_options;
use super::reporter::event::nexmo_event;
use super::reporter::options::nexmo_reporter_options;
use super::reporter::statistics::nexmo_statistics;
use super::result::nexmo_result;
use super::sized_struct;
use super::sized_struct::SizedStruct;
use super::status::{NEXMO_OK, nexmo_status};

static PANIC: AtomicBool = AtomicBool::new(false);

/// Makes the next report or submit panic inside the library.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_testing_panic() {
    PANIC.store(true, Ordering::SeqCst);
}

/// Returns the number of clients in memory, including freed clients that a call still uses.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_testing_live_clients() -> usize {
    crate::client::LIVE.load(Ordering::SeqCst)
}

/// Disables the fork handlers until the process ends, so that a test can check what happens without them.
#[unsafe(no_mangle)]
pub extern "C" fn nexmo_testing_without_fork_handlers() {
    crate::os::fork::ARE_DISABLED.store(true, Ordering::SeqCst);
}

#[allow(clippy::panic)]
pub(crate) fn panic_if_asked() {
    if PANIC.swap(false, Ordering::SeqCst) {
        panic!("a panic that a test requested");
    }
}

/// A struct as a later version might define it, with one more field. The existing fields keep their offsets.
#[repr(C)]
#[derive(Clone, Copy)]
struct Later<T> {
    today: T,
    added: [u8; 8],
}

/// The initial value of the additional field.
const ADDED: [u8; 8] = 7_u64.to_ne_bytes();

/// Returns the fields in `today`, followed by the additional field at offset `end`.
const fn later_fields<const COUNT: usize>(today: &'static [Field], end: usize) -> [Field; COUNT] {
    let mut fields = [Field { name: "added", offset: end, size: 8 }; COUNT];
    let (todays, _added) = fields.split_at_mut(today.len());
    todays.copy_from_slice(today);
    fields
}

macro_rules! later {
    ($($today:ident: $read:ident, $write:ident, $init:ident;)*) => {$(
        impl Layout for Later<$today> {
            const TYPE: &'static str = $today::TYPE;
            const FIELDS: &'static [Field] =
                &later_fields::<{ $today::FIELDS.len() + 1 }>($today::FIELDS, size_of::<$today>());
        }

        // SAFETY: `today` meets the trait's requirements, and the 8 bytes after it add no padding.
        unsafe impl SizedStruct for Later<$today> {
            const NAME: &'static str = $today::NAME;
            const FIRST_SIZE: usize = $today::FIRST_SIZE;
            const KNOWN_FLAGS: u32 = $today::KNOWN_FLAGS;
            const INITIAL: Self = Self { today: $today::INITIAL, added: ADDED };
        }

        /// Reads a struct as a later version would, and stores the additional field in `added`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $read(given: *const $today, added: &mut [u8; 8]) -> nexmo_status {
            // SAFETY: guaranteed by the test.
            match unsafe { sized_struct::read(given.cast::<Later<$today>>()) } {
                Ok(read) => {
                    *added = read.added;
                    NEXMO_OK
                }
                Err(error) => error.status,
            }
        }

        /// Writes the initial values to a struct as a later version would.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $write(written: *mut $today) -> nexmo_status {
            let written = written.cast::<Later<$today>>();
            // SAFETY: guaranteed by the test.
            match unsafe { sized_struct::check_writable(written) } {
                Ok(()) => {
                    // SAFETY: guaranteed by the test.
                    unsafe { sized_struct::write(written, &Later::INITIAL) };
                    NEXMO_OK
                }
                Err(error) => error.status,
            }
        }

        /// Initializes a struct as a later version would.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $init(written: *mut $today, size: usize) {
            // SAFETY: guaranteed by the test.
            unsafe { sized_struct::init(written.cast::<Later<$today>>(), size) };
        }
    )*};
}

later! {
    nexmo_credentials: nexmo_testing_read_later_credentials, nexmo_testing_write_later_credentials, nexmo_testing_init_later_credentials;
    nexmo_options: nexmo_testing_read_later_options, nexmo_testing_write_later_options, nexmo_testing_init_later_options;
    nexmo_result: nexmo_testing_read_later_result, nexmo_testing_write_later_result, nexmo_testing_init_later_result;
    nexmo_reporter_options: nexmo_testing_read_later_reporter_options, nexmo_testing_write_later_reporter_options, nexmo_testing_init_later_reporter_options;
    nexmo_statistics: nexmo_testing_read_later_statistics, nexmo_testing_write_later_statistics, nexmo_testing_init_later_statistics;
    nexmo_event: nexmo_testing_read_later_event, nexmo_testing_write_later_event, nexmo_testing_init_later_event;
}
