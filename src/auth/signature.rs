//! Computes the signature of a request's parameters by any of the five methods. Has no side effects.
//!
//! Follows the service's signing guide and official SDKs.

use std::hint::black_box;

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// The method that computes the signature from the base string and the signature secret. The account's settings at the
/// service determine which one to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// MD5 of the base string with the secret appended.
    Md5Hash,
    /// HMAC-MD5 keyed with the secret.
    HmacMd5,
    /// HMAC-SHA-1 keyed with the secret.
    HmacSha1,
    /// HMAC-SHA-256 keyed with the secret.
    HmacSha256,
    /// HMAC-SHA-512 keyed with the secret.
    HmacSha512,
}

impl Method {
    /// Every method.
    pub const ALL: &[Self] = &[Self::Md5Hash, Self::HmacMd5, Self::HmacSha1, Self::HmacSha256, Self::HmacSha512];
}

/// Returns the signature of `parameters` in lower-case hexadecimal.
///
/// `parameters` contains all parameters of the request except `sig`, with raw values, in any order. No copy of the
/// secret remains on the stack.
pub(crate) fn sign(method: Method, parameters: &[(&str, &str)], secret: &str) -> String {
    let signature = compute(method, parameters, secret);
    wipe_stack(STACK_BLOCKS);
    signature
}

/// The number of 1 KiB blocks of the stack to overwrite, which is more than [`compute`] uses.
const STACK_BLOCKS: u8 = 8;

/// Overwrites the stack that [`compute`] used, one block in each call. The hash functions wipe their states on drop, but
/// moving a state leaves a copy behind.
#[inline(never)]
fn wipe_stack(blocks: u8) {
    if let Some(more) = blocks.checked_sub(1) {
        black_box(&mut [0_u8; 1024]);
        wipe_stack(more);
        // Prevents a tail call, which would overwrite the same block again.
        black_box(more);
    }
}

#[inline(never)]
fn compute(method: Method, parameters: &[(&str, &str)], secret: &str) -> String {
    let base = base_string(parameters);
    match method {
        Method::Md5Hash => hexadecimal(&Md5::new().chain_update(base).chain_update(secret).finalize()),
        Method::HmacMd5 => keyed::<Hmac<Md5>>(&base, secret),
        Method::HmacSha1 => keyed::<Hmac<Sha1>>(&base, secret),
        Method::HmacSha256 => keyed::<Hmac<Sha256>>(&base, secret),
        Method::HmacSha512 => keyed::<Hmac<Sha512>>(&base, secret),
    }
}

/// Returns the text to sign: `&name=value` for each parameter, in the byte order of the names. Replaces `&` and `=` in
/// a value with `_`, so that a value cannot be mistaken for another parameter.
fn base_string(parameters: &[(&str, &str)]) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    let length = sorted.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let mut base = String::with_capacity(length);
    for (name, value) in sorted {
        base.extend(["&", name, "="]);
        let mut parts = value.split(['&', '=']);
        base.extend(parts.next());
        parts.for_each(|part| base.extend(["_", part]));
    }
    base
}

/// Returns `bytes` in lower-case hexadecimal.
fn hexadecimal(bytes: &[u8]) -> String {
    // Faster than `hex::encode`, which appends one character after the other.
    let mut digits = vec![0; 2 * bytes.len()];
    hex::encode_to_slice(bytes, &mut digits).ok();
    String::from_utf8(digits).unwrap_or_default()
}

fn keyed<M: Mac + KeyInit>(base: &str, secret: &str) -> String {
    // HMAC accepts a key of any length, so this call cannot fail. If it did, the service would reject the empty
    // signature.
    let Ok(mac) = <M as KeyInit>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    hexadecimal(&mac.chain_update(base).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &[(&str, &str)] = &[
        ("api_key", "fake_api_key"),
        ("to", "14155550100"),
        ("from", "AcmeInc"),
        ("text", "Test From Nexmo"),
        ("type", "text"),
        ("timestamp", "1540924779"),
    ];
    const GUIDE_SECRET: &str = "71efab63122f1d179f51c46bac838fb5";

    #[test]
    fn each_hmac_method_matches_its_published_signature() {
        let published = [
            (Method::HmacMd5, "51CDAFEBB4BBCE9525B195C1617CB8D2"),
            (Method::HmacSha1, "0162AEC64BC183B2E1256545951FE5639DC98020"),
            (Method::HmacSha256, "9FEC5EF6D0F2B3D2BB7558B6E4042569823CAB9EA0DD30503472B7B304601975"),
            (
                Method::HmacSha512,
                "40BD12B9A4B6000AD1138EEFD24FFE9FBD72AEE13C3FA04B32BB69DBC256AD0A\
                 04A463B1A9AF6660D10F6E1E769EE14B9CFF6A635502E93AFCD0BFAB29F38F87",
            ),
        ];
        for (method, signature) in published {
            assert_eq!(sign(method, GUIDE, GUIDE_SECRET), signature.to_lowercase(), "{method:?}");
        }
    }

    #[test]
    fn the_md5_hash_matches_its_published_signature() {
        let parameters = [
            ("message-timestamp", "2013-11-21 15:27:30"),
            ("messageId", "020000001B0FE827"),
            ("msisdn", "14843472194"),
            ("text", "Test again"),
            ("timestamp", "1385047698"),
            ("to", "13239877404"),
            ("type", "text"),
        ];
        let signature = sign(Method::Md5Hash, &parameters, "my_secret_key_for_testing");
        assert_eq!(signature, "d2e7b1dc968737c5998ad624e02f90b7");
    }

    #[test]
    fn the_order_of_the_parameters_does_not_matter() {
        let mut reversed = GUIDE.to_vec();
        reversed.reverse();
        assert_eq!(base_string(&reversed), base_string(GUIDE));
    }

    #[test]
    fn a_value_cannot_be_mistaken_for_another_parameter() {
        assert_eq!(base_string(&[("b", "1&a=2"), ("a", "=é")]), "&a=_é&b=1_a_2");
    }
}
