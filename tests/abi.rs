//! Tests the exports, dependencies and size of the released shared library. `tests/abi` contains the expected exports
//! and dependencies.
//!
//! `NEXMO_UPDATE_GOLDEN=1 cargo test --test abi` updates these files. `NEXMO_LIBRARY` selects another library to test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "common/library.rs"]
mod library;

use std::path::{Path, PathBuf};
use std::{env, fs};

use library::built_library;
use object::elf::{DF_1_NODELETE, DT_FLAGS_1, DT_NEEDED, DT_SONAME, FileHeader64};
use object::read::elf::{Dyn, FileHeader, SectionHeader};
use object::{Endianness, Object, ObjectSymbol};

/// The maximum size of the released library in bytes.
const LARGEST_LIBRARY: u64 = 3_500_000;

fn compare_with_golden(path: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("NEXMO_UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == actual, "{} differs from the library, which has: {actual}", path.display());
}

fn library() -> PathBuf {
    env::var_os("NEXMO_LIBRARY").map_or_else(|| built_library().to_owned(), PathBuf::from)
}

#[test]
fn the_library_exports_exactly_these_functions() {
    let bytes = fs::read(library()).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let mut names: Vec<_> = file
        .dynamic_symbols()
        .filter(ObjectSymbol::is_definition)
        .map(|symbol| symbol.name().unwrap().to_owned())
        .collect();
    names.sort();
    compare_with_golden("tests/abi/exports.txt", &(names.join("\n") + "\n"));
}

#[test]
fn the_library_has_a_soname_stays_loaded_and_has_few_dependencies() {
    let bytes = fs::read(library()).unwrap();
    let elf = FileHeader64::<Endianness>::parse(&*bytes).unwrap();
    let endian = elf.endian().unwrap();
    let sections = elf.sections(endian, &*bytes).unwrap();
    let (entries, link) = sections.iter().find_map(|section| section.dynamic(endian, &*bytes).unwrap()).unwrap();
    let strings = sections.strings(endian, &*bytes, link).unwrap();
    let mut facts: Vec<String> = entries
        .iter()
        .filter_map(|entry| {
            let text = || str::from_utf8(entry.string(endian, strings).unwrap()).unwrap();
            match entry.tag(endian) {
                DT_SONAME => Some(format!("soname {}", text())),
                DT_NEEDED => Some(format!("needs {}", text())),
                DT_FLAGS_1 => Some(format!("nodelete {}", entry.val(endian) & DF_1_NODELETE.0 != 0)),
                _ => None,
            }
        })
        .collect();
    facts.sort();
    compare_with_golden("tests/abi/dynamic.txt", &(facts.join("\n") + "\n"));
}

#[test]
fn the_library_is_small() {
    let size = fs::metadata(library()).unwrap().len();
    println!("libnexmo_conversion.so has {size} bytes");
    assert!(size <= LARGEST_LIBRARY, "the library has {size} bytes; at most {LARGEST_LIBRARY} are allowed");
}
