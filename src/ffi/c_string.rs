//! C strings: reads NUL-terminated UTF-8 from the caller without a copy, and writes text to buffers of fixed size.

use std::borrow::Cow;
use std::ffi::c_char;
use std::{ptr, slice};

use super::call::CallError;
use super::status::NEXMO_ERR_NULL_POINTER;
use crate::text::find_control;

/// The maximum length of a text in bytes. Reading stops there, because longer text is probably not NUL-terminated.
const LONGEST: usize = 4096;

/// Returns the text at `pointer`, or an error if `pointer` is NULL.
///
/// # Safety
///
/// `pointer` is NULL, or points to bytes that end with NUL and stay unchanged for `'a`.
pub(super) unsafe fn required<'a>(name: &str, pointer: *const c_char) -> Result<&'a str, CallError> {
    // SAFETY: guaranteed by the caller.
    unsafe { optional(name, pointer) }?.ok_or_else(|| null(name))
}

/// Returns the error for a required pointer that is NULL.
pub(super) fn null(name: &str) -> CallError {
    CallError::new(NEXMO_ERR_NULL_POINTER, format!("{name} is NULL"))
}

/// Returns the text at `pointer`, or None if `pointer` is NULL.
///
/// # Safety
///
/// Same as for [`required`].
pub(super) unsafe fn optional<'a>(name: &str, pointer: *const c_char) -> Result<Option<&'a str>, CallError> {
    // SAFETY: guaranteed by the caller.
    unsafe { up_to(LONGEST, name, pointer) }
}

/// Like [`optional`], but for a text of at most `longest` bytes.
///
/// # Safety
///
/// Same as for [`required`].
pub(super) unsafe fn up_to<'a>(
    longest: usize,
    name: &str,
    pointer: *const c_char,
) -> Result<Option<&'a str>, CallError> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: guaranteed by the caller: every byte up to the NUL can be read.
    let length = unsafe { libc::strnlen(pointer, longest.saturating_add(1)) };
    if length > longest {
        let message = format!("{name} is longer than {longest} bytes, or not NUL-terminated");
        return Err(CallError::invalid_argument(message));
    }
    // SAFETY: guaranteed by the caller; `length` bytes were just read.
    utf8(name, unsafe { slice::from_raw_parts(pointer.cast::<u8>(), length) }).map(Some)
}

pub(super) fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, CallError> {
    str::from_utf8(bytes).map_err(|_| CallError::invalid_argument(format!("{name} is not UTF-8")))
}

/// Writes as many whole characters of `text` to `out` as fit, and fills the rest of `out` with at least one NUL.
pub(super) fn fill(out: &mut [c_char], text: &str) {
    out.fill(0);
    let text = truncated(text, out.len().saturating_sub(1));
    for (slot, byte) in out.iter_mut().zip(text.bytes()) {
        *slot = c_char::from_ne_bytes([byte]);
    }
}

/// Returns the longest prefix of `text` that fits into `size` bytes and ends at a character boundary.
pub(super) fn truncated(text: &str, size: usize) -> &str {
    let end = (0..=size.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// Returns `text` with each control character replaced by a space.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if find_control(text).is_some() { text.replace(char::is_control, " ").into() } else { text.into() }
}

/// Returns the text that [`fill`] wrote to `array`.
pub(super) fn text_of(array: &[c_char]) -> String {
    let bytes = array.iter().flat_map(|byte| byte.to_ne_bytes()).take_while(|byte| *byte != 0).collect();
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes `text` and a terminating NUL to the buffer of `size` bytes at `pointer`.
///
/// # Safety
///
/// `pointer` is NULL, or `size` bytes can be written there.
pub(super) unsafe fn write_to(name: &str, pointer: *mut c_char, size: usize, text: &str) -> Result<(), CallError> {
    if pointer.is_null() {
        return Err(null(name));
    }
    if size <= text.len() {
        let needed = text.len().saturating_add(1);
        return Err(CallError::invalid_argument(format!("{name} has {size} bytes; {needed} are needed")));
    }
    // SAFETY: guaranteed by the caller; the text and its NUL fit.
    unsafe {
        ptr::copy_nonoverlapping(text.as_ptr().cast::<c_char>(), pointer, text.len());
        pointer.add(text.len()).write(0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::ffi::status::NEXMO_ERR_INVALID_ARGUMENT;

    fn read(bytes: &[u8]) -> Result<Option<&str>, i32> {
        assert_eq!(bytes.last(), Some(&0));
        // SAFETY: the bytes end with NUL.
        unsafe { optional("text", bytes.as_ptr().cast()) }.map_err(|error| error.status)
    }

    fn written(size: usize, text: &str) -> String {
        let mut out = vec![1; size];
        fill(&mut out, text);
        let bytes: Vec<u8> = out.iter().flat_map(|byte| byte.to_ne_bytes()).collect();
        CStr::from_bytes_until_nul(&bytes).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn text_is_utf_8_of_a_bounded_length() {
        assert_eq!(read(b"\0"), Ok(Some("")));
        assert_eq!(read("ключ\0".as_bytes()), Ok(Some("ключ")));
        assert_eq!(read(b"\xff\0"), Err(NEXMO_ERR_INVALID_ARGUMENT));
        assert_eq!(read(b"\xc3\0"), Err(NEXMO_ERR_INVALID_ARGUMENT));
        let text = [vec![b'x'; LONGEST], vec![0]].concat();
        assert_eq!(read(&text).unwrap().unwrap().len(), LONGEST);
        let text = [vec![b'x'; LONGEST + 1], vec![0]].concat();
        assert_eq!(read(&text), Err(NEXMO_ERR_INVALID_ARGUMENT));
    }

    #[test]
    fn null_is_not_text() {
        // SAFETY: both functions accept NULL.
        let (missing, none) = unsafe { (required("text", ptr::null()), optional("text", ptr::null())) };
        assert_eq!(missing.err().unwrap().status, NEXMO_ERR_NULL_POINTER);
        assert_eq!(none.ok().unwrap(), None);
    }

    #[test]
    fn text_is_truncated_at_a_character_boundary_and_always_terminated() {
        assert_eq!(written(4, "abc"), "abc");
        assert_eq!(written(4, "abcd"), "abc");
        assert_eq!(written(4, "abé"), "ab");
        assert_eq!(written(1, "abc"), "");
        assert_eq!(one_line("ab\0c\r\n\x7f\u{85}é"), "ab c    é");
        fill(&mut [], "abc");
    }
}
