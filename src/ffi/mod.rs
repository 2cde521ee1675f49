//! The C interface: every cast, every pointer and every exported function. The core does not depend on it.
//!
//! Exported functions are written out by hand, so that the header generator sees them. Each checks that its outputs
//! can be written, reads its arguments, runs the core with panics caught, and writes its outputs. The header states
//! what the pointers must point to; each `SAFETY:` line names the promise that it relies on.
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
