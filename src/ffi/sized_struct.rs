//! Structs that begin with their own size, so that programs and libraries of different versions work together.
//!
//! ```text
//!               0        first size      known here           4096
//!  input        |-invalid-|--- read, rest 0 ------|- must be 0 --|-invalid
//!  output       |-invalid-|------- written -------|-- zeroed ----|-invalid
//! ```

use std::mem::{MaybeUninit, offset_of, size_of};
use std::{ptr, slice};

use super::c_string::null;
use super::call::CallError;
use super::layout::Layout;
use super::status::{NEXMO_ERR_STRUCT_SIZE, NEXMO_ERR_UNKNOWN_FLAGS};

/// The largest struct_size that is accepted. A larger value suggests that the field was not set.
const LARGEST: usize = 4096;

/// The minimum size that `init` accepts, which is that of the head. Calls require at least [`Sized::FIRST_SIZE`].
const SMALLEST: usize = size_of::<Head>();

/// The size of a pointer. Every valid struct_size is a multiple of this number.
const MULTIPLE: usize = size_of::<*const u8>();

/// The first fields of every sized struct.
#[repr(C)]
struct Head {
    struct_size: u32,
    flags: u32,
}

/// A struct that begins with struct_size and flags.
///
/// # Safety
///
/// The type is `repr(C)`, begins with the two fields of [`Head`], has no padding, and is valid for every bit pattern.
pub(crate) unsafe trait SizedStruct: Layout {
    /// The name of the struct in messages, which is the name of the parameter.
    const NAME: &'static str;
    /// The size of the struct in the first release, which is the minimum struct_size. Never change it.
    const FIRST_SIZE: usize;
    /// The known flags.
    const KNOWN_FLAGS: u32;
    /// The name pattern of the macros for the flags, for messages; empty if there are no flags.
    const FLAG_NAMES: &'static str = "";
    /// The initial values that the INIT macro and the `_init` function set, except for struct_size.
    const INITIAL: Self;
}

/// Returns the size of a struct on this platform: `wide` if pointers have 8 bytes, or `narrow` if they have 4.
pub(super) const fn first_size(wide: usize, narrow: usize) -> usize {
    if MULTIPLE == 8 { wide } else { narrow }
}

/// Returns a struct with all bytes 0.
pub(super) const fn zeroed<T: SizedStruct>() -> T {
    // SAFETY: guaranteed by the trait: every bit pattern is valid.
    unsafe { std::mem::zeroed() }
}

/// Reads the struct at `pointer`. Fields that the caller does not know are 0.
///
/// # Safety
///
/// `pointer` is NULL, or struct_size (4 bytes) can be read there and, if struct_size is valid, so can that many bytes.
/// `pointer` need not be aligned.
pub(super) unsafe fn read<T: SizedStruct>(pointer: *const T) -> Result<T, CallError> {
    let name = T::NAME;
    // SAFETY: guaranteed by the caller.
    let size = unsafe { size_of_required(pointer) }?;
    // SAFETY: guaranteed by the caller; `size` bytes can be read.
    let (value, surplus) = unsafe { (copied(pointer, size), surplus(pointer, size)) };
    if surplus.iter().any(|byte| *byte != 0) {
        let message = format!(
            "{name}.struct_size is {size}, and the bytes after the {} that this library knows are not all 0: initialize the \
             struct with its INIT macro or _init function, or load the library that the program was built for",
            size_of::<T>()
        );
        return Err(CallError::new(NEXMO_ERR_STRUCT_SIZE, message));
    }
    // SAFETY: guaranteed by the trait: the value begins with a head.
    let unknown = unsafe { ptr::from_ref(&value).cast::<Head>().read_unaligned() }.flags & !T::KNOWN_FLAGS;
    if unknown != 0 {
        let valid = match T::KNOWN_FLAGS {
            0 => "0".to_owned(),
            known => format!("0x{known:x} ({})", T::FLAG_NAMES),
        };
        let message = format!("{name}.flags has unknown flags 0x{unknown:x}; valid: {valid}");
        return Err(CallError::new(NEXMO_ERR_UNKNOWN_FLAGS, message));
    }
    Ok(value)
}

/// Checks that `pointer` is NULL or points to a struct with a valid struct_size.
///
/// # Safety
///
/// Same as for [`read`].
pub(super) unsafe fn check_writable<T: SizedStruct>(pointer: *const T) -> Result<(), CallError> {
    if pointer.is_null() {
        return Ok(());
    }
    // SAFETY: guaranteed by the caller.
    unsafe { checked_size(pointer) }.map(drop)
}

/// Checks that `pointer` is not NULL and points to a struct with a valid struct_size.
///
/// # Safety
///
/// Same as for [`read`].
pub(super) unsafe fn check_required<T: SizedStruct>(pointer: *const T) -> Result<(), CallError> {
    // SAFETY: guaranteed by the caller.
    unsafe { size_of_required(pointer) }.map(drop)
}

