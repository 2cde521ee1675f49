//! Writes numbers to an array that the caller provides.

use crate::ffi::call::CallError;

/// An array provided by the caller. NULL or a count of 0 means that the caller does not need the numbers.
pub(super) struct NumbersOut {
    name: &'static str,
    pointer: *mut i64,
    count: i32,
}

impl NumbersOut {
    /// Creates an output for the array at `pointer`, which need not be aligned.
    ///
    /// # Safety
    ///
    /// `pointer` is NULL, or `count` numbers can be written there for as long as the returned value exists.
    pub(super) unsafe fn new(name: &'static str, pointer: *mut i64, count: i32) -> Self {
        Self { name, pointer, count }
    }

    /// Returns an error if the count is negative.
    pub(super) fn check(&self) -> Result<(), CallError> {
        if self.pointer.is_null() || self.count >= 0 {
            return Ok(());
        }
        Err(CallError::invalid_argument(format!("{}_count is {}; valid: 0 or more", self.name, self.count)))
    }

    /// Writes as many of `values` as the caller requested, and 0 to any further elements.
    pub(super) fn write(&self, values: &[i64]) {
        let count = if self.pointer.is_null() { 0 } else { usize::try_from(self.count).unwrap_or(0) };
        for (index, value) in values.iter().chain(std::iter::repeat(&0)).take(count).enumerate() {
            // SAFETY: guaranteed by the caller of `new`.
            unsafe { self.pointer.add(index).write_unaligned(*value) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    fn written(count: i32, values: &[i64]) -> [i64; 4] {
        let mut numbers = [7; 4];
        // SAFETY: the tests request at most four numbers.
        unsafe { NumbersOut::new("numbers", numbers.as_mut_ptr(), count) }.write(values);
        numbers
    }

    #[test]
    fn the_requested_count_of_numbers_is_written() {
        assert_eq!(written(0, &[1, 2]), [7; 4]);
        assert_eq!(written(1, &[1, 2]), [1, 7, 7, 7]);
        assert_eq!(written(2, &[1, 2]), [1, 2, 7, 7]);
        assert_eq!(written(4, &[1, -2]), [1, -2, 0, 0]);
        assert_eq!(written(-1, &[1, 2]), [7; 4]);
    }

    #[test]
    fn the_array_need_not_be_aligned() {
        let mut bytes = [7_u8; 17];
        // SAFETY: the buffer has 16 bytes.
        unsafe { NumbersOut::new("numbers", bytes.as_mut_ptr().wrapping_add(1).cast(), 2) }.write(&[-1, 0]);
        assert_eq!(bytes[..9], [7, 255, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(bytes[9..], [0; 8]);
    }

    #[test]
    fn a_negative_count_is_invalid() {
        let mut number = 0;
        for (count, is_fine) in [(i32::MIN, false), (-1, false), (0, true), (i32::MAX, true)] {
            // SAFETY: nothing is written.
            let (given, null) = unsafe {
                (NumbersOut::new("numbers", &raw mut number, count), NumbersOut::new("numbers", ptr::null_mut(), count))
            };
            assert_eq!(given.check().is_ok(), is_fine);
            assert!(null.check().is_ok());
            null.write(&[1]);
        }
    }
}
