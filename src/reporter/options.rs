//! Everything that can be adjusted about a reporter, checked once.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::circuit_breaker::Pace;
use super::outbox::Overflow;
use crate::error::Error;
use crate::options::out_of_range;

/// How many reports an outbox may hold by default.
const DEFAULT_MOST: u64 = 1_000_000;

/// The most that can be allowed.
pub(crate) const LARGEST_MOST: u64 = 1_000_000_000;

/// How old a report may grow when nothing else is said.
const DEFAULT_AGE: Duration = Duration::from_secs(24 * 3600);

/// The longest age limit that can be set.
pub(crate) const LONGEST_AGE: Duration = Duration::from_secs(365 * 24 * 3600);

/// How many reports are sent at a time when nothing else is said.
const DEFAULT_IN_FLIGHT: u32 = 8;

/// The most that can be sent at a time.
pub(crate) const MOST_IN_FLIGHT: u32 = 256;

/// How long `submit` waits for others when nothing else is said.
const DEFAULT_LOCK_WAIT: Duration = Duration::from_millis(100);

/// The longest that it can be made to wait.
pub(crate) const LONGEST_LOCK_WAIT: Duration = Duration::from_secs(60);

/// What a submitted report survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// A crash of the process, and being killed.
    #[default]
    Process,
    /// The loss of power too.
    Power,
    /// Nothing: it is in memory, and there is no file.
    None,
}

/// What a caller may choose. `ReporterOptions::default()` chooses nothing, which is right for durability `None` alone:
/// there is no default place for an outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReporterOptions<'a> {
    /// The path of the outbox file, in a folder that exists. Required, unless `durability` is `None`. A path that looks like a
    /// URL is refused; `./x:y` names such a file.
    pub outbox: Option<&'a Path>,
    /// What a submitted report survives. Default: a crash of the process.
    pub durability: Durability,
    /// The most reports that may be pending, 1 to 1,000,000,000. Default: 1,000,000.
    pub max_pending: Option<u64>,
    /// What `submit` does when that many are pending. Default: it fails.
    pub overflow: Overflow,
    /// How old a report may grow, counted from its submission, 1 s to 365 days. Default: 24 h.
    pub max_age: Option<Duration>,
    /// The most reports in flight at a time, 1 to 256. Default: chosen by the library.
    pub max_in_flight: Option<u32>,
    /// How long a call waits for others that have the outbox locked, 1 ms to 1 min. Default: 100 ms.
    pub busy_timeout: Option<Duration>,
    /// Allows an outbox on a network file system, whose locks may not work.
    pub allow_network_file_system: bool,
}

/// Options that passed the check, defaults filled in.
#[derive(Debug, Clone)]
pub(crate) struct ReporterSettings {
    pub(crate) outbox: Option<PathBuf>,
    pub(crate) survives_power_loss: bool,
    pub(crate) most: u64,
    pub(crate) overflow: Overflow,
    pub(crate) max_age: Duration,
    pub(crate) max_in_flight: u32,
    pub(crate) busy_timeout: Duration,
    pub(crate) allow_network: bool,
    pub(crate) pace: Pace,
}

