//! The command line.

use std::ffi::OsString;
use std::io;
use std::path::{PathBuf, absolute};

use clap::Parser;
use nexmo_sandbox::{Account, Rule, Settings};

const AFTER: &str = "\
Without COMMAND the first line on standard output tells the addresses and each
further line one request, all of them JSON; SIGINT or SIGTERM ends it. With COMMAND
the sandbox lives as long as the command does, which finds it by its environment:
NEXMO_SANDBOX_HTTP, NEXMO_SANDBOX_HTTPS, NEXMO_SANDBOX_CA, NEXMO_SANDBOX_LOG.

Behaviours:
  ok                      judge as always
  not-enabled             402
  throttled[=SECONDS]     429 with Retry-After, 30 if not given
  unavailable[=SECONDS]   503, with Retry-After if given
  slow=MILLISECONDS       judge as always, answer later
  status=CODE             that status with its documented body
  echo=CODE               that status with a body that repeats the request
  erratic=SEED            judge as always, but fail, stall or hang up at random
The most specific rule wins: message, account, all. With *TIMES a rule is used up
after so many requests.

Exit status: that of COMMAND, or 128 + N if signal N ended it; 2 for wrong options;
125 if the sandbox could not start, 126 if COMMAND could not, 127 if it was not found.

Examples:
  nexmo-sandbox --http 8080
  nexmo-sandbox --account mykey:mysecret:mysignaturesecret:sha256 --answer 'throttled=5*2'
  nexmo-sandbox --answer message=00A0B0C0:unavailable -- ./run-my-tests";

/// Stands in for the Nexmo (Vonage) Conversion API on this machine, over HTTP and HTTPS.
#[derive(Debug, Parser)]
#[command(name = "nexmo-sandbox", version, after_help = AFTER)]
pub(crate) struct Options {
    /// Port for HTTP on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    http: u16,
    /// Port for HTTPS on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    https: u16,
    /// Folder for ca.pem, which HTTPS clients must trust [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Who may call; repeatable [default: abcd1234:s3cret:sign4ture, signing with any method]
    #[arg(long = "account", value_name = "KEY:SECRET[:SIGNATURE_SECRET[:METHOD]]")]
    accounts: Vec<Account>,
    /// Path that stands before /conversions
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    prefix: String,
    /// What to do with requests whose caller is known; repeatable
    #[arg(long = "answer", value_name = "[account=KEY:|message=ID:]BEHAVIOUR[*TIMES]")]
    rules: Vec<Rule>,
    /// Append a line of JSON for each request to this file
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Write no request lines to standard output
    #[arg(long, conflicts_with = "verbose")]
    quiet: bool,
    /// Write request lines to standard output also with COMMAND
    #[arg(long)]
    verbose: bool,
    /// Run this with the sandbox at its side
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

impl Options {
    /// What the sandbox itself is to know of all this.
    pub(crate) fn settings(&self) -> io::Result<Settings> {
        let accounts = if self.accounts.is_empty() { vec![Account::default()] } else { self.accounts.clone() };
        Ok(Settings {
            http_port: self.http,
            https_port: self.https,
            directory: self.directory.clone(),
            accounts,
            prefix: self.prefix.clone(),
            rules: self.rules.clone(),
            // The command may run in another folder and must find the file all the same.
            log: self.log.as_deref().map(absolute).transpose()?,
            print: self.verbose || (self.command.is_empty() && !self.quiet),
            // This process has no reader for them but the log, and may run for weeks.
            keep: false,
            listener: None,
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
    fn request_lines_are_printed_unless_a_command_owns_the_output() {
        assert!(settings(&[]).print);
        assert!(!settings(&["--quiet"]).print);
        assert!(!settings(&["--", "true"]).print);
        assert!(settings(&["--verbose", "--", "true"]).print);
    }
}
