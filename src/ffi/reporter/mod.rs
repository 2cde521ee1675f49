//! Step 3: a reporter, which keeps reports until the service accepts them.

pub mod event;
pub mod lifecycle;
pub mod options;
pub mod statistics;
pub mod submit;
