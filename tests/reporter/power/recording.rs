//! Records the file operations of a child process with a preloaded library, the recorder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::common::{SOON, process};

/// A recorded operation.
#[derive(Debug)]
pub(crate) enum Step {
    Write {
        inode: u64,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        inode: u64,
        length: usize,
    },
    /// The start of a flush of a file or of the folder. The end of the flush has the same number.
    FlushBegins {
        number: u64,
    },
    FlushEnds {
        inode: u64,
        number: u64,
        name: String,
    },
    FlushFails {
        inode: u64,
        number: u64,
    },
    Create {
        name: String,
        inode: u64,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        name: String,
    },
    /// A line that the child wrote to the marks file.
    Mark(String),
}

/// The name of the file to which marks are written.
pub(crate) const MARKS: &str = "marks";

/// The operations of a child, in order.
pub(crate) struct Recording {
    pub(crate) steps: Vec<Step>,
}

/// The parameters of a run of a child.
pub(crate) struct Run<'a> {
    /// The function that the child runs.
    pub(crate) function: &'a str,
    pub(crate) task: &'a [&'a str],
    /// The additional duration of each flush in microseconds.
    pub(crate) slow_us: u32,
    /// Which flush of the write-ahead log fails, if any, counted from 1.
    pub(crate) failing: Option<u32>,
}

impl Recording {
    /// Runs a child that works in `folder`, and records its operations.
    pub(crate) fn of(folder: &Path, run: &Run<'_>) -> Self {
        let notes = folder.with_extension("notes");
        let mut command = process::command(run.function, run.task);
        command.env("LD_PRELOAD", recorder()).env("NEXMO_RECORD", &notes).env("NEXMO_RECORD_FOLDER", folder);
        command.env("NEXMO_RECORD_SLOW_US", run.slow_us.to_string()).stdout(Stdio::null());
        if let Some(failing) = run.failing {
            command.env("NEXMO_RECORD_FAIL", failing.to_string());
        }
        let mut child = command.spawn().unwrap();
        let mut status = None;
        crate::common::wait_until("the exit of a recorded child", SOON, || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        assert!(status.unwrap().success(), "{status:?}");
        let recorded = fs::read(&notes).unwrap();
        fs::remove_file(&notes).unwrap();
        Self { steps: Notes { rest: &recorded }.collect() }
    }

    /// Returns the number of completed flushes of files whose names end with `ending`.
    pub(crate) fn flushes(&self, ending: &str) -> usize {
        let is_one = |step: &&Step| matches!(step, Step::FlushEnds { name, .. } if name.ends_with(ending));
        self.steps.iter().filter(is_one).count()
    }

    /// Returns the number of marks with this prefix.
    pub(crate) fn marks(&self, beginning: &str) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Mark(mark) if mark.starts_with(beginning))).count()
    }
}

/// An iterator that parses the recorded operations.
struct Notes<'a> {
    rest: &'a [u8],
}

impl<'a> Notes<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at(count);
        self.rest = rest;
        bytes
    }

    fn number(&mut self) -> u64 {
        u64::from_ne_bytes(self.bytes(8).try_into().unwrap())
    }

    fn short(&mut self) -> u32 {
        u32::from_ne_bytes(self.bytes(4).try_into().unwrap())
    }
}

impl Iterator for Notes<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.rest.is_empty() {
            return None;
        }
        let (kind, name_length) = (char::from(u8::try_from(self.short()).unwrap()), self.short());
        let (inode, at, length) = (self.number(), self.number(), usize::try_from(self.number()).unwrap());
        let name = String::from_utf8(self.bytes(usize::try_from(name_length).unwrap()).to_vec()).unwrap();
        let bytes = self.bytes(length);
        let text = || String::from_utf8(bytes.to_vec()).unwrap();
        let offset = usize::try_from(at).unwrap();
        Some(match kind {
            'W' if name == MARKS => Step::Mark(text().trim_end().to_owned()),
            'W' => Step::Write { inode, at: offset, bytes: bytes.to_vec() },
            'T' => Step::Truncate { inode, length: offset },
            'B' => Step::FlushBegins { number: at },
            'E' => Step::FlushEnds { inode, number: at, name },
            'F' => Step::FlushFails { inode, number: at },
            'C' => Step::Create { name, inode },
            'R' => Step::Rename { from: name, to: text() },
            'U' => Step::Remove { name },
            _ => panic!("{kind} is not a kind of record"),
        })
    }
}

/// Returns the path of the recorder, which the first call builds.
fn recorder() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reporter/power/recorder.c");
        let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("recorder-{}.so", std::process::id()));
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let options = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-pthread"];
        let status = Command::new(compiler).args(options).arg(source).arg("-o").arg(&built).arg("-ldl").status();
        assert!(status.unwrap().success(), "building the recorder failed");
        built
    };
    BUILT.get_or_init(build).clone()
}
