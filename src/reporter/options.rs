//! The options of a reporter and their validation.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::outbox::{OutboxSettings, Overflow};
use super::pace::Pace;
use crate::error::Error;
use crate::options::out_of_range;
use crate::options::setting::{self, Form, Setting};

/// The default maximum number of pending reports.
const DEFAULT_MAX_PENDING: u64 = 1_000_000;

/// The largest valid `max_pending`.
pub(crate) const MAX_PENDING_LIMIT: u64 = 1_000_000_000;

/// The default maximum age of a report.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(24 * 3600);

/// The largest valid `max_age`.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(365 * 24 * 3600);

/// The default maximum number of reports in flight. Each report in flight needs a thread and a connection.
const DEFAULT_MAX_IN_FLIGHT: u32 = 64;

/// The largest valid `max_in_flight`.
pub(crate) const MAX_IN_FLIGHT_LIMIT: u32 = 256;

/// The default maximum time that a call waits for a locked outbox.
const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// The largest valid `busy_timeout`.
pub(crate) const MAX_BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// The failures that a submitted report survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// A crash of the process, or its end by SIGKILL.
    #[default]
    Process,
    /// A crash of the process or of the system, or a power loss.
    Power,
    /// None: the report is kept only in memory.
    None,
}

/// The options of a reporter. The outbox has no default path, so `ReporterOptions::default()` is invalid: set
/// `outbox`, or set `durability` to [`Durability::None`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReporterOptions<'a> {
    /// The path of the outbox file, in an existing directory. Required, unless `durability` is [`Durability::None`],
    /// in which case it must not be set. A path that looks like a URL is invalid; use `./name:1` for a file named
    /// `name:1`.
    pub outbox: Option<&'a Path>,
    /// The failures that a submitted report survives. Default: a crash of the process.
    pub durability: Durability,
    /// The maximum number of pending reports, 1 to 1,000,000,000. Default: 1,000,000.
    pub max_pending: Option<u64>,
    /// The behavior of `submit` when the outbox is full. Default: it fails.
    pub overflow: Overflow,
    /// The maximum age of a report, counted from its submission, 1 s to 365 days. Default: 24 h.
    pub max_age: Option<Duration>,
    /// The maximum number of reports in flight, 1 to 256. The reporter adapts the actual number to the service.
    /// Default: 64.
    pub max_in_flight: Option<u32>,
    /// The maximum time that a call waits for an outbox that another process or thread has locked, 1 ms to 1 min.
    /// Default: 1 s.
    pub busy_timeout: Option<Duration>,
    /// Allows an outbox on a network file system, whose locks may not work.
    pub allow_network_file_system: bool,
}

/// Checked options, with defaults filled in.
#[derive(Debug, Clone)]
pub(crate) struct ReporterSettings {
    pub(crate) outbox: OutboxSettings,
    pub(crate) max_age: Duration,
    pub(crate) max_in_flight: u32,
    pub(crate) pace: Pace,
}

impl<'a> ReporterOptions<'a> {
    /// The settings that correspond to the options, in the order of the fields and flags of the C struct.
    pub(crate) const SETTINGS: &'a [Setting<'a, Self>] = &[
        Setting::new("outbox", Form::Text(|options, text| options.outbox = Some(Path::new(text)))),
        Setting::new(
            "durability",
            Form::Choice(&[
                ("process", |options| options.durability = Durability::Process),
                ("power", |options| options.durability = Durability::Power),
                ("none", |options| options.durability = Durability::None),
            ]),
        ),
        Setting::new(
            "overflow",
            Form::Choice(&[
                ("fail", |options| options.overflow = Overflow::Fail),
                ("drop_oldest", |options| options.overflow = Overflow::DropOldest),
            ]),
        ),
        Setting::new("max_pending", Form::Number(|options, number| options.max_pending = number)),
        Setting::new("max_age_s", Form::Number(|options, number| options.max_age = number.map(Duration::from_secs))),
        Setting::new("max_in_flight", Form::Number(|options, number| options.max_in_flight = setting::count(number))),
        Setting::new(
            "busy_timeout_ms",
            Form::Number(|options, number| options.busy_timeout = number.map(Duration::from_millis)),
        ),
        Setting::new("allow_network_file_system", Form::Flag(|options, flag| options.allow_network_file_system = flag)),
    ];

    /// Validates the options without accessing any file.
    pub(crate) fn check(&self) -> Result<ReporterSettings, Error> {
        Ok(ReporterSettings {
            outbox: OutboxSettings {
                path: self.path()?,
                allow_network: self.allow_network_file_system,
                survives_power_loss: self.durability == Durability::Power,
                max_pending: within("max_pending", self.max_pending, DEFAULT_MAX_PENDING, MAX_PENDING_LIMIT)?,
                overflow: self.overflow,
                busy_timeout: self.busy_timeout()?,
            },
            max_age: self.max_age()?,
            max_in_flight: within("max_in_flight", self.max_in_flight, DEFAULT_MAX_IN_FLIGHT, MAX_IN_FLIGHT_LIMIT)?,
            pace: Pace::REAL,
        })
    }

    fn max_age(&self) -> Result<Duration, Error> {
        match self.max_age.unwrap_or(DEFAULT_MAX_AGE) {
            age if (Duration::from_secs(1)..=MAX_AGE).contains(&age) => Ok(age),
            age => Err(out_of_range("max_age_s", age.as_secs(), MAX_AGE.as_secs())),
        }
    }

    fn busy_timeout(&self) -> Result<Duration, Error> {
        match self.busy_timeout.unwrap_or(DEFAULT_BUSY_TIMEOUT) {
            wait if (Duration::from_millis(1)..=MAX_BUSY_TIMEOUT).contains(&wait) => Ok(wait),
            wait => Err(out_of_range("busy_timeout_ms", wait.as_millis(), MAX_BUSY_TIMEOUT.as_millis())),
        }
    }

    fn path(&self) -> Result<Option<PathBuf>, Error> {
        match (self.outbox, self.durability) {
            (None, Durability::None) => Ok(None),
            (Some(_), Durability::None) => {
                Err(Error::argument("outbox", "is set, but durability none uses no file; set only one of them"))
            }
            (None, _) => Err(Error::argument("outbox", "is missing; pass the path of a file, or use durability none")),
            (Some(path), _) if path.as_os_str().is_empty() => Err(Error::argument("outbox", "is empty")),
            (Some(path), _) if is_url(path.as_os_str().as_bytes()) => Err(Error::argument("outbox", not_a_path(path))),
            (Some(path), _) => Ok(Some(path.to_owned())),
        }
    }
}

