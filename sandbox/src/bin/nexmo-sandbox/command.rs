//! Runs a command with the sandbox's addresses in its environment.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use nexmo_sandbox::Sandbox;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::signals::Signals;

// The statuses with which a shell exits if it cannot start, or cannot find, a command.
const NOT_STARTED: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Returns the command in `words`, with the sandbox's addresses in its environment, or `None` if `words` is empty.
pub(crate) fn prepare(words: &[OsString], sandbox: &Sandbox, log: &Path) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("NEXMO_SANDBOX_HTTP", sandbox.http_url())
        .env("NEXMO_SANDBOX_HTTPS", sandbox.https_url())
        .env("NEXMO_SANDBOX_CA", sandbox.ca_file())
        .env("NEXMO_SANDBOX_LOG", log);
    Some(command)
}

/// Waits until the command exits, and forwards signals to it. Returns the status with which the sandbox must exit.
pub(crate) async fn wait(mut child: Child, signals: &mut Signals) -> io::Result<ExitCode> {
    loop {
        tokio::select! {
            exited = child.wait() => return exited.map(exit_code),
            signal = signals.next() => forward(&child, signal),
        }
    }
}

/// Forwards a signal, except SIGINT: on Ctrl-C, the terminal sends SIGINT to the command too.
fn forward(child: &Child, signal: Signal) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(id) = id.filter(|_| signal != Signal::INT) {
        // This can fail, for example if the command runs as another user.
        let _ = kill_process(id, signal);
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let by_signal = status.signal().map(|signal| signal.saturating_add(128));
    let code = status.code().or(by_signal).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// Returns the exit status for a command that cannot be started.
pub(crate) fn start_failure(error: &io::Error) -> u8 {
    if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_STARTED }
}
