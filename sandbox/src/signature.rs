//! Verifies signatures. This module implements the published rules and shares no code with the library that signs,
//! because a bug in shared code would remain undetected.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use serde::{Serialize, Serializer};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

/// How a signature is computed from the base string and the signature secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureMethod {
    /// MD5 over the base string followed by the secret.
    Md5Hash,
    /// HMAC-MD5 keyed with the secret.
    Md5,
    /// HMAC-SHA1 keyed with the secret.
    Sha1,
    /// HMAC-SHA256 keyed with the secret.
    Sha256,
    /// HMAC-SHA512 keyed with the secret.
    Sha512,
}

impl SignatureMethod {
    /// All methods, in the order in which they are tried.
    pub const ALL: [Self; 5] = [Self::Md5Hash, Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// Returns the name in options and in the log: `md5hash`, `md5`, `sha1`, `sha256` or `sha512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5Hash => "md5hash",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns whether `sig`, in hexadecimal with lower- or upper-case letters, is the signature of `base`. Compares in
    /// constant time.
    pub(crate) fn verifies(self, base: &str, secret: &str, sig: &str) -> bool {
        let Ok(sig) = hex::decode(sig) else { return false };
        match self {
            Self::Md5Hash => Md5::digest([base, secret].concat()).ct_eq(&sig).into(),
            Self::Md5 => keyed::<Hmac<Md5>>(base, secret, &sig),
            Self::Sha1 => keyed::<Hmac<Sha1>>(base, secret, &sig),
            Self::Sha256 => keyed::<Hmac<Sha256>>(base, secret, &sig),
            Self::Sha512 => keyed::<Hmac<Sha512>>(base, secret, &sig),
        }
    }
}

fn keyed<M: Mac + KeyInit>(base: &str, secret: &str, sig: &[u8]) -> bool {
    // HMAC accepts keys of any length, so `new_from_slice` does not fail.
    <M as KeyInit>::new_from_slice(secret.as_bytes())
        .is_ok_and(|mac| mac.chain_update(base.as_bytes()).verify_slice(sig).is_ok())
}

/// Returns the text to sign: every parameter except `sig`, sorted by name, with `_` for each `&` and `=` in values.
pub(crate) fn base_string<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut signed: Vec<_> = parameters.filter(|(name, _)| *name != "sig").collect();
    signed.sort_by_key(|(name, _)| *name);
    signed.iter().map(|(name, value)| format!("&{name}={}", value.replace(['&', '='], "_"))).collect()
}

impl fmt::Display for SignatureMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for SignatureMethod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|method| method.name() == text);
        found.ok_or_else(|| format!("'{text}' is not a signature method; use md5hash, md5, sha1, sha256 or sha512"))
    }
}

impl Serialize for SignatureMethod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: [(&str, &str); 6] = [
        ("api_key", "fake_api_key"),
        ("to", "14155550100"),
        ("from", "AcmeInc"),
        ("text", "Test From Nexmo"),
        ("type", "text"),
        ("timestamp", "1540924779"),
    ];
    const GUIDE_SECRET: &str = "71efab63122f1d179f51c46bac838fb5";
    const MESSAGE: [(&str, &str); 7] = [
        ("message-timestamp", "2013-11-21 15:27:30"),
        ("messageId", "020000001B0FE827"),
        ("msisdn", "14843472194"),
        ("text", "Test again"),
        ("timestamp", "1385047698"),
        ("to", "13239877404"),
        ("type", "text"),
    ];

    fn published() -> [(SignatureMethod, String, &'static str, &'static str); 5] {
        let guide = base_string(GUIDE.into_iter());
        let message = base_string(MESSAGE.into_iter());
        [
            (SignatureMethod::Md5Hash, message, "my_secret_key_for_testing", "d2e7b1dc968737c5998ad624e02f90b7"),
            (SignatureMethod::Md5, guide.clone(), GUIDE_SECRET, "51CDAFEBB4BBCE9525B195C1617CB8D2"),
            (SignatureMethod::Sha1, guide.clone(), GUIDE_SECRET, "0162AEC64BC183B2E1256545951FE5639DC98020"),
            (
                SignatureMethod::Sha256,
                guide.clone(),
                GUIDE_SECRET,
                "9FEC5EF6D0F2B3D2BB7558B6E4042569823CAB9EA0DD30503472B7B304601975",
            ),
            (
                SignatureMethod::Sha512,
                guide,
                GUIDE_SECRET,
                "40BD12B9A4B6000AD1138EEFD24FFE9FBD72AEE13C3FA04B32BB69DBC256AD0A\
                 04A463B1A9AF6660D10F6E1E769EE14B9CFF6A635502E93AFCD0BFAB29F38F87",
            ),
        ]
    }

    #[test]
    fn every_published_signature_is_verified_in_either_case() {
        for (method, base, secret, sig) in published() {
            assert!(method.verifies(&base, secret, &sig.to_uppercase()), "{method}");
            assert!(method.verifies(&base, secret, &sig.to_lowercase()), "{method}");
        }
    }

    #[test]
    fn no_method_verifies_the_signature_of_another() {
        for (method, base, secret, sig) in published() {
            let verified = SignatureMethod::ALL.into_iter().filter(|other| other.verifies(&base, secret, sig));
            assert_eq!(verified.collect::<Vec<_>>(), [method]);
        }
    }

    #[test]
    fn a_wrong_truncated_or_non_hexadecimal_signature_is_rejected() {
        for (method, base, secret, sig) in published() {
            assert!(!method.verifies(&format!("{base}x"), secret, sig), "{method}");
            assert!(!method.verifies(&base, "another secret", sig), "{method}");
            assert!(!method.verifies(&base, secret, sig.get(2..).unwrap()), "{method}");
            assert!(!method.verifies(&base, secret, &sig.replacen(['d', '5', '0', '9', '4'], "g", 1)), "{method}");
            assert!(!method.verifies(&base, secret, ""), "{method}");
        }
    }

    #[test]
    fn the_base_string_is_sorted_by_bytes_and_separators_in_values_become_underscores() {
        let given = [("b", "2=3&4"), ("sig", "gone"), ("a-b", "1"), ("a", "å"), ("a_b", "")];
        assert_eq!(base_string(given.into_iter()), "&a=å&a-b=1&a_b=&b=2_3_4");
    }

    #[test]
    fn names_are_parsed() {
        for method in SignatureMethod::ALL {
            assert_eq!(method.name().parse(), Ok(method));
        }
        assert!("MD5".parse::<SignatureMethod>().is_err());
    }
}
