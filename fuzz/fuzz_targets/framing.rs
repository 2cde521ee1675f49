//! Any bytes as an answer, in pieces of any size: the same answer as in one piece, and never a body beyond its bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::fuzzing::answer;

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let whole = answer(bytes, bytes.len());
    assert_eq!(answer(bytes, usize::from(size)), whole);
    if let Some((status, body)) = whole {
        assert!((100..=999).contains(&status));
        assert!(body.is_none_or(|body| body.len() <= 64 * 1024 && body.len() <= bytes.len()));
    }
});
