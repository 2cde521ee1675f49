//! Where records go: to memory for tests, to a file and to standard output for readers.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::error::Error;
use crate::observer::Listener;
use crate::record::Record;
use crate::settings::Settings;

/// Takes each record once, in one order for all readers.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) records: Vec<Record>,
    pub(crate) count: u64,
    keep: bool,
    print: bool,
    file: Option<File>,
    listener: Option<Listener>,
}

impl Journal {
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let file = settings.log.as_deref().map(append_to).transpose()?;
        Ok(Self {
            records: Vec::new(),
            count: 0,
            keep: settings.keep,
            print: settings.print,
            file,
            listener: settings.listener.clone(),
        })
    }

    /// Writes the record everywhere and returns only when every reader can see it.
    pub(crate) fn add(&mut self, record: Record) -> io::Result<()> {
        let is_written = self.print || self.file.is_some();
        let line = if is_written { format!("{}\n", serde_json::to_string(&record)?) } else { String::new() };
        self.count = self.count.saturating_add(1);
        if let Some(listener) = &self.listener {
            listener.hear(&record);
        }
        if self.keep {
            self.records.push(record);
        }
        if self.print {
            self.print_line(&line)?;
        }
        // A file is not buffered here: one write is one line, also beside other writers.
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(line.as_bytes()))
    }

    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.count = 0;
    }

    /// A reader who has closed the pipe wants no more lines; that is no reason to fail.
    fn print_line(&mut self, line: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        let printed = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
        match printed {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.print = false;
                Ok(())
            }
            other => other,
        }
    }
}

fn append_to(path: &Path) -> Result<File, Error> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.map_err(|source| Error::File { path: path.into(), source })
}
