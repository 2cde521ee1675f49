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

/// The largest struct_size that is accepted. A larger one means that the field was never set.
const LARGEST: usize = 4096;

/// The smallest size that contains the head.
const SMALLEST: usize = size_of::<Head>();

/// Every struct size is a multiple of this: compilers add no padding, and no size ends within a field.
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
    /// Its name in messages: the name of the parameter.
    const NAME: &'static str;
    /// Its size in the first release, the smallest that is accepted. Never changed.
    const FIRST_SIZE: usize;
    /// The known flags.
    const KNOWN_FLAGS: u32;
    /// The names of these flags in messages, if there are any: their macros.
    const FLAG_NAMES: &'static str = "";
    /// The values that its INIT macro and its `_init` function set, except for struct_size.
    const INITIAL: Self;
}

/// The size of a struct where pointers have 8 bytes, and where they have 4.
pub(super) const fn first_size(wide: usize, narrow: usize) -> usize {
    if MULTIPLE == 8 { wide } else { narrow }
}

/// Returns a struct with all bytes 0.
pub(super) const fn zeroed<T: SizedStruct>() -> T {
    // SAFETY: the trait's promise: every bit pattern is valid.
    unsafe { std::mem::zeroed() }
}

/// Reads the struct at `pointer`, with 0 in the fields that its caller does not know.
///
/// # Safety
///
/// `pointer` is NULL, or as many bytes as its struct_size says can be read there. It need not be aligned.
pub(super) unsafe fn read<T: SizedStruct>(pointer: *const T) -> Result<T, CallError> {
    let name = T::NAME;
    // SAFETY: the caller's promise.
    let size = unsafe { size_of_required(pointer) }?;
    // SAFETY: the caller's promise; `size` bytes can be read.
    let (value, surplus) = unsafe { (copied(pointer, size), surplus(pointer, size)) };
    if surplus.iter().any(|byte| *byte != 0) {
        let message = format!(
            "{name}.struct_size is {size}, and the bytes after the {} that this library knows are not all 0: initialise the \
             struct with its INIT macro or _init function, or load the library that the program was built for",
            size_of::<T>()
        );
        return Err(CallError::new(NEXMO_ERR_STRUCT_SIZE, message));
    }
    // SAFETY: the trait's promise: the value begins with a head.
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

/// Checks that `pointer` points to a struct that can be written. NULL is valid; nothing is written then.
///
/// # Safety
///
/// As [`read`].
pub(super) unsafe fn check_writable<T: SizedStruct>(pointer: *const T) -> Result<(), CallError> {
    if pointer.is_null() {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    unsafe { checked_size(pointer) }.map(drop)
}

/// Checks that `pointer` points to a struct that can be written.
///
/// # Safety
///
/// As [`read`].
pub(super) unsafe fn check_required<T: SizedStruct>(pointer: *const T) -> Result<(), CallError> {
    // SAFETY: the caller's promise.
    unsafe { size_of_required(pointer) }.map(drop)
}

/// Writes the part of `value` that the caller knows, and 0 to fields that only the caller knows. Leaves struct_size
/// unchanged, and the whole struct if [`check_writable`] rejects it.
///
/// # Safety
///
/// `pointer` is NULL, or as many bytes as its struct_size says can be written there.
pub(super) unsafe fn write<T: SizedStruct>(pointer: *mut T, value: &T) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    let Ok(size) = (unsafe { checked_size(pointer) }) else {
        return;
    };
    let after_size = offset_of!(Head, flags);
    let known = size.min(size_of::<T>());
    let (to, from) = (pointer.cast::<u8>(), ptr::from_ref(value).cast::<u8>());
    // SAFETY: `size` bytes can be written at `to`, and `known` of them read at `from`, which is a local value.
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
/// `pointer` is NULL, or `size` bytes can be written there. It need not be aligned.
pub(super) unsafe fn init<T: SizedStruct>(pointer: *mut T, size: usize) {
    if pointer.is_null() || !(SMALLEST..=LARGEST).contains(&size) {
        return;
    }
    let ends = T::FIELDS.iter().map(|field| field.offset.saturating_add(field.size));
    let known = ends.filter(|end| *end <= size).max().unwrap_or(0);
    let struct_size = u32::try_from(size).unwrap_or(0);
    let (to, initial) = (pointer.cast::<u8>(), T::INITIAL);
    // SAFETY: `size` bytes can be written at `to`, and `known` exceeds neither that nor the size of `initial`.
    unsafe {
        ptr::write_bytes(to, 0, size);
        ptr::copy_nonoverlapping(ptr::from_ref(&initial).cast::<u8>(), to, known);
        to.cast::<u32>().write_unaligned(struct_size);
    }
}

/// Returns the struct_size at `pointer`, which must not be NULL, if it is valid.
///
/// # Safety
///
/// As [`read`].
unsafe fn size_of_required<T: SizedStruct>(pointer: *const T) -> Result<usize, CallError> {
    if pointer.is_null() {
        return Err(null(T::NAME));
    }
    // SAFETY: the caller's promise.
    unsafe { checked_size(pointer) }
}

/// Returns the struct_size at `pointer`, if it is valid.
///
/// # Safety
///
/// At least the first four bytes can be read at `pointer`.
unsafe fn checked_size<T: SizedStruct>(pointer: *const T) -> Result<usize, CallError> {
    // SAFETY: the caller's promise; every sized struct begins with its size.
    let size = unsafe { pointer.cast::<u32>().read_unaligned() };
    match usize::try_from(size) {
        Ok(bytes) if (T::FIRST_SIZE..=LARGEST).contains(&bytes) && bytes % MULTIPLE == 0 => Ok(bytes),
        _ => Err(CallError::new(
            NEXMO_ERR_STRUCT_SIZE,
            format!(
                "{}.struct_size is {size}; {} accepts multiples of {MULTIPLE} from {} to {LARGEST}: initialise the struct with \
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
    // SAFETY: the caller's promise; no more is copied than the size of `value`.
    unsafe {
        ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), size.min(size_of::<T>()))
    };
    // SAFETY: every byte is set, and the trait promises that every bit pattern is valid.
    unsafe { value.assume_init() }
}

/// # Safety
///
/// `size` bytes can be read at `pointer` for as long as the slice is used.
unsafe fn surplus<'a, T: SizedStruct>(pointer: *const T, size: usize) -> &'a [u8] {
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
    use crate::ffi::layout::Field;

    /// A struct in its first release.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Old {
        struct_size: u32,
        flags: u32,
        value: i64,
    }

    /// The same struct with an additional field.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct New {
        old: Old,
        added: i64,
    }

    const FIELDS: [Field; 4] = [
        Field { name: "struct_size", offset: 0, size: 4 },
        Field { name: "flags", offset: 4, size: 4 },
        Field { name: "value", offset: 8, size: 8 },
        Field { name: "added", offset: 16, size: 8 },
    ];

    impl Layout for Old {
        const TYPE: &'static str = "old_struct";
        const FIELDS: &'static [Field] = FIELDS.split_at(3).0;
    }

    impl Layout for New {
        const TYPE: &'static str = "new_struct";
        const FIELDS: &'static [Field] = &FIELDS;
    }

    // SAFETY: integers without padding.
    unsafe impl SizedStruct for Old {
        const NAME: &'static str = "old";
        const FIRST_SIZE: usize = size_of::<Old>();
        const KNOWN_FLAGS: u32 = 1;
        const FLAG_NAMES: &'static str = "OLD_*";
        const INITIAL: Self = Self { value: -1, ..zeroed() };
    }

    // SAFETY: integers without padding.
    unsafe impl SizedStruct for New {
        const NAME: &'static str = "new";
        const FIRST_SIZE: usize = size_of::<Old>();
        const KNOWN_FLAGS: u32 = 1;
        const INITIAL: Self = Self { old: Old::INITIAL, added: -2 };
    }

    fn old(struct_size: u32, flags: u32) -> Old {
        Old { struct_size, flags, value: 7 }
    }

    fn read_status<T: SizedStruct>(pointer: *const T) -> i32 {
        // SAFETY: each test passes NULL, a struct with as many bytes as its size says, or an invalid size.
        unsafe { read(pointer) }.map_or_else(|error| error.status, |_| 0)
    }

    #[test]
    fn an_old_caller_reads_into_a_new_library() {
        let given = old(16, 1);
        // SAFETY: 16 bytes can be read.
        let value = unsafe { read(ptr::from_ref(&given).cast::<New>()) }.ok().unwrap();
        assert_eq!(value, New { old: given, added: 0 });
    }

    #[test]
    fn a_new_caller_reads_into_an_old_library_while_its_new_fields_are_0() {
        let mut given = New { old: old(24, 0), added: 0 };
        assert_eq!(read_status(ptr::from_ref(&given).cast::<Old>()), 0);
        given.added = 1;
        assert_eq!(read_status(ptr::from_ref(&given).cast::<Old>()), NEXMO_ERR_STRUCT_SIZE);
    }

    #[test]
    fn invalid_sizes_are_reported_with_name_size_and_range() {
        for size in [0, 4, 8, 15, 17, 18, 4097, 4104, 4_000_000_000, u32::MAX] {
            // SAFETY: the size is invalid, and nothing else is read.
            let error = unsafe { read(&old(size, 0)) }.err().unwrap();
            assert_eq!(error.status, NEXMO_ERR_STRUCT_SIZE, "{size}");
            let expected =
                format!("old.struct_size is {size}; old_struct accepts multiples of {MULTIPLE} from 16 to 4096");
            assert!(error.message.starts_with(&expected), "{}", error.message);
        }
    }

    #[test]
    fn unknown_flags_and_null_are_invalid() {
        // SAFETY: 16 bytes can be read.
        let error = unsafe { read(&old(16, 3)) }.err().unwrap();
        assert_eq!(error.status, NEXMO_ERR_UNKNOWN_FLAGS);
        assert_eq!(error.message, "old.flags has unknown flags 0x2; valid: 0x1 (OLD_*)");
        assert_eq!(read_status(ptr::null::<Old>()), crate::ffi::status::NEXMO_ERR_NULL_POINTER);
    }

    #[test]
    fn a_struct_need_not_be_aligned() {
        let mut bytes = [0_u8; 17];
        bytes[1] = 16;
        assert_eq!(read_status(bytes[1..].as_ptr().cast::<Old>()), 0);
    }

    #[test]
    fn no_more_is_written_than_an_old_caller_has() {
        let mut given = [0xaa_u8; 24];
        given[..4].copy_from_slice(&16_u32.to_ne_bytes());
        let value = New { old: old(99, 0), added: -1 };
        // SAFETY: 16 bytes can be written.
        unsafe { write(given.as_mut_ptr().cast::<New>(), &value) };
        assert_eq!(given[..4], 16_u32.to_ne_bytes());
        assert_eq!(given[8..16], 7_i64.to_ne_bytes());
        assert_eq!(given[16..], [0xaa; 8]);
    }

    #[test]
    fn an_old_library_writes_0_to_fields_it_does_not_know() {
        let mut given = New { old: old(24, 5), added: -1 };
        // SAFETY: 24 bytes can be written.
        unsafe { write(ptr::from_mut(&mut given).cast::<Old>(), &old(16, 0)) };
        assert_eq!(given, New { old: old(24, 0), added: 0 });
    }

    fn initialised<T: SizedStruct>(size: usize) -> [u8; 64] {
        let mut bytes = [0xaa_u8; 64];
        // SAFETY: at most 64 bytes are written, and the array has that many.
        unsafe { init(bytes.as_mut_ptr().cast::<T>(), size) };
        bytes
    }

    #[test]
    fn init_sets_the_fields_that_fit_and_zeroes_the_rest_for_any_version_of_the_caller() {
        for (size, value, added) in [(8, None, None), (12, None, None), (16, Some(-1), None), (24, Some(-1), Some(-2))]
        {
            let bytes = initialised::<New>(size);
            assert_eq!(bytes[..4], u32::try_from(size).unwrap().to_ne_bytes());
            let mut expected = vec![0; size];
            if let Some(value) = value {
                expected[8..16].copy_from_slice(&i64::to_ne_bytes(value));
            }
            if let Some(added) = added {
                expected[16..24].copy_from_slice(&i64::to_ne_bytes(added));
            }
            assert_eq!(bytes[4..size], expected[4..], "{size}");
            assert!(bytes[size..].iter().all(|byte| *byte == 0xaa), "{size}");
        }
        let bytes = initialised::<Old>(40);
        assert!(bytes[16..40].iter().all(|byte| *byte == 0) && bytes[40] == 0xaa, "a field of a later version");
    }

    #[test]
    fn init_does_nothing_with_an_invalid_size() {
        for size in [0, 1, 7] {
            assert_eq!(initialised::<New>(size), [0xaa; 64]);
        }
        let mut large = vec![0xaa_u8; 5000];
        // SAFETY: 5000 bytes can be written, and NULL may be passed.
        unsafe {
            init(large.as_mut_ptr().cast::<New>(), 4097);
            init(ptr::null_mut::<New>(), 24);
        }
        assert!(large.iter().all(|byte| *byte == 0xaa));
    }
}
