//! Settings as text: credentials and options in lines of the form `name = value`.
//!
//! ```text
//! # Comments and empty lines are skipped.
//! api_key    = abcd1234
//! api_secret = "quoted: \" and \\ are the only escapes"
//! timeout_ms = 2000
//! ```
//!
//! Messages name the line and the setting. They never quote a value, which may be a secret, even a misplaced one.

mod line;
mod names;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use self::names::SETTINGS;
use self::names::{Chosen, find};
pub(crate) use self::names::{Form, Group, Setting};
use crate::auth::credentials::Credentials;
use crate::error::{Error, Kind};
use crate::options;
use crate::reporter::ReporterSettings;

/// The longest settings accepted, in bytes.
pub(crate) const LONGEST: usize = 65_536;

/// Parsed settings.
#[derive(Default)]
pub(crate) struct Settings {
    chosen: Chosen,
    /// The given settings, with their line numbers.
    given: Vec<(usize, &'static Setting)>,
}

/// Checked settings.
pub(crate) struct Checked {
    pub(crate) credentials: Credentials,
    pub(crate) options: options::ClientSettings,
    /// None: the settings are those of a client.
    pub(crate) reporter: Option<ReporterSettings>,
}

impl Settings {
    /// Parses `text`.
    ///
    /// # Errors
    ///
    /// [`Kind::InvalidArgument`], as for every error in the settings.
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
        let name = find(written_name).ok_or_else(|| format!("{shown} is unknown"))?;
        if let Some((first, _)) = self.given.iter().find(|(_, given)| given.name == name.name) {
            return Err(format!("{shown} is already set in line {first}"));
        }
        let value = line::value(written_value).map_err(|problem| format!("{shown} {problem}"))?;
        self.chosen.set(name, value).map_err(|problem| format!("{shown} {problem}"))?;
        self.given.push((number, name));
        Ok(())
    }

    fn check_reporter_options_are_allowed(&self) -> Result<(), Error> {
        let stray = self.given.iter().find(|(_, name)| name.group == Group::ReporterOptions);
        match stray {
            Some((number, name)) if !self.chosen.is_reporter() => {
                let problem =
                    format!("{} is an option of reporters, which require outbox or durability = none", name.name);
                Err(at_line(*number, &problem))
            }
            _ => Ok(()),
        }
    }

    /// Checks everything that does not require access to a file or the network.
    ///
    /// # Errors
    ///
    /// [`Kind::InvalidArgument`]. Pass the error to [`Settings::explain`].
    pub(crate) fn check(&self) -> Result<Checked, Error> {
        Ok(Checked {
            credentials: self.chosen.credentials()?,
            options: self.chosen.options()?,
            reporter: self.chosen.is_reporter().then(|| self.chosen.reporter_settings()).transpose()?,
        })
    }

    /// Rewrites an error that resulted from the settings: adds the line of the setting that it names, and removes its
    /// value, which may be a misplaced secret, even if it is a number.
    pub(crate) fn explain(mut self, error: &Error) -> Error {
        let (first, rest) = error.message().split_once(' ').unwrap_or((error.message(), ""));
        let Some((number, name)) = self.given.iter().find(|(_, given)| given.name == first) else {
            return error.clone();
        };
        let quoted = self.chosen.text(name).and_then(|value| rest.strip_prefix(value)?.strip_prefix(' '));
        let problem = match (&name.form, rest.split_once("; ")) {
            (Form::Number(_), Some((_, valid))) => &format!("is out of range; {valid}"),
            _ => quoted.unwrap_or(rest),
        };
        Error::new(error.kind(), format!("line {number}: {first} {problem}"))
    }
}

fn at_line(number: usize, problem: &str) -> Error {
    Error::new(Kind::InvalidArgument, format!("line {number}: {problem}"))
}
