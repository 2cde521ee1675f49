//! From what C says to what the core understands.

use std::ffi::c_char;
use std::path::Path;
use std::time::Duration;

use super::Refusal;
use super::reporter::structs::{
    NEXMO_DURABILITY_NONE, NEXMO_DURABILITY_POWER, NEXMO_DURABILITY_PROCESS,
    NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM, NEXMO_WHEN_FULL_DROP_OLDEST, NEXMO_WHEN_FULL_REFUSE,
    nexmo_reporter_options,
};
use super::sized;
use super::status::NEXMO_ERR_ARGUMENT;
use super::structs::{
    NEXMO_AUTH_BASIC, NEXMO_AUTH_QUERY, NEXMO_AUTH_SIGNATURE, NEXMO_OPTIONS_ALLOW_PLAIN_HTTP,
    NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY, NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT, NEXMO_OPTIONS_SIGN_UNIX_SECONDS,
    NEXMO_SIGNATURE_MD5, NEXMO_SIGNATURE_MD5HASH, NEXMO_SIGNATURE_SHA1, NEXMO_SIGNATURE_SHA256, NEXMO_SIGNATURE_SHA512,
    nexmo_credentials, nexmo_options,
};
use super::text;
use crate::conversion::{Channel, Conversion, MessageId, Timestamp};
use crate::credentials::Credentials;
use crate::options::{Options, Settings};
use crate::reporter::{Durability, Plan, ReporterOptions, WhenFull};
use crate::signature::Method;

/// # Safety
///
/// `pointer` is NULL or points to credentials as the header asks for them.
pub(crate) unsafe fn credentials(pointer: *const nexmo_credentials) -> Result<Credentials, Refusal> {
    // SAFETY: the caller's promise.
    let given = unsafe { sized::read(pointer) }?;
    // SAFETY: the header's promise for each text of the struct.
    let required = |name, pointer| unsafe { text::required(name, pointer) };
    let api_secret = || required("api_secret", given.api_secret);
    let signature_secret = || required("signature_secret", given.signature_secret);
    let method = signature_method(given.signature_method)?;
    let api_key = required("api_key", given.api_key)?;
    Ok(match given.auth {
        NEXMO_AUTH_QUERY => Credentials::query(api_key, api_secret()?)?,
        NEXMO_AUTH_BASIC => Credentials::basic(api_key, api_secret()?)?,
        NEXMO_AUTH_SIGNATURE => Credentials::signature(api_key, signature_secret()?, chosen(method)?)?,
        other => return Err(refused(format!("auth is {other}: give one of NEXMO_AUTH_"))),
    })
}

fn signature_method(number: i32) -> Result<Option<Method>, Refusal> {
    Ok(Some(match number {
        0 => return Ok(None),
        NEXMO_SIGNATURE_MD5HASH => Method::Md5Hash,
        NEXMO_SIGNATURE_MD5 => Method::Md5,
        NEXMO_SIGNATURE_SHA1 => Method::Sha1,
        NEXMO_SIGNATURE_SHA256 => Method::Sha256,
        NEXMO_SIGNATURE_SHA512 => Method::Sha512,
        other => return Err(refused(format!("signature_method is {other}: give one of NEXMO_SIGNATURE_"))),
    }))
}

fn chosen(method: Option<Method>) -> Result<Method, Refusal> {
    method.ok_or_else(|| {
        refused("signature_method is 0: give the one of NEXMO_SIGNATURE_ that the account's settings name")
    })
}

/// # Safety
///
/// Each text is NULL or ends with NUL.
pub(crate) unsafe fn conversion(
    channel: Channel,
    message_id: *const c_char,
    delivered: i32,
    timestamp: *const c_char,
) -> Result<Conversion, Refusal> {
    // SAFETY: the caller's promise.
    let (message_id, timestamp) =
        unsafe { (text::required("message_id", message_id)?, text::optional("timestamp", timestamp)?) };
    let delivered = match delivered {
        0 => false,
        1 => true,
        other => return Err(refused(format!("delivered is {other}: give 1 or 0"))),
    };
    let message_id = MessageId::new(message_id)?;
    Ok(Conversion { channel, message_id, delivered, timestamp: timestamp.map(Timestamp::parse).transpose()? })
}

