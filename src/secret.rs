//! Wipes secrets from memory, and hides them from `Debug` output.

use std::fmt;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

use zeroize::Zeroizing;

use crate::error::Error;
use crate::text::{LONGEST_NAME, check_no_controls};

/// A vector or string whose whole capacity is overwritten when it is dropped. Faster than `zeroize::Zeroizing`, which
/// overwrites one element at a time. `black_box` keeps the compiler from removing the write.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Wiped<T: Wipe>(T);

/// A value that [`Wiped`] can hold.
pub(crate) trait Wipe {
    /// Empties the value and overwrites its whole capacity.
    fn wipe(&mut self);
}

/// Overwrites `bytes` with zeros.
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    black_box(bytes);
}

impl<T: Copy + Default> Wipe for Vec<T> {
    fn wipe(&mut self) {
        self.clear();
        self.spare_capacity_mut().fill(MaybeUninit::new(T::default()));
        black_box(self);
    }
}

impl Wipe for String {
    fn wipe(&mut self) {
        std::mem::take(self).into_bytes().wipe();
    }
}

impl<T: Wipe> Wiped<T> {
    pub(crate) fn new(content: T) -> Self {
        Self(content)
    }
}

impl<T: Wipe> From<T> for Wiped<T> {
    fn from(content: T) -> Self {
        Self(content)
    }
}

impl<T: Wipe> Deref for Wiped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Wipe> DerefMut for Wiped<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Wipe> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

/// A secret string. Its `Debug` output is `***`, and it is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Copies `text` to a secret. `parameter` is the name of the secret in error messages. Fails if `text` is empty,
    /// longer than 256 bytes, or contains a control character.
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

impl<T: Wipe> fmt::Debug for Wiped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_secrets() {
        assert_eq!(format!("{:?}", Secret::new("api_secret", "s3cret").unwrap()), "***");
        assert_eq!(format!("{:?} {:?}", Wiped::new("s3cret".to_owned()), Wiped::new(vec![b's'])), "*** ***");
    }
}
