//! Computes the offset and size of each field for 64 and for 32 bits, and checks that no struct needs padding.

use crate::Failure;
use crate::interface::{Interface, Struct, Type};

/// The properties of a platform that determine the layout of a struct.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) bits: u32,
    pointer_size: usize,
    /// The alignment of an int64_t in a struct.
    i64_alignment: usize,
}

pub(crate) const BITS_64: Target = Target { bits: 64, pointer_size: 8, i64_alignment: 8 };

/// i686, which aligns an int64_t in a struct to 4 bytes.
pub(crate) const BITS_32: Target = Target { bits: 32, pointer_size: 4, i64_alignment: 4 };

/// Most other 32-bit processors, such as Arm, which align an int64_t to 8 bytes.
const BITS_32_STRICT: Target = Target { bits: 32, pointer_size: 4, i64_alignment: 8 };

/// The size of a struct, with the offset and size of each field.
#[derive(Debug, PartialEq)]
pub(crate) struct Layout {
    pub(crate) size: usize,
    pub(crate) fields: Vec<FieldLayout>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct FieldLayout {
    pub(crate) name: String,
    pub(crate) offset: usize,
    pub(crate) size: usize,
}

/// Returns the layout of a struct, or an error if a compiler for `target` would insert padding.
pub(crate) fn layout(interface: &Interface, item: &Struct, target: Target) -> Result<Layout, Failure> {
    let (mut offset, mut largest_alignment) = (0_usize, 1);
    let mut fields = Vec::new();
    for field in &item.fields {
        let (size, alignment) = size_and_alignment(interface, &field.of, target)?;
        if !offset.is_multiple_of(alignment) {
            let bits = target.bits;
            return Err(format!("{}: there is padding before {} on {bits} bits", item.name, field.name).into());
        }
        fields.push(FieldLayout { name: field.name.clone(), offset, size });
        offset = offset.saturating_add(size);
        largest_alignment = alignment.max(largest_alignment);
    }
    if !offset.is_multiple_of(largest_alignment) {
        return Err(format!("{}: there is padding at the end on {} bits", item.name, target.bits).into());
    }
    Ok(Layout { size: offset, fields })
}

/// Checks that no struct has padding, and that each struct's size in the first release is the end of one of its fields.
pub(crate) fn check(interface: &Interface) -> Result<(), Failure> {
    for item in interface.structs() {
        layout(interface, item, BITS_32_STRICT)?;
        let (wide, narrow) = item.first_size;
        for (target, first_size) in [(BITS_64, wide), (BITS_32, narrow)] {
            let fields = layout(interface, item, target)?.fields;
            if !fields.iter().any(|field| field.offset.saturating_add(field.size) == first_size) {
                return Err(format!("{}: no field ends at FIRST_SIZE {first_size}", item.name).into());
            }
        }
    }
    Ok(())
}

fn size_and_alignment(interface: &Interface, of: &Type, target: Target) -> Result<(usize, usize), Failure> {
    Ok(match interface.resolved(of) {
        Type::Char => (1, 1),
        Type::I32 | Type::U32 => (4, 4),
        Type::I64 => (8, target.i64_alignment),
        Type::Pointer { .. } => (target.pointer_size, target.pointer_size),
        Type::Array { of, length } => {
            let (size, alignment) = size_and_alignment(interface, of, target)?;
            (size.saturating_mul(*length), alignment)
        }
        other => return Err(format!("a field of a struct cannot be of type {other:?}").into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tests::interface;

    const HEAD: &str = "struct_size: u32, pub flags: u32";

    fn of(fields: &str, target: Target) -> Result<Layout, Failure> {
        let interface = interface(fields, "");
        layout(&interface, interface.structs().next().unwrap(), target)
    }

    fn offsets(layout: &Layout) -> Vec<usize> {
        layout.fields.iter().map(|field| field.offset).collect()
    }

    #[test]
    fn pointers_have_8_bytes_on_64_bits_and_4_on_32() {
        let fields = format!("{HEAD}, pub text: *const c_char, pub number: i32, pub status: nexmo_status");
        let wide = of(&fields, BITS_64).unwrap();
        assert_eq!((wide.size, offsets(&wide)), (24, vec![0, 4, 8, 16, 20]));
        let narrow = of(&fields, BITS_32).unwrap();
        assert_eq!((narrow.size, offsets(&narrow)), (20, vec![0, 4, 8, 12, 16]));
    }

    #[test]
    fn an_int64_at_a_multiple_of_4_needs_padding_except_on_i686() {
        let fields = format!("{HEAD}, pub one: i32, pub count: i64, pub two: i32");
        assert_eq!(offsets(&of(&fields, BITS_32).unwrap()), [0, 4, 8, 12, 20]);
        for target in [BITS_64, BITS_32_STRICT] {
            let error = of(&fields, target).unwrap_err().to_string();
            assert!(error.contains("padding before count"), "{error}");
        }
    }

    #[test]
    fn padding_at_the_end_is_an_error() {
        let error = of(&format!("{HEAD}, pub count: i64, pub text: [c_char; 4]"), BITS_64).unwrap_err().to_string();
        assert!(error.contains("padding at the end"), "{error}");
    }

    #[test]
    fn check_rejects_a_struct_with_padding_and_a_first_size_within_a_field() {
        assert!(
            check(&interface(&format!("{HEAD}, pub count: i64"), "")).is_ok(),
            "a struct without padding was rejected"
        );
        assert!(check(&interface("struct_size: u32, pub text: [c_char; 8]", "")).is_err());
        let padded = format!("{HEAD}, pub one: i32, pub count: i64, pub two: i32");
        assert!(check(&interface(&padded, "")).is_err());
    }
}
