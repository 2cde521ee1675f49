//! Accounts: API keys and their secrets.

use std::fmt;
use std::str::FromStr;

use crate::signature::SignatureMethod;

/// An account that the sandbox accepts.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The API key, which identifies the account.
    pub api_key: String,
    /// The secret that a request sends in the query or in a Basic header.
    pub api_secret: String,
    /// The secret for signatures; with `None`, all signatures are rejected.
    pub signature_secret: Option<String>,
    /// The method that signatures must use; with `None`, any method is accepted.
    pub signature_method: Option<SignatureMethod>,
}

impl Default for Account {
    /// Returns the default account: key `abcd1234`, secret `s3cret`, signature secret `sign4ture`, any method.
    fn default() -> Self {
        Self {
            api_key: "abcd1234".into(),
            api_secret: "s3cret".into(),
            signature_secret: Some("sign4ture".into()),
            signature_method: None,
        }
    }
}

impl fmt::Debug for Account {
    /// Shows only the key, so that a failed assertion does not leak secrets into a build log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Account").field("api_key", &self.api_key).finish_non_exhaustive()
    }
}

impl FromStr for Account {
    type Err = String;

    /// Parses `KEY:SECRET[:SIGNATURE_SECRET[:METHOD]]`. An empty signature secret means that the account has none.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let account = Self {
            api_key: required(parts.next(), "key")?,
            api_secret: required(parts.next(), "secret")?,
            signature_secret: parts.next().filter(|part| !part.is_empty()).map(str::to_owned),
            signature_method: parts.next().map(str::parse).transpose()?,
        };
        match parts.next() {
            None => Ok(account),
            Some(_) => Err("an account has at most four parts: KEY:SECRET:SIGNATURE_SECRET:METHOD".into()),
        }
    }
}

fn required(part: Option<&str>, name: &str) -> Result<String, String> {
    match part {
        Some(part) if !part.is_empty() => Ok(part.to_owned()),
        _ => Err(format!("the account's {name} is missing; use KEY:SECRET")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_parts_are_parsed() {
        let account: Account = "key:secret:signs:sha256".parse().unwrap();
        assert_eq!(account.api_key, "key");
        assert_eq!(account.api_secret, "secret");
        assert_eq!(account.signature_secret.as_deref(), Some("signs"));
        assert_eq!(account.signature_method, Some(SignatureMethod::Sha256));
    }

    #[test]
    fn the_signature_parts_are_optional() {
        let account: Account = "key:secret".parse().unwrap();
        assert_eq!((account.signature_secret, account.signature_method), (None, None));
    }

    #[test]
    fn invalid_accounts_are_rejected() {
        for text in ["", "key", "key:", ":secret", "key:secret:signs:md4", "key:secret:signs:md5:more"] {
            assert!(text.parse::<Account>().is_err(), "{text}");
        }
    }

    #[test]
    fn debug_output_contains_no_secret() {
        let shown = format!("{:?}", Account::default());
        assert!(shown.contains("abcd1234") && !shown.contains("s3cret") && !shown.contains("sign4ture"), "{shown}");
    }
}
