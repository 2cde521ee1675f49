//! Locking: within a process, one thread at a time uses the connection; among processes, one at a time writes, and
//! one sends.

pub(crate) mod busy_timeout;
pub(crate) mod election;
pub(crate) mod fair_lock;
pub(crate) mod fork;
pub(crate) mod lock_file;
pub(crate) mod write_lock;
