//! Passes structs with any `struct_size` and any bytes to the C interface, except that all pointers in the structs are
//! valid or NULL.
#![no_main]

use std::ptr;

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::ffi::client::{nexmo_client_free, nexmo_client_new, nexmo_client_report};
use nexmo_conversion::ffi::conversion::NEXMO_CHANNEL_SMS;
use nexmo_conversion::ffi::credentials::nexmo_credentials;
use nexmo_conversion::ffi::options::nexmo_options;
use nexmo_conversion::ffi::result::nexmo_result;
use nexmo_conversion::ffi::status::*;

/// The maximum valid `struct_size`.
const LARGEST: usize = 4096;

/// Returns `bytes` in a buffer for the largest struct, with `size` as its `struct_size`.
fn struct_of(size: u16, bytes: &[u8]) -> Vec<u8> {
    let mut buffer = bytes.to_vec();
    buffer.resize(LARGEST, 0);
    buffer[..4].copy_from_slice(&u32::from(size).to_ne_bytes());
    buffer
}

fuzz_target!(|input: ([u16; 3], &[u8], &[u8], &[u8], usize)| {
    let (sizes, credentials, options, result, handle) = input;
    let (mut credentials, mut options) = (struct_of(sizes[0], credentials), struct_of(sizes[1], options));
    let result = struct_of(sizes[2], result);
    // SAFETY: each buffer is larger than the struct that is read from it and written to it.
    unsafe {
        let credentials = credentials.as_mut_ptr().cast::<nexmo_credentials>();
        let mut value = credentials.read_unaligned();
        (value.api_key, value.api_secret, value.signature_secret) =
            (c"key".as_ptr(), c"secret".as_ptr(), c"secret".as_ptr());
        credentials.write_unaligned(value);
        let options = options.as_mut_ptr().cast::<nexmo_options>();
        let mut value = options.read_unaligned();
        (value.base_url, value.proxy, value.ca_file) = (ptr::null(), ptr::null(), ptr::null());
        (value.client_cert_file, value.client_key_file, value.user_agent) = (ptr::null(), ptr::null(), ptr::null());
        options.write_unaligned(value);
    }
    // If `struct_size` is valid, it is the size of the buffer, so AddressSanitizer detects a write beyond the struct.
    let size = usize::from(sizes[2]).clamp(4, LARGEST);
    let mut result = result[..size].to_vec().into_boxed_slice();
    let result = result.as_mut_ptr().cast::<nexmo_result>();
    let mut client = ptr::null_mut();
    // SAFETY: each buffer has at least `struct_size` bytes if that size is valid; all pointers are valid or NULL.
    let status = unsafe { nexmo_client_new(credentials.as_ptr().cast(), options.as_ptr().cast(), &mut client, result) };
    assert!(matches!(status, NEXMO_OK..=NEXMO_ERR_INVALID_ARGUMENT), "unexpected status {status}");
    // SAFETY: a handle may have any value.
    let status = unsafe {
        let handle = ptr::without_provenance_mut(handle | 1 << 40);
        nexmo_client_report(handle, NEXMO_CHANNEL_SMS, c"id".as_ptr(), 1, ptr::null(), result)
    };
    assert!(matches!(status, NEXMO_ERR_STRUCT_SIZE | NEXMO_ERR_INVALID_HANDLE), "unexpected status {status}");
    assert_eq!(nexmo_client_free(client), 0);
});
