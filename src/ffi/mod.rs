//! The C interface. All raw pointers of the C callers and all exported functions are here. The core does not depend on
//! it.
//!
//! Exported functions are written by hand, not by macros, so that the header generator sees them. Each function checks
//! that its outputs can be written, reads its arguments, runs the core with panics caught, and writes its outputs. The
//! header states what the pointers must point to; each `SAFETY:` comment names the requirement that the code relies on.
#![allow(unsafe_code)]
// The header states for each function what its pointers must point to.
#![allow(clippy::missing_safety_doc)]

pub mod client;
pub mod conversion;
pub mod credentials;
pub mod flat;
pub mod options;
pub mod reporter;
pub mod result;
pub mod status;
pub mod version;

mod c_string;
mod call;
mod handle;
mod layout;
mod sized_struct;
mod status_table;

#[cfg(feature = "testing")]
pub mod testing;
