//! Checks text that the caller passes.

use crate::error::Error;

/// The maximum length of a message id, an API key or a secret, in bytes.
pub(crate) const LONGEST_NAME: usize = 256;

/// Checks that `text` can be a message id or an API key.
pub(crate) fn check_name(parameter: &str, text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::argument(parameter, "is empty; valid: 1 to 256 bytes"));
    }
    if text.len() > LONGEST_NAME {
        return Err(Error::argument(parameter, format!("is {} bytes long; valid: 1 to 256 bytes", text.len())));
    }
    check_no_controls(parameter, text)?;
    if !text.is_ascii()
        && let Some(found) = text.chars().find(|character| misleads(*character))
    {
        let code = u32::from(found);
        return Err(Error::argument(
            parameter,
            format!("contains the character U+{code:04X}, which changes how text is shown"),
        ));
    }
    if text.trim() != text {
        return Err(Error::argument(parameter, "has leading or trailing white space"));
    }
    Ok(())
}

/// Returns whether `character` reorders the text around it, or begins a new line, in a log or on a terminal.
fn misleads(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Returns the first control character of `text`.
pub(crate) fn find_control(text: &str) -> Option<char> {
    // In UTF-8, the control characters beyond ASCII, U+0080 to U+009F, begin with the byte 0xc2.
    let may_have_one = text.bytes().fold(false, |found, byte| found | byte.is_ascii_control() | (byte == 0xc2));
    if may_have_one { text.chars().find(|character| character.is_control()) } else { None }
}

/// Checks that `text` contains no control characters. No valid value has any; most come from untrimmed line ends or
/// corrupt buffers.
pub(crate) fn check_no_controls(parameter: &str, text: &str) -> Result<(), Error> {
    match find_control(text) {
        Some(found) => {
            let code = u32::from(found);
            Err(Error::argument(parameter, format!("contains the control character 0x{code:02x}")))
        }
        None => Ok(()),
    }
}
