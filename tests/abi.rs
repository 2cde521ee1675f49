//! The binary interface, held against the files in `tests/abi`: a change here is a change that programs out there meet.
//!
//! `NEXMO_UPDATE_GOLDEN=1 cargo test --test abi` writes the files anew. The library under test is the one that ships, at
//! `target/release` unless `NEXMO_LIBRARY` names another; `make library` builds it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::mem::{offset_of, size_of};
use std::path::{Path, PathBuf};
use std::{env, fs};

use nexmo_conversion::ffi::reporter::structs::{nexmo_aside, nexmo_reporter_options, nexmo_statistics};
use nexmo_conversion::ffi::status::{nexmo_status_describe, nexmo_status_name};
use nexmo_conversion::ffi::structs::{nexmo_credentials, nexmo_options, nexmo_result};
use object::elf::{DF_1_NODELETE, DT_FLAGS_1, DT_NEEDED, DT_SONAME, FileHeader64};
use object::read::elf::{Dyn, FileHeader, SectionHeader};
use object::{Endianness, Object, ObjectSymbol};

/// The most bytes that the shipped library may have.
const LARGEST_LIBRARY: u64 = 3_000_000;

fn compare_with_golden(path: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("NEXMO_UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == actual, "{} is not up to date: {actual}", path.display());
}

fn library() -> PathBuf {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/libnexmo_conversion.so");
    let path = env::var_os("NEXMO_LIBRARY").map_or(shipped, PathBuf::from);
    assert!(path.exists(), "{} is not there: run make library, or name another in NEXMO_LIBRARY", path.display());
    path
}

#[test]
fn the_header_is_the_generated_one() {
    let generated = fs::read_to_string(env!("NEXMO_GENERATED_HEADER")).unwrap();
    compare_with_golden("include/nexmo_conversion.h", &generated);
}

#[test]
fn the_library_exports_these_functions_and_no_more() {
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
fn the_library_names_its_interface_stays_loaded_and_needs_little() {
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
    assert!(size <= LARGEST_LIBRARY, "{size} bytes");
}

macro_rules! layout {
    ($name:ident: $($field:ident),+) => {{
        // SAFETY: integers and pointers, for which all zeroes are a value.
        let value: $name = unsafe { std::mem::zeroed() };
        let fields = [$((stringify!($field), offset_of!($name, $field), size_of_val(&value.$field))),+];
        let sum: usize = fields.iter().map(|(_, _, size)| size).sum();
        assert_eq!(sum, size_of::<$name>(), "there is padding in {}", stringify!($name));
        let lines = fields.map(|(field, offset, size)| format!("{}.{field} {offset} {size}\n", stringify!($name)));
        format!("{} {}\n{}", stringify!($name), size_of::<$name>(), lines.concat())
    }};
}

#[test]
fn every_field_has_its_place() {
    let layout = [
        layout!(nexmo_credentials: struct_size, flags, api_key, api_secret, signature_secret, auth, signature_method),
        layout!(nexmo_options: struct_size, flags, base_url, proxy, ca_file, client_cert_file, client_key_file, user_agent,
            connect_timeout_ms, timeout_ms, attempts, connections),
        layout!(nexmo_result: struct_size, flags, status, http_status, attempts, taken, elapsed_us, retry_after_ms, message),
        layout!(nexmo_reporter_options: struct_size, flags, outbox, durability, when_full, most_reports, age_limit_s,
            connections, lock_wait_ms),
        layout!(nexmo_statistics: struct_size, flags, state, under_way, last_error, last_error_http_status, accepted, sent,
            refused, expired, replaced, dropped, pending, aside, forgotten, outboxes_lost, outbox_errors, oldest_pending_ms,
            last_error_unix_ms, last_error_message),
        layout!(nexmo_aside: struct_size, flags, reason, http_status, channel, delivered, message_id, timestamp, message),
    ];
    compare_with_golden("tests/abi/layout.txt", &layout.concat());
}

/// The statuses of the header: name and number, with the comment above each.
fn statuses_of_header() -> BTreeMap<i32, (String, String)> {
    let header = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("include/nexmo_conversion.h")).unwrap();
    let mut statuses = BTreeMap::new();
    for block in header.split("/**").skip(1) {
        let (comment, code) = block.split_once("*/").unwrap();
        let words: Vec<&str> = code.split_whitespace().take(3).collect();
        if let ["#define", name, number] = words[..]
            && (name == "NEXMO_OK" || name.starts_with("NEXMO_ERR_"))
        {
            let comment = comment.split_whitespace().filter(|word| *word != "*").collect::<Vec<_>>().join(" ");
            statuses.insert(number.parse().unwrap(), (name.to_owned(), comment));
        }
    }
    statuses
}

#[test]
fn the_header_says_of_each_status_what_the_library_says() {
    // SAFETY: both functions return texts that live for ever.
    let text = |pointer| unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().to_owned();
    let statuses = statuses_of_header();
    assert!(statuses.len() >= 27, "the header names {} statuses", statuses.len());
    for (number, (name, comment)) in statuses {
        assert_eq!(text(nexmo_status_name(number)), name);
        assert_eq!(text(nexmo_status_describe(number)), comment);
    }
    let numbers = (-1000..1000).filter(|number| text(nexmo_status_name(*number)) != "NEXMO_ERR_UNKNOWN");
    assert_eq!(numbers.collect::<Vec<_>>(), statuses_of_header().into_keys().collect::<Vec<_>>());
}
