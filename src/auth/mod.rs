//! Authentication: what proves that a request comes from the account.
//!
//! A method of authentication is a variant of [`Authentication`], and what [`Proof::new`] makes of it.

pub(crate) mod credentials;
pub(crate) mod signature;

use std::iter;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use self::credentials::Credentials;
use crate::secret::Secret;

/// How a request is authenticated.
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
    /// Whether the parameters must include a timestamp, which the service uses to prevent replays.
    pub(crate) fn requires_timestamp(&self) -> bool {
        matches!(self, Self::Signature(..))
    }
}

/// The proof in one request: a parameter or a header.
pub(crate) struct Proof<'a> {
    secret: &'a str,
    /// What is sent in place of the secret.
    derived: Option<Zeroizing<String>>,
    target: Target,
}

/// Where a proof is sent.
enum Target {
    /// In the parameter of this name.
    Parameter(&'static str),
    /// In the `authorization` header, after this scheme and a space.
    Authorization(&'static str),
}

impl<'a> Proof<'a> {
    /// Returns the proof for a request with `parameters`, after adding the API key if it is one of them.
    pub(crate) fn new<'p>(credentials: &'a Credentials, parameters: &mut Vec<(&str, &'p str)>) -> Self
    where
        'a: 'p,
    {
        let key = credentials.api_key();
        match credentials.authentication() {
            Authentication::Query(secret) => {
                parameters.push(("api_key", key));
                Self { secret: secret.expose(), derived: None, target: Target::Parameter("api_secret") }
            }
            Authentication::Basic(secret) => {
                // Full capacity from the start: a string that reallocates leaves copies behind that are not wiped.
                let mut pair = Zeroizing::new(String::with_capacity(key.len() + 1 + secret.expose().len()));
                pair.extend([key, ":", secret.expose()]);
                let derived = Some(Zeroizing::new(STANDARD.encode(pair.as_bytes())));
                Self { secret: secret.expose(), derived, target: Target::Authorization("Basic ") }
            }
            Authentication::Signature(method, secret) => {
                parameters.push(("api_key", key));
                let derived = Some(Zeroizing::new(signature::sign(*method, parameters, secret.expose())));
                Self { secret: secret.expose(), derived, target: Target::Parameter("sig") }
            }
        }
    }

    /// The parameter to add.
    pub(crate) fn parameter(&self) -> Option<(&'static str, &str)> {
        match self.target {
            Target::Parameter(name) => Some((name, self.value())),
            Target::Authorization(_) => None,
        }
    }

    /// The value of the `authorization` header, in two parts.
    pub(crate) fn header(&self) -> Option<[&str; 2]> {
        match self.target {
            Target::Parameter(_) => None,
            Target::Authorization(scheme) => Some([scheme, self.value()]),
        }
    }

    /// What must not be logged: the secret, and what is derived from it.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        iter::once(self.secret).chain(self.derived.as_deref().map(String::as_str))
    }

    fn value(&self) -> &str {
        self.derived.as_deref().map_or(self.secret, String::as_str)
    }
}
