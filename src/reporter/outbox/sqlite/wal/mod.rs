//! The write-ahead log: how it is written, shared by concurrent submits, and copied to the file.

pub(crate) mod checkpointer;
pub(crate) mod group_commit;
pub(crate) mod sync;
pub(crate) mod vfs;
pub(crate) mod write_buffer;
