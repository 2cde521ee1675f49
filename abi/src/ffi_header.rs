//! Generates `include/nexmo_conversion.ffi.h`, the declarations for C parsers without a preprocessor, such as PHP's
//! `FFI::cdef`, LuaJIT and Python's cffi.

use std::fmt::Write as _;

use crate::c::{declared, prototype, spelled};
use crate::interface::{Interface, Section};
use crate::{Failure, NOTICE};

const PURPOSE: &str = "\
/* The declarations of nexmo_conversion.h without a preprocessor, for PHP FFI, LuaJIT and Python cffi. */
/* Use this file only with the library version that it came with: some parsers look up every function at load time. */
";

/// Returns the text of the header for parsers without a preprocessor.
pub(crate) fn ffi_header(interface: &Interface) -> Result<String, Failure> {
    let mut text = format!("/* {NOTICE} */\n{PURPOSE}");
    for section in &interface.sections {
        types(&mut text, section)?;
        constants(&mut text, section)?;
        for item in &section.structs {
            let fields = item.fields.iter().map(|field| format!("    {};\n", declared(field))).collect::<String>();
            write!(text, "\ntypedef struct {0} {{\n{fields}}} {0};\n", item.name)?;
        }
        let functions = section.functions.iter().map(|function| format!("{};\n", prototype(function)));
        write!(text, "\n{}", functions.collect::<String>())?;
    }
    Ok(text)
}

fn types(text: &mut String, section: &Section) -> Result<(), Failure> {
    for alias in &section.aliases {
        write!(text, "\ntypedef {} {};\n", spelled(&alias.of), alias.name)?;
    }
    for handle in &section.handles {
        write!(text, "\ntypedef struct {handle} {handle};\n")?;
    }
    Ok(())
}

/// Appends the constants as enumerators, which are ints in C.
fn constants(text: &mut String, section: &Section) -> Result<(), Failure> {
    if section.constants.is_empty() {
        return Ok(());
    }
    let mut lines = Vec::new();
    for constant in &section.constants {
        let value = i32::try_from(constant.value)
            .map_err(|_| format!("{} does not fit into an int, so it cannot be an enumerator", constant.name))?;
        lines.push(format!("    {} = {value}", constant.name));
    }
    Ok(write!(text, "\nenum {{\n{}\n}};\n", lines.join(",\n"))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tests::interface;

    #[test]
    fn the_header_has_no_macros_and_array_lengths_are_numbers() {
        let text = ffi_header(&interface("struct_size: u32, pub text: [c_char; NEXMO_TEXT_SIZE]", "")).unwrap();
        assert!(!text.contains('#'));
        assert!(text.contains("enum {\n    NEXMO_OK = 0,\n"));
        assert!(text.contains("    char text[20];\n} nexmo_example;\n"));
    }

    #[test]
    fn a_flag_that_does_not_fit_into_an_int_is_an_error() {
        let mut interface = interface("struct_size: u32", "");
        interface.sections[0].constants[0].value = 0x8000_0000;
        assert!(ffi_header(&interface).is_err());
    }
}
