//! Everything that can be adjusted about a reporter, checked once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::gate::Pace;
use super::outbox::WhenFull;
use crate::error::Error;

/// How many reports an outbox may hold when nothing else is said.
const DEFAULT_MOST: u64 = 1_000_000;

/// The most that can be allowed.
const LARGEST_MOST: u64 = 1_000_000_000;

/// How old a report may grow when nothing else is said.
const DEFAULT_AGE: Duration = Duration::from_secs(24 * 3600);

/// The longest age limit that can be set.
const LONGEST_AGE: Duration = Duration::from_secs(365 * 24 * 3600);

/// How many reports are sent at a time when nothing else is said.
const DEFAULT_CONNECTIONS: u32 = 8;

/// The most that can be sent at a time.
const MOST_CONNECTIONS: u32 = 256;

/// How long `submit` waits for others when nothing else is said.
const DEFAULT_LOCK_WAIT: Duration = Duration::from_millis(100);

/// The longest that it can be made to wait.
const LONGEST_LOCK_WAIT: Duration = Duration::from_secs(60);

/// What an accepted report survives.
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
    /// The path of the outbox file, in a folder that exists. Required, unless `durability` is `None`. Beside it stand files
    /// of its name with endings of their own.
    pub outbox: Option<&'a Path>,
    /// What an accepted report survives. Default: a crash of the process.
    pub durability: Durability,
    /// The most reports that may be pending, 1 to 1,000,000,000. Default: 1,000,000.
    pub most_reports: Option<u64>,
    /// What happens to a report that comes when that many are pending. Default: it is refused.
    pub when_full: WhenFull,
    /// How old a report may grow, counted from its submission, 1 s to 365 days. Default: 24 h.
    pub age_limit: Option<Duration>,
    /// How many reports may be under way at a time, 1 to 256. Default: 8.
    pub connections: Option<u32>,
    /// How long a call waits for others that have the outbox locked, 1 ms to 1 min. Default: 100 ms.
    pub lock_wait: Option<Duration>,
    /// Allows an outbox on a network file system, whose locks may not work.
    pub allow_network_file_system: bool,
}

/// Options that passed the check, defaults filled in.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) outbox: Option<PathBuf>,
    pub(crate) survives_power_loss: bool,
    pub(crate) most: u64,
    pub(crate) when_full: WhenFull,
    pub(crate) age_limit: Duration,
    pub(crate) connections: u32,
    pub(crate) lock_wait: Duration,
    pub(crate) allow_network: bool,
    pub(crate) pace: Pace,
}

impl ReporterOptions<'_> {
    /// Checks all that can be told without touching a file.
    pub(crate) fn check(&self) -> Result<Plan, Error> {
        Ok(Plan {
            outbox: self.path()?,
            survives_power_loss: self.durability == Durability::Power,
            most: within("most_reports", self.most_reports, DEFAULT_MOST, LARGEST_MOST)?,
            when_full: self.when_full,
            age_limit: self.age()?,
            connections: within("connections", self.connections, DEFAULT_CONNECTIONS, MOST_CONNECTIONS)?,
            lock_wait: self.lock_wait()?,
            allow_network: self.allow_network_file_system,
            pace: Pace::REAL,
        })
    }

    fn age(&self) -> Result<Duration, Error> {
        match self.age_limit.unwrap_or(DEFAULT_AGE) {
            age if (Duration::from_secs(1)..=LONGEST_AGE).contains(&age) => Ok(age),
            _ => Err(Error::argument("age_limit_s", "is not 1 to 31536000 (365 days)")),
        }
    }

    fn lock_wait(&self) -> Result<Duration, Error> {
        match self.lock_wait.unwrap_or(DEFAULT_LOCK_WAIT) {
            wait if (Duration::from_millis(1)..=LONGEST_LOCK_WAIT).contains(&wait) => Ok(wait),
            _ => Err(Error::argument("lock_wait_ms", "is not 1 to 60000 (one minute)")),
        }
    }

    fn path(&self) -> Result<Option<PathBuf>, Error> {
        match (self.outbox, self.durability) {
            (None, Durability::None) => Ok(None),
            (Some(_), Durability::None) => {
                Err(Error::argument("outbox", "is given, and durability none uses no file: choose one"))
            }
            (None, _) => {
                Err(Error::argument("outbox", "is missing: give the path of a file, or choose durability none"))
            }
            (Some(path), _) if path.as_os_str().is_empty() => Err(Error::argument("outbox", "is empty")),
            (Some(path), _) => Ok(Some(path.to_owned())),
        }
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
        _ => Err(Error::argument(parameter, format!("is not 1 to {most}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_goes_with_a_durability() {
        let outbox = Some(Path::new("/x"));
        assert!(ReporterOptions::default().check().unwrap_err().message().starts_with("outbox "));
        assert!(ReporterOptions { durability: Durability::None, ..Default::default() }.check().is_ok());
        assert!(ReporterOptions { durability: Durability::None, outbox, ..Default::default() }.check().is_err());
        assert!(ReporterOptions { outbox: Some(Path::new("")), ..Default::default() }.check().is_err());
        let plan = ReporterOptions { outbox, ..Default::default() }.check().unwrap();
        assert_eq!((plan.most, plan.connections, plan.survives_power_loss), (1_000_000, 8, false));
        assert_eq!((plan.age_limit, plan.lock_wait), (DEFAULT_AGE, DEFAULT_LOCK_WAIT));
    }

    #[test]
    fn numbers_have_their_ranges() {
        let base = ReporterOptions { outbox: Some(Path::new("/x")), ..Default::default() };
        let refused = [
            (ReporterOptions { most_reports: Some(0), ..base }, "most_reports "),
            (ReporterOptions { most_reports: Some(1_000_000_001), ..base }, "most_reports "),
            (ReporterOptions { connections: Some(257), ..base }, "connections "),
            (ReporterOptions { age_limit: Some(Duration::from_millis(999)), ..base }, "age_limit_s "),
            (ReporterOptions { age_limit: Some(LONGEST_AGE * 2), ..base }, "age_limit_s "),
            (ReporterOptions { lock_wait: Some(Duration::ZERO), ..base }, "lock_wait_ms "),
            (ReporterOptions { lock_wait: Some(Duration::from_secs(61)), ..base }, "lock_wait_ms "),
        ];
        for (options, name) in refused {
            assert!(options.check().unwrap_err().message().starts_with(name), "{options:?}");
        }
    }
}
