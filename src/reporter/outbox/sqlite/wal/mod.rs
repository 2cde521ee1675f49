//! The write-ahead log (WAL): writing, flushing and group commits, and checkpoints, which copy it to the file.

pub(crate) mod checkpointer;
pub(crate) mod group_commit;
pub(crate) mod idle;
pub(crate) mod sync;
pub(crate) mod vfs;
pub(crate) mod write_buffer;
