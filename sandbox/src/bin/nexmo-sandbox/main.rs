//! The sandbox as a program: serves until it is told to end, or for as long as a command runs.

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

const WRONG_OPTIONS: u8 = 2;

fn main() -> ExitCode {
    let result = match Options::try_parse() {
        Ok(options) => run(&options),
        Err(error) => explain(&error),
    };
    result.unwrap_or_else(|failure| failure.tell())
}

/// Help and version are asked for and no failure, yet the parser brings them as one; the rest is cut to its first line.
fn explain(error: &clap::Error) -> Result<ExitCode, Failure> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A closed pipe means that the reader has seen enough.
        let _ = error.print();
        return Ok(ExitCode::SUCCESS);
    }
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    Err(Failure::new(WRONG_OPTIONS, format!("{} (see --help)", line.trim_start_matches("error: "))))
}

fn run(options: &Options) -> Result<ExitCode, Failure> {
    let settings = options.settings().map_err(Failure::of_sandbox)?;
    let runtime = Builder::new_current_thread().enable_io().build().map_err(Failure::of_sandbox)?;
    runtime.block_on(async {
        // Watching begins before anybody can know that we run, so that no signal finds us unprepared.
        let signals = Signals::watch().map_err(Failure::of_sandbox)?;
        if options.command.is_empty() {
            serve(settings, signals).await
        } else {
            accompany(settings, signals, options).await
        }
    })
}

async fn serve(settings: Settings, mut signals: Signals) -> Result<ExitCode, Failure> {
    let sandbox = Sandbox::start(settings).map_err(Failure::of_sandbox)?;
    announce(&sandbox).map_err(|error| Failure::of_sandbox(format!("cannot tell the addresses: {error}")))?;
    signals.next().await;
    Ok(ExitCode::SUCCESS)
}

fn announce(sandbox: &Sandbox) -> io::Result<()> {
    let (http, https, ca_file) = (sandbox.http_url(), sandbox.https_url(), sandbox.ca_file().to_string_lossy());
    let line = json!({ "listening": { "http": http, "https": https, "ca_file": ca_file } });
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush())
}

async fn accompany(mut settings: Settings, mut signals: Signals, options: &Options) -> Result<ExitCode, Failure> {
    // The folder goes away with this function, after the command that may read the log in it.
    let (log, _folder) = log(settings.log.take()).map_err(Failure::of_sandbox)?;
    settings.log = Some(log.clone());
    let sandbox = Sandbox::start(settings).map_err(Failure::of_sandbox)?;
    let name = options.command.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    let cannot = |error: io::Error| Failure::new(command::failure(&error), format!("cannot run {name}: {error}"));
    let mut command =
        command::prepare(&options.command, &sandbox, &log).ok_or_else(|| cannot(io::ErrorKind::NotFound.into()))?;
    let child = command.spawn().map_err(cannot)?;
    command::wait(child, &mut signals).await.map_err(cannot)
}

fn log(given: Option<PathBuf>) -> io::Result<(PathBuf, Option<TempDir>)> {
    if let Some(path) = given {
        return Ok((path, None));
    }
    let folder = tempfile::Builder::new().prefix("nexmo-sandbox-").tempdir()?;
    Ok((folder.path().join("requests.jsonl"), Some(folder)))
}
