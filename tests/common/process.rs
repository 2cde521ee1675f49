//! Child processes: the test program again, with an environment that makes it run a single function.
#![allow(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write, stdin};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::SOON;

const TASK: &str = "NEXMO_TEST_TASK";

/// Precedes each line of a child among the output of the test harness.
const MARK: char = '@';

/// A child process, which ends with its parent.
pub(crate) struct Child {
    process: process::Child,
    said: Receiver<String>,
}

impl Child {
    /// Runs the ignored test `function` in a child process, which gets `task` from [`task`].
    pub(crate) fn start(function: &str, task: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([function, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(TASK, task.join("\n")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, said) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some((_, text)) = line.split_once(MARK) {
                    sender.send(text.to_owned()).ok();
                }
            }
        });
        Self { process, said }
    }

    /// Returns the next line that it prints.
    #[track_caller]
    pub(crate) fn says(&self, limit: Duration) -> String {
        match self.said.recv_timeout(limit) {
            Ok(text) => text,
            Err(RecvTimeoutError::Timeout) => panic!("no output of a child within {limit:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("a child exited without output"),
        }
    }

    /// Continues it from [`pause`].
    pub(crate) fn go_on(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Sends SIGKILL. Fails if it has already exited.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        assert_eq!(self.process.wait().unwrap().signal(), Some(libc::SIGKILL), "the child exited before it was killed");
    }

    /// Makes it exit, and waits for that.
    #[track_caller]
    pub(crate) fn end(mut self) {
        drop(self.process.stdin.take());
        let mut status = None;
        super::wait_until("the end of a child", SOON, || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        assert!(status.unwrap().success(), "{status:?}");
    }

    pub(crate) fn signal(&self, signal: libc::c_int) {
        // SAFETY: it is a child that was not waited for, so its process id is not reused.
        assert_eq!(unsafe { libc::kill(libc::pid_t::try_from(self.process.id()).unwrap(), signal) }, 0);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It is still running only after a failure.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Returns the task of a child; none in a process that is not a child.
pub(crate) fn task() -> Option<Vec<String>> {
    Some(std::env::var(TASK).ok()?.split('\n').map(str::to_owned).collect())
}

/// Sends a line to the parent.
pub(crate) fn say(text: &str) {
    println!("{MARK}{text}");
}

/// Waits until the parent calls [`Child::go_on`].
pub(crate) fn pause() {
    assert_eq!(stdin().read(&mut [0]).unwrap(), 1, "the parent is gone");
}

/// Waits until the parent calls [`Child::end`], or has exited.
pub(crate) fn wait_for_the_end() {
    stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Records what a child submitted successfully, in a file that outlives it.
pub(crate) struct Notes(File);

impl Notes {
    pub(crate) fn open(path: &Path) -> Self {
        Self(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    /// A single write, which survives the process when it returns.
    pub(crate) fn add(&mut self, message_id: &str, delivered: bool) {
        let line = format!("{message_id} {delivered}\n");
        assert_eq!(self.0.write(line.as_bytes()).unwrap(), line.len());
    }
}

/// Returns the path of the notes of child `number`.
pub(crate) fn notes(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("notes-{number}"))
}

/// Returns what a child noted, in order.
pub(crate) fn noted(path: &Path) -> Vec<(String, bool)> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(|line| line.split_once(' ').unwrap());
    lines.map(|(message_id, delivered)| (message_id.to_owned(), delivered == "true")).collect()
}
