//! A conversion: whether one message or call was effective.

use crate::error::Error;
use crate::text::check_name;
use crate::timestamp::Timestamp;

/// The channel over which the one-time code was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Channel {
    /// By SMS: reported to `/conversions/sms`.
    Sms = 1,
    /// By phone call: reported to `/conversions/voice`.
    Voice = 2,
}

impl Channel {
    /// Every channel, in numerical order.
    pub const ALL: &[Self] = &[Self::Sms, Self::Voice];

    /// Returns the channel with this number, or None. The C interface uses the same numbers.
    pub(crate) fn from_number(number: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|channel| channel.number() == number)
    }

    pub(crate) const fn number(self) -> i32 {
        self as i32
    }

    /// Returns the last path segment of the endpoint for this channel.
    pub(crate) fn path_segment(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
        }
    }
}

/// The identifier that the service returned for the message or call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Validates and copies the id of a message or call.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::InvalidArgument`](crate::Kind::InvalidArgument) if `text` is empty, is longer than 256 bytes,
    /// contains a control character, a line or paragraph separator or a bidirectional formatting character, or has
    /// leading or trailing white space.
    pub fn new(text: &str) -> Result<Self, Error> {
        check_name("message_id", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the id as passed to [`MessageId::new`].
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The content of a report: whether the message or call `message_id` was effective.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Conversion {
    /// The channel over which the code was sent.
    pub channel: Channel,
    /// The message or call that contained the code.
    pub message_id: MessageId,
    /// Whether the user completed the action.
    pub delivered: bool,
    /// The time at which the user completed the action. If it is None, a reporter sends the time of the submit if the
    /// clock was set. Without a time from either, a signed request has the time of sending, and other requests have
    /// no time; the service then uses the time of arrival. With
    /// [`sign_unix_seconds`](crate::Options::sign_unix_seconds), a signed request always has the time of sending.
    pub timestamp: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusual_but_valid_id_is_kept_unchanged() {
        for text in ["%", "a&b=c", "+#?", "a b", "ключ", &"x".repeat(256)] {
            assert_eq!(MessageId::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn an_invalid_id_is_reported_by_name() {
        for text in ["", " a", "a\u{a0}", "a\n", "\u{7f}", "a\u{1f}b", &"x".repeat(257), &"é".repeat(129)] {
            assert!(MessageId::new(text).unwrap_err().message().starts_with("message_id "), "{text:?}");
        }
        let control = (0x80..0xa0).chain([0x61c, 0x200e, 0x200f]).chain(0x2028..=0x202e).chain(0x2066..=0x2069);
        for character in control.filter_map(char::from_u32) {
            assert!(MessageId::new(&format!("a{character}b")).is_err(), "{character:?}");
        }
        assert_eq!(
            MessageId::new("a\u{202e}b").unwrap_err().message(),
            "message_id contains the character U+202E, which changes how text is shown"
        );
    }
}
