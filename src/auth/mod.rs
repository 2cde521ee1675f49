//! Authenticates requests, by adding a proof that the request comes from the account.
//!
//! To add an authentication method, add a variant to [`Authentication`], a branch to [`Proof::key`] and to
//! [`Proof::new`], and a constructor to [`Credentials`]. Check whether [`Authentication::requires_timestamp`] must
//! return true for it.

pub(crate) mod credentials;
pub(crate) mod signature;

use std::iter;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use self::credentials::Credentials;
use crate::secret::{Secret, Wiped};

/// The authentication method, with its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// `api_secret` in the query string, as in the API's documentation.
    Query(Secret),
    /// The `Authorization: Basic` header, which keeps the secret out of the URLs that proxies and servers log.
    Basic(Secret),
    /// `sig`, computed with the signature secret, which is never sent.
    Signature(signature::Method, Secret),
}

impl Authentication {
    /// Returns whether the parameters must include a timestamp, which the service uses to prevent replays.
    pub(crate) fn requires_timestamp(&self) -> bool {
        matches!(self, Self::Signature(..))
    }
}

/// The proof in one request: a parameter or a header.
pub(crate) struct Proof<'a> {
    secret: &'a str,
    /// The value sent in place of the secret, if any.
    derived: Option<Wiped<String>>,
    target: Target,
}

/// The part of the request that carries the proof.
enum Target {
    /// The parameter of this name.
    Parameter(&'static str),
    /// The `authorization` header. The proof follows this scheme, which ends with a space.
    Authorization(&'static str),
}

impl<'a> Proof<'a> {
    /// Returns the API key if the method sends it as a parameter.
    pub(crate) fn key(credentials: &Credentials) -> Option<&str> {
        match credentials.authentication() {
            Authentication::Query(_) | Authentication::Signature(..) => Some(credentials.api_key()),
            Authentication::Basic(_) => None,
        }
    }

    /// Returns the proof for a request with `parameters`.
    pub(crate) fn new(credentials: &'a Credentials, parameters: &[(&str, &str)]) -> Self {
        match credentials.authentication() {
            Authentication::Query(secret) => {
                Self { secret: secret.expose(), derived: None, target: Target::Parameter("api_secret") }
            }
            Authentication::Basic(secret) => {
                // The full capacity is reserved, because reallocating the string would leave behind a copy that is not
                // wiped.
                let key = credentials.api_key();
                let mut pair = Zeroizing::new(String::with_capacity(key.len() + 1 + secret.expose().len()));
                pair.extend([key, ":", secret.expose()]);
                let derived = Some(Wiped::new(STANDARD.encode(pair.as_bytes())));
                Self { secret: secret.expose(), derived, target: Target::Authorization("Basic ") }
            }
            Authentication::Signature(method, secret) => {
                let derived = Some(Wiped::new(signature::sign(*method, parameters, secret.expose())));
                Self { secret: secret.expose(), derived, target: Target::Parameter("sig") }
            }
        }
    }

    /// Returns the name and value of the parameter to add, if the proof is a parameter.
    pub(crate) fn parameter(&self) -> Option<(&'static str, &str)> {
        match self.target {
            Target::Parameter(name) => Some((name, self.value())),
            Target::Authorization(_) => None,
        }
    }

    /// Returns the value of the `authorization` header in two parts, if the proof is a header.
    pub(crate) fn header(&self) -> Option<[&str; 2]> {
        match self.target {
            Target::Parameter(_) => None,
            Target::Authorization(scheme) => Some([scheme, self.value()]),
        }
    }

    /// Returns the values that must not be logged: the secret and the value derived from it, if any.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        iter::once(self.secret).chain(self.derived.as_deref().map(String::as_str))
    }

    fn value(&self) -> &str {
        self.derived.as_deref().map_or(self.secret, String::as_str)
    }
}
