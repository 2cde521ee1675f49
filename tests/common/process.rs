//! Child processes. Each child runs the test program again with an environment variable that selects the function to
//! run instead of the tests.
#![allow(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write, stdin};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use std::{env, panic, slice, thread};

use super::SOON;

/// The environment variable that contains the name of a function and its arguments, one per line.
const TASK: &str = "NEXMO_TEST_TASK";

type Function = fn(&[String]);

/// A function that the C library calls before `main`.
pub(crate) type Constructor = extern "C" fn();

/// Names the functions that [`Child::start`] can run.
///
/// These functions are not tests, so the harness does not list them. A child runs its function before `main`, which
/// belongs to the test harness.
macro_rules! children {
    ($($(#[$attribute:meta])* $function:path),+ $(,)?) => {
        #[used]
        #[allow(unsafe_code)]
        // SAFETY: this section must contain pointers to functions that the C library can call before `main`. `run` is
        // such a function: it returns or exits.
        #[unsafe(link_section = ".init_array")]
        static RUN_CHILD: $crate::common::process::Constructor = {
            extern "C" fn run() {
                let functions = [$($(#[$attribute])* (stringify!($function), $function as fn(&[String]))),+];
                $crate::common::process::run_child(&functions, &raw const RUN_CHILD);
            }
            run
        };
    };
}
pub(crate) use children;

/// Runs one of `functions` and exits, if this process is a child.
pub(crate) fn run_child(functions: &[(&str, Function)], this: *const Constructor) {
    let Ok(task) = env::var(TASK) else { return };
    run_constructors_after(this);
    // SAFETY: ignoring a signal installs no handler. Rust's runtime also ignores SIGPIPE before it calls `main`.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let has_succeeded = panic::catch_unwind(|| {
        let mut words = task.split('\n').map(str::to_owned);
        let name = words.next().unwrap();
        let function = functions.iter().find(|(known, _)| *known == name);
        let (_, function) = function.unwrap_or_else(|| panic!("{name} is not listed in `children!`"));
        function(&words.collect::<Vec<_>>());
    });
    process::exit(i32::from(has_succeeded.is_err()));
}

/// Runs the constructors that the C library would run next, including those of the library under test.
fn run_constructors_after(this: *const Constructor) {
    unsafe extern "C" {
        static __init_array_end: Constructor;
    }
    // SAFETY: `this` is an entry of the array that ends at the symbol `__init_array_end`.
    let constructors = unsafe {
        let next = this.add(1);
        slice::from_raw_parts(next, usize::try_from((&raw const __init_array_end).offset_from(next)).unwrap())
    };
    constructors.iter().for_each(|constructor| constructor());
}

/// Returns a command that runs `function` with these arguments.
pub(crate) fn command(function: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(TASK, [&[function], arguments].concat().join("\n"));
    command
}

/// A child process, which is killed when this value is dropped.
pub(crate) struct Child {
    process: process::Child,
    lines: Receiver<String>,
}

impl Child {
    /// Starts a child that runs one of the functions in [`children!`] with these arguments.
    pub(crate) fn start(function: &str, arguments: &[&str]) -> Self {
        let mut process = command(function, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                sender.send(line).ok();
            }
        });
        Self { process, lines }
    }

    /// Returns the next line that the child prints.
    #[track_caller]
    pub(crate) fn read_line(&self, limit: Duration) -> String {
        match self.lines.recv_timeout(limit) {
            Ok(text) => text,
            Err(RecvTimeoutError::Timeout) => panic!("the child printed nothing within {limit:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the child exited without printing another line"),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Makes the child return from [`wait_for_resume`].
    pub(crate) fn resume(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Kills the child with SIGKILL. Fails if the child has already exited.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        assert_eq!(self.process.wait().unwrap().signal(), Some(libc::SIGKILL), "the child exited before it was killed");
    }

    /// Makes the child exit and waits until it has exited. Fails unless its exit status is 0.
    #[track_caller]
    pub(crate) fn end(mut self) {
        drop(self.process.stdin.take());
        let mut status = None;
        super::wait_until("the exit of a child", SOON, || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        assert!(status.unwrap().success(), "{status:?}");
    }

    pub(crate) fn signal(&self, signal: libc::c_int) {
        // SAFETY: the parent has not yet waited for this child, so its process id is not reused.
        assert_eq!(unsafe { libc::kill(libc::pid_t::try_from(self.process.id()).unwrap(), signal) }, 0);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Ends the child if it is still running, for example after a failed assertion.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Sends a line to the parent.
pub(crate) fn write_line(text: &str) {
    println!("{text}");
}

/// Waits until the parent calls [`Child::resume`].
pub(crate) fn wait_for_resume() {
    assert_eq!(stdin().read(&mut [0]).unwrap(), 1, "the parent has exited");
}

/// Waits until the parent calls [`Child::end`] or exits.
pub(crate) fn wait_for_end() {
    stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// A file that records which reports a child submitted successfully, and that outlives the child.
pub(crate) struct Notes(File);

impl Notes {
    pub(crate) fn open(path: &Path) -> Self {
        Self(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    /// Appends a note with a single write. After the write, the note survives even if the process is killed.
    pub(crate) fn add(&mut self, message_id: &str, delivered: bool) {
        let line = format!("{message_id} {delivered}\n");
        assert_eq!(self.0.write(line.as_bytes()).unwrap(), line.len());
    }
}

/// Returns the path of the file to which child `number` adds its notes.
pub(crate) fn notes(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("notes-{number}"))
}

/// Returns what a child noted, in order.
pub(crate) fn noted(path: &Path) -> Vec<(String, bool)> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(|line| line.split_once(' ').unwrap());
    lines.map(|(message_id, delivered)| (message_id.to_owned(), delivered == "true")).collect()
}
