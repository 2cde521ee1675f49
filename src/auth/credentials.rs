//! Who reports, and how that is proved. Secrets never print, and our own copies of them are wiped.

use std::fmt;

use zeroize::Zeroizing;

use super::signature;
use crate::conversion::{LONGEST_NAME, check_name, check_no_controls};
use crate::error::Error;

/// A text that must not be seen: it prints as `***` and is wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over a secret, of which `parameter` is the name in a refusal.
    pub(crate) fn new(parameter: &str, text: &str) -> Result<Self, Error> {
        if text.is_empty() || text.len() > LONGEST_NAME {
            return Err(Error::argument(parameter, format!("is {} bytes long; valid: 1 to 256 bytes", text.len())));
        }
        check_no_controls(parameter, text)?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The secret itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How a request proves who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// `api_secret` in the query: what the API's documentation shows.
    Query(Secret),
    /// The `Authorization: Basic` header, which keeps the secret out of the URLs that proxies and servers log.
    Basic(Secret),
    /// `sig`, made with the signature secret, which itself never leaves the machine.
    Signature(signature::Method, Secret),
}

/// The account that reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    api_key: String,
    authentication: Authentication,
}

impl Credentials {
    /// Proves itself by the secret in the query.
    ///
    /// # Errors
    ///
    /// [`Kind::InvalidArgument`](crate::Kind::InvalidArgument) when the key is empty, over 256 bytes, holds a control character or
    /// has white space at its ends, or the secret is empty, over 256 bytes or holds a control character.
    pub fn query(api_key: &str, api_secret: &str) -> Result<Self, Error> {
        Self::new(api_key, Authentication::Query(Secret::new("api_secret", api_secret)?))
    }

    /// Proves itself by the Basic header.
    ///
    /// # Errors
    ///
    /// As [`Credentials::query`]; a colon in the key is refused too, for the header could not be taken apart again.
    pub fn basic(api_key: &str, api_secret: &str) -> Result<Self, Error> {
        if api_key.contains(':') {
            return Err(Error::argument("api_key", "contains a colon, which Basic authentication does not allow"));
        }
        Self::new(api_key, Authentication::Basic(Secret::new("api_secret", api_secret)?))
    }

    /// Proves itself by a signature over the parameters.
    ///
    /// # Errors
    ///
    /// As [`Credentials::query`].
    pub fn signature(api_key: &str, signature_secret: &str, method: signature::Method) -> Result<Self, Error> {
        let secret = Secret::new("signature_secret", signature_secret)?;
        Self::new(api_key, Authentication::Signature(method, secret))
    }

    fn new(api_key: &str, authentication: Authentication) -> Result<Self, Error> {
        check_name("api_key", api_key)?;
        Ok(Self { api_key: api_key.to_owned(), authentication })
    }

    /// The account's key.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// How requests prove who sent them.
    #[must_use]
    pub fn authentication(&self) -> &Authentication {
        &self.authentication
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_text_shows_no_secret() {
        let all = [
            Credentials::query("key", "hush-hush").unwrap(),
            Credentials::basic("key", "hush-hush").unwrap(),
            Credentials::signature("key", "hush-hush", signature::Method::HmacSha256).unwrap(),
        ];
        for credentials in all {
            let text = format!("{credentials:?} {credentials:#?}");
            assert!(text.contains("***") && !text.contains("hush"), "{text}");
        }
    }

    #[test]
    fn a_refusal_names_the_parameter_and_not_its_value() {
        let refusals = [
            (Credentials::query("", "s"), "api_key "),
            (Credentials::query("a\n", "s"), "api_key "),
            (Credentials::basic("a:b", "s"), "api_key "),
            (Credentials::query("a", ""), "api_secret "),
            (Credentials::basic("a", "hush\n"), "api_secret "),
            (Credentials::signature("a", &"hush".repeat(65), signature::Method::HmacMd5), "signature_secret "),
        ];
        for (refusal, name) in refusals {
            let message = refusal.unwrap_err().to_string();
            assert!(message.starts_with(name) && !message.contains("hush"), "{message}");
        }
    }
}
