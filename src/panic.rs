//! Catches panics of this library, so that they print nothing and the host program continues.

use std::cell::Cell;
use std::panic;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Whether this thread, of the host program or of the library, is in [`catch_panic`].
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Returns the result of `work`, or None if it panicked. After a panic, the data that `work` modified may be
/// inconsistent and must be discarded.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    keep_quiet_inside();
    IS_INSIDE.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work)).ok();
    IS_INSIDE.set(false);
    result
}

/// Silences panics of threads that are in [`catch_panic`]; passes all other panics to the previous hook. The shared
/// library has its own panic hook, but a Rust program that links this crate shares one hook with the crate.
fn keep_quiet_inside() {
    // A `Once` would make the child of a fork wait forever if another thread ran it during the fork.
    static IS_SET: AtomicBool = AtomicBool::new(false);
    if !IS_SET.swap(true, Ordering::AcqRel) {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_INSIDE.get() {
                before(info);
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught() {
        assert_eq!(catch_panic(|| 7), Some(7));
        assert_eq!(catch_panic(|| -> i32 { panic!("on purpose") }), None);
        assert_eq!(catch_panic(|| 8), Some(8));
    }
}
