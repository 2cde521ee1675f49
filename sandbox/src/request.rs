//! A received request.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use crate::query::Query;

/// The scheme of the listener that received a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

/// The channel of the reported message, which the last segment of the path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// `/conversions/sms`
    Sms,
    /// `/conversions/voice`
    Voice,
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) scheme: Scheme,
    pub(crate) connection: u64,
    pub(crate) method: String,
    /// The request target as received, including secrets.
    pub(crate) target: String,
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) has_body: bool,
}

/// Basic credentials.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeyAndSecret {
    pub(crate) key: String,
    pub(crate) secret: String,
}

impl Request {
    /// Returns the channel, or None if the path is not `prefix` followed by the path of a channel.
    pub(crate) fn channel(&self, prefix: &str) -> Option<Channel> {
        match self.path.strip_prefix(prefix)? {
            "/conversions/sms" => Some(Channel::Sms),
            "/conversions/voice" => Some(Channel::Voice),
            _ => None,
        }
    }

    /// Returns the values of all `Authorization` headers.
    pub(crate) fn authorizations(&self) -> impl Iterator<Item = &str> {
        let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("authorization");
        self.headers.iter().filter(named).map(|(_, value)| value.as_str())
    }

    /// Returns the credentials in the first `Authorization` header, if it is a valid Basic header.
    pub(crate) fn basic(&self) -> Option<KeyAndSecret> {
        let (scheme, encoded) = self.authorizations().next()?.split_once(' ')?;
        let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (key, secret) = text.split_once(':')?;
        scheme.eq_ignore_ascii_case("basic").then(|| KeyAndSecret { key: key.into(), secret: secret.into() })
    }

    /// Returns the API key from the query, or else from the Basic header.
    pub(crate) fn api_key(&self) -> Option<String> {
        self.query.get("api_key").map(str::to_owned).or_else(|| self.basic().map(|basic| basic.key))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a POST request for `target` with these headers and no body.
    pub(crate) fn post(target: &str, headers: &[(&str, &str)]) -> Request {
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        Request {
            scheme: Scheme::Http,
            connection: 1,
            method: "POST".into(),
            target: target.into(),
            path: path.into(),
            query: Query::parse(query),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            has_body: false,
        }
    }

    #[test]
    fn the_path_consists_of_the_prefix_and_the_channel() {
        assert_eq!(post("/conversions/sms", &[]).channel(""), Some(Channel::Sms));
        assert_eq!(post("/a/conversions/voice?x", &[]).channel("/a"), Some(Channel::Voice));
        for path in ["/", "/conversions", "/conversions/sms/", "//conversions/sms", "/a/conversions/sms"] {
            assert_eq!(post(path, &[]).channel(""), None, "{path}");
        }
    }

    #[test]
    fn basic_credentials_are_split_at_the_first_colon() {
        let both = KeyAndSecret { key: "key".into(), secret: "a:b".into() };
        assert_eq!(post("/", &[("Authorization", "basic a2V5OmE6Yg==")]).basic(), Some(both));
    }

    #[test]
    fn other_authorization_headers_have_no_credentials() {
        for value in ["", "Basic", "Basic !!", "Basic a2V5", "Bearer a2V5OmE6Yg==", "Basic //86Lw=="] {
            assert_eq!(post("/", &[("authorization", value)]).basic(), None, "{value}");
        }
    }

    #[test]
    fn the_key_is_found_in_query_and_header() {
        assert_eq!(post("/?api_key=k", &[]).api_key().as_deref(), Some("k"));
        assert_eq!(post("/", &[("authorization", "Basic a2V5OmE6Yg==")]).api_key().as_deref(), Some("key"));
        assert_eq!(post("/", &[]).api_key(), None);
    }
}
