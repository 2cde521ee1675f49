//! Passes records to their destinations: memory, a file, standard output and the observer.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::error::Error;
use crate::observer::Observer;
use crate::record::Record;
use crate::settings::Settings;

/// The destinations of records. Each destination receives the records in the same order.
#[derive(Debug)]
pub(crate) struct RequestLog {
    pub(crate) records: Vec<Record>,
    pub(crate) count: u64,
    keep: bool,
    print: bool,
    file: Option<File>,
    observer: Option<Observer>,
}

impl RequestLog {
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let file = settings.log.as_deref().map(append_to).transpose()?;
        Ok(Self {
            records: Vec::new(),
            count: 0,
            keep: settings.keep,
            print: settings.print,
            file,
            observer: settings.observer.clone(),
        })
    }

    /// Passes the record to every destination.
    pub(crate) fn add(&mut self, record: Record) -> io::Result<()> {
        let is_written = self.print || self.file.is_some();
        let line = if is_written { format!("{}\n", serde_json::to_string(&record)?) } else { String::new() };
        self.count = self.count.saturating_add(1);
        if let Some(observer) = &self.observer {
            observer.on_request(&record);
        }
        if self.keep {
            self.records.push(record);
        }
        if self.print {
            self.print_line(&line)?;
        }
        // The whole line is written at once, without a buffer, because other processes may append to the same file.
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(line.as_bytes()))
    }

    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.count = 0;
    }

    /// Prints a line. If standard output is a closed pipe, stops printing and returns success.
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
