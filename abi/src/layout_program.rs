//! Generates `tests/abi/layout.c`, a program that prints how a compiler lays out the structs of the header, and the
//! output that the program must print.

use std::fmt::Write as _;

use crate::interface::Interface;
use crate::layout::{Target, layout};
use crate::{Failure, NOTICE};

const BEGINNING: &str = "\
#include <stddef.h>
#include <stdio.h>

#include \"nexmo_conversion.h\"

#define STRUCT(type) printf(\"%s %lu\\n\", #type, (unsigned long)sizeof(type))
#define FIELD(type, field)                                                                     \\
    printf(\"%s.%s %lu %lu\\n\", #type, #field, (unsigned long)offsetof(type, field),              \\
           (unsigned long)sizeof(((type *)NULL)->field))
#define CONSTANT(name) printf(\"%s %ld\\n\", #name, (long)(name))

int main(void)
{
";

/// Returns the text of the program.
pub(crate) fn program(interface: &Interface) -> Result<String, Failure> {
    let mut text = format!(
        "/* Prints each struct with its size, each field with its offset and size, and each constant with its value.\n   \
         abi/tests compares the output with the layout that the generator computes, on 64 and on 32 bits.\n   {NOTICE} */\n{BEGINNING}"
    );
    for item in interface.structs() {
        writeln!(text, "    STRUCT({});", item.name)?;
        for field in &item.fields {
            writeln!(text, "    FIELD({}, {});", item.name, field.name)?;
        }
    }
    for constant in interface.constants() {
        writeln!(text, "    CONSTANT({});", constant.name)?;
    }
    text.push_str("    return 0;\n}\n");
    Ok(text)
}

/// Returns the output expected of the program on `target`.
pub(crate) fn expected(interface: &Interface, target: Target) -> Result<String, Failure> {
    let mut text = String::new();
    for item in interface.structs() {
        let layout = layout(interface, item, target)?;
        writeln!(text, "{} {}", item.name, layout.size)?;
        for field in layout.fields {
            writeln!(text, "{}.{} {} {}", item.name, field.name, field.offset, field.size)?;
        }
    }
    for constant in interface.constants() {
        writeln!(text, "{} {}", constant.name, constant.value)?;
    }
    Ok(text)
}
