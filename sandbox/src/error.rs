//! Why a sandbox did not start.

use std::path::PathBuf;
use std::{fmt, io};

/// What kept the sandbox from starting. Once started it has nothing to fail with but its answers.
#[derive(Debug)]
pub enum Error {
    /// A port of 127.0.0.1 could not be listened on.
    Listen {
        /// The port asked for; 0 is any.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder could not be written or opened.
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The certificates could not be made; the text says why.
    Certificate(String),
    /// The thread or the event loop that serves could not be started.
    Thread(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { port, source } => write!(formatter, "cannot listen on 127.0.0.1, port {port}: {source}"),
            Self::File { path, source } => write!(formatter, "cannot write {}: {source}", path.display()),
            Self::Certificate(text) => write!(formatter, "cannot make certificates: {text}"),
            Self::Thread(source) => write!(formatter, "cannot start serving: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. } | Self::File { source, .. } | Self::Thread(source) => Some(source),
            Self::Certificate(_) => None,
        }
    }
}
