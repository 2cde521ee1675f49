//! Creates a reporter from an options struct that contains any bytes, and makes any calls on it in any order.
#![no_main]

mod threads;

use std::ffi::CString;
use std::ptr;

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::ffi::credentials::nexmo_credentials;
use nexmo_conversion::ffi::options::nexmo_options;
use nexmo_conversion::ffi::reporter::event::*;
use nexmo_conversion::ffi::reporter::lifecycle::*;
use nexmo_conversion::ffi::reporter::options::{NEXMO_DURABILITY_NONE, nexmo_reporter_options};
use nexmo_conversion::ffi::reporter::statistics::{nexmo_reporter_statistics, nexmo_statistics};
use nexmo_conversion::ffi::reporter::submit::nexmo_reporter_submit;
use nexmo_conversion::ffi::status::*;

/// The maximum valid `struct_size`.
const LARGEST: usize = 4096;

/// Returns a buffer of `size` bytes, but at least 4 and at most [`LARGEST`], with the content `bytes` and `size` as its
/// `struct_size`. The buffer is no larger, so that AddressSanitizer detects a write beyond the struct.
fn struct_of(size: u16, bytes: &[u8]) -> Box<[u8]> {
    let mut buffer = bytes.to_vec();
    buffer.resize(usize::from(size).clamp(4, LARGEST), 0);
    buffer[..4].copy_from_slice(&u32::from(size).to_ne_bytes());
    buffer.into_boxed_slice()
}

/// Creates a reporter with an outbox in memory and a service that cannot be reached. Returns NULL if the options are
/// invalid.
fn reporter(options: &[u8]) -> *mut nexmo_reporter {
    // SAFETY: the structs consist of integers and pointers, for which all zeros are valid.
    let (mut credentials, mut client_options): (nexmo_credentials, nexmo_options) = unsafe { std::mem::zeroed() };
    credentials.struct_size = size_of::<nexmo_credentials>() as u32;
    (credentials.api_key, credentials.api_secret) = (c"key".as_ptr(), c"secret".as_ptr());
    client_options.struct_size = size_of::<nexmo_options>() as u32;
    client_options.base_url = c"http://127.0.0.1:1".as_ptr();
    let mut buffer = options.to_vec();
    buffer.resize(LARGEST, 0);
    let given = buffer.as_mut_ptr().cast::<nexmo_reporter_options>();
    let mut made = ptr::null_mut();
    // SAFETY: the buffer has the maximum size of a struct, and the only pointer in it is set to NULL before the call.
    unsafe {
        let mut value = given.read_unaligned();
        value.outbox = ptr::null();
        given.write_unaligned(value);
        let status = nexmo_reporter_new(&credentials, &client_options, given, &mut made, ptr::null_mut());
        assert!(matches!(status, NEXMO_OK..=NEXMO_ERR_INVALID_ARGUMENT), "unexpected status {status}");
        assert_eq!(status == 0, !made.is_null());
        let is_in_memory = value.durability == NEXMO_DURABILITY_NONE;
        assert!(is_in_memory || made.is_null());
    }
    made
}

fuzz_target!(|input: (&[u8], Vec<(u8, u16, Vec<u8>)>)| {
    let (options, calls) = input;
    let threads = threads::count();
    let reporter = reporter(options);
    for (call, size, bytes) in calls {
        let mut buffer = struct_of(size, &bytes);
        let (event, statistics) =
            (buffer.as_mut_ptr().cast::<nexmo_event>(), buffer.as_mut_ptr().cast::<nexmo_statistics>());
        let id = CString::new(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).unwrap_or_default();
        let (channel, result) = (i32::from(call % 4), ptr::null_mut());
        // SAFETY: the buffer has `struct_size` bytes if that size is valid; `id` ends with NUL; a handle may have any
        // value.
        let status = unsafe {
            match call % 7 {
                // -1 is omitted, because a poll without a time limit and without an event never returns.
                0 => nexmo_reporter_poll(reporter, [-3, -2, 0, 1][usize::from(call / 7 % 4)], event, result),
                1 => nexmo_reporter_statistics(reporter, statistics, result),
                2 => nexmo_reporter_flush(reporter, 0, result),
                3 => nexmo_reporter_close(reporter, 0, result),
                4 => nexmo_reporter_acknowledge(reporter, i64::from(size) << (call % 48), result),
                _ => nexmo_reporter_submit(reporter, channel, id.as_ptr(), i32::from(call % 3), ptr::null(), result),
            }
        };
        let expected = [
            NEXMO_OK,
            NEXMO_ERR_STRUCT_SIZE,
            NEXMO_ERR_INVALID_ARGUMENT,
            NEXMO_ERR_INVALID_HANDLE,
            NEXMO_ERR_CLOSED,
            NEXMO_ERR_OUTBOX_FULL,
            NEXMO_ERR_PENDING,
        ];
        assert!(expected.contains(&status), "unexpected status {status}");
    }
    assert_eq!(nexmo_reporter_free(reporter), 0);
    threads::wait_until_at_most(threads);
});