impl ReporterOptions<'_> {
    /// Checks all that can be told without touching a file.
    pub(crate) fn check(&self) -> Result<ReporterSettings, Error> {
        Ok(ReporterSettings {
            outbox: self.path()?,
            survives_power_loss: self.durability == Durability::Power,
            most: within("max_pending", self.max_pending, DEFAULT_MOST, LARGEST_MOST)?,
            overflow: self.overflow,
            max_age: self.age()?,
            max_in_flight: within("max_in_flight", self.max_in_flight, DEFAULT_IN_FLIGHT, MOST_IN_FLIGHT)?,
            busy_timeout: self.busy_timeout()?,
            allow_network: self.allow_network_file_system,
            pace: Pace::REAL,
        })
    }

    fn age(&self) -> Result<Duration, Error> {
        match self.max_age.unwrap_or(DEFAULT_AGE) {
            age if (Duration::from_secs(1)..=LONGEST_AGE).contains(&age) => Ok(age),
            age => Err(out_of_range("max_age_s", age.as_secs(), LONGEST_AGE.as_secs())),
        }
    }

    fn busy_timeout(&self) -> Result<Duration, Error> {
        match self.busy_timeout.unwrap_or(DEFAULT_LOCK_WAIT) {
            wait if (Duration::from_millis(1)..=LONGEST_LOCK_WAIT).contains(&wait) => Ok(wait),
            wait => Err(out_of_range("busy_timeout_ms", wait.as_millis(), LONGEST_LOCK_WAIT.as_millis())),
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

/// Whether a path begins as a URL does: with a colon, or with a scheme and a colon. A single letter before a colon is none.
fn is_url(path: &[u8]) -> bool {
    let is_of_scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+.-".contains(byte);
    let scheme = path.iter().take_while(is_of_scheme).count();
    scheme != 1 && path.get(scheme) == Some(&b':')
}

/// Why a URL is refused. It is not quoted: it may hold a password.
fn not_a_path(path: &Path) -> &'static str {
    let path = path.as_os_str().as_bytes().to_ascii_lowercase();
    match path.starts_with(b"postgresql:") || path.starts_with(b"postgres:") {
        true => {
            "is a PostgreSQL URL, but a reporter keeps its outbox in a file; an outbox in PostgreSQL is filled by SELECT \
             nexmo_conversion.submit(...) and sent by nexmo-conversion relay, not by this library"
        }
        false => "looks like a URL; pass the path of a file, such as /var/lib/shop/conversions or ./name:with:colons",
    }
}

fn within<T: PartialOrd + From<u8> + std::fmt::Display>(
    parameter: &str,
    given: Option<T>,
    default: T,
    most: T,
) -> Result<T, Error> {
    match given.unwrap_or(default) {
        number if number >= T::from(1) && number <= most => Ok(number),
        number => Err(out_of_range(parameter, number, most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn an_outbox_goes_with_a_durability() {
        let outbox = Some(Path::new("/x"));
        assert!(ReporterOptions::default().check().unwrap_err().message().starts_with("outbox "));
        assert!(ReporterOptions { durability: Durability::None, ..Default::default() }.check().is_ok());
        assert!(ReporterOptions { durability: Durability::None, outbox, ..Default::default() }.check().is_err());
        assert!(ReporterOptions { outbox: Some(Path::new("")), ..Default::default() }.check().is_err());
        let plan = ReporterOptions { outbox, ..Default::default() }.check().unwrap();
        assert_eq!((plan.most, plan.max_in_flight, plan.survives_power_loss), (1_000_000, 8, false));
        assert_eq!((plan.max_age, plan.busy_timeout), (DEFAULT_AGE, DEFAULT_LOCK_WAIT));
    }

    #[test]
    fn what_looks_like_a_url_is_refused_and_not_quoted() {
        let check =
            |path: &'static str| ReporterOptions { outbox: Some(Path::new(path)), ..Default::default() }.check();
        for url in [
            "postgresql://user:hush@host/db",
            "POSTGRES://user:hush@host/db",
            "file:hush",
            "a.b+c-1:hush",
            "..:hush",
            ":hush:",
            ":memory:hush",
            "ab:",
        ] {
            let error = check(url).unwrap_err();
            assert!(error.kind() == Kind::InvalidArgument && error.message().starts_with("outbox "), "{error}");
            assert!(!error.message().contains("hush"), "{error}");
            let is_postgres = url.to_ascii_lowercase().starts_with("postgres");
            assert_eq!(error.message().contains("SELECT nexmo_conversion.submit(...)"), is_postgres, "{error}");
        }
        for path in ["./file:x", "/a/b:c", "c:x", "a_b:c", "é:x", "plain", "x/y:z", "-", "+"] {
            assert!(check(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn numbers_have_their_ranges() {
        let base = ReporterOptions { outbox: Some(Path::new("/x")), ..Default::default() };
        let refused = [
            (ReporterOptions { max_pending: Some(0), ..base }, "max_pending "),
            (ReporterOptions { max_pending: Some(1_000_000_001), ..base }, "max_pending "),
            (ReporterOptions { max_in_flight: Some(257), ..base }, "max_in_flight "),
            (ReporterOptions { max_age: Some(Duration::from_millis(999)), ..base }, "max_age_s "),
            (ReporterOptions { max_age: Some(LONGEST_AGE * 2), ..base }, "max_age_s "),
            (ReporterOptions { busy_timeout: Some(Duration::ZERO), ..base }, "busy_timeout_ms "),
            (ReporterOptions { busy_timeout: Some(Duration::from_secs(61)), ..base }, "busy_timeout_ms "),
        ];
        for (options, name) in refused {
            assert!(options.check().unwrap_err().message().starts_with(name), "{options:?}");
        }
    }
}
