//! Signs any message id and timestamp. Each signature must consist of hexadecimal digits and must not depend on the
//! order of the parameters. Moving the timestamp into the value of the message id must change the signatures.
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
