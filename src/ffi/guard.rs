//! A panic stops at the border: it becomes a status, and prints nothing.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside the library on behalf of a caller.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// What `work` returns, or none if it panicked. What it touched may then be broken, and must be discarded.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Option<T> {
    keep_quiet_inside();
    IS_INSIDE.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work)).ok();
    IS_INSIDE.set(false);
    result
}

/// Silences panics of threads that are inside; all others are told to whoever listened before. The hook of a shared
/// library is its own, but a Rust program may link this crate as one of many.
fn keep_quiet_inside() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |told| {
            if !IS_INSIDE.get() {
                before(told);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_at_the_guard() {
        assert_eq!(guard(|| 7), Some(7));
        assert_eq!(guard(|| -> i32 { panic!("on purpose") }), None);
        assert_eq!(guard(|| 8), Some(8));
    }
}
