//! Reads the source files that declare the C interface, in the order of the sections of the header.

use std::fs;
use std::path::{Path, PathBuf};

use crate::interface::Interface;
use crate::{Failure, parse};

/// The folder of the source files.
pub(crate) const FOLDER: &str = "src/ffi";

/// Each source file, and the title of its section in the header.
const SOURCES: &[(&str, &str)] = &[
    ("status.rs", "Statuses"),
    ("version.rs", "Version and time"),
    ("credentials.rs", "Credentials"),
    ("options.rs", "Options"),
    ("result.rs", "Results"),
    ("conversion.rs", "1. One call"),
    ("client.rs", "2. A client"),
    ("reporter/options.rs", "3. A reporter: options"),
    ("reporter/lifecycle.rs", "3. A reporter: new, flush, close, free"),
    ("reporter/submit.rs", "3. A reporter: submit"),
    ("reporter/event.rs", "3. A reporter: events"),
    ("reporter/statistics.rs", "3. A reporter: statistics"),
    ("flat/lifecycle.rs", "4. Flat: open and close"),
    ("flat/report.rs", "4. Flat: report, submit, flush"),
    ("flat/event.rs", "4. Flat: events"),
    ("flat/information.rs", "4. Flat: information"),
];

/// The file that is not part of the interface: its functions exist only if the feature `testing` is enabled.
const EXCEPTED: &str = "testing.rs";

/// Strings that occur only in files that declare part of the interface.
const MARKS: [&str; 3] = ["no_mangle", "pub struct nexmo_", "pub const NEXMO_"];

/// Reads the interface from the files below `root`.
pub(crate) fn read(root: &Path) -> Result<Interface, Failure> {
    let folder = root.join(FOLDER);
    check_all_are_listed(&folder)?;
    let mut interface = Interface { version: env!("CARGO_PKG_VERSION"), sections: Vec::new() };
    for (path, title) in SOURCES {
        let text = fs::read_to_string(folder.join(path)).map_err(|error| format!("{path}: {error}"))?;
        let section = parse::section(&interface, path, title, &text)?;
        interface.sections.push(section);
    }
    Ok(interface)
}

fn check_all_are_listed(folder: &Path) -> Result<(), Failure> {
    for path in rust_files(folder)? {
        let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
        let is_known = name == EXCEPTED || SOURCES.iter().any(|(listed, _)| *listed == name);
        let text = fs::read_to_string(&path)?;
        if let (false, Some(mark)) = (is_known, MARKS.iter().find(|mark| text.contains(**mark))) {
            return Err(format!("{name} contains {mark:?}, but abi/src/source.rs does not list it").into());
        }
    }
    Ok(())
}

/// Returns the Rust files in a folder and the folders below it, in a stable order.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_with(path: &str, text: &str) -> Result<(), Failure> {
        let folder = std::env::temp_dir().join(format!("nexmo-abi-{}-{}", std::process::id(), path.replace('/', "-")));
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        let checked = check_all_are_listed(&folder);
        fs::remove_dir_all(folder).unwrap();
        checked
    }

    #[test]
    fn an_unlisted_file_that_declares_part_of_the_interface_is_reported_by_name() {
        for text in ["#[unsafe(no_mangle)]", "#[repr(C)] pub struct nexmo_new {}", "pub const NEXMO_NEW: i32 = 1;"] {
            let error = check_with("reporter/new.rs", text).unwrap_err().to_string();
            assert!(error.contains("reporter/new.rs"), "{error}");
        }
    }

    #[test]
    fn files_that_declare_nothing_and_listed_files_are_accepted() {
        assert!(check_with("handle.rs", "pub(crate) struct Table;").is_ok());
        assert!(check_with("testing.rs", "#[unsafe(no_mangle)]").is_ok());
        assert!(check_with("status.rs", "pub const NEXMO_OK: i32 = 0;").is_ok());
    }
}
