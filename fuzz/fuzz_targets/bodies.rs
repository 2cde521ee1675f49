//! Quotes any body for an error message, with any text as the secret. The quotation must be one line of at most 400
//! characters, without control characters and without the secret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::fuzzing::quote;

fuzz_target!(|input: (&str, &[u8])| {
    let (secret, body) = input;
    let Some(line) = quote(body, secret) else {
        return;
    };
    assert!(line.chars().count() <= 400 && !line.is_empty());
    assert!(!line.chars().any(char::is_control));
    // Only letters and digits are compared, because sanitizing changes other characters.
    let letters: String = secret.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let shown: String = line.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    assert!(letters.is_empty() || !shown.contains(&letters), "{line:?} shows {secret:?}");
});