/// Returns whether a path begins like a URL: with a colon, or with a scheme and a colon. A single character before a
/// colon is not a scheme.
fn is_url(path: &[u8]) -> bool {
    let is_scheme_byte = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+.-".contains(byte);
    let scheme = path.iter().take_while(is_scheme_byte).count();
    scheme != 1 && path.get(scheme) == Some(&b':')
}

/// Returns why a URL is not a valid path. Does not quote the URL, which may contain a password.
fn not_a_path(path: &Path) -> &'static str {
    let path = path.as_os_str().as_bytes().to_ascii_lowercase();
    match path.starts_with(b"postgresql:") || path.starts_with(b"postgres:") {
        true => {
            "is a PostgreSQL URL, but a reporter keeps its outbox in a file; with an outbox in PostgreSQL, SELECT \
             nexmo_conversion.submit(...) submits reports, and nexmo-conversion relay, not this library, sends them"
        }
        false => "looks like a URL; pass the path of a file, such as /var/lib/shop/conversions or ./name:with:colons",
    }
}

fn within<T: PartialOrd + From<u8> + std::fmt::Display>(
    parameter: &str,
    given: Option<T>,
    default: T,
    max: T,
) -> Result<T, Error> {
    match given.unwrap_or(default) {
        number if number >= T::from(1) && number <= max => Ok(number),
        number => Err(out_of_range(parameter, number, max)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn outbox_and_durability_must_match() {
        let outbox = Some(Path::new("/x"));
        assert!(ReporterOptions::default().check().unwrap_err().message().starts_with("outbox "));
        assert!(ReporterOptions { durability: Durability::None, ..Default::default() }.check().is_ok());
        assert!(ReporterOptions { durability: Durability::None, outbox, ..Default::default() }.check().is_err());
        assert!(ReporterOptions { outbox: Some(Path::new("")), ..Default::default() }.check().is_err());
        let settings = ReporterOptions { outbox, ..Default::default() }.check().unwrap();
        assert_eq!((settings.max_age, settings.max_in_flight), (DEFAULT_MAX_AGE, 64));
        let outbox = settings.outbox;
        assert_eq!((outbox.max_pending, outbox.survives_power_loss), (1_000_000, false));
        assert_eq!(outbox.busy_timeout, DEFAULT_BUSY_TIMEOUT);
    }

    #[test]
    fn urls_are_invalid_and_not_quoted() {
        let check =
            |path: &'static str| ReporterOptions { outbox: Some(Path::new(path)), ..Default::default() }.check();
        for url in [
            "postgresql://user:secret@host/db",
            "POSTGRES://user:secret@host/db",
            "file:secret",
            "a.b+c-1:secret",
            "..:secret",
            ":secret:",
            ":memory:secret",
            "ab:",
        ] {
            let error = check(url).unwrap_err();
            assert!(error.kind() == Kind::InvalidArgument && error.message().starts_with("outbox "), "{error}");
            assert!(!error.message().contains("secret"), "{error}");
            let is_postgres = url.to_ascii_lowercase().starts_with("postgres");
            assert_eq!(error.message().contains("SELECT nexmo_conversion.submit(...)"), is_postgres, "{error}");
        }
        for path in ["./file:x", "/a/b:c", "c:x", "a_b:c", "é:x", "plain", "x/y:z", "-", "+"] {
            assert!(check(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn numbers_are_checked_against_their_ranges() {
        let base = ReporterOptions { outbox: Some(Path::new("/x")), ..Default::default() };
        let invalid = [
            (ReporterOptions { max_pending: Some(0), ..base }, "max_pending "),
            (ReporterOptions { max_pending: Some(1_000_000_001), ..base }, "max_pending "),
            (ReporterOptions { max_in_flight: Some(257), ..base }, "max_in_flight "),
            (ReporterOptions { max_age: Some(Duration::from_millis(999)), ..base }, "max_age_s "),
            (ReporterOptions { max_age: Some(MAX_AGE * 2), ..base }, "max_age_s "),
            (ReporterOptions { busy_timeout: Some(Duration::ZERO), ..base }, "busy_timeout_ms "),
            (ReporterOptions { busy_timeout: Some(Duration::from_secs(61)), ..base }, "busy_timeout_ms "),
        ];
        for (options, name) in invalid {
            assert!(options.check().unwrap_err().message().starts_with(name), "{options:?}");
        }
    }
}
