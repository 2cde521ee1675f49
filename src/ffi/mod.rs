//! The C interface: all exported functions, and all code that uses the raw pointers of C callers. The core does not
//! depend on this module.
//!
//! Exported functions are written by hand, not by macros, so that the header generator sees them. Most of them check
//! that their outputs can be written, read their arguments, call the core, catch panics, and write their outputs. The
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
