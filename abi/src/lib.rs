//! Generates every file that describes the C interface from the one place that declares it, `src/ffi`.
//!
//! `make generate` writes the files; `make check` and the tests fail if a committed file differs.

mod c;
mod cobol;
mod ffi_header;
mod header;
mod interface;
mod json;
mod layout;
mod layout_program;
mod parse;
mod python;
mod rust;
mod source;
mod statuses;
mod text;

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::interface::Interface;

/// An error whose text is a message for the developer.
pub type Failure = Box<dyn Error>;

/// The notice in each generated file.
const NOTICE: &str = "Generated from src/ffi by `make generate`; do not edit.";

/// A generated file.
pub struct Generated {
    /// The path below the root of the repository, with slashes.
    pub path: &'static str,
    /// The whole text.
    pub text: String,
}

type Generator = fn(&Interface) -> Result<String, Failure>;

const GENERATORS: &[(&str, Generator)] = &[
    ("src/ffi/layout.rs", rust::layout_module),
    ("src/ffi/status_table.rs", rust::status_table),
    ("include/nexmo_conversion.ffi.h", ffi_header::ffi_header),
    ("docs/abi.json", json::json),
    ("docs/statuses.md", statuses::statuses),
    ("bindings/python/nexmo_conversion/_abi.py", python::module),
    ("bindings/cobol/NEXMOCNV.cpy", cobol::copybook),
    ("tests/abi/layout.c", layout_program::program),
];

/// Generates every file from the sources below `root`, the root of the repository.
pub fn generate(root: &Path) -> Result<Vec<Generated>, Failure> {
    let interface = source::read(root)?;
    layout::check(&interface)?;
    let mut files = vec![Generated { path: "include/nexmo_conversion.h", text: header::header(root, &interface)? }];
    for (path, generator) in GENERATORS {
        files.push(Generated { path, text: generator(&interface)? });
    }
    Ok(files)
}

/// Writes the generated files that are missing or out of date.
pub fn write(root: &Path) -> Result<(), Failure> {
    for file in differing(root)? {
        let path = root.join(file.path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, file.text)?;
    }
    Ok(())
}

/// Returns the generated files that are missing or out of date.
pub fn differing(root: &Path) -> Result<Vec<Generated>, Failure> {
    let is_different =
        |file: &Generated| fs::read_to_string(root.join(file.path)).map_or(true, |present| present != file.text);
    Ok(generate(root)?.into_iter().filter(is_different).collect())
}

/// Returns the output expected of `tests/abi/layout.c` where pointers have `bits` bits, 64 or 32.
pub fn printed_layout(root: &Path, bits: u32) -> Result<String, Failure> {
    let target = [layout::BITS_64, layout::BITS_32].into_iter().find(|target| target.bits == bits);
    layout_program::expected(&source::read(root)?, target.ok_or("bits must be 64 or 32")?)
}
