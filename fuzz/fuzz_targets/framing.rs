//! Parses any bytes as a response that arrives in pieces of any size. The result must be the same as for one piece, and
//! the body must not exceed the size limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::fuzzing::response;

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let whole = response(bytes, bytes.len());
    assert_eq!(response(bytes, usize::from(size)), whole);
    if let Some((status, body)) = whole {
        assert!((100..=999).contains(&status));
        assert!(body.is_none_or(|body| body.len() <= 64 * 1024 && body.len() <= bytes.len()));
    }
});
