//! Opens and closes the handles of the flat functions.

use std::ffi::c_char;

use super::numbers_out::NumbersOut;
use super::text_out::TextOut;
use super::{Flat, HANDLES, call, find, number, text_in};
use crate::client::Client;
use crate::error::Error;
use crate::ffi::c_string::null;
use crate::ffi::call::{CallError, time_limit};
use crate::ffi::result::nexmo_result;
use crate::outcome::Acceptance;
use crate::reporter::Reporter;
use crate::settings;
use crate::settings::{Checked, Settings};

/// Opens a client or a reporter. The settings contain the credentials and options as text.
///
/// The settings are UTF-8 lines of the form "name = value" that end with LF or CRLF, at most 65536 bytes in all. A
/// leading byte order mark, empty lines, and lines that begin with # are ignored. The names are the fields of
/// nexmo_credentials, nexmo_options and nexmo_reporter_options, except struct_size and flags. Each flag has its own
/// name and is true or false: allow_plain_http, proxy_from_environment, built_in_roots_only, sign_unix_seconds and
/// allow_network_file_system. Where C uses a constant, the value is the constant's name in lower case without its
/// prefix, such as hmac_sha256, power or drop_oldest. Numbers may have leading zeros. A value in double quotes keeps
/// its spaces; \" and \\ are the only escapes. An unknown name, a name that occurs twice, a missing required name, a
/// missing value ("" is the empty string) and control characters are invalid. The message for an invalid setting gives
/// the number of the line, if there is one, and never quotes a value. If the settings contain outbox or
/// durability = none, the handle is a reporter, otherwise a client.
///
/// In all flat functions, input text has a size in bytes (..._size), and its trailing spaces and NULs are ignored. With
/// a size of -1, the text is NUL-terminated and used unchanged. Text that is NULL or empty counts as not given. An
/// output buffer for text has a size in bytes. If the size is above 0, the text is NUL-terminated and the rest of the
/// buffer is filled with NULs. If the size is below -1, its absolute value is the size of the buffer, and the text is
/// padded with spaces instead of NULs. A size of -1 is invalid. Text that does not fit is truncated at a character
/// boundary. An array receives as many numbers as its count, which must not be negative; elements that this library
/// does not know are 0. An output that is not needed may be NULL or have a size or count of 0. The size or count of a
/// NULL pointer is ignored. Outputs are written on every return. If the call fails, numbers are 0 and text is "",
/// except for details and message. message receives one line that says what happened. Pointers need not be aligned.
/// Handles of the flat functions and of the other functions are not interchangeable.
///
/// @param settings  The settings. The library wipes its copies of the settings.
/// @param handle    Required. Receives the handle; 0 on failure.
/// @param message   With NEXMO_ERR_OUTBOX and the statuses that begin with NEXMO_ERR_OUTBOX_, it may contain the path
///                  of the outbox.
/// @par Blocking: like nexmo_client_new or nexmo_reporter_new.
///
/// @code
/// const char *settings = "api_key = abcd1234\n"
///                        "api_secret = s3cret\n"
///                        "outbox = /var/lib/shop/conversions\n";
/// int64_t handle;
/// char message[NEXMO_MESSAGE_SIZE];
/// if (nexmo_flat_open(settings, -1, &handle, message, (int32_t)sizeof message) != NEXMO_OK)
///     fprintf(stderr, "%s\n", message);
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_flat_open(
    settings: *const c_char,
    settings_size: i32,
    handle: *mut i64,
    message: *mut c_char,
    message_size: i32,
) -> i32 {
    // SAFETY: the header requires each output to be NULL or to have the given size.
    let (message, output) =
        unsafe { (TextOut::new("message", message, message_size), NumbersOut::new("handle", handle, 1)) };
    let mut opened = 0;
    let work = || {
        if handle.is_null() {
            return Err(null("handle"));
        }
        // SAFETY: the header requires `settings` to be NULL or to have the given size.
        let text = unsafe { text_in::required(settings::LONGEST, "settings", settings, settings_size) }?;
        opened = HANDLES.insert(open(text)?)?;
        Ok(nexmo_result::ok())
    };
    let status = call(0, &message, Acceptance::No, work).status;
    output.write(&[i64::try_from(opened).unwrap_or(0)]);
    status
}

fn open(text: &str) -> Result<Flat, CallError> {
    let settings = Settings::parse(text)?;
    let make = || -> Result<Flat, Error> {
        let Checked { credentials, options, reporter } = settings.check()?;
        Ok(match reporter {
            Some(reporter) => Flat::Reporter(Box::new(Reporter::with_settings(credentials, options, reporter)?)),
            None => Flat::Client(Box::new(Client::with_settings(credentials, options)?)),
        })
    };
    let made = make();
    made.map_err(|error| settings.explain(&error).into())
}

