//! Names the shared library's soname.

use std::env;

/// The shared library names the interface that it keeps, and stays loaded: its threads and thread-locals outlive a dlclose.
fn main() {
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libnexmo_conversion.so.1");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
