//! The reasons why a sandbox cannot start.

use std::path::PathBuf;
use std::{fmt, io};

/// The reason why a sandbox cannot start. A running sandbox reports its own errors in responses only.
#[derive(Debug)]
pub enum Error {
    /// The sandbox cannot listen on a port of 127.0.0.1.
    Listen {
        /// The requested port; 0 means any port.
        port: u16,
        /// The system's error.
        source: io::Error,
    },
    /// A file or folder cannot be created, opened or written.
    File {
        /// Its path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The certificates cannot be generated; the text says why.
    Certificate(String),
    /// The server's thread or event loop cannot be started.
    Thread(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { port, source } => write!(formatter, "cannot listen on 127.0.0.1, port {port}: {source}"),
            Self::File { path, source } => write!(formatter, "cannot write {}: {source}", path.display()),
            Self::Certificate(text) => write!(formatter, "cannot generate certificates: {text}"),
            Self::Thread(source) => write!(formatter, "cannot start the server: {source}"),
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
