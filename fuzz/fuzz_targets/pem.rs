//! Parses any bytes as a PEM file. Unless the file is UTF-16, it must not contain more certificates than sections, and
//! adding a UTF-8 byte order mark or changing the line ends must not change the certificates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::fuzzing::certificates_in;

fuzz_target!(|bytes: &[u8]| {
    let found = certificates_in(bytes);
    let sections = bytes.windows(10).filter(|part| *part == b"-----BEGIN").count();
    let is_utf_16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    assert!(is_utf_16 || found.len() <= sections);
    if !is_utf_16 && !bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        let marked = [b"\xef\xbb\xbf", bytes].concat();
        assert_eq!(certificates_in(&marked), found);
        let ends: Vec<u8> = bytes.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect();
        assert_eq!(certificates_in(&ends), found);
    }
});
