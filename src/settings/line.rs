//! One line of the settings.

use zeroize::Zeroizing;

/// The longest unknown name that a message repeats.
const LONGEST_NAME: usize = 32;

/// Spaces and tabs are the only white space around names and values.
const BLANKS: [char; 2] = [' ', '\t'];

/// The name and the value of a line, as they were written; none if the line is empty or a comment.
pub(super) fn split(line: &str) -> Result<Option<(&str, &str)>, &'static str> {
    let line = line.trim_matches(BLANKS);
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, value) = line.split_once('=').ok_or("= is missing; valid: name = value")?;
    Ok(Some((name.trim_matches(BLANKS), value.trim_matches(BLANKS))))
}

/// What a message calls a name that is not known, which may be a value in the wrong place.
pub(super) fn shown(name: &str) -> &str {
    let is_harmless =
        (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_harmless { name } else { "the name" }
}

/// The text that a value stands for.
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

/// The text between the quotes, of which the first has been removed.
fn unquoted(rest: &str) -> Result<Zeroizing<String>, &'static str> {
    // With this capacity it does not move, which would leave a copy behind.
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
