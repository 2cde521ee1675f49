//! Reads any bytes as a proxy's response to `CONNECT`: the bytes after the head must not be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::fuzzing::connect_response;

fuzz_target!(|bytes: &[u8]| {
    let (failure, read) = connect_response(bytes);
    assert!(read <= bytes.len());
    let head = &bytes[..read];
    match failure {
        None => {
            assert!(head.ends_with(b"\r\n\r\n"));
            let last = head.windows(9).rposition(|part| part.starts_with(b"HTTP/1.") && part[8] == b' ').unwrap();
            assert!(last < head.len());
            // The bytes after the head belong to the tunnel, and must not affect the result.
            assert_eq!(connect_response(head), (None, read));
        }
        Some(message) => assert!(!message.is_empty() && !message.chars().any(char::is_control)),
    }
});
