//! Authentication: the account's credentials and the request signature.

pub(crate) mod credentials;
pub(crate) mod signature;
