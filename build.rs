//! Sets the linker options of the shared library.

use std::env;

/// Sets the soname, which identifies the stable interface, and keeps the library loaded, because its threads and
/// thread-locals outlive a dlclose.
fn main() {
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libnexmo_conversion.so.1");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
