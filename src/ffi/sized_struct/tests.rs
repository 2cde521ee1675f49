use super::*;
use crate::ffi::layout::Field;

/// A struct as the first version of a library defines it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Old {
    struct_size: u32,
    flags: u32,
    value: i64,
}

/// The same struct as a later version defines it, with an additional field.
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

// SAFETY: the struct is `repr(C)`, begins with the fields of `Head`, contains only integers and has no padding.
unsafe impl SizedStruct for Old {
    const NAME: &'static str = "old";
    const FIRST_SIZE: usize = size_of::<Old>();
    const KNOWN_FLAGS: u32 = 1;
    const FLAG_NAMES: &'static str = "OLD_*";
    const INITIAL: Self = Self { value: -1, ..zeroed() };
}

// SAFETY: the struct is `repr(C)`, begins with the fields of `Head`, contains only integers and has no padding.
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
    // SAFETY: each test passes NULL or a pointer at which struct_size bytes can be read.
    unsafe { read(pointer) }.map_or_else(|error| error.status, |_| 0)
}

#[test]
fn a_new_library_reads_the_struct_of_an_old_caller() {
    let given = old(16, 1);
    // SAFETY: 16 bytes can be read.
    let value = unsafe { read(ptr::from_ref(&given).cast::<New>()) }.ok().unwrap();
    assert_eq!(value, New { old: given, added: 0 });
}

#[test]
fn an_old_library_reads_the_struct_of_a_new_caller_if_its_new_fields_are_0() {
    let mut given = New { old: old(24, 0), added: 0 };
    assert_eq!(read_status(ptr::from_ref(&given).cast::<Old>()), 0);
    given.added = 1;
    assert_eq!(read_status(ptr::from_ref(&given).cast::<Old>()), NEXMO_ERR_STRUCT_SIZE);
}

#[test]
fn invalid_sizes_are_reported_with_name_size_and_range() {
    for size in [0, 4, 8, 15, 17, 18, 4097, 4104, 4_000_000_000, u32::MAX] {
        // SAFETY: the size is invalid, so `read` reads only the size.
        let error = unsafe { read(&old(size, 0)) }.err().unwrap();
        assert_eq!(error.status, NEXMO_ERR_STRUCT_SIZE, "{size}");
        let expected =
            format!("old.struct_size is {size}; old_struct requires a multiple of {MULTIPLE} from 16 to 4096");
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
fn no_byte_beyond_an_old_callers_struct_is_written() {
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

fn initialized<T: SizedStruct>(size: usize) -> [u8; 64] {
    let mut bytes = [0xaa_u8; 64];
    // SAFETY: no test passes a size above 64, the length of the array.
    unsafe { init(bytes.as_mut_ptr().cast::<T>(), size) };
    bytes
}

#[test]
fn init_sets_the_fields_that_fit_and_zeroes_the_rest_for_any_version_of_the_caller() {
    for (size, value, added) in [(8, None, None), (12, None, None), (16, Some(-1), None), (24, Some(-1), Some(-2))] {
        let bytes = initialized::<New>(size);
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
    let bytes = initialized::<Old>(40);
    assert!(
        bytes[16..40].iter().all(|byte| *byte == 0) && bytes[40] == 0xaa,
        "init must zero the bytes that only a later version knows and write nothing after them"
    );
}

#[test]
fn init_does_nothing_with_an_invalid_size() {
    for size in [0, 1, 7] {
        assert_eq!(initialized::<New>(size), [0xaa; 64]);
    }
    let mut large = vec![0xaa_u8; 5000];
    // SAFETY: `large` has more than 4097 bytes, and `init` accepts NULL.
    unsafe {
        init(large.as_mut_ptr().cast::<New>(), 4097);
        init(ptr::null_mut::<New>(), 24);
    }
    assert!(large.iter().all(|byte| *byte == 0xaa));
}
