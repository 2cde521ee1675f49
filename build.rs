//! Writes the C header into the build folder, where a test compares it with the committed one, and names the shared
//! library's soname.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The files that the header shows, in the order in which one reads it. None of them declares modules, which cbindgen would
/// read where it finds them.
const FILES: [&str; 12] = [
    "status.rs",
    "structs.rs",
    "conversion.rs",
    "client.rs",
    "reporter/structs.rs",
    "reporter/new.rs",
    "reporter/submit.rs",
    "reporter/poll.rs",
    "reporter/flush.rs",
    "reporter/statistics.rs",
    "reporter/close.rs",
    "info.rs",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    println!("cargo::rerun-if-changed=src/ffi");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    write_header(&root)?;
    link();
    Ok(())
}

fn write_header(root: &Path) -> Result<(), Box<dyn Error>> {
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    config.after_includes = Some(format!("{}{}", version_macros()?, config.after_includes.unwrap_or_default()));
    let builder =
        FILES.iter().fold(cbindgen::Builder::new(), |builder, file| builder.with_src(root.join("src/ffi").join(file)));
    let header = PathBuf::from(env::var("OUT_DIR")?).join("nexmo_conversion.h");
    let mut text = Vec::new();
    builder.with_config(config).generate()?.write(&mut text);
    fs::write(&header, with_unsigned_flags(&String::from_utf8(text)?))?;
    println!("cargo::rustc-env=NEXMO_GENERATED_HEADER={}", header.display());
    Ok(())
}

/// Flags are unsigned as the field is, so that `flags &= ~FLAG` is no sign conversion. cbindgen writes them without `u`.
fn with_unsigned_flags(header: &str) -> String {
    let is_flag = |line: &str| {
        let is_of_options = ["NEXMO_OPTIONS_", "NEXMO_REPORTER_OPTIONS_"]
            .iter()
            .any(|prefix| line.strip_prefix("#define ").is_some_and(|name| name.starts_with(prefix)));
        is_of_options && line.ends_with(|c: char| c.is_ascii_digit())
    };
    header.lines().map(|line| if is_flag(line) { format!("{line}u\n") } else { format!("{line}\n") }).collect()
}

/// The version as C sees it. It is said once, in Cargo.toml.
fn version_macros() -> Result<String, env::VarError> {
    let part = |name: &str| env::var(format!("CARGO_PKG_VERSION{name}"));
    Ok(format!(
        "#ifndef NEXMO_CONVERSION_H\n#define NEXMO_CONVERSION_H\n\n\
         /** The version of this header; nexmo_version() tells that of the library. */\n\
         #define NEXMO_VERSION \"{}\"\n#define NEXMO_VERSION_MAJOR {}\n#define NEXMO_VERSION_MINOR {}\n#define NEXMO_VERSION_PATCH {}\n\n",
        part("")?,
        part("_MAJOR")?,
        part("_MINOR")?,
        part("_PATCH")?
    ))
}

/// The shared library says which interface it keeps, and stays loaded: its threads and thread-locals outlive a dlclose.
fn link() {
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libnexmo_conversion.so.1");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
