//! Tests the sandbox over network connections, both as a library and as a program.

// Clippy exempts only the test functions from these lints, not the functions that the tests call.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod client;
mod lifecycle;
mod program;
mod records;
mod responses;
mod tls;
