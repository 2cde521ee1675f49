//! A conversion and credentials become the request's URL and headers. Pure: the time comes from the caller.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::conversion::{Conversion, Timestamp};
use crate::credentials::{Authentication, Credentials};
use crate::options::Settings;
use crate::signature;

/// What RFC 3986 does not call unreserved goes out as `%XX`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One `POST` with an empty body, ready to be sent.
pub(crate) struct Request {
    /// Base URL, path and query.
    pub(crate) url: Zeroizing<String>,
    /// Value of the `user-agent` header.
    pub(crate) user_agent: String,
    /// Value of the `authorization` header.
    pub(crate) authorization: Option<Zeroizing<String>>,
    /// What of it nobody may see: the secret, and all that stands for it on the wire.
    secrets: Vec<Zeroizing<String>>,
}

impl Request {
    /// The request that reports `conversion` at the time `now`.
    pub(crate) fn new(
        conversion: &Conversion,
        credentials: &Credentials,
        settings: &Settings,
        now: SystemTime,
    ) -> Self {
        let timestamp = timestamp(conversion, credentials, settings, now);
        let mut parameters = vec![
            ("delivered", if conversion.delivered { "true" } else { "false" }),
            ("message-id", conversion.message_id.as_str()),
        ];
        parameters.extend(timestamp.as_deref().map(|text| ("timestamp", text)));
        let proof = Proof::new(credentials, &mut parameters);
        parameters.extend(proof.parameter());
        parameters.sort_unstable_by_key(|(name, _)| *name);
        Self {
            url: url(settings.base_url.as_str(), conversion.channel.path_segment(), &parameters),
            user_agent: settings.user_agent.clone(),
            secrets: proof.secrets(),
            authorization: proof.header(),
        }
    }

    /// Host and port of the service, as the base URL has them.
    pub(crate) fn authority(&self) -> &str {
        self.url.split('/').nth(2).unwrap_or_default()
    }

    /// What of the request nobody may see.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|secret| secret.as_str())
    }
}

/// The `timestamp` to send. A signature takes one always, for the service guards against replay by it.
fn timestamp(
    conversion: &Conversion,
    credentials: &Credentials,
    settings: &Settings,
    now: SystemTime,
) -> Option<String> {
    let is_signed = matches!(credentials.authentication(), Authentication::Signature(..));
    if is_signed && settings.sign_unix_seconds {
        return Some(unix_seconds(now));
    }
    let signed_now = is_signed.then(|| Timestamp::from_system_time(now));
    conversion.timestamp.or(signed_now).map(|timestamp| timestamp.to_string())
}

fn unix_seconds(now: SystemTime) -> String {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs().to_string()
}

/// What proves who sends: one more parameter, or a header.
enum Proof<'a> {
    Query(&'a str),
    Basic(&'a str, Zeroizing<String>),
    Signature(&'a str, Zeroizing<String>),
}

impl<'a> Proof<'a> {
    /// Adds the key to `parameters`, where the query carries it, and proves the whole.
    fn new(credentials: &'a Credentials, parameters: &mut Vec<(&str, &'a str)>) -> Self {
        let key = ("api_key", credentials.api_key());
        match credentials.authentication() {
            Authentication::Query(secret) => {
                parameters.push(key);
                Self::Query(secret.expose())
            }
            Authentication::Basic(secret) => {
                Self::Basic(secret.expose(), basic(credentials.api_key(), secret.expose()))
            }
            Authentication::Signature(method, secret) => {
                parameters.push(key);
                Self::Signature(secret.expose(), Zeroizing::new(signature::sign(*method, parameters, secret.expose())))
            }
        }
    }

    fn parameter(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Query(secret) => Some(("api_secret", secret)),
            Self::Basic(..) => None,
            Self::Signature(_, signature) => Some(("sig", signature)),
        }
    }

    fn secrets(&self) -> Vec<Zeroizing<String>> {
        let own = |secret: &str| Zeroizing::new(secret.to_owned());
        match self {
            Self::Query(secret) => vec![own(secret)],
            Self::Basic(secret, proof) | Self::Signature(secret, proof) => vec![own(secret), proof.clone()],
        }
    }

    fn header(&self) -> Option<Zeroizing<String>> {
        match self {
            Self::Basic(_, proof) => Some(Zeroizing::new(format!("Basic {}", proof.as_str()))),
            Self::Query(_) | Self::Signature(..) => None,
        }
    }
}

fn basic(api_key: &str, secret: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{api_key}:{secret}"));
    Zeroizing::new(STANDARD.encode(pair.as_bytes()))
}

fn url(base: &str, channel: &str, parameters: &[(&str, &str)]) -> Zeroizing<String> {
    let encoded_length: usize = parameters.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
    // Room for the whole from the start: a string that grows leaves copies behind that nobody wipes.
    let mut url = Zeroizing::new(String::with_capacity(base.len() + "/conversions/voice".len() + encoded_length));
    url.extend([base, "/conversions/", channel]);
    for (index, (name, value)) in parameters.iter().enumerate() {
        url.extend([if index == 0 { "?" } else { "&" }, name, "="]);
        url.extend(utf8_percent_encode(value, ENCODED));
    }
    url
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::conversion::{Channel, MessageId};
    use crate::options::Options;

    fn request(message_id: &str, credentials: &Credentials, options: &Options<'_>) -> Request {
        let conversion = Conversion {
            channel: Channel::Sms,
            message_id: MessageId::new(message_id).unwrap(),
            delivered: true,
            timestamp: None,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_880_000);
        Request::new(&conversion, credentials, &options.check().unwrap(), now)
    }

    #[test]
    fn every_byte_but_the_unreserved_is_encoded() {
        let credentials = Credentials::basic("key", "secret").unwrap();
        let url = request("aZ09-._~ %&=+#?/é", &credentials, &Options::default()).url;
        assert_eq!(
            url.as_str(),
            "https://api.nexmo.com/conversions/sms?delivered=true&message-id=aZ09-._~%20%25%26%3D%2B%23%3F%2F%C3%A9"
        );
    }

    #[test]
    fn the_url_is_written_without_growing() {
        let credentials = Credentials::query("key", &"&".repeat(256)).unwrap();
        let url = request(&"é".repeat(128), &credentials, &Options::default()).url;
        // Room that grew would be doubled, again and again.
        assert!(url.capacity() - url.len() < 64, "{} bytes in room for {}", url.len(), url.capacity());
    }

    #[test]
    fn a_signature_without_a_date_signs_the_moment_of_sending() {
        let credentials = Credentials::signature("key", "secret", signature::Method::Sha256).unwrap();
        let url = request("id", &credentials, &Options::default()).url;
        assert!(url.ends_with("&timestamp=2020-01-01%2012%3A00%3A00"), "{}", url.as_str());
        let url = request("id", &credentials, &Options { sign_unix_seconds: true, ..Options::default() }).url;
        assert!(url.ends_with("&timestamp=1577880000"), "{}", url.as_str());
    }

    #[test]
    fn all_that_stands_for_the_secret_is_known() {
        let credentials = Credentials::basic("key", "secret").unwrap();
        let request = request("id", &credentials, &Options::default());
        assert_eq!(request.authority(), "api.nexmo.com");
        assert_eq!(request.secrets().collect::<Vec<_>>(), ["secret", "a2V5OnNlY3JldA=="]);
        assert_eq!(request.authorization.as_deref().map(String::as_str), Some("Basic a2V5OnNlY3JldA=="));
    }
}
