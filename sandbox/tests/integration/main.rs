//! The sandbox as its users meet it: over connections, and as a program.

// The lints know a test by its attribute; here the functions that tests call are tests as well.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod client;
mod lifecycle;
mod program;
mod records;
mod responses;
mod tls;
