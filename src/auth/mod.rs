//! Authentication: whose account reports, and how a request shows it.

pub(crate) mod credentials;
pub(crate) mod signature;
