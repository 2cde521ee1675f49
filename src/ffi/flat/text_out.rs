//! Writes text, NUL-terminated or padded with spaces, to a buffer that the caller provides.

use std::ffi::c_char;
use std::ptr;

use crate::ffi::c_string::{one_line, truncated};
use crate::ffi::call::CallError;

/// A buffer provided by the caller. NULL or a size of 0 means that the caller does not need the text.
pub(super) struct TextOut {
    name: &'static str,
    pointer: *mut u8,
    size: i32,
}

impl TextOut {
    /// Creates an output for the buffer at `pointer`. A size above 0 selects NUL-terminated text. A size below -1
    /// selects text that is padded with spaces; its absolute value is then the size of the buffer.
    ///
    /// # Safety
    ///
    /// `pointer` is NULL or valid for writes of `size.unsigned_abs()` bytes for as long as the returned value exists.
    pub(super) unsafe fn new(name: &'static str, pointer: *mut c_char, size: i32) -> Self {
        Self { name, pointer: pointer.cast(), size }
    }

    fn is_wanted(&self) -> bool {
        !self.pointer.is_null() && self.size != 0
    }

    /// Returns an error if the size is invalid.
    pub(super) fn check(&self) -> Result<(), CallError> {
        if !self.is_wanted() || self.size != -1 {
            return Ok(());
        }
        let message = format!("{}_size is -1; valid: 0 or more, or -2 or less for padding with spaces", self.name);
        Err(CallError::invalid_argument(message))
    }

    /// Returns an error if the buffer is too small for `text`.
    pub(super) fn check_fits(&self, text: &str) -> Result<(), CallError> {
        let needed = text.len().saturating_add(usize::from(self.size > 0));
        if !self.is_wanted() || needed <= self.bytes() {
            return Ok(());
        }
        let message = format!("{} has {} bytes; {needed} are needed", self.name, self.bytes());
        Err(CallError::invalid_argument(message))
    }

    /// Writes as much of `text` as fits, with control characters replaced by spaces, and fills the rest of the buffer.
    pub(super) fn write(&self, text: &str) {
        if !self.is_wanted() || self.size == -1 {
            return;
        }
        let (capacity, filler) = if self.size > 0 { (self.bytes().saturating_sub(1), 0) } else { (self.bytes(), b' ') };
        let text = one_line(text);
        let text = truncated(&text, capacity);
        // SAFETY: guaranteed by the caller of `new`; the text fits.
        unsafe { ptr::copy_nonoverlapping(text.as_ptr(), self.pointer, text.len()) };
        // SAFETY: guaranteed by the caller of `new`; these are the bytes after the text.
        unsafe { ptr::write_bytes(self.pointer.add(text.len()), filler, self.bytes().saturating_sub(text.len())) };
    }

    fn bytes(&self) -> usize {
        usize::try_from(self.size.unsigned_abs()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `text` to a buffer of size `size` and returns the contents of the buffer. Checks that the bytes after the
    /// buffer are unchanged.
    fn written(size: i32, text: &str) -> Vec<u8> {
        let count = usize::try_from(size.unsigned_abs()).unwrap();
        let mut bytes = vec![b'?'; count + 4];
        // SAFETY: `count` bytes can be written.
        let out = unsafe { TextOut::new("text", bytes.as_mut_ptr().cast(), size) };
        out.write(text);
        assert_eq!(bytes.split_off(count), b"????");
        bytes
    }

    fn out(pointer: *mut c_char, size: i32) -> TextOut {
        // SAFETY: nothing is written through it.
        unsafe { TextOut::new("text", pointer, size) }
    }

    #[test]
    fn a_positive_size_means_nul_terminated_text() {
        assert_eq!(written(6, "abc"), b"abc\0\0\0");
        assert_eq!(written(4, "abc"), b"abc\0");
        assert_eq!(written(3, "abc"), b"ab\0");
        assert_eq!(written(1, "abc"), b"\0");
        assert_eq!(written(4, "abé"), b"ab\0\0");
        assert_eq!(written(2, "é"), b"\0\0");
        assert_eq!(written(3, ""), b"\0\0\0");
    }

    #[test]
    fn a_negative_size_means_padded_text() {
        assert_eq!(written(-6, "abc"), b"abc   ");
        assert_eq!(written(-3, "abc"), b"abc");
        assert_eq!(written(-2, "abc"), b"ab");
        assert_eq!(written(-3, "abé"), b"ab ");
        assert_eq!(written(-4, "abé"), "abé".as_bytes());
        assert_eq!(written(-3, ""), b"   ");
    }

    #[test]
    fn control_characters_become_spaces() {
        assert_eq!(written(6, "a\n\0\x7fb"), b"a   b\0");
    }

    #[test]
    fn nothing_is_written_if_the_caller_does_not_need_the_text() {
        assert_eq!(written(0, "abc"), b"");
        assert_eq!(written(-1, "abc"), b"?");
        for size in [i32::MIN, -1, 0, 1, i32::MAX] {
            let out = out(ptr::null_mut(), size);
            out.write("abc");
            assert!(out.check().is_ok() && out.check_fits("abc").is_ok());
        }
    }

    #[test]
    fn a_size_of_minus_1_is_invalid() {
        let mut byte = 0;
        let message = out(&raw mut byte, -1).check().err().unwrap().message;
        assert_eq!(message, "text_size is -1; valid: 0 or more, or -2 or less for padding with spaces");
        for size in [i32::MIN, -2, 0, 1, i32::MAX] {
            assert!(out(&raw mut byte, size).check().is_ok());
        }
    }

    #[test]
    fn check_fits_accepts_only_text_that_would_not_be_truncated() {
        let mut byte = 0;
        for (size, text, has_room) in [
            (4, "abc", true),
            (3, "abc", false),
            (-3, "abc", true),
            (-2, "abc", false),
            (4, "abé", false),
            (5, "abé", true),
            (1, "", true),
            (0, "abc", true),
        ] {
            assert_eq!(out(&raw mut byte, size).check_fits(text).is_ok(), has_room, "{size} {text}");
        }
        let message = out(&raw mut byte, 3).check_fits("abc").err().unwrap().message;
        assert_eq!(message, "text has 3 bytes; 4 are needed");
    }
}
