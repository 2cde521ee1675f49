//! The door to C: every cast, every pointer and every exported function. The core behind it knows nothing of C.
//!
//! An exported function is written out by hand, so that the header generator sees it, and does four things in order: it
//! looks whether the result can be written, reads its arguments, has the core do the work with panics caught, and
//! writes the result. What the pointers must hold is said in the header; each `SAFETY:` line names the promise it rests
//! on.
#![allow(unsafe_code)]
// The header says for each function what its pointers must hold.
#![allow(clippy::missing_safety_doc)]

pub mod client;
pub mod conversion;
pub mod info;
pub mod reporter;
pub mod status;
pub mod structs;

mod arguments;
mod handle;
mod pools;
mod sized;
mod tell;
mod text;

#[cfg(feature = "testing")]
pub mod testing;

use crate::error::Error;
use crate::ffi::status::nexmo_status;

/// Why a call was refused before the core was asked.
pub(crate) struct Refusal {
    status: nexmo_status,
    message: String,
}

impl Refusal {
    fn new(status: nexmo_status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::new(status::of(error.kind()), error.message())
    }
}
