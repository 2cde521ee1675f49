//! A text that is never printed and whose copies in the library are wiped.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::text::{LONGEST_NAME, check_no_controls};

/// A secret text: it prints as `***` and is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Copies a secret. `parameter` is the name that an error message uses for it.
    pub(crate) fn new(parameter: &str, text: &str) -> Result<Self, Error> {
        if text.is_empty() || text.len() > LONGEST_NAME {
            return Err(Error::argument(parameter, format!("is {} bytes long; valid: 1 to 256 bytes", text.len())));
        }
        check_no_controls(parameter, text)?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Returns the text of the secret.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
