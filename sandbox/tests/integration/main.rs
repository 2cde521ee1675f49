//! Tests the sandbox over connections and as a program.

// The lints exempt only test functions, not the functions that they call.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod client;
mod lifecycle;
mod program;
mod records;
mod responses;
mod tls;
