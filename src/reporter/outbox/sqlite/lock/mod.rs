//! Who may use the file: one connection at a time in a process, and one reporter of all processes that sends.

pub(crate) mod busy_timeout;
pub(crate) mod election;
pub(crate) mod fair_lock;
pub(crate) mod fork;
