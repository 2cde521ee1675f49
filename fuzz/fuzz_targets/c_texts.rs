//! Passes any bytes as each text of the C interface. No server listens on the port to which the report is sent, so the
//! call must return the status of an invalid argument or of a failed connection.
#![no_main]

use std::ffi::c_char;
use std::ptr;

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::ffi::client::{nexmo_client_free, nexmo_client_new};
use nexmo_conversion::ffi::conversion::nexmo_conversion_sms;
use nexmo_conversion::ffi::credentials::nexmo_credentials;
use nexmo_conversion::ffi::options::nexmo_options;
use nexmo_conversion::ffi::status::*;

/// Splits the input at each NUL, and returns the parts, each with a terminating NUL.
fn texts(input: &[u8]) -> Vec<Vec<u8>> {
    input.split(|byte| *byte == 0).map(|text| [text, &[0]].concat()).collect()
}

fuzz_target!(|input: (i32, i32, i32, &[u8])| {
    let (auth, signature_method, delivered, bytes) = input;
    let texts = texts(bytes);
    let text = |index: usize| texts.get(index).map_or(ptr::null(), |text| text.as_ptr().cast::<c_char>());
    // SAFETY: the structs consist of integers and pointers, for which all zeros are valid.
    let (mut credentials, mut options): (nexmo_credentials, nexmo_options) = unsafe { std::mem::zeroed() };
    credentials.struct_size = size_of::<nexmo_credentials>() as u32;
    (credentials.auth, credentials.signature_method) = (auth % 4, signature_method % 7);
    (credentials.api_key, credentials.api_secret, credentials.signature_secret) = (text(0), text(1), text(2));
    options.struct_size = size_of::<nexmo_options>() as u32;
    options.base_url = c"http://127.0.0.1:1".as_ptr();
    options.user_agent = text(5);
    // SAFETY: every text is NULL or ends with NUL, and the structs are complete.
    let status =
        unsafe { nexmo_conversion_sms(&credentials, text(3), delivered % 3, text(4), &options, ptr::null_mut()) };
    let is_expected = matches!(status, NEXMO_ERR_NULL_POINTER..=NEXMO_ERR_INVALID_ARGUMENT | NEXMO_ERR_NETWORK);
    assert!(is_expected, "unexpected status {status}");

    // Creating a client opens no connection and only reads the files, so these texts can have any value.
    (options.base_url, options.proxy, options.ca_file) = (text(6), text(7), text(8));
    (options.client_cert_file, options.client_key_file) = (text(9), text(10));
    let mut client = ptr::null_mut();
    // SAFETY: as above.
    let status = unsafe { nexmo_client_new(&credentials, &options, &mut client, ptr::null_mut()) };
    assert!(matches!(status, NEXMO_OK..=NEXMO_ERR_INVALID_ARGUMENT | NEXMO_ERR_SYSTEM), "unexpected status {status}");
    assert_eq!(client.is_null(), status != 0);
    assert_eq!(nexmo_client_free(client), 0);
});
