//! Reading and writing structs that begin with their own size, so that old and new callers, old and new libraries, get
//! along.
//!
//! ```text
//!               0        first size      known here           4096
//!  input        |-refused-|---- taken, rest 0 ----|- must be 0 --|-refused
//!  output       |-refused-|------- filled --------|- zeroed -----|-refused
//! ```

use std::mem::{MaybeUninit, offset_of, size_of};
use std::{ptr, slice};

use super::Refusal;
use super::status::{NEXMO_ERR_FLAGS, NEXMO_ERR_NULL, NEXMO_ERR_STRUCT};

/// The largest struct_size that is believed. Beyond it the field was never set.
const LARGEST: usize = 4096;

/// How every sized struct begins.
#[repr(C)]
struct Head {
    struct_size: u32,
    flags: u32,
}

/// A struct that begins with struct_size and flags.
///
/// # Safety
///
/// The type is `repr(C)`, begins with the two fields of [`Head`], has no padding, and every bit pattern is a value of it.
pub(crate) unsafe trait Sized: Copy {
    /// What messages call it: the name of the parameter.
    const NAME: &'static str;
    /// The bytes of it that the first release had.
    const FIRST_SIZE: usize;
    /// The flags that mean something.
    const KNOWN_FLAGS: u32;
}

/// The struct that `pointer` points to, with 0 in the fields that its caller does not know.
///
/// # Safety
///
/// `pointer` is NULL, or as many bytes as its struct_size says can be read there. It need not be aligned.
pub(crate) unsafe fn read<T: Sized>(pointer: *const T) -> Result<T, Refusal> {
    let name = T::NAME;
    // SAFETY: the caller's promise.
    let size = unsafe { size_of_required(pointer) }?;
    // SAFETY: the caller's promise; `size` bytes can be read.
    let (value, surplus) = unsafe { (copied(pointer, size), surplus(pointer, size)) };
    if surplus.iter().any(|byte| *byte != 0) {
        let told = format!(
            "{name}.struct_size is {size}, and behind the {} bytes that this library knows not all is 0: is it another struct, or one \
             without its INIT? Else load the newer library",
            size_of::<T>()
        );
        return Err(Refusal::new(NEXMO_ERR_STRUCT, told));
    }
    // SAFETY: the trait's promise: the value begins with a head.
    let unknown = unsafe { ptr::from_ref(&value).cast::<Head>().read_unaligned() }.flags & !T::KNOWN_FLAGS;
    if unknown != 0 {
        return Err(Refusal::new(
            NEXMO_ERR_FLAGS,
            format!("{name}.flags has 0x{unknown:x} set, which this version does not know"),
        ));
    }
    Ok(value)
}

/// Whether `pointer` points to a struct that can be written; NULL asks for nothing and is fine.
///
/// # Safety
///
/// As [`read`].
pub(crate) unsafe fn check_writable<T: Sized>(pointer: *const T) -> Result<(), Refusal> {
    if pointer.is_null() {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    unsafe { checked_size(pointer) }.map(drop)
}

/// Whether `pointer` points to a struct that can be written.
///
/// # Safety
///
/// As [`read`].
pub(crate) unsafe fn check_required<T: Sized>(pointer: *const T) -> Result<(), Refusal> {
    // SAFETY: the caller's promise.
    unsafe { size_of_required(pointer) }.map(drop)
}

/// Writes as much of `value` as the caller knows, and 0 in what only the caller knows. struct_size stays as it was.
///
/// # Safety
///
/// `pointer` is NULL, or [`check_writable`] agreed to it and as many bytes as its struct_size says can be written there.
pub(crate) unsafe fn write<T: Sized>(pointer: *mut T, value: &T) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    let Ok(size) = (unsafe { checked_size(pointer) }) else {
        return;
    };
    let behind_size = offset_of!(Head, flags);
    let known = size.min(size_of::<T>());
    let (to, from) = (pointer.cast::<u8>(), ptr::from_ref(value).cast::<u8>());
    // SAFETY: `size` bytes can be written at `to`, `known` of them read at `from`, which is a value of our own.
    unsafe {
        ptr::copy_nonoverlapping(from.add(behind_size), to.add(behind_size), known.saturating_sub(behind_size));
        ptr::write_bytes(to.add(known), 0, size.saturating_sub(known));
    }
}

/// The struct_size at `pointer`, which must not be NULL, if it is one to believe.
///
/// # Safety
///
/// As [`read`].
unsafe fn size_of_required<T: Sized>(pointer: *const T) -> Result<usize, Refusal> {
    if pointer.is_null() {
        return Err(Refusal::new(NEXMO_ERR_NULL, format!("{} is NULL: give a struct", T::NAME)));
    }
    // SAFETY: the caller's promise.
    unsafe { checked_size(pointer) }
}