/// # Safety
///
/// `pointer` is NULL, which chooses every default, or points to options as the header asks for them.
pub(crate) unsafe fn options(pointer: *const nexmo_options) -> Result<Settings, Refusal> {
    if pointer.is_null() {
        return Ok(Options::default().check()?);
    }
    // SAFETY: the caller's promise.
    let given = unsafe { sized::read(pointer) }?;
    // SAFETY: the header's promise for each text of the struct.
    let optional = |name, pointer| unsafe { text::optional(name, pointer) };
    let has = |flag: u32| given.flags & flag != 0;
    let options = Options {
        base_url: optional("base_url", given.base_url)?,
        allow_plain_http: has(NEXMO_OPTIONS_ALLOW_PLAIN_HTTP),
        ca_file: optional("ca_file", given.ca_file)?.map(Path::new),
        built_in_roots_only: has(NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY),
        user_agent: optional("user_agent", given.user_agent)?,
        connect_timeout: limit(given.connect_timeout_ms),
        timeout: limit(given.timeout_ms),
        proxy: optional("proxy", given.proxy)?,
        proxy_from_environment: has(NEXMO_OPTIONS_PROXY_FROM_ENVIRONMENT),
        client_cert_file: optional("client_cert_file", given.client_cert_file)?.map(Path::new),
        client_key_file: optional("client_key_file", given.client_key_file)?.map(Path::new),
        attempts: count(given.attempts),
        connections: count(given.connections),
        sign_unix_seconds: has(NEXMO_OPTIONS_SIGN_UNIX_SECONDS),
    };
    Ok(options.check()?)
}

/// # Safety
///
/// `pointer` is NULL or points to reporter options as the header asks for them.
pub(crate) unsafe fn reporter_options(pointer: *const nexmo_reporter_options) -> Result<Plan, Refusal> {
    // SAFETY: the caller's promise.
    let given = unsafe { sized::read(pointer) }?;
    // SAFETY: the header's promise for the text of the struct.
    let outbox = unsafe { text::optional("outbox", given.outbox) }?;
    let options = ReporterOptions {
        outbox: outbox.map(Path::new),
        durability: match given.durability {
            NEXMO_DURABILITY_PROCESS => Durability::Process,
            NEXMO_DURABILITY_POWER => Durability::Power,
            NEXMO_DURABILITY_NONE => Durability::None,
            other => return Err(refused(format!("durability is {other}: give one of NEXMO_DURABILITY_"))),
        },
        when_full: match given.when_full {
            NEXMO_WHEN_FULL_REFUSE => WhenFull::Refuse,
            NEXMO_WHEN_FULL_DROP_OLDEST => WhenFull::DropOldest,
            other => return Err(refused(format!("when_full is {other}: give one of NEXMO_WHEN_FULL_"))),
        },
        most_reports: count(given.most_reports).map(u64::from),
        age_limit: count(given.age_limit_s).map(|seconds| Duration::from_secs(seconds.into())),
        connections: count(given.connections),
        lock_wait: limit(given.lock_wait_ms),
        allow_network_file_system: given.flags & NEXMO_REPORTER_OPTIONS_ALLOW_NETWORK_FILE_SYSTEM != 0,
    };
    Ok(options.check()?)
}

/// A time to wait for something; 0 does not wait.
pub(crate) fn wait(milliseconds: i32) -> Result<Duration, Refusal> {
    let milliseconds = u64::try_from(milliseconds);
    milliseconds.map(Duration::from_millis).map_err(|_| refused("timeout_ms is negative: give 0 or more"))
}

/// 0 leaves the limit at its default; a negative one is no limit that the core takes.
fn limit(milliseconds: i32) -> Option<Duration> {
    (milliseconds != 0).then(|| Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX)))
}

/// 0 leaves the number at its default; a negative one is more than the core takes.
fn count(number: i32) -> Option<u32> {
    (number != 0).then(|| u32::try_from(number).unwrap_or(u32::MAX))
}

fn refused(message: impl Into<String>) -> Refusal {
    Refusal::new(NEXMO_ERR_ARGUMENT, message)
}
