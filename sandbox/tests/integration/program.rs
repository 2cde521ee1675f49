//! Tests the program: its output, the environment of its command, and its exit status.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::client::{Client, VALID};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nexmo-sandbox"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn shell(options: &[&str], script: &str) -> Output {
    output(&[options, &["--", "sh", "-c", script]].concat())
}

/// A running program and its output. When the test ends, the program's standard input is closed, so that a command that
/// reads standard input exits.
struct Serving {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Serving {
    fn start(options: &[&str]) -> Self {
        let mut child = program(options).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    fn end(mut self, signal: Signal) -> (Option<i32>, usize) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let left = self.lines.count();
        (self.child.wait().unwrap().code(), left)
    }
}

fn post(listening: &Value) -> u16 {
    Client::to(listening["listening"]["http"].as_str().unwrap()).post(VALID).status
}

#[test]
fn the_program_prints_addresses_and_requests_and_ends_on_sigint_and_sigterm() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut serving = Serving::start(&[]);
        let first = serving.line();
        let ca_file = first["listening"]["ca_file"].as_str().unwrap().to_owned();
        assert!(first["listening"]["https"].as_str().unwrap().starts_with("https://localhost:"));
        assert!(Path::new(&ca_file).exists());
        assert_eq!(post(&first), 200);
        assert_eq!(serving.line()["message_id"], "00A0B0C0");
        assert_eq!(serving.end(signal), (Some(0), 0));
        assert!(!Path::new(&ca_file).exists());
    }
}

#[test]
fn with_quiet_only_addresses_are_printed_and_the_log_contains_the_requests() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut serving = Serving::start(&["--quiet", "--log", log.to_str().unwrap()]);
    let first = serving.line();
    assert_eq!([post(&first), post(&first)], [200, 200]);
    assert_eq!(serving.end(Signal::TERM), (Some(0), 0));
    assert_eq!(fs::read_to_string(log).unwrap().lines().count(), 2);
}

#[test]
fn a_closed_standard_output_does_not_end_the_sandbox() {
    let mut serving = Serving::start(&[]);
    let first = serving.line();
    let Serving { mut child, lines } = serving;
    drop(lines);
    assert_eq!([post(&first), post(&first)], [200, 200]);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_command_finds_the_sandbox_in_its_environment() {
    let script = "echo $NEXMO_SANDBOX_HTTP; echo $NEXMO_SANDBOX_HTTPS; test -s $NEXMO_SANDBOX_CA && \
                  test -f $NEXMO_SANDBOX_LOG && echo $NEXMO_SANDBOX_LOG";
    let text = String::from_utf8(shell(&[], script).stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("http://127.0.0.1:") && lines[1].starts_with("https://localhost:"), "{text}");
    assert!(!Path::new(lines[2]).exists());
}

#[test]
fn a_command_gets_the_absolute_path_of_the_log_which_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(&["--log", "log", "--", "sh", "-c", "cd / && test -f $NEXMO_SANDBOX_LOG"]);
    assert_eq!(command.current_dir(folder.path()).status().unwrap().code(), Some(0));
    assert!(folder.path().join("log").exists());
}

#[test]
fn the_exit_status_is_that_of_the_command() {
    assert_eq!(shell(&[], "exit 0").status.code(), Some(0));
    assert_eq!(shell(&[], "exit 7").status.code(), Some(7));
    assert_eq!(shell(&[], "kill -KILL $$").status.code(), Some(137));
    assert_eq!(output(&["--", "/nowhere/at/all"]).status.code(), Some(127));
    assert_eq!(output(&["--", "/"]).status.code(), Some(126));
}

#[test]
fn a_signal_is_forwarded_to_the_command() {
    let mut serving = Serving::start(&["--", "sh", "-c", "trap 'exit 9' TERM; echo 1; read line"]);
    assert_eq!(serving.line(), 1);
    assert_eq!(serving.end(Signal::TERM), (Some(9), 0));
}

#[test]
fn with_invalid_options_the_program_prints_one_line_and_exits_with_2() {
    let invalid: [&[&str]; 6] = [
        &["--response", "teapot"],
        &["--account", "key"],
        &["--http", "70000"],
        &["--nonsense"],
        &["stray"],
        &["--quiet", "--verbose"],
    ];
    for arguments in invalid {
        let output = output(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{text}");
        assert!(text.starts_with("nexmo-sandbox: ") && text.contains(arguments[0]), "{text}");
    }
}

#[test]
fn a_sandbox_that_cannot_start_prints_why() {
    let output = output(&["--directory", "/dev/null/a"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.lines().count()), (Some(125), 1), "{text}");
    assert!(text.starts_with("nexmo-sandbox: cannot write /dev/null/a: "), "{text}");
}

#[test]
fn help_names_every_option_and_behaviour() {
    let output = output(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let words = "--http --https --directory --account --prefix --response --log --quiet --verbose ok not-enabled \
                 throttled unavailable slow status echo";
    assert!(output.status.success() && words.split(' ').all(|word| text.contains(word)), "{text}");
}
