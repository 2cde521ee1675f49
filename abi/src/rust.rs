//! Generates two modules of the library: `layout.rs` and `status_table.rs`.

use std::fmt::Write as _;

use crate::interface::Interface;
use crate::layout::{BITS_32, BITS_64, Layout, layout};
use crate::text::wrapped;
use crate::{Failure, NOTICE};

const LAYOUT_TYPES: &str = "\
use std::mem::{offset_of, size_of};

/// One field of a struct.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) offset: usize,
    pub(crate) size: usize,
}

/// A struct of the C interface and the offsets of its fields.
pub(crate) trait Layout: Copy + 'static {
    const TYPE: &'static str;
    const FIELDS: &'static [Field];
}

const fn field(name: &'static str, offset: usize, size: usize) -> Field {
    Field { name, offset, size }
}

/// Returns `wide` where pointers have 8 bytes, and `narrow` where they have 4.
const fn expected(wide: usize, narrow: usize) -> usize {
    if cfg!(target_pointer_width = \"64\") { wide } else { narrow }
}
";

const STATUS_TYPES: &str = "\
use super::status::Row;

/// The row for every number that is not a known status.
pub(super) static UNKNOWN: Row = Row {
    status: -1,
    name: c\"NEXMO_ERR_UNKNOWN\",
    text: c\"A status that this version of the library does not know. Classify it by its band.\",
};
";

/// Returns the text of `layout.rs`.
pub(crate) fn layout_module(interface: &Interface) -> Result<String, Failure> {
    let mut text = format!(
        "//! The offsets of each struct's fields, and assertions that the compiler agrees and inserts no padding.\n\
         //!\n//! {NOTICE}\n\n{LAYOUT_TYPES}"
    );
    for section in &interface.sections {
        let module = section.path.trim_end_matches(".rs").replace('/', "::");
        for item in &section.structs {
            let (wide, narrow) = (layout(interface, item, BITS_64)?, layout(interface, item, BITS_32)?);
            struct_layout(&mut text, &format!("super::{module}::{}", item.name), &item.name, &wide, &narrow)?;
        }
    }
    Ok(text)
}

fn struct_layout(text: &mut String, path: &str, name: &str, wide: &Layout, narrow: &Layout) -> Result<(), Failure> {
    let layouts = || wide.fields.iter().zip(&narrow.fields);
    let expected = |wide, narrow| format!("expected({wide}, {narrow})");
    write!(text, "\nimpl Layout for {path} {{\n    const TYPE: &'static str = \"{name}\";\n")?;
    writeln!(text, "    const FIELDS: &'static [Field] = &[")?;
    for (wide, narrow) in layouts() {
        let (field, size) = (&wide.name, expected(wide.size, narrow.size));
        writeln!(text, "        field(\"{field}\", offset_of!(Self, {field}), {size}),")?;
    }
    write!(text, "    ];\n}}\n\nconst _: () = {{\n    use {path};\n")?;
    let size = expected(wide.size, narrow.size);
    writeln!(text, "    assert!(size_of::<{name}>() == {size}, \"{name} has padding\");")?;
    for (wide, narrow) in layouts() {
        let offset = expected(wide.offset, narrow.offset);
        writeln!(text, "    assert!(offset_of!({name}, {}) == {offset});", wide.name)?;
    }
    text.push_str("};\n");
    Ok(())
}

/// Returns the text of `status_table.rs`.
pub(crate) fn status_table(interface: &Interface) -> Result<String, Failure> {
    let mut text = format!(
        "//! The name and the text of each status, from the comments in `status.rs`.\n//!\n//! {NOTICE}\n\n{STATUS_TYPES}\n\
         /// Every status, in numerical order.\npub(super) static ROWS: &[Row] = &[\n"
    );
    let mut statuses = interface.statuses();
    statuses.sort_by_key(|status| status.number);
    for status in statuses {
        let lines = wrapped(&status.text.replace('\\', "\\\\").replace('"', "\\\""), 96);
        let sentence = lines.join(" \\\n            ");
        let (number, name) = (status.number, status.name);
        write!(
            text,
            "    Row {{\n        status: {number},\n        name: c\"{name}\",\n        text: c\"{sentence}\",\n    }},\n"
        )?;
    }
    text.push_str("];\n");
    Ok(text)
}
