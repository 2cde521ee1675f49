//! Builds the request for a conversion as the bytes to send. Pure except for the clock, which the caller passes.

use std::time::SystemTime;

use percent_encoding::percent_encode_byte;

use crate::auth::Proof;
use crate::auth::credentials::Credentials;
use crate::conversion::Conversion;
use crate::options::ClientSettings;
use crate::secret::Wiped;
use crate::timestamp::Timestamp;

/// Whether each byte is sent as `%XX`. Only the bytes that RFC 3986 calls unreserved are sent as they are. This is a
/// table, because comparing each byte with ranges of letters and digits is slower.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
const RESERVED: [bool; 256] = {
    let mut reserved = [true; 256];
    let mut byte: u8 = 0;
    while byte < u8::MAX {
        reserved[byte as usize] = !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    reserved
};

/// The maximum number of parameters: delivered, message id, timestamp, key, and secret or signature.
const MOST_PARAMETERS: usize = 5;

/// The capacity, in bytes, for the constant parts of every request, such as the path and the header names.
const CAPACITY_FOR_CONSTANT_PARTS: usize = 128;

/// One `POST` with an empty body, ready to send.
pub(crate) struct Request<'a> {
    /// The bytes of the request.
    text: Wiped<Vec<u8>>,
    authority: &'a str,
    proof: Proof<'a>,
}

impl<'a> Request<'a> {
    /// Builds the request that reports `conversion`. Reads `clock` only if the request needs the current time.
    pub(crate) fn new(
        conversion: &Conversion,
        credentials: &'a Credentials,
        settings: &'a ClientSettings,
        clock: fn() -> SystemTime,
    ) -> Self {
        let timestamp = timestamp(conversion, credentials, settings, clock);
        // In byte order of the names, as `partition_point` below requires.
        let mut parameters = Vec::with_capacity(MOST_PARAMETERS);
        parameters.extend(Proof::key(credentials).map(|key| ("api_key", key)));
        parameters.push(("delivered", if conversion.delivered { "true" } else { "false" }));
        parameters.push(("message-id", conversion.message_id.as_str()));
        parameters.extend(timestamp.as_deref().map(|text| ("timestamp", text)));
        let proof = Proof::new(credentials, &parameters);
        if let Some(parameter) = proof.parameter() {
            let position = parameters.partition_point(|(name, _)| *name < parameter.0);
            parameters.insert(position, parameter);
        }
        let text = text(settings, conversion.channel.path_segment(), &parameters, proof.header());
        Self { text, authority: settings.base_url.authority(), proof }
    }

    /// Returns the bytes of the request.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// Returns the host and port of the service, as in the base URL.
    pub(crate) fn authority(&self) -> &str {
        self.authority
    }

    /// Returns the values that must not be logged: the secret and the value derived from it, if any.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.proof.secrets()
    }
}

/// Returns the `timestamp` to send, or None to omit it.
fn timestamp(
    conversion: &Conversion,
    credentials: &Credentials,
    settings: &ClientSettings,
    clock: fn() -> SystemTime,
) -> Option<String> {
    let is_required = credentials.authentication().requires_timestamp();
    if is_required && settings.sign_unix_seconds {
        return Some(clock().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs().to_string());
    }
    let sent_at = || is_required.then(|| Timestamp::from_system_time(clock()));
    conversion.timestamp.or_else(sent_at).map(Timestamp::text)
}

/// Returns the request line and the headers. No value can contain a line end, because each was checked on input or is
/// encoded.
fn text(
    settings: &ClientSettings,
    channel: &str,
    parameters: &[(&str, &str)],
    authorization: Option<[&str; 2]>,
) -> Wiped<Vec<u8>> {
    let (base_url, user_agent) = (&settings.base_url, &settings.user_agent);
    let query: usize = parameters.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
    let proof: usize = authorization.iter().flatten().map(|part| part.len()).sum();
    // The capacity is reserved in full, because a vector that reallocates leaves unwiped copies behind.
    let capacity = base_url.as_str().len() + user_agent.len() + query + proof + CAPACITY_FOR_CONSTANT_PARTS;
    let mut text = Wiped::new(Vec::with_capacity(capacity));
    append(&mut text, &["POST ", base_url.prefix(), "/conversions/", channel]);
    for (index, (name, value)) in parameters.iter().enumerate() {
        append(&mut text, &[if index == 0 { "?" } else { "&" }, name, "="]);
        append_encoded(&mut text, value.as_bytes());
    }
    append(&mut text, &[" HTTP/1.1\r\nhost: ", base_url.authority(), "\r\nuser-agent: ", user_agent]);
    if let Some([scheme, proof]) = authorization {
        append(&mut text, &["\r\nauthorization: ", scheme, proof]);
    }
    append(&mut text, &["\r\ncontent-length: 0\r\n\r\n"]);
    text
}

fn append(text: &mut Vec<u8>, parts: &[&str]) {
    parts.iter().for_each(|part| text.extend_from_slice(part.as_bytes()));
}

/// Appends `value` with `%XX` for each byte that RFC 3986 does not call unreserved.
fn append_encoded(text: &mut Vec<u8>, value: &[u8]) {
    let is_reserved = |byte: &u8| RESERVED.get(usize::from(*byte)) == Some(&true);
    for part in value.split_inclusive(is_reserved) {
        match part.split_last() {
            Some((last, unreserved)) if is_reserved(last) => {
                text.extend_from_slice(unreserved);
                text.extend_from_slice(percent_encode_byte(*last).as_bytes());
            }
            _ => text.extend_from_slice(part),
        }
    }
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
        let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_880_000);
        let settings = options.check().unwrap();
        let request = Request::new(&conversion, credentials, &settings, clock);
        assert_eq!(request.authority(), "api.nexmo.com");
        // If the text had been reallocated, its capacity would have doubled.
        assert!(request.text.capacity() - request.text.len() < 256, "{}", request.text.capacity());
        (String::from_utf8(request.text.to_vec()).unwrap(), request.secrets().map(str::to_owned).collect())
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
    fn secrets_lists_the_secret_and_the_value_derived_from_it() {
        let credentials = Credentials::basic("key", "secret").unwrap();
        let (text, secrets) = sent("id", &credentials, &Options::default());
        assert_eq!(secrets, ["secret", "a2V5OnNlY3JldA=="]);
        assert!(text.contains("\r\nauthorization: Basic a2V5OnNlY3JldA==\r\n"), "{text}");
    }
}
