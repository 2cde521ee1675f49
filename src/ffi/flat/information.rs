//! Statistics, statuses and the version through the flat functions.

use std::ffi::c_char;
use std::{ptr, slice};

use super::numbers_out::NumbersOut;
use super::text_out::TextOut;
use super::{discard, find, text_in};
use crate::ffi::call::{CallError, perform};
use crate::ffi::layout::{Field, Layout};
use crate::ffi::reporter::statistics::{
    NEXMO_STATE_BACKING_OFF, NEXMO_STATE_CLOSED, NEXMO_STATE_RUNNING, NEXMO_STATE_STANDBY, NEXMO_STATE_SUSPENDED,
    nexmo_statistics,
};
use crate::ffi::result::nexmo_result;
use crate::ffi::status::{NEXMO_OK, row_of};
use crate::ffi::version;
use crate::outcome::Acceptance;

/// The maximum length, in bytes, of the name of a statistic. All valid names are much shorter.
const LONGEST: usize = 4096;

/// Returns one of the statistics that nexmo_reporter_statistics returns. The handle must be a reporter. Each call takes
/// a new snapshot, so the numbers from two calls may not be consistent.
///
/// @param name   A field of nexmo_statistics, such as "pending", except struct_size and flags.
/// @param value  Receives the number; 0 for last_error_message.
/// @param text   Receives the number as text; for state and last_error, the name of the constant; for
///               last_error_message, the message.
/// @par Blocking: like nexmo_reporter_statistics.
///
/// @code
/// int64_t pending;
/// if (nexmo_flat_statistic(handle, "pending", -1, &pending, NULL, 0) == NEXMO_OK)
///     printf("%ld pending\n", (long)pending);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_flat_statistic(
    handle: i64,
    name: *const c_char,
    name_size: i32,
    value: *mut i64,
    text: *mut c_char,
    text_size: i32,
) -> i32 {
    // SAFETY: the header requires each output to be NULL or to have the given size.
    let (value, text) = unsafe { (NumbersOut::new("value", value, 1), TextOut::new("text", text, text_size)) };
    let mut read = (0, String::new());
    let work = || {
        text.check()?;
        let found = find(handle)?;
        let reporter = found.reporter()?;
        // SAFETY: the header requires `name` to be NULL or to have the given size.
        let field = field(unsafe { text_in::required(LONGEST, "name", name, name_size) }?)?;
        read = statistic(&nexmo_statistics::from(&reporter.statistics()?), field);
        Ok(nexmo_result::ok())
    };
    let status = perform(Acceptance::No, || discard(handle), work).status;
    value.write(&[read.0]);
    text.write(&read.1);
    status
}

fn field(name: &str) -> Result<&'static Field, CallError> {
    nexmo_statistics::FIELDS
        .iter()
        .find(|field| field.name == name && !matches!(name, "struct_size" | "flags"))
        .ok_or_else(|| CallError::invalid_argument("name is not a field of nexmo_statistics"))
}

/// Returns a statistic as a number and as text.
fn statistic(statistics: &nexmo_statistics, field: &Field) -> (i64, String) {
    let all = ptr::from_ref(statistics).cast::<u8>();
    // SAFETY: all bytes of the struct are initialized, because it has no padding, as layout.rs asserts.
    let all = unsafe { slice::from_raw_parts(all, size_of::<nexmo_statistics>()) };
    let bytes = all.get(field.offset..).and_then(|bytes| bytes.get(..field.size)).unwrap_or_default();
    let number = match (<[u8; 4]>::try_from(bytes), <[u8; 8]>::try_from(bytes)) {
        (Ok(bytes), _) => i64::from(i32::from_ne_bytes(bytes)),
        (_, Ok(bytes)) => i64::from_ne_bytes(bytes),
        _ => {
            let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
            return (0, String::from_utf8_lossy(text).into_owned());
        }
    };
    let text = match field.name {
        "state" => state_name(statistics.state).to_owned(),
        "last_error" => row_of(statistics.last_error).name.to_string_lossy().into_owned(),
        _ => number.to_string(),
    };
    (number, text)
}

fn state_name(state: i32) -> &'static str {
    match state {
        NEXMO_STATE_RUNNING => "NEXMO_STATE_RUNNING",
        NEXMO_STATE_BACKING_OFF => "NEXMO_STATE_BACKING_OFF",
        NEXMO_STATE_SUSPENDED => "NEXMO_STATE_SUSPENDED",
        NEXMO_STATE_CLOSED => "NEXMO_STATE_CLOSED",
        NEXMO_STATE_STANDBY => "NEXMO_STATE_STANDBY",
        _ => "",
    }
}

/// Returns the name of a status, like nexmo_status_name, and its meaning, like nexmo_status_describe. A text_size of
/// 512 is enough for every status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_flat_status(
    status: i32,
    name: *mut c_char,
    name_size: i32,
    text: *mut c_char,
    text_size: i32,
) -> i32 {
    // SAFETY: the header requires each output to be NULL or to have the given size.
    let (name, text) = unsafe { (TextOut::new("name", name, name_size), TextOut::new("text", text, text_size)) };
    let row = row_of(status);
    let (checked, written) = match name.check().and_then(|()| text.check()) {
        Ok(()) => (NEXMO_OK, [row.name, row.text]),
        Err(error) => (error.status, [c""; 2]),
    };
    let [written_name, written_text] = written.map(|text| text.to_str().unwrap_or_default());
    name.write(written_name);
    text.write(written_text);
    checked
}

/// Returns the version of the loaded library, like nexmo_conversion_version.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_flat_version(text: *mut c_char, text_size: i32) -> i32 {
    // SAFETY: the header requires `text` to be NULL or to have the given size.
    let text = unsafe { TextOut::new("text", text, text_size) };
    text.write(version::version());
    text.check().map_or_else(|error| error.status, |()| NEXMO_OK)
}
