//! The settings of a sandbox.

use std::path::PathBuf;

use crate::account::Account;
use crate::observer::Observer;
use crate::rule::Rule;

/// The settings of a sandbox. The default suits most tests.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The port for HTTP on 127.0.0.1; 0 chooses a free one.
    pub http_port: u16,
    /// The port for HTTPS on 127.0.0.1; 0 chooses a free one.
    pub https_port: u16,
    /// The folder for `ca.pem`. The sandbox creates the folder if it is missing. `None` means a temporary folder, which
    /// is removed when the sandbox stops.
    pub directory: Option<PathBuf>,
    /// The accounts. If two have the same key, the first is used.
    pub accounts: Vec<Account>,
    /// The path before `/conversions`; leading and trailing slashes are optional.
    pub prefix: String,
    /// The rules that apply from the start.
    pub rules: Vec<Rule>,
    /// A file to which each record is appended as a line of JSON.
    pub log: Option<PathBuf>,
    /// Whether each record is also written to standard output.
    pub print: bool,
    /// Whether records are kept for [`Sandbox::requests`](crate::Sandbox::requests). Set it to false for long runs.
    pub keep: bool,
    /// The observer, which is called with each record.
    pub observer: Option<Observer>,
}

impl Default for Settings {
    /// Returns settings with free ports, a temporary folder and the [default account](Account::default), without a
    /// prefix, rules, a log or an observer.
    fn default() -> Self {
        Self {
            http_port: 0,
            https_port: 0,
            directory: None,
            accounts: vec![Account::default()],
            prefix: String::new(),
            rules: Vec::new(),
            log: None,
            print: false,
            keep: true,
            observer: None,
        }
    }
}
