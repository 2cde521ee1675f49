//! Locking: one connection at a time in a process, and one sender among all processes.

pub(crate) mod busy_timeout;
pub(crate) mod election;
pub(crate) mod fair_lock;
pub(crate) mod fork;
pub(crate) mod lock_file;
pub(crate) mod write_lock;
