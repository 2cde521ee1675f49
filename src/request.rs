//! Builds the request for a conversion as the bytes to send. Pure: the caller passes the time.

use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::auth::Proof;
use crate::auth::credentials::Credentials;
use crate::conversion::Conversion;
use crate::options::ClientSettings;
use crate::timestamp::Timestamp;

/// The characters sent as `%XX`: all except the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The maximum number of parameters: delivered, message id, timestamp, key, and secret or signature.
const MOST_PARAMETERS: usize = 5;

/// The capacity for the constant parts of every request: the path and the header names.
const CAPACITY_FOR_CONSTANT_PARTS: usize = 128;

/// One `POST` with an empty body, ready to send.
pub(crate) struct Request<'a> {
    /// The bytes of the request.
    text: Zeroizing<String>,
    authority: &'a str,
    proof: Proof<'a>,
}

impl<'a> Request<'a> {
    /// Builds the request that reports `conversion` at the time `now`.
    pub(crate) fn new(
        conversion: &Conversion,
        credentials: &'a Credentials,
        settings: &'a ClientSettings,
        now: SystemTime,
    ) -> Self {
        let timestamp = timestamp(conversion, credentials, settings, now);
        let mut parameters = Vec::with_capacity(MOST_PARAMETERS);
        parameters.push(("delivered", if conversion.delivered { "true" } else { "false" }));
        parameters.push(("message-id", conversion.message_id.as_str()));
        parameters.extend(timestamp.as_deref().map(|text| ("timestamp", text)));
        let proof = Proof::new(credentials, &mut parameters);
        parameters.extend(proof.parameter());
        parameters.sort_unstable_by_key(|(name, _)| *name);
        let text = text(settings, conversion.channel.path_segment(), &parameters, proof.header());
        Self { text, authority: settings.base_url.authority(), proof }
    }

    /// Returns the bytes of the request.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Returns the host and port of the service, as in the base URL.
    pub(crate) fn authority(&self) -> &str {
        self.authority
    }

    /// Returns the parts of the request that must not be logged.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.proof.secrets()
    }
}

/// Returns the `timestamp` to send, or None to omit it.
fn timestamp(
    conversion: &Conversion,
    credentials: &Credentials,
    settings: &ClientSettings,
    now: SystemTime,
) -> Option<String> {
    let is_required = credentials.authentication().requires_timestamp();
    if is_required && settings.sign_unix_seconds {
        return Some(now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs().to_string());
    }
    let sent_at = is_required.then(|| Timestamp::from_system_time(now));
    conversion.timestamp.or(sent_at).map(Timestamp::text)
}

/// Returns the request line and the headers. No value can contain a line end, because each was checked on input or is
/// encoded.
fn text(
    settings: &ClientSettings,
    channel: &str,
    parameters: &[(&str, &str)],
    authorization: Option<[&str; 2]>,
) -> Zeroizing<String> {
    let (base_url, user_agent) = (&settings.base_url, &settings.user_agent);
    let query: usize = parameters.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
    let proof: usize = authorization.iter().flatten().map(|part| part.len()).sum();
    // The capacity is reserved in full, because a string that reallocates leaves copies behind that are not wiped.
    let capacity = base_url.as_str().len() + user_agent.len() + query + proof + CAPACITY_FOR_CONSTANT_PARTS;
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    text.extend(["POST ", base_url.prefix(), "/conversions/", channel]);
    for (index, (name, value)) in parameters.iter().enumerate() {
        text.extend([if index == 0 { "?" } else { "&" }, name, "="]);
        text.extend(utf8_percent_encode(value, ENCODED));
    }
    text.extend([" HTTP/1.1\r\nhost: ", base_url.authority(), "\r\nuser-agent: ", user_agent]);
    if let Some([scheme, proof]) = authorization {
        text.extend(["\r\nauthorization: ", scheme, proof]);
    }
    text.push_str("\r\ncontent-length: 0\r\n\r\n");
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::signature;
    use crate::conversion::{Channel, MessageId};
    use crate::options::Options;

    /// Returns the request for `message_id`, and its secrets.
    fn sent(message_id: &str, credentials: &Credentials, options: &Options<'_>) -> (String, Vec<String>) {
        let conversion = Conversion {
            channel: Channel::Sms,
            message_id: MessageId::new(message_id).unwrap(),
            delivered: true,
            timestamp: None,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_880_000);
        let settings = options.check().unwrap();
        let request = Request::new(&conversion, credentials, &settings, now);
        assert_eq!(request.authority(), "api.nexmo.com");
        // This detects a reallocation, which would double the capacity.
        let unused = request.text.capacity() - request.text.len();
        assert!(unused < 256, "{unused} bytes of the capacity are unused");
        (request.text.to_string(), request.secrets().map(str::to_owned).collect())
    }

    #[test]
    fn every_byte_except_the_unreserved_is_encoded() {
        let credentials = Credentials::basic("key", "secret").unwrap();
        let (text, _) = sent("aZ09-._~ %&=+#?/é", &credentials, &Options::default());
        let line =
            "POST /conversions/sms?delivered=true&message-id=aZ09-._~%20%25%26%3D%2B%23%3F%2F%C3%A9 HTTP/1.1\r\n";
        assert!(text.starts_with(line), "{text}");
    }

    #[test]
    fn the_longest_request_is_written_without_reallocation() {
        let credentials = Credentials::query("key", &"&".repeat(256)).unwrap();
        let (text, _) = sent(&"é".repeat(128), &credentials, &Options::default());
        assert!(text.ends_with("\r\ncontent-length: 0\r\n\r\n"), "{text}");
    }

    #[test]
    fn a_signature_without_a_timestamp_uses_the_time_of_sending() {
        let credentials = Credentials::signature("key", "secret", signature::Method::HmacSha256).unwrap();
        let (text, _) = sent("id", &credentials, &Options::default());
        assert!(text.contains("&timestamp=2020-01-01%2012%3A00%3A00 HTTP/1.1\r\n"), "{text}");
        let (text, _) = sent("id", &credentials, &Options { sign_unix_seconds: true, ..Options::default() });
        assert!(text.contains("&timestamp=1577880000 HTTP/1.1\r\n"), "{text}");
    }

    #[test]
    fn secrets_lists_everything_derived_from_the_secret() {
        let credentials = Credentials::basic("key", "secret").unwrap();
        let (text, secrets) = sent("id", &credentials, &Options::default());
        assert_eq!(secrets, ["secret", "a2V5OnNlY3JldA=="]);
        assert!(text.contains("\r\nauthorization: Basic a2V5OnNlY3JldA==\r\n"), "{text}");
    }
}
