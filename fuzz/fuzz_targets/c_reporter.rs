//! Any bytes as any struct of the reporter, and any calls on it in any order.
#![no_main]

use std::ffi::CString;
use std::ptr;

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::ffi::reporter::structs::{NEXMO_DURABILITY_NONE, nexmo_aside, nexmo_reporter_options, nexmo_statistics};
use nexmo_conversion::ffi::reporter::*;
use nexmo_conversion::ffi::structs::{nexmo_credentials, nexmo_options};

/// As many bytes as a struct may say that it has.
const LARGEST: usize = 4096;

/// `bytes` in exactly as much room as `size` says, so that a write behind it is found.
fn room(size: u16, bytes: &[u8]) -> Box<[u8]> {
    let mut room = bytes.to_vec();
    room.resize(usize::from(size).clamp(4, LARGEST), 0);
    room[..4].copy_from_slice(&u32::from(size).to_ne_bytes());
    room.into_boxed_slice()
}

/// A reporter in memory whose service is not there.
fn reporter(options: &[u8]) -> *mut nexmo_reporter {
    // SAFETY: integers and pointers, for which all zeroes are a value.
    let (mut credentials, mut client_options): (nexmo_credentials, nexmo_options) = unsafe { std::mem::zeroed() };
    credentials.struct_size = size_of::<nexmo_credentials>() as u32;
    (credentials.api_key, credentials.api_secret) = (c"key".as_ptr(), c"secret".as_ptr());
    client_options.struct_size = size_of::<nexmo_options>() as u32;
    client_options.base_url = c"http://127.0.0.1:1".as_ptr();
    let mut room = options.to_vec();
    room.resize(LARGEST, 0);
    let given = room.as_mut_ptr().cast::<nexmo_reporter_options>();
    let mut made = ptr::null_mut();
    // SAFETY: there is room for the largest struct; the pointer in it is put right before anybody follows it.
    unsafe {
        let mut value = given.read_unaligned();
        value.outbox = ptr::null();
        given.write_unaligned(value);
        let status = nexmo_reporter_new(&credentials, &client_options, given, &mut made, ptr::null_mut());
        assert!(matches!(status, 0 | 2..=4), "{status}");
        assert_eq!(status == 0, !made.is_null());
        let is_in_memory = value.durability == NEXMO_DURABILITY_NONE;
        assert!(is_in_memory || made.is_null());
    }
    made
}

fuzz_target!(|input: (&[u8], Vec<(u8, u16, Vec<u8>)>)| {
    let (options, calls) = input;
    let reporter = reporter(options);
    for (call, size, bytes) in calls {
        let mut room = room(size, &bytes);
        let (aside, statistics) = (room.as_mut_ptr().cast::<nexmo_aside>(), room.as_mut_ptr().cast::<nexmo_statistics>());
        let id = CString::new(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).unwrap_or_default();
        // SAFETY: each struct has as much room as it says; a handle may be anything.
        let status = unsafe {
            match call % 6 {
                0 => nexmo_reporter_poll(reporter, aside, ptr::null_mut()),
                1 => nexmo_reporter_statistics(reporter, statistics, ptr::null_mut()),
                2 => nexmo_reporter_flush(reporter, 0, statistics, ptr::null_mut()),
                3 => nexmo_reporter_close(reporter, 0, statistics, ptr::null_mut()),
                _ => nexmo_reporter_submit_sms(reporter, id.as_ptr(), i32::from(call % 3), ptr::null(), ptr::null_mut()),
            }
        };
        assert!(matches!(status, 0 | 2 | 4 | 5 | 101 | 301 | 305..=308), "{status}");
    }
    assert_eq!(nexmo_reporter_free(reporter), 0);
});
