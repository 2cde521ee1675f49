//! The options of reporters.
#![allow(non_camel_case_types)]

use std::ffi::c_char;
use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::ffi::c_string::null;
use crate::ffi::call::CallError;
use crate::ffi::options::{milliseconds, number};
use crate::ffi::sized_struct::{SizedStruct, first_size, zeroed};
use crate::ffi::{c_string, sized_struct};
use crate::reporter::{
    Durability, MAX_AGE, MAX_BUSY_TIMEOUT, MAX_IN_FLIGHT_LIMIT, MAX_PENDING_LIMIT, Overflow, ReporterOptions,
    ReporterSettings,
};

/// nexmo_reporter_options.durability: a submitted report survives the end of the process, including a crash.
pub const NEXMO_DURABILITY_PROCESS: i32 = 0;
/// nexmo_reporter_options.durability: a submitted report also survives power loss. Each submit waits for the disk;
/// concurrent submits share one write.
pub const NEXMO_DURABILITY_POWER: i32 = 1;
/// nexmo_reporter_options.durability: reports are kept in memory. There is no file, and reports that are still
/// pending when the process ends are lost.
pub const NEXMO_DURABILITY_NONE: i32 = 2;

/// nexmo_reporter_options.overflow: if max_pending reports are pending, submit fails with NEXMO_ERR_OUTBOX_FULL.
pub const NEXMO_OVERFLOW_FAIL: i32 = 0;
/// nexmo_reporter_options.overflow: if max_pending reports are pending, submit drops the oldest one, which becomes an
/// event of kind NEXMO_EVENT_DROPPED.
pub const NEXMO_OVERFLOW_DROP_OLDEST: i32 = 1;

/// nexmo_reporter_options.flags: allows an outbox on a network file system, FUSE or a shared folder of a virtual
/// machine. If file locks do not work there, reports may be sent more than once, or the file may be corrupted.
pub const NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM: u32 = 1;

/// Options of a reporter. A number that is 0 selects its default. outbox has no default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_reporter_options {
    /// sizeof(nexmo_reporter_options).
    pub struct_size: u32,
    /// A combination of NEXMO_REPORTER_OPTIONS_* flags, or 0.
    pub flags: u32,
    /// Path of the outbox file, in an existing directory. If the file does not exist, it is created, readable only by
    /// its owner. The outbox also includes the files at this path with -wal, -shm, .lock or .reserve appended: move or
    /// remove all its files together, and never while the outbox is open. Any number of processes may share an outbox
    /// if all use the same account, which is the api_key and base_url that the outbox stores. The path must not begin
    /// with ":", or with a URL scheme, which is two or more letters, digits, "+", "." or "-" followed by ":"; use
    /// ./name:1 for a file named name:1. Must be NULL with NEXMO_DURABILITY_NONE; otherwise required.
    pub outbox: *const c_char,
    /// One of NEXMO_DURABILITY_*.
    pub durability: i32,
    /// One of NEXMO_OVERFLOW_*: what submit does when max_pending reports are pending.
    pub overflow: i32,
    /// The maximum number of pending reports, 1 to 1000000000. 0 means 1000000. A million reports need up to about 300
    /// MB.
    pub max_pending: i32,
    /// The age at which a report expires, in seconds since it was submitted, 1 to 31536000 (365 days). 0 means 86400
    /// (24 hours).
    pub max_age_s: i32,
    /// The maximum number of reports in flight at a time, each on a separate connection and thread, 1 to 256. Within
    /// it, the reporter adapts their number to the service: more while a backlog exists and the service accepts
    /// reports, fewer after a 429, a 5xx or a timeout. 0 means 64.
    pub max_in_flight: i32,
    /// The maximum time that a call waits while another process or reporter has the outbox locked, in milliseconds, 1 to
    /// 60000. 0 means 1000.
    pub busy_timeout_ms: i32,
}

// SAFETY: all fields are integers and pointers, for which every bit pattern is valid; layout.rs asserts that there is
// no padding.
unsafe impl SizedStruct for nexmo_reporter_options {
    const NAME: &'static str = "reporter_options";
    const FIRST_SIZE: usize = first_size(40, 36);
    const KNOWN_FLAGS: u32 = NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM;
    const FLAG_NAMES: &'static str = "NEXMO_REPORTER_OPTIONS_*";
    const INITIAL: Self = Self { ..zeroed() };
}

/// # Safety
///
/// `pointer` is NULL or points to a nexmo_reporter_options that meets the requirements of the header.
pub(super) unsafe fn read(pointer: *const nexmo_reporter_options) -> Result<ReporterSettings, CallError> {
    // SAFETY: guaranteed by the caller.
    let given = unsafe { sized_struct::read(pointer) }?;
    let durability = durability(given.durability)?;
    // SAFETY: the header requires each text in the struct to be NULL or NUL-terminated.
    let outbox = unsafe { c_string::optional("outbox", given.outbox) }?;
    if outbox.is_none() && durability != Durability::None {
        return Err(null("outbox"));
    }
    let options = ReporterOptions {
        outbox: outbox.map(Path::new),
        durability,
        max_pending: number("max_pending", given.max_pending, MAX_PENDING_LIMIT)?.map(u64::from),
        overflow: overflow(given.overflow)?,
        max_age: number("max_age_s", given.max_age_s, MAX_AGE.as_secs())?.map(seconds),
        max_in_flight: number("max_in_flight", given.max_in_flight, MAX_IN_FLIGHT_LIMIT)?,
        busy_timeout: number("busy_timeout_ms", given.busy_timeout_ms, MAX_BUSY_TIMEOUT.as_millis())?.map(milliseconds),
        allow_network_file_system: given.flags & NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM != 0,
    };
    options.check().map_err(|error: Error| error.into())
}

fn durability(number: i32) -> Result<Durability, CallError> {
    match number {
        NEXMO_DURABILITY_PROCESS => Ok(Durability::Process),
        NEXMO_DURABILITY_POWER => Ok(Durability::Power),
        NEXMO_DURABILITY_NONE => Ok(Durability::None),
        other => {
            let message = format!("durability is {other}; valid: 0, 1, 2 (NEXMO_DURABILITY_*)");
            Err(CallError::invalid_argument(message))
        }
    }
}

fn overflow(number: i32) -> Result<Overflow, CallError> {
    match number {
        NEXMO_OVERFLOW_FAIL => Ok(Overflow::Fail),
        NEXMO_OVERFLOW_DROP_OLDEST => Ok(Overflow::DropOldest),
        other => {
            let message = format!("overflow is {other}; valid: 0, 1 (NEXMO_OVERFLOW_*)");
            Err(CallError::invalid_argument(message))
        }
    }
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(u64::from(number))
}

/// Initializes a struct as NEXMO_REPORTER_OPTIONS_INIT does. size is sizeof(nexmo_reporter_options) in the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_reporter_options_init(options: *mut nexmo_reporter_options, size: usize) {
    // SAFETY: the header requires the caller to ensure that `size` bytes can be written at `options`.
    unsafe { sized_struct::init(options, size) };
}
