//! Builds the release version of the shared library, for tests that load it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Runs `make library`, which takes minutes in a fresh clone, and returns the path of the library in `build/lib`.
pub(crate) fn built_library() -> &'static Path {
    static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut make = Command::new("make");
        make.args(["--silent", "library"]).current_dir(root);
        // Variables that cargo and make set for their child processes would change this build.
        let is_inherited = |name: &str| {
            ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix)) || name == "MAKEFLAGS"
        };
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_inherited)) {
            make.env_remove(name);
        }
        match make.output() {
            Ok(output) if output.status.success() => root.join("build/lib/libnexmo_conversion.so"),
            Ok(output) => panic!("`make library` failed: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => panic!("this test needs `make library`, which cannot be run: {error}"),
        }
    });
    &LIBRARY
}
