//! The sandbox as a program. It serves until its command exits or, without a command, until it receives a signal.

mod command;
mod failure;
mod options;
mod signals;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use nexmo_sandbox::{Sandbox, Settings};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Builder;

use crate::failure::Failure;
use crate::options::Options;
use crate::signals::Signals;

const INVALID_OPTIONS: u8 = 2;

fn main() -> ExitCode {
    let result = match Options::try_parse() {
        Ok(options) => run(&options),
        Err(error) => print_usage(&error),
    };
    result.unwrap_or_else(|failure| failure.report())
}

/// Prints the help or the version, which the parser returns as errors. For any other error, returns a failure with the
/// first line of the error.
fn print_usage(error: &clap::Error) -> Result<ExitCode, Failure> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Standard output may be a closed pipe.
        let _ = error.print();
        return Ok(ExitCode::SUCCESS);
    }
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    Err(Failure::new(INVALID_OPTIONS, format!("{} (see --help)", line.trim_start_matches("error: "))))
}

fn run(options: &Options) -> Result<ExitCode, Failure> {
    let settings = options.settings().map_err(Failure::of_sandbox)?;
    let runtime = Builder::new_current_thread().enable_io().build().map_err(Failure::of_sandbox)?;
    runtime.block_on(async {
        // Signals are watched before the addresses are printed, because the process that reads the addresses may send a
        // signal at once.
        let signals = Signals::watch().map_err(Failure::of_sandbox)?;
        if options.command.is_empty() {
            serve(settings, signals).await
        } else {
            run_command(settings, signals, options).await
        }
    })
}

async fn serve(settings: Settings, mut signals: Signals) -> Result<ExitCode, Failure> {
    let sandbox = Sandbox::start(settings).map_err(Failure::of_sandbox)?;
    print_addresses(&sandbox).map_err(|error| Failure::of_sandbox(format!("cannot print the addresses: {error}")))?;
    signals.next().await;
    Ok(ExitCode::SUCCESS)
}

fn print_addresses(sandbox: &Sandbox) -> io::Result<()> {
    let (http, https, ca_file) = (sandbox.http_url(), sandbox.https_url(), sandbox.ca_file().to_string_lossy());
    let line = json!({ "listening": { "http": http, "https": https, "ca_file": ca_file } });
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush())
}

async fn run_command(mut settings: Settings, mut signals: Signals, options: &Options) -> Result<ExitCode, Failure> {
    // A temporary folder is removed when this function returns, after the command has exited.
    let (log, _folder) = log(settings.log.take()).map_err(Failure::of_sandbox)?;
    settings.log = Some(log.clone());
    let sandbox = Sandbox::start(settings).map_err(Failure::of_sandbox)?;
    let name = options.command.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    let failed = |error: io::Error| Failure::new(command::start_failure(&error), format!("cannot run {name}: {error}"));
    let mut command =
        command::prepare(&options.command, &sandbox, &log).ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    let child = command.spawn().map_err(failed)?;
    command::wait(child, &mut signals).await.map_err(failed)
}

fn log(given: Option<PathBuf>) -> io::Result<(PathBuf, Option<TempDir>)> {
    if let Some(path) = given {
        return Ok((path, None));
    }
    let folder = tempfile::Builder::new().prefix("nexmo-sandbox-").tempdir()?;
    Ok((folder.path().join("requests.jsonl"), Some(folder)))
}
