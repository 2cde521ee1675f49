//! Opens handles with any settings: lines with valid names and any values, followed by any bytes.
#![no_main]

use std::ffi::c_char;

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::ffi::flat::lifecycle::{nexmo_flat_close, nexmo_flat_open};
use nexmo_conversion::ffi::status::*;

const NAMES: [&str; 23] = [
    "api_key",
    "api_secret",
    "signature_secret",
    "auth",
    "signature_method",
    "base_url",
    "proxy",
    "user_agent",
    "connect_timeout_ms",
    "timeout_ms",
    "max_attempts",
    "max_idle_connections",
    "allow_plain_http",
    "proxy_from_environment",
    "built_in_roots_only",
    "sign_unix_seconds",
    "durability",
    "overflow",
    "max_pending",
    "max_age_s",
    "max_in_flight",
    "busy_timeout_ms",
    "allow_network_file_system",
];

/// Returns whether the settings may name a file. The fuzzer skips them, so that the library creates and reads no file.
fn names_a_file(settings: &[u8]) -> bool {
    [&b"outbox"[..], b"_file"].iter().any(|name| settings.windows(name.len()).any(|part| part == *name))
}

fuzz_target!(|input: (bool, Vec<(u8, &str)>, &[u8])| {
    let (is_complete, lines, rest) = input;
    let mut settings = if is_complete { b"api_key = k\napi_secret = s\n".to_vec() } else { Vec::new() };
    for (name, value) in lines {
        settings.extend(format!("{} = {value}\n", NAMES[usize::from(name) % NAMES.len()]).bytes());
    }
    settings.extend(rest);
    if names_a_file(&settings) {
        return;
    }
    let settings = settings.into_boxed_slice();
    let (mut handle, mut message) = (1, [1_u8; 300]);
    let size = i32::try_from(settings.len()).unwrap();
    // SAFETY: each size is that of the buffer before it, and `handle` can be written.
    let status = unsafe {
        nexmo_flat_open(settings.as_ptr().cast::<c_char>(), size, &mut handle, message.as_mut_ptr().cast(), 300)
    };
    let allowed = [NEXMO_OK, NEXMO_ERR_NULL_POINTER, NEXMO_ERR_INVALID_ARGUMENT, NEXMO_ERR_SYSTEM];
    assert!(allowed.contains(&status), "unexpected status {status}");
    assert_eq!(status == NEXMO_OK, handle != 0);
    let end = message.iter().position(|byte| *byte == 0).unwrap();
    let text = std::str::from_utf8(&message[..end]).unwrap();
    assert!(!text.is_empty() && !text.chars().any(char::is_control), "{text:?}");
    if handle != 0 {
        // SAFETY: NULL is a valid message buffer.
        assert_eq!(unsafe { nexmo_flat_close(handle, 0, std::ptr::null_mut(), 0) }, NEXMO_OK);
    }
});