/// Closes and frees a client or a reporter. For a reporter, waits for reports like nexmo_reporter_close and returns the
/// same statuses.
///
/// The handle is freed unless the call returns NEXMO_ERR_INVALID_ARGUMENT, NEXMO_ERR_INVALID_HANDLE or
/// NEXMO_ERR_FORKED. Other threads that wait in a call with the handle get NEXMO_ERR_CANCELLED or, if the call detects
/// the close before the handle is freed, NEXMO_ERR_PENDING (flush, close) or NEXMO_ERR_CLOSED (poll).
///
/// @par Blocking: up to timeout_ms plus half a second; never for a client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_flat_close(
    handle: i64,
    timeout_ms: i32,
    message: *mut c_char,
    message_size: i32,
) -> i32 {
    // SAFETY: the header requires `message` to be NULL or to have the given size.
    let message = unsafe { TextOut::new("message", message, message_size) };
    let work = || {
        let found = find(handle)?;
        let timeout = time_limit(timeout_ms)?;
        let closed = match &*found {
            Flat::Client(_) => Ok(()),
            Flat::Reporter(reporter) => reporter.close(timeout),
        };
        // Another thread may already have closed the handle.
        drop(HANDLES.remove(number(handle)));
        found.end();
        closed?;
        Ok(nexmo_result::ok())
    };
    call(handle, &message, Acceptance::No, work).status
}

#[cfg(test)]
mod tests {
    use crate::ffi::credentials::nexmo_credentials;
    use crate::ffi::layout::Layout;
    use crate::ffi::options::nexmo_options;
    use crate::ffi::reporter::options::nexmo_reporter_options;
    use crate::options::Options;
    use crate::options::setting::{Form, Setting};
    use crate::reporter::ReporterOptions;
    use crate::settings::GivenCredentials;

    const CREDENTIALS: &str = include_str!("../credentials.rs");
    const OPTIONS: &str = include_str!("../options.rs");
    const REPORTER_OPTIONS: &str = include_str!("../reporter/options.rs");

    /// Returns the names of the constants in `source` that begin with `prefix`, without the prefix and in lower case.
    fn constants(source: &str, prefix: &str) -> Vec<String> {
        let names = source.lines().filter_map(|line| line.strip_prefix(&format!("pub const {prefix}")));
        names.map(|line| line.split(':').next().unwrap().to_lowercase()).collect()
    }

    fn settings<T>(all: &[Setting<'_, T>], is_flag: bool) -> Vec<&'static str> {
        let matches = |setting: &&Setting<'_, T>| matches!(setting.form, Form::Flag(_)) == is_flag;
        all.iter().filter(matches).map(|setting| setting.name).collect()
    }

    fn choices<T>(all: &[Setting<'_, T>]) -> Vec<(&'static str, Vec<String>)> {
        let words = |setting: &Setting<'_, T>| match setting.form {
            Form::Choice(choices) => Some((setting.name, choices.iter().map(|(word, _)| (*word).to_owned()).collect())),
            _ => None,
        };
        all.iter().filter_map(words).collect()
    }

    fn fields<T: Layout>() -> Vec<&'static str> {
        let names = T::FIELDS.iter().map(|field| field.name);
        names.filter(|name| !["struct_size", "flags"].contains(name)).collect()
    }

    #[test]
    fn the_settings_are_the_fields_of_the_structs() {
        assert_eq!(settings(GivenCredentials::SETTINGS, false), fields::<nexmo_credentials>());
        assert_eq!(settings(Options::SETTINGS, false), fields::<nexmo_options>());
        assert_eq!(settings(ReporterOptions::SETTINGS, false), fields::<nexmo_reporter_options>());
    }

    #[test]
    fn each_flag_is_a_setting() {
        assert!(settings(GivenCredentials::SETTINGS, true).is_empty());
        assert_eq!(settings(Options::SETTINGS, true), constants(OPTIONS, "NEXMO_OPTIONS_"));
        let flags = constants(REPORTER_OPTIONS, "NEXMO_REPORTER_OPTIONS_");
        assert_eq!(settings(ReporterOptions::SETTINGS, true), flags);
    }

    #[test]
    fn a_choice_is_one_of_the_constants() {
        let durability = ("durability", constants(REPORTER_OPTIONS, "NEXMO_DURABILITY_"));
        let overflow = ("overflow", constants(REPORTER_OPTIONS, "NEXMO_OVERFLOW_"));
        assert_eq!(choices(ReporterOptions::SETTINGS), [durability, overflow]);
        let auth = ("auth", constants(CREDENTIALS, "NEXMO_AUTH_"));
        let signature_method = ("signature_method", constants(CREDENTIALS, "NEXMO_SIGNATURE_"));
        assert_eq!(choices(GivenCredentials::SETTINGS), [auth, signature_method]);
        assert!(choices(Options::SETTINGS).is_empty());
    }
}
