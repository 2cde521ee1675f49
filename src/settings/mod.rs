//! Reads credentials and options from text that consists of lines of the form `name = value`.
//!
//! ```text
//! # Comments and empty lines are skipped.
//! api_key    = abcd1234
//! api_secret = "quoted: \" and \\ are the only escapes"
//! timeout_ms = 2000
//! ```
//!
//! Messages name the line and the setting if these are known. The messages of this module never quote a value,
//! because any value may be a misplaced secret.

mod line;
mod names;

#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

#[cfg(test)]
pub(crate) use self::names::GivenCredentials;
use self::names::{Chosen, Known, find};
use crate::auth::credentials::Credentials;
use crate::error::{Error, Kind};
use crate::options::ClientSettings;
use crate::reporter::ReporterSettings;

/// The maximum length of the text that contains settings, in bytes.
pub(crate) const LONGEST: usize = 65_536;

/// Parsed settings.
#[derive(Default)]
pub(crate) struct Settings {
    given: Vec<Given>,
}

/// A given setting.
struct Given {
    line: usize,
    known: Known,
    /// The value, wiped when dropped, because any text may contain a password.
    value: Zeroizing<String>,
}

/// Checked settings.
pub(crate) struct Checked {
    pub(crate) credentials: Credentials,
    pub(crate) options: ClientSettings,
    /// The reporter's settings; None if the settings are those of a client.
    pub(crate) reporter: Option<ReporterSettings>,
}

impl Settings {
    /// Parses `text`.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::InvalidArgument`] if `text` is invalid.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST {
            return Err(Error::argument("settings", format!("is longer than {LONGEST} bytes")));
        }
        let mut settings = Self::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            let line = line.strip_suffix("\r\n").or(line.strip_suffix('\n')).unwrap_or(line);
            settings.read(line, number).map_err(|problem| at_line(number, &problem))?;
        }
        settings.check_reporter_options_are_allowed()?;
        Ok(settings)
    }

    fn read(&mut self, line: &str, number: usize) -> Result<(), String> {
        let Some((written_name, written_value)) = line::split(line)? else {
            return Ok(());
        };
        let shown = line::shown(written_name);
        let known = find(written_name).ok_or_else(|| format!("{shown} is unknown"))?;
        if let Some(first) = self.given.iter().find(|given| given.known.name == known.name) {
            return Err(format!("{shown} is already set in line {}", first.line));
        }
        let value = line::value(written_value).map_err(|problem| format!("{shown} {problem}"))?;
        Chosen::default().set(known.name, &value).map_err(|problem| format!("{shown} {problem}"))?;
        self.given.push(Given { line: number, known, value });
        Ok(())
    }

    fn check_reporter_options_are_allowed(&self) -> Result<(), Error> {
        let stray = self.given.iter().find(|given| given.known.is_reporter_option);
        match stray {
            Some(Given { line, known, .. }) if !self.chosen().is_reporter() => {
                let problem =
                    format!("{} is an option of reporters, which require outbox or durability = none", known.name);
                Err(at_line(*line, &problem))
            }
            _ => Ok(()),
        }
    }

    fn chosen(&self) -> Chosen<'_> {
        let mut chosen = Chosen::default();
        for given in &self.given {
            // This cannot fail, because `parse` has checked the value.
            let _ = chosen.set(given.known.name, &given.value);
        }
        chosen
    }

    /// Checks the settings as far as possible without access to files or the network.
    ///
    /// # Errors
    ///
    /// Returns [`Kind::InvalidArgument`] if a setting is missing or invalid. Pass the error to [`Settings::explain`].
    pub(crate) fn check(&self) -> Result<Checked, Error> {
        let chosen = self.chosen();
        Ok(Checked {
            credentials: chosen.credentials.check()?,
            options: chosen.options.check()?,
            reporter: chosen.is_reporter().then(|| chosen.reporter.check()).transpose()?,
        })
    }

    /// Rewrites an error whose message begins with the name of a given setting: adds the line of the setting and
    /// removes the value if it follows the name. Any value, even a number, may be a misplaced secret. Returns other
    /// errors unchanged.
    pub(crate) fn explain(self, error: &Error) -> Error {
        let (first, rest) = error.message().split_once(' ').unwrap_or((error.message(), ""));
        let Some(Given { line, known, value }) = self.given.iter().find(|given| given.known.name == first) else {
            return error.clone();
        };
        let quoted = rest.strip_prefix(value.as_str()).and_then(|rest| rest.strip_prefix(' '));
        let problem = match rest.split_once("; ") {
            Some((_, valid)) if known.is_number => &format!("is out of range; {valid}"),
            _ => quoted.unwrap_or(rest),
        };
        Error::new(error.kind(), format!("line {line}: {first} {problem}"))
    }
}

fn at_line(number: usize, problem: &str) -> Error {
    Error::new(Kind::InvalidArgument, format!("line {number}: {problem}"))
}
