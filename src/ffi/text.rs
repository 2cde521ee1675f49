//! Text over the border: UTF-8 ended by NUL comes in borrowed, and goes out into arrays of a fixed size.

use std::ffi::c_char;
use std::{ptr, slice};

use super::Refusal;
use super::status::{NEXMO_ERR_ARGUMENT, NEXMO_ERR_NULL};

/// The longest text that is read, in bytes. What is longer has lost its NUL.
const LONGEST: usize = 4096;

/// The text at `pointer`, which must be there.
///
/// # Safety
///
/// `pointer` is NULL, or points to bytes that end with NUL and stay as they are for `'a`.
pub(crate) unsafe fn required<'a>(name: &str, pointer: *const c_char) -> Result<&'a str, Refusal> {
    // SAFETY: the caller's promise.
    unsafe { optional(name, pointer) }?
        .ok_or_else(|| Refusal::new(NEXMO_ERR_NULL, format!("{name} is NULL: give a text")))
}

/// The text at `pointer`, or none if that is NULL.
///
/// # Safety
///
/// As [`required`].
pub(crate) unsafe fn optional<'a>(name: &str, pointer: *const c_char) -> Result<Option<&'a str>, Refusal> {
    if pointer.is_null() {
        return Ok(None);
    }
    let bytes = pointer.cast::<u8>();
    // SAFETY: the caller's promise: every byte up to the NUL can be read, and none is read behind it.
    let length = (0..=LONGEST).find(|index| unsafe { bytes.add(*index).read() } == 0);
    let refused = |problem| Refusal::new(NEXMO_ERR_ARGUMENT, format!("{name} {problem}"));
    let length = length.ok_or_else(|| refused("is longer than 4096 bytes, or does not end with NUL"))?;
    // SAFETY: the caller's promise; `length` bytes were just read.
    let text = unsafe { slice::from_raw_parts(bytes, length) };
    str::from_utf8(text).map(Some).map_err(|_| refused("is not UTF-8"))
}

/// Writes `text` to `out` in one line, and ends it with NUL. What does not fit is cut at a character.
pub(crate) fn write(out: &mut [c_char], text: &str) {
    let room = out.len().saturating_sub(1).min(text.len());
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    out.fill(0);
    for (slot, byte) in out.iter_mut().zip(text.bytes().take(end)) {
        *slot = c_char::from_ne_bytes([if byte.is_ascii_control() { b' ' } else { byte }]);
    }
}

/// Writes `text` and its NUL to the `size` bytes at `pointer`.
///
/// # Safety
///
/// `pointer` is NULL, or `size` bytes can be written there.
pub(crate) unsafe fn write_to(name: &str, pointer: *mut c_char, size: usize, text: &str) -> Result<(), Refusal> {
    if pointer.is_null() {
        return Err(Refusal::new(NEXMO_ERR_NULL, format!("{name} is NULL: give an array")));
    }
    if size <= text.len() {
        return Err(Refusal::new(
            NEXMO_ERR_ARGUMENT,
            format!("{name} is too small: give {} bytes", text.len().saturating_add(1)),
        ));
    }
    // SAFETY: the caller's promise; the text and its NUL fit.
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

    fn read(bytes: &[u8]) -> Result<Option<&str>, i32> {
        assert_eq!(bytes.last(), Some(&0));
        // SAFETY: the bytes end with NUL.
        unsafe { optional("it", bytes.as_ptr().cast()) }.map_err(|refusal| refusal.status)
    }

    fn written(room: usize, text: &str) -> String {
        let mut out = vec![1; room];
        write(&mut out, text);
        let bytes: Vec<u8> = out.iter().flat_map(|byte| byte.to_ne_bytes()).collect();
        CStr::from_bytes_until_nul(&bytes).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn text_is_utf_8_of_a_bounded_length() {
        assert_eq!(read(b"\0"), Ok(Some("")));
        assert_eq!(read("ключ\0".as_bytes()), Ok(Some("ключ")));
        assert_eq!(read(b"\xff\0"), Err(NEXMO_ERR_ARGUMENT));
        assert_eq!(read(b"\xc3\0"), Err(NEXMO_ERR_ARGUMENT));
        let text = [vec![b'x'; LONGEST], vec![0]].concat();
        assert_eq!(read(&text).unwrap().unwrap().len(), LONGEST);
        let text = [vec![b'x'; LONGEST + 1], vec![0]].concat();
        assert_eq!(read(&text), Err(NEXMO_ERR_ARGUMENT));
    }

    #[test]
    fn null_is_no_text() {
        // SAFETY: NULL may be passed.
        let (missing, none) = unsafe { (required("it", ptr::null()), optional("it", ptr::null())) };
        assert_eq!(missing.err().unwrap().status, NEXMO_ERR_NULL);
        assert_eq!(none.ok().unwrap(), None);
    }

    #[test]
    fn text_is_cut_at_a_character_and_always_ended() {
        assert_eq!(written(4, "abc"), "abc");
        assert_eq!(written(4, "abcd"), "abc");
        assert_eq!(written(4, "abé"), "ab");
        assert_eq!(written(1, "abc"), "");
        assert_eq!(written(9, "ab\0c\r\n\x7f"), "ab c   ");
        write(&mut [], "abc");
    }
}
