//! The account's credentials: the API key, and the authentication method with its secret. The constructors check
//! both.

use super::{Authentication, signature};
use crate::error::Error;
use crate::secret::Secret;
use crate::text::check_name;

/// The credentials of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    api_key: String,
    authentication: Authentication,
}

impl Credentials {
    /// Creates credentials that send the secret in the query string.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::InvalidArgument`](crate::Kind::InvalidArgument) if the key or the secret is empty, is longer
    /// than 256 bytes or contains a control character. The key must also contain no line or paragraph separator, no
    /// bidirectional formatting character, and no leading or trailing white space.
    pub fn query(api_key: &str, api_secret: &str) -> Result<Self, Error> {
        Self::new(api_key, Authentication::Query(Secret::new("api_secret", api_secret)?))
    }

    /// Creates credentials that send the secret in the `Authorization: Basic` header.
    ///
    /// # Errors
    ///
    /// Fails if [`Credentials::query`] would, or if the key contains a colon, which would make the header ambiguous.
    pub fn basic(api_key: &str, api_secret: &str) -> Result<Self, Error> {
        if api_key.contains(':') {
            return Err(Error::argument("api_key", "contains a colon, which Basic authentication does not allow"));
        }
        Self::new(api_key, Authentication::Basic(Secret::new("api_secret", api_secret)?))
    }

    /// Creates credentials that sign the parameters.
    ///
    /// # Errors
    ///
    /// Fails like [`Credentials::query`].
    pub fn signature(api_key: &str, signature_secret: &str, method: signature::Method) -> Result<Self, Error> {
        let secret = Secret::new("signature_secret", signature_secret)?;
        Self::new(api_key, Authentication::Signature(method, secret))
    }

    fn new(api_key: &str, authentication: Authentication) -> Result<Self, Error> {
        check_name("api_key", api_key)?;
        Ok(Self { api_key: api_key.to_owned(), authentication })
    }

    /// Returns the account's API key.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Returns the authentication method.
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
    fn an_error_names_the_parameter_but_not_its_value() {
        let results = [
            (Credentials::query("", "s"), "api_key "),
            (Credentials::query("a\n", "s"), "api_key "),
            (Credentials::basic("a:b", "s"), "api_key "),
            (Credentials::query("a", ""), "api_secret "),
            (Credentials::basic("a", "hush\n"), "api_secret "),
            (Credentials::signature("a", &"hush".repeat(65), signature::Method::HmacMd5), "signature_secret "),
        ];
        for (result, name) in results {
            let message = result.unwrap_err().to_string();
            assert!(message.starts_with(name) && !message.contains("hush"), "{message}");
        }
    }
}
