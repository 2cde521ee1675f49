//! The command line.

use std::ffi::OsString;
use std::io;
use std::path::{PathBuf, absolute};

use clap::Parser;
use nexmo_sandbox::{Account, Rule, Settings};

const AFTER: &str = "\
Without COMMAND, the first line on standard output contains the addresses, and each
further line describes one request, in JSON; SIGINT or SIGTERM ends the sandbox. With
COMMAND, the sandbox runs until the command exits. It sets NEXMO_SANDBOX_HTTP,
NEXMO_SANDBOX_HTTPS, NEXMO_SANDBOX_CA and NEXMO_SANDBOX_LOG in the command's environment.

Behaviours:
  ok                      the normal response
  not-enabled             402
  throttled[=SECONDS]     429 with Retry-After, 30 by default
  unavailable[=SECONDS]   503, with Retry-After if SECONDS is given
  slow=MILLISECONDS       the normal response after this delay
  status=CODE             this status with its documented body
  echo=CODE               this status with a body that repeats target and credentials
  erratic=SEED            the normal response, with random errors, delays and disconnects
The most specific rule applies: message before account before all. A rule with *TIMES
applies to that many requests only.

Exit status: that of COMMAND, or 128 + N if signal N ended it; 2 for invalid options;
125 if the sandbox cannot start; 126 if COMMAND cannot start; 127 if it is not found.

Examples:
  nexmo-sandbox --http 8080
  nexmo-sandbox --account mykey:mysecret:mysignaturesecret:sha256 --response 'throttled=5*2'
  nexmo-sandbox --response message=00A0B0C0:unavailable -- ./run-my-tests";

/// A local stand-in for the Nexmo (Vonage) Conversion API, over HTTP and HTTPS.
#[derive(Debug, Parser)]
#[command(name = "nexmo-sandbox", version, after_help = AFTER)]
pub(crate) struct Options {
    /// Port for HTTP on 127.0.0.1; 0 chooses a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    http: u16,
    /// Port for HTTPS on 127.0.0.1; 0 chooses a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    https: u16,
    /// Folder for ca.pem, the CA that HTTPS clients must trust [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Accept this account; repeatable [default: abcd1234:s3cret:sign4ture with any signature method]
    #[arg(long = "account", value_name = "KEY:SECRET[:SIGNATURE_SECRET[:METHOD]]")]
    accounts: Vec<Account>,
    /// Path before /conversions
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Use this behaviour for authenticated requests; repeatable
    #[arg(long = "response", value_name = "[account=KEY:|message=ID:]BEHAVIOUR[*TIMES]")]
    rules: Vec<Rule>,
    /// Append one line of JSON per request to this file
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Write no request lines to standard output
    #[arg(long, conflicts_with = "verbose")]
    quiet: bool,
    /// Write request lines to standard output even with COMMAND
    #[arg(long)]
    verbose: bool,
    /// Run this command, and exit when it exits
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

impl Options {
    pub(crate) fn settings(&self) -> io::Result<Settings> {
        let accounts = if self.accounts.is_empty() { vec![Account::default()] } else { self.accounts.clone() };
        Ok(Settings {
            http_port: self.http,
            https_port: self.https,
            directory: self.directory.clone(),
            accounts,
            prefix: self.prefix.clone(),
            rules: self.rules.clone(),
            // Absolute, because the command receives this path and may change its working directory.
            log: self.log.as_deref().map(absolute).transpose()?,
            print: self.verbose || (self.command.is_empty() && !self.quiet),
            // Nothing in this process reads the records, and the process may run for weeks.
            keep: false,
            observer: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(arguments: &[&str]) -> Settings {
        let all = ["nexmo-sandbox"].iter().chain(arguments);
        Options::try_parse_from(all).unwrap().settings().unwrap()
    }

    #[test]
    fn accounts_replace_the_default_one() {
        assert_eq!(settings(&[]).accounts, [Account::default()]);
        let given = settings(&["--account", "a:b", "--account", "c:d"]).accounts;
        assert_eq!(given.iter().map(|account| account.api_key.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn request_lines_are_printed_unless_there_is_a_command() {
        assert!(settings(&[]).print);
        assert!(!settings(&["--quiet"]).print);
        assert!(!settings(&["--", "true"]).print);
        assert!(settings(&["--verbose", "--", "true"]).print);
    }
}
