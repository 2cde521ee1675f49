//! A panic of this library ends here: it prints nothing, and the host program goes on.

use std::cell::Cell;
use std::panic;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Whether this thread is inside the library, be it a caller's or our own.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// What `work` returns, or none if it panicked. What it touched may then be broken, and must be discarded.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    keep_quiet_inside();
    IS_INSIDE.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work)).ok();
    IS_INSIDE.set(false);
    result
}

/// Silences panics of threads that are inside; all others are told to whoever listened before. The hook of a shared
/// library is its own, but a Rust program may link this crate as one of many.
fn keep_quiet_inside() {
    // No `Once`: a fork in the midst of one would leave the child waiting for ever.
    static IS_SET: AtomicBool = AtomicBool::new(false);
    if !IS_SET.swap(true, Ordering::AcqRel) {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |told| {
            if !IS_INSIDE.get() {
                before(told);
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_at_the_guard() {
        assert_eq!(catch_panic(|| 7), Some(7));
        assert_eq!(catch_panic(|| -> i32 { panic!("on purpose") }), None);
        assert_eq!(catch_panic(|| 8), Some(8));
    }
}
