//! Everything about a sandbox that is chosen before it starts.

use std::path::PathBuf;

use crate::account::Account;
use crate::observer::Listener;
use crate::rule::Rule;

/// How a sandbox is to be; the default is right for most tests.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port for HTTP on 127.0.0.1; 0 takes any that is free.
    pub http_port: u16,
    /// Port for HTTPS on 127.0.0.1; 0 takes any that is free.
    pub https_port: u16,
    /// Where `ca.pem` is written, made if it is not there; `None` is a new temporary folder, removed at the end.
    pub directory: Option<PathBuf>,
    /// Who may call; of two accounts with the same key the first counts.
    pub accounts: Vec<Account>,
    /// Path that stands before `/conversions`; slashes at its ends make no difference.
    pub prefix: String,
    /// The rules in force from the start.
    pub rules: Vec<Rule>,
    /// A file to which each record is appended as a line of JSON.
    pub log: Option<PathBuf>,
    /// Whether each record is written to standard output too.
    pub print: bool,
    /// Whether records are kept for [`Sandbox::requests`](crate::Sandbox::requests); turn it off for a long run.
    pub keep: bool,
    /// Who hears of each request.
    pub listener: Option<Listener>,
}

impl Default for Settings {
    /// Any ports, a temporary folder, the one [default account](Account::default), no prefix, rules, log
    /// or listener.
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
            listener: None,
        }
    }
}
