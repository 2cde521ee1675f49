//! The credentials of an account.
#![allow(non_camel_case_types)]

use std::ffi::c_char;

use super::call::CallError;
use super::sized_struct::{SizedStruct, first_size, zeroed};
use super::{c_string, sized_struct};
use crate::auth::credentials::Credentials;
use crate::auth::signature::Method;

/// nexmo_credentials.auth: the query contains api_key and api_secret, as the API's documentation shows.
pub const NEXMO_AUTH_QUERY: i32 = 0;
/// nexmo_credentials.auth: an Authorization: Basic header, which keeps the secret out of URLs that servers log.
pub const NEXMO_AUTH_BASIC: i32 = 1;
/// nexmo_credentials.auth: a signature made with signature_secret. The secret is never sent.
pub const NEXMO_AUTH_SIGNATURE: i32 = 2;

/// nexmo_credentials.signature_method: MD5 of the parameters followed by the secret.
pub const NEXMO_SIGNATURE_MD5_HASH: i32 = 1;
/// nexmo_credentials.signature_method: HMAC-MD5.
pub const NEXMO_SIGNATURE_HMAC_MD5: i32 = 2;
/// nexmo_credentials.signature_method: HMAC-SHA-1.
pub const NEXMO_SIGNATURE_HMAC_SHA1: i32 = 3;
/// nexmo_credentials.signature_method: HMAC-SHA-256.
pub const NEXMO_SIGNATURE_HMAC_SHA256: i32 = 4;
/// nexmo_credentials.signature_method: HMAC-SHA-512.
pub const NEXMO_SIGNATURE_HMAC_SHA512: i32 = 5;

/// The credentials of an account. A client or reporter keeps copies of the secrets and wipes them when it is freed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nexmo_credentials {
    /// sizeof(nexmo_credentials).
    pub struct_size: u32,
    /// Must be 0.
    pub flags: u32,
    /// Required: the account's API key, 1 to 256 bytes, without control characters (including those of bidirectional
    /// text) and without leading or trailing white space; with NEXMO_AUTH_BASIC, also without a colon.
    pub api_key: *const c_char,
    /// Required with NEXMO_AUTH_QUERY and NEXMO_AUTH_BASIC, otherwise not read: the API secret, 1 to 256 bytes,
    /// without control characters.
    pub api_secret: *const c_char,
    /// Required with NEXMO_AUTH_SIGNATURE, otherwise not read: the signature secret, 1 to 256 bytes, without control
    /// characters.
    pub signature_secret: *const c_char,
    /// One of NEXMO_AUTH_*.
    pub auth: i32,
    /// Required with NEXMO_AUTH_SIGNATURE: one of NEXMO_SIGNATURE_*, as configured for the account. Otherwise unused,
    /// but it must be 0 or one of these values.
    pub signature_method: i32,
}

// SAFETY: all fields are integers and pointers, for which every bit pattern is valid; layout.rs asserts that there is
// no padding.
unsafe impl SizedStruct for nexmo_credentials {
    const NAME: &'static str = "credentials";
    const FIRST_SIZE: usize = first_size(40, 28);
    const KNOWN_FLAGS: u32 = 0;
    const INITIAL: Self = Self { ..zeroed() };
}

/// # Safety
///
/// `pointer` is NULL or points to a nexmo_credentials that meets the requirements of the header.
pub(super) unsafe fn read(pointer: *const nexmo_credentials) -> Result<Credentials, CallError> {
    // SAFETY: guaranteed by the caller.
    let given = unsafe { sized_struct::read(pointer) }?;
    // SAFETY: the header requires each text in the struct to be NULL or NUL-terminated.
    let required = |name, pointer| unsafe { c_string::required(name, pointer) };
    let api_secret = || required("api_secret", given.api_secret);
    let signature_secret = || required("signature_secret", given.signature_secret);
    let method = signature_method(given.signature_method, given.auth)?;
    let api_key = required("api_key", given.api_key)?;
    Ok(match given.auth {
        NEXMO_AUTH_QUERY => Credentials::query(api_key, api_secret()?)?,
        NEXMO_AUTH_BASIC => Credentials::basic(api_key, api_secret()?)?,
        NEXMO_AUTH_SIGNATURE => {
            Credentials::signature(api_key, signature_secret()?, method.ok_or_else(|| invalid_method(0, given.auth))?)?
        }
        other => {
            return Err(CallError::invalid_argument(format!("auth is {other}; valid: 0, 1, 2 (NEXMO_AUTH_*)")));
        }
    })
}

fn signature_method(number: i32, auth: i32) -> Result<Option<Method>, CallError> {
    Ok(Some(match number {
        0 => return Ok(None),
        NEXMO_SIGNATURE_MD5_HASH => Method::Md5Hash,
        NEXMO_SIGNATURE_HMAC_MD5 => Method::HmacMd5,
        NEXMO_SIGNATURE_HMAC_SHA1 => Method::HmacSha1,
        NEXMO_SIGNATURE_HMAC_SHA256 => Method::HmacSha256,
        NEXMO_SIGNATURE_HMAC_SHA512 => Method::HmacSha512,
        other => return Err(invalid_method(other, auth)),
    }))
}

/// Returns the error for a signature_method that is unknown, or that is 0 but required.
fn invalid_method(number: i32, auth: i32) -> CallError {
    let or_none = if auth == NEXMO_AUTH_SIGNATURE { "" } else { "0, " };
    let message = format!("signature_method is {number}; valid: {or_none}1, 2, 3, 4, 5 (NEXMO_SIGNATURE_*)");
    CallError::invalid_argument(message)
}

/// Initializes a struct as NEXMO_CREDENTIALS_INIT does. size is sizeof(nexmo_credentials) in the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nexmo_credentials_init(credentials: *mut nexmo_credentials, size: usize) {
    // SAFETY: the header requires the caller to ensure that `size` bytes can be written at `credentials`.
    unsafe { sized_struct::init(credentials, size) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_signature_method_is_reported_with_the_valid_ones() {
        let invalid = |number, auth| signature_method(number, auth).err().map(|error| error.message);
        assert_eq!(invalid(0, NEXMO_AUTH_QUERY), None);
        let message = |text: &str| Some(format!("signature_method is {text} (NEXMO_SIGNATURE_*)"));
        assert_eq!(invalid(6, NEXMO_AUTH_QUERY), message("6; valid: 0, 1, 2, 3, 4, 5"));
        assert_eq!(invalid(-1, NEXMO_AUTH_SIGNATURE), message("-1; valid: 1, 2, 3, 4, 5"));
        assert_eq!(Some(invalid_method(0, NEXMO_AUTH_SIGNATURE).message), message("0; valid: 1, 2, 3, 4, 5"));
    }
}
