//! Parses one line of the settings.

use zeroize::Zeroizing;

/// The length of the longest unknown name that a message quotes, in bytes.
const LONGEST_NAME: usize = 32;

/// The characters trimmed from names and values: only spaces and tabs.
const BLANKS: [char; 2] = [' ', '\t'];

/// Returns the unparsed name and value of a line, or None if the line is empty or a comment.
pub(super) fn split(line: &str) -> Result<Option<(&str, &str)>, &'static str> {
    let line = line.trim_matches(BLANKS);
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, value) = line.split_once('=').ok_or("= is missing; valid: name = value")?;
    Ok(Some((name.trim_matches(BLANKS), value.trim_matches(BLANKS))))
}

/// Returns the text by which a message refers to `name`. An unknown name may be a misplaced value, so the text quotes
/// a name only if it is short and consists of lower-case letters and underscores, as the names of all settings do.
pub(super) fn shown(name: &str) -> &str {
    let is_harmless =
        (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_harmless { name } else { "the name" }
}

/// Parses a value, with or without quotes.
pub(super) fn value(written: &str) -> Result<Zeroizing<String>, &'static str> {
    if written.is_empty() {
        return Err("has no value; use \"\" for an empty string");
    }
    if written.chars().any(char::is_control) {
        return Err("has a value that contains a control character");
    }
    match written.strip_prefix('"') {
        Some(rest) => unquoted(rest),
        None => Ok(Zeroizing::new(written.to_owned())),
    }
}

/// Returns the text between the quotes. `rest` begins after the opening quote.
fn unquoted(rest: &str) -> Result<Zeroizing<String>, &'static str> {
    // This capacity prevents a reallocation, which would leave a copy behind that is not wiped.
    let mut text = Zeroizing::new(String::with_capacity(rest.len()));
    let mut characters = rest.chars();
    loop {
        match characters.next() {
            Some('"') if characters.as_str().is_empty() => return Ok(text),
            Some('"') => return Err("has text after the closing quote; use \\\" for a quote in the value"),
            Some('\\') => match characters.next() {
                Some(escaped @ ('"' | '\\')) => text.push(escaped),
                _ => return Err("has a backslash that is not part of \\\" or \\\\"),
            },
            Some(character) => text.push(character),
            None => return Err("has no closing quote"),
        }
    }
}
