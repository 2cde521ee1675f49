//! The write-ahead log (WAL): writing, flushing and group commits, and checkpoints, which copy its pages to the
//! database.

pub(crate) mod checkpointer;
pub(crate) mod group_commit;
pub(crate) mod idle;
pub(crate) mod sync;
pub(crate) mod vfs;
pub(crate) mod write_buffer;
