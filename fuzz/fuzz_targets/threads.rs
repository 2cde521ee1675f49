//! Waits for the threads of closed reporters. The leak check after each run reports the memory of a thread that is starting
//! or exiting as lost.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// The maximum wait. The leak check then reports what is left.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Returns the number of threads in this process.
pub fn count() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// Waits until at most `before` threads exist.
pub fn wait_until_at_most(before: usize) {
    let deadline = Instant::now() + MAX_WAIT;
    while count() > before && Instant::now() < deadline {
        thread::sleep(Duration::from_micros(100));
    }
}
