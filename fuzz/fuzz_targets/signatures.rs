//! Signs any parameters. Each signature must consist of hexadecimal digits and must not depend on the order of the
//! parameters. A value that contains the text of another parameter must result in another signature.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::fuzzing::signatures;

fuzz_target!(|input: (&str, &str, &str)| {
    let (id, timestamp, secret) = input;
    let parameters = [("api_key", "key"), ("message-id", id), ("timestamp", timestamp)];
    let made = signatures(&parameters, secret);
    assert_eq!(made.iter().map(String::len).collect::<Vec<_>>(), [32, 32, 40, 64, 128]);
    assert!(made.iter().all(|signature| signature.bytes().all(|byte| byte.is_ascii_hexdigit())));
    let mut reversed = parameters;
    reversed.reverse();
    assert_eq!(signatures(&reversed, secret), made);
    let forged = format!("{id}&timestamp={timestamp}");
    assert_ne!(signatures(&[("api_key", "key"), ("message-id", &forged)], secret), made);
});
