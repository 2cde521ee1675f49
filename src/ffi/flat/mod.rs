//! The flat functions, for languages that cannot use C structs easily. Their parameters are scalars, sized text and
//! arrays of int64_t.
//!
//! An exported function reads all its inputs before it writes any output, so inputs and outputs may overlap. It writes
//! its outputs on every return.

pub mod event;
pub mod information;
pub mod lifecycle;
pub mod report;

mod numbers_out;
mod text_in;
mod text_out;

use std::sync::Arc;

use self::text_out::TextOut;
use super::call::{CallError, perform};
use super::handle::Table;
use super::result::nexmo_result;
use super::status::NEXMO_ERR_INVALID_HANDLE;
use crate::client::Client;
use crate::os::fork;
use crate::outcome::Acceptance;
use crate::panic::catch_panic;
use crate::reporter::Reporter;

/// The object that a handle of the flat functions identifies.
enum Flat {
    Client(Box<Client>),
    Reporter(Box<Reporter>),
}

static HANDLES: Table<Flat> = Table::new();

/// Registers the table's lock with the fork handlers at load time.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    extern "C" fn hold() {
        fork::hold_during_forks(|| Box::new(HANDLES.lock()));
    }
    hold
};

impl Flat {
    fn client(&self) -> Result<&Client, CallError> {
        match self {
            Self::Client(client) => Ok(client),
            Self::Reporter(_) => Err(CallError::new(
                NEXMO_ERR_INVALID_HANDLE,
                "the handle is a reporter, but this function requires a client; use nexmo_flat_submit",
            )),
        }
    }

    fn reporter(&self) -> Result<&Reporter, CallError> {
        match self {
            Self::Reporter(reporter) => Ok(reporter),
            Self::Client(_) => Err(CallError::new(
                NEXMO_ERR_INVALID_HANDLE,
                "the handle is a client, but this function requires a reporter; use nexmo_flat_report, or open a reporter with \
                 outbox or durability = none in its settings",
            )),
        }
    }

    /// Cancels the calls in progress on other threads.
    fn end(&self) {
        match self {
            Self::Client(client) => client.cancel(),
            Self::Reporter(reporter) => reporter.abandon(),
        }
    }
}

fn find(handle: i64) -> Result<Arc<Flat>, CallError> {
    HANDLES.get(number(handle))
}

/// Converts a handle to its number. Returns 0, which no handle has, for a negative handle.
fn number(handle: i64) -> u64 {
    u64::try_from(handle).unwrap_or(0)
}

/// Runs `work` for `handle` and writes the message.
fn call(
    handle: i64,
    message: &TextOut,
    after_panic: Acceptance,
    work: impl FnOnce() -> Result<nexmo_result, CallError>,
) -> nexmo_result {
    let result = perform(after_panic, || discard(handle), || message.check().and_then(|()| work()));
    message.write(&result.message());
    result
}

/// Removes an object that may be inconsistent after a panic, without dropping it. The pending reports of a reporter are
/// sent by the next reporter that opens the same outbox.
fn discard(handle: i64) {
    if let Ok(found) = HANDLES.remove(number(handle)) {
        catch_panic(|| found.end());
        std::mem::forget(found);
    }
}
