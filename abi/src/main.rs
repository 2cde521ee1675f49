//! `nexmo-abi` writes the generated files. `nexmo-abi --check` lists those that are out of date and fails if there are
//! any.

use std::env;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use nexmo_abi::Failure;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // If standard error is closed, the error cannot be reported.
            let _ = writeln!(io::stderr(), "nexmo-abi: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether every file is up to date.
fn run() -> Result<bool, Failure> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => nexmo_abi::write(root).map(|()| true),
        [argument] if argument == "--check" => check(root),
        _ => Err("unknown argument; valid: --check".into()),
    }
}

fn check(root: &Path) -> Result<bool, Failure> {
    let differing = nexmo_abi::differing(root)?;
    for file in &differing {
        writeln!(io::stderr(), "{} is out of date; run make generate", file.path)?;
    }
    Ok(differing.is_empty())
}
