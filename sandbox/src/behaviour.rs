//! The behaviours that a rule can select for an authenticated request.

use std::str::FromStr;
use std::time::Duration;

use crate::random_faults::RandomFaults;

/// The `Retry-After` of `throttled` without `=SECONDS`, in seconds.
const DEFAULT_RETRY_AFTER: u32 = 30;

/// How the sandbox handles an authenticated request. It validates the parameters only for the normal response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// The normal response, as if no rule applied.
    Ok,
    /// 402: conversions are not enabled for the account.
    NotEnabled,
    /// 429 with this `Retry-After`, in seconds.
    Throttled(u32),
    /// 503, with this `Retry-After` in seconds, if any.
    Unavailable(Option<u32>),
    /// The normal response after this delay.
    Slow(Duration),
    /// This status with its documented body, if it has one.
    Status(u16),
    /// This status with a body that repeats the request target and the credentials.
    Echo(u16),
    /// The normal response, except that some requests fail, are delayed or get no response.
    Erratic(RandomFaults),
}

impl FromStr for Behaviour {
    type Err = String;

    /// Parses `ok`, `not-enabled`, `throttled[=SECONDS]`, `unavailable[=SECONDS]`, `slow=MILLISECONDS`, `status=CODE`,
    /// `echo=CODE` or `erratic=SEED`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value))) {
            ("ok", None) => Ok(Self::Ok),
            ("not-enabled", None) => Ok(Self::NotEnabled),
            ("throttled", None) => Ok(Self::Throttled(DEFAULT_RETRY_AFTER)),
            ("throttled", Some(value)) => number(value, "seconds").map(Self::Throttled),
            ("unavailable", None) => Ok(Self::Unavailable(None)),
            ("unavailable", Some(value)) => number(value, "seconds").map(|seconds| Self::Unavailable(Some(seconds))),
            ("slow", Some(value)) => number(value, "milliseconds").map(milliseconds),
            ("status", Some(value)) => status(value).map(Self::Status),
            ("echo", Some(value)) => status(value).map(Self::Echo),
            ("erratic", Some(value)) => seed(value).map(RandomFaults::seeded).map(Self::Erratic),
            _ => Err(unknown(text)),
        }
    }
}

fn milliseconds(count: u32) -> Behaviour {
    Behaviour::Slow(Duration::from_millis(count.into()))
}

fn unknown(text: &str) -> String {
    format!(
        "'{text}' is not a behaviour; use ok, not-enabled, throttled[=SECONDS], unavailable[=SECONDS], \
         slow=MILLISECONDS, status=CODE, echo=CODE or erratic=SEED"
    )
}

fn number(text: &str, unit: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("'{text}' is not a whole number of {unit}"))
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("'{text}' is not a whole number"))
}

/// Parses the status of a final response, from 200 to 599.
fn status(text: &str) -> Result<u16, String> {
    let code = text.parse().ok().filter(|code| (200..=599).contains(code));
    code.ok_or_else(|| format!("'{text}' is not a status from 200 to 599"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_behaviour_is_parsed() {
        let behaviours = [
            ("ok", Behaviour::Ok),
            ("not-enabled", Behaviour::NotEnabled),
            ("throttled", Behaviour::Throttled(30)),
            ("throttled=7", Behaviour::Throttled(7)),
            ("unavailable", Behaviour::Unavailable(None)),
            ("unavailable=0", Behaviour::Unavailable(Some(0))),
            ("slow=1500", Behaviour::Slow(Duration::from_millis(1500))),
            ("status=302", Behaviour::Status(302)),
            ("echo=401", Behaviour::Echo(401)),
            ("erratic=7", Behaviour::Erratic(RandomFaults::seeded(7))),
        ];
        for (text, behaviour) in behaviours {
            assert_eq!(text.parse(), Ok(behaviour), "{text}");
        }
    }

    #[test]
    fn other_text_is_invalid() {
        let texts = [
            "",
            "OK",
            "ok=1",
            "slow",
            "slow=",
            "slow=-1",
            "throttled=soon",
            "status=199",
            "status=600",
            "echo",
            "echo=x",
            "erratic",
            "erratic=x",
        ];
        for text in texts {
            assert!(text.parse::<Behaviour>().is_err(), "{text}");
        }
    }
}
