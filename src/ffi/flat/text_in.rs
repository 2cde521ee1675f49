//! Reads input text with a size, for languages without NUL-terminated strings.

use std::ffi::c_char;
use std::slice;

use crate::ffi::c_string;
use crate::ffi::call::CallError;

/// Returns the text at `pointer`, or None if `pointer` is NULL or the text is empty. With a size of -1, the text is
/// NUL-terminated. Otherwise, trailing spaces and NULs are removed.
///
/// # Safety
///
/// `pointer` is NULL, or `size` is below -1, or `pointer` points to `size` bytes (with a size of -1, to bytes that end
/// with NUL) that stay unchanged for `'a`.
pub(super) unsafe fn optional<'a>(
    longest: usize,
    name: &str,
    pointer: *const c_char,
    size: i32,
) -> Result<Option<&'a str>, CallError> {
    if pointer.is_null() {
        return Ok(None);
    }
    let text = match usize::try_from(size) {
        // SAFETY: guaranteed by the caller.
        Ok(size) => sized(longest, name, unsafe { slice::from_raw_parts(pointer.cast(), size) })?,
        // SAFETY: guaranteed by the caller.
        Err(_) if size == -1 => unsafe { c_string::up_to(longest, name, pointer) }?.unwrap_or_default(),
        Err(_) => {
            let message = format!("{name}_size is {size}; valid: 0 or more, or -1 for NUL-terminated text");
            return Err(CallError::invalid_argument(message));
        }
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Like [`optional`], but for required text.
///
/// # Safety
///
/// Same as for [`optional`].
pub(super) unsafe fn required<'a>(
    longest: usize,
    name: &str,
    pointer: *const c_char,
    size: i32,
) -> Result<&'a str, CallError> {
    if pointer.is_null() {
        return Err(c_string::null(name));
    }
    // SAFETY: guaranteed by the caller.
    unsafe { optional(longest, name, pointer, size) }?
        .ok_or_else(|| CallError::invalid_argument(format!("{name} is empty")))
}

fn sized<'a>(longest: usize, name: &str, bytes: &'a [u8]) -> Result<&'a str, CallError> {
    let length = bytes.iter().rposition(|byte| !matches!(byte, b' ' | 0)).map_or(0, |last| last.saturating_add(1));
    let text = bytes.get(..length).unwrap_or_default();
    if text.len() > longest {
        return Err(CallError::invalid_argument(format!("{name} is longer than {longest} bytes")));
    }
    if text.contains(&0) {
        return Err(CallError::invalid_argument(format!("{name} contains a NUL before its end")));
    }
    c_string::utf8(name, text)
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::ffi::status::{NEXMO_ERR_INVALID_ARGUMENT, NEXMO_ERR_NULL_POINTER};

    const LONGEST: usize = 8;

    fn read(bytes: &[u8], size: i32) -> Result<Option<&str>, String> {
        assert!(usize::try_from(size).map_or(bytes.contains(&0), |size| size <= bytes.len()) || size < -1);
        // SAFETY: `size` bytes, or all bytes up to a NUL, can be read, or `size` is invalid.
        unsafe { optional(LONGEST, "text", bytes.as_ptr().cast(), size) }.map_err(|error| {
            assert_eq!(error.status, NEXMO_ERR_INVALID_ARGUMENT);
            error.message
        })
    }

    /// Reads all of `bytes` from an allocation of exactly that length, so that a sanitizer detects a read beyond the
    /// end.
    fn all(bytes: &[u8]) -> Result<Option<String>, String> {
        let bytes = bytes.to_vec().into_boxed_slice();
        read(&bytes, i32::try_from(bytes.len()).unwrap()).map(|text| text.map(str::to_owned))
    }

    #[test]
    fn sized_text_is_read_without_trailing_padding() {
        for (bytes, text) in [
            ("abc", "abc"),
            ("abc   ", "abc"),
            ("abc\0\0", "abc"),
            ("abc \0 \0 ", "abc"),
            ("  abc", "  abc"),
            ("a b ", "a b"),
            ("abc\t", "abc\t"),
            ("abc\n ", "abc\n"),
            ("ключ ", "ключ"),
            ("12345678   ", "12345678"),
        ] {
            assert_eq!(all(bytes.as_bytes()), Ok(Some(text.to_owned())), "{bytes:?}");
        }
        assert_eq!(read(b"abcdef", 3), Ok(Some("abc")));
        assert_eq!(read(b"abc def", 4), Ok(Some("abc")));
    }

    #[test]
    fn sized_text_with_an_inner_nul_or_invalid_utf_8_or_excessive_length_is_invalid() {
        assert_eq!(all(b"a\0b"), Err("text contains a NUL before its end".to_owned()));
        assert_eq!(all(b"\0a"), Err("text contains a NUL before its end".to_owned()));
        assert_eq!(all(b"a\xff"), Err("text is not UTF-8".to_owned()));
        assert_eq!(read("aé".as_bytes(), 2), Err("text is not UTF-8".to_owned()));
        assert_eq!(all(b"123456789"), Err("text is longer than 8 bytes".to_owned()));
    }

    #[test]
    fn nul_terminated_text_is_read_unchanged() {
        assert_eq!(read(b"abc\0x", -1), Ok(Some("abc")));
        assert_eq!(read(b"abc  \0", -1), Ok(Some("abc  ")));
        assert_eq!(read(b"12345678\0", -1), Ok(Some("12345678")));
        assert!(read(b"123456789\0", -1).is_err());
        assert_eq!(read(b"\xff\0", -1), Err("text is not UTF-8".to_owned()));
    }

    #[test]
    fn other_sizes_are_invalid() {
        for size in [-2, -3, i32::MIN] {
            let message = format!("text_size is {size}; valid: 0 or more, or -1 for NUL-terminated text");
            assert_eq!(read(b"abc\0", size), Err(message));
        }
    }

    #[test]
    fn empty_text_and_null_count_as_missing() {
        for bytes in ["", " ", "\0", " \0 ", "            "] {
            assert_eq!(all(bytes.as_bytes()), Ok(None), "{bytes:?}");
        }
        assert_eq!(read(b"\0", -1), Ok(None));
        assert_eq!(read(b" \0", -1), Ok(Some(" ")));
        for size in [-2, -1, 0, 1, i32::MAX] {
            // SAFETY: both functions accept NULL.
            let (given, missing) =
                unsafe { (optional(LONGEST, "text", ptr::null(), size), required(LONGEST, "text", ptr::null(), size)) };
            assert_eq!(given.ok(), Some(None));
            assert_eq!(missing.err().map(|error| error.status), Some(NEXMO_ERR_NULL_POINTER));
        }
    }

    #[test]
    fn required_text_must_not_be_empty() {
        for (bytes, size) in [("", 0), ("x", 0), ("  ", 2), ("\0", -1)] {
            // SAFETY: `size` bytes, or all bytes up to a NUL, can be read.
            let error = unsafe { required(LONGEST, "text", bytes.as_ptr().cast(), size) }.err().unwrap();
            assert_eq!((error.status, error.message.as_str()), (NEXMO_ERR_INVALID_ARGUMENT, "text is empty"));
        }
    }
}