/// The struct_size at `pointer`, if it is one to believe.
///
/// # Safety
///
/// At least the first four bytes can be read at `pointer`.
unsafe fn checked_size<T: Sized>(pointer: *const T) -> Result<usize, Refusal> {
    // SAFETY: the caller's promise; every sized struct begins with its size.
    let size = unsafe { pointer.cast::<u32>().read_unaligned() };
    match usize::try_from(size) {
        // No compiler gives a struct another size: what ends within a field is no size.
        Ok(bytes) if (T::FIRST_SIZE..=LARGEST).contains(&bytes) && bytes % align_of::<T>() == 0 => Ok(bytes),
        _ => Err(Refusal::new(
            NEXMO_ERR_STRUCT,
            format!("{}.struct_size is {size}, which is not {} to {LARGEST}: set it to sizeof", T::NAME, T::FIRST_SIZE),
        )),
    }
}

/// # Safety
///
/// `size` bytes can be read at `pointer`.
unsafe fn copied<T: Sized>(pointer: *const T, size: usize) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the caller's promise; no more is copied than `value` has room for.
    unsafe {
        ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), size.min(size_of::<T>()))
    };
    // SAFETY: every byte is set, and the trait promises that any bytes are a value.
    unsafe { value.assume_init() }
}

/// # Safety
///
/// `size` bytes can be read at `pointer` for as long as the slice is used.
unsafe fn surplus<'a, T: Sized>(pointer: *const T, size: usize) -> &'a [u8] {
    let known = size_of::<T>();
    match size.checked_sub(known) {
        // SAFETY: the caller's promise.
        Some(length) => unsafe { slice::from_raw_parts(pointer.cast::<u8>().add(known), length) },
        None => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A struct as its first release had it.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Old {
        struct_size: u32,
        flags: u32,
        value: i32,
    }

    /// The same struct, a field later.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct New {
        old: Old,
        added: i32,
    }

    // SAFETY: integers without padding.
    unsafe impl Sized for Old {
        const NAME: &'static str = "old";
        const FIRST_SIZE: usize = size_of::<Old>();
        const KNOWN_FLAGS: u32 = 1;
    }

    // SAFETY: integers without padding.
    unsafe impl Sized for New {
        const NAME: &'static str = "new";
        const FIRST_SIZE: usize = size_of::<Old>();
        const KNOWN_FLAGS: u32 = 1;
    }

    fn old(struct_size: u32, flags: u32) -> Old {
        Old { struct_size, flags, value: 7 }
    }

    fn read_status<T: Sized>(pointer: *const T) -> i32 {
        // SAFETY: each test passes NULL, or a struct with as many bytes as its size says, or a size that is refused.
        unsafe { read(pointer) }.map_or_else(|refusal| refusal.status, |_| 0)
    }

    #[test]
    fn an_old_caller_reads_into_a_new_library() {
        let given = old(12, 1);
        // SAFETY: 12 bytes can be read.
        let value = unsafe { read(ptr::from_ref(&given).cast::<New>()) }.ok().unwrap();
        assert_eq!(value, New { old: given, added: 0 });
    }

    #[test]
    fn a_new_caller_reads_into_an_old_library_while_its_new_fields_are_0() {
        let mut given = New { old: old(16, 0), added: 0 };
        assert_eq!(read_status(ptr::from_ref(&given).cast::<Old>()), 0);
        given.added = 1;
        assert_eq!(read_status(ptr::from_ref(&given).cast::<Old>()), NEXMO_ERR_STRUCT);
    }

    #[test]
    fn sizes_that_no_release_had_are_refused() {
        for size in [0, 4, 11, 13, 4097, 4_000_000_000, u32::MAX] {
            assert_eq!(read_status(&old(size, 0)), NEXMO_ERR_STRUCT, "{size}");
        }
    }

    #[test]
    fn unknown_flags_and_null_are_refused() {
        assert_eq!(read_status(&old(12, 2)), NEXMO_ERR_FLAGS);
        assert_eq!(read_status(ptr::null::<Old>()), NEXMO_ERR_NULL);
    }

    #[test]
    fn a_struct_need_not_be_aligned() {
        let mut bytes = [0_u8; 13];
        bytes[1] = 12;
        assert_eq!(read_status(bytes[1..].as_ptr().cast::<Old>()), 0);
    }

    #[test]
    fn an_old_caller_is_written_no_more_than_it_has() {
        let mut given = [0xaa_u8; 16];
        given[..4].copy_from_slice(&12_u32.to_ne_bytes());
        let value = New { old: old(99, 0), added: -1 };
        // SAFETY: 12 bytes can be written.
        unsafe { write(given.as_mut_ptr().cast::<New>(), &value) };
        assert_eq!(given[..4], 12_u32.to_ne_bytes());
        assert_eq!(given[4..12], [0, 0, 0, 0, 7, 0, 0, 0].map(|byte: u8| byte));
        assert_eq!(given[12..], [0xaa; 4]);
    }

    #[test]
    fn a_new_caller_finds_0_in_what_an_old_library_does_not_know() {
        let mut given = New { old: old(16, 5), added: -1 };
        // SAFETY: 16 bytes can be written.
        unsafe { write(ptr::from_mut(&mut given).cast::<Old>(), &old(12, 0)) };
        assert_eq!(given, New { old: old(16, 0), added: 0 });
    }
}