/// Writes the part of `value` that the caller knows, and 0 to fields that only the caller knows. Leaves struct_size
/// unchanged. Writes nothing if [`check_writable`] rejects the struct.
///
/// # Safety
///
/// Same as for [`read`]. If struct_size is valid, that many bytes can also be written at `pointer`.
pub(super) unsafe fn write<T: SizedStruct>(pointer: *mut T, value: &T) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: guaranteed by the caller.
    let Ok(size) = (unsafe { checked_size(pointer) }) else {
        return;
    };
    let after_size = offset_of!(Head, flags);
    let known = size.min(size_of::<T>());
    let (to, from) = (pointer.cast::<u8>(), ptr::from_ref(value).cast::<u8>());
    // SAFETY: `size` bytes can be written at `to`, and `known` bytes can be read at `from`.
    unsafe {
        ptr::copy_nonoverlapping(from.add(after_size), to.add(after_size), known.saturating_sub(after_size));
        ptr::write_bytes(to.add(known), 0, size.saturating_sub(known));
    }
}

/// Sets the `size` bytes at `pointer` to 0, the fields that fit to their initial values, and struct_size to `size`.
/// Does nothing if `pointer` is NULL or `size` is invalid.
///
/// # Safety
///
/// `pointer` is NULL, or `size` bytes can be written there. `pointer` need not be aligned.
pub(super) unsafe fn init<T: SizedStruct>(pointer: *mut T, size: usize) {
    if pointer.is_null() || !(SMALLEST..=LARGEST).contains(&size) {
        return;
    }
    let ends = T::FIELDS.iter().map(|field| field.offset.saturating_add(field.size));
    let known = ends.filter(|end| *end <= size).max().unwrap_or(0);
    let struct_size = u32::try_from(size).unwrap_or(0);
    let (to, initial) = (pointer.cast::<u8>(), T::INITIAL);
    // SAFETY: `size` bytes can be written at `to`, and `known` exceeds neither `size` nor the size of `initial`.
    unsafe {
        ptr::write_bytes(to, 0, size);
        ptr::copy_nonoverlapping(ptr::from_ref(&initial).cast::<u8>(), to, known);
        to.cast::<u32>().write_unaligned(struct_size);
    }
}

/// Returns the struct_size at `pointer`, or an error if `pointer` is NULL or the struct_size is invalid.
///
/// # Safety
///
/// Same as for [`read`].
unsafe fn size_of_required<T: SizedStruct>(pointer: *const T) -> Result<usize, CallError> {
    if pointer.is_null() {
        return Err(null(T::NAME));
    }
    // SAFETY: guaranteed by the caller.
    unsafe { checked_size(pointer) }
}

/// Returns the struct_size at `pointer`, or an error if it is invalid.
///
/// # Safety
///
/// The first four bytes of the struct can be read at `pointer`.
unsafe fn checked_size<T: SizedStruct>(pointer: *const T) -> Result<usize, CallError> {
    // SAFETY: guaranteed by the caller; every sized struct begins with its size.
    let size = unsafe { pointer.cast::<u32>().read_unaligned() };
    match usize::try_from(size) {
        Ok(bytes) if (T::FIRST_SIZE..=LARGEST).contains(&bytes) && bytes % MULTIPLE == 0 => Ok(bytes),
        _ => Err(CallError::new(
            NEXMO_ERR_STRUCT_SIZE,
            format!(
                "{}.struct_size is {size}; {} requires a multiple of {MULTIPLE} from {} to {LARGEST}: initialize the struct with \
                 its INIT macro or _init function",
                T::NAME,
                T::TYPE,
                T::FIRST_SIZE
            ),
        )),
    }
}

/// # Safety
///
/// `size` bytes can be read at `pointer`.
unsafe fn copied<T: SizedStruct>(pointer: *const T, size: usize) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the caller guarantees that `size` bytes can be read; at most the size of `value` is written to it.
    unsafe {
        ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), size.min(size_of::<T>()))
    };
    // SAFETY: every byte is initialized, and the trait guarantees that every bit pattern is valid.
    unsafe { value.assume_init() }
}

/// # Safety
///
/// As long as the slice is used, `size` bytes at `pointer` can be read and are not written.
unsafe fn surplus<'a, T: SizedStruct>(pointer: *const T, size: usize) -> &'a [u8] {
    let known = size_of::<T>();
    match size.checked_sub(known) {
        // SAFETY: guaranteed by the caller.
        Some(length) => unsafe { slice::from_raw_parts(pointer.cast::<u8>().add(known), length) },
        None => &[],
    }
}

#[cfg(test)]
mod tests;
