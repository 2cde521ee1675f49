//! Locking: one thread at a time uses the file in a process, one process at a time writes, and one process sends.

pub(crate) mod busy_timeout;
pub(crate) mod election;
pub(crate) mod fair_lock;
pub(crate) mod fork;
pub(crate) mod lock_file;
pub(crate) mod write_lock;
