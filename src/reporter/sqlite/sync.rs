//! One flush of the log to the disk for many threads that wait for it.

use std::fs::File;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest that a flush waits for writes that are about to be made.
const LONGEST_WAIT: Duration = Duration::from_millis(1);

/// Which writes have reached the disk.
#[derive(Debug, Default)]
pub(super) struct Sync {
    state: Mutex<State>,
    ended: Condvar,
    all_came: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many writes were made.
    written: u64,
    /// How many of them have reached the disk.
    synced: u64,
    is_under_way: bool,
    /// How many threads are about to write, and will wait for the disk.
    coming: usize,
    /// Whether the last flush failed. The system then counts as written what is not on the disk, and flushes it no more.
    is_torn: bool,
    /// How many flushes have failed, and why the last one did.
    failures: u64,
    failure: Option<(io::ErrorKind, String)>,
}

/// One that is about to write.
pub(super) struct Coming<'a>(&'a Sync);

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.coming = state.coming.saturating_sub(1);
        if state.coming == 0 {
            self.0.all_came.notify_all();
        }
    }
}

impl Sync {
    /// Says that a write is coming, until what it returns is dropped: a flush that waits for it saves one.
    pub(super) fn coming(&self) -> Coming<'_> {
        let mut state = self.state();
        state.coming = state.coming.saturating_add(1);
        Coming(self)
    }

    /// Notes that a write was made, and gives its number.
    pub(super) fn written(&self) -> u64 {
        let mut state = self.state();
        state.written = state.written.saturating_add(1);
        state.written
    }

    /// Waits until the write of that number has reached the disk. One of those who wait flushes for all whose writes were
    /// made before. After a flush that failed, `mend` is to write all of the log again first.
    pub(super) fn wait(&self, write: u64, log: &File, mend: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state();
        let failures = state.failures;
        while state.synced < write {
            if state.failures > failures {
                return Err(state.last_failure());
            }
            state = if state.is_under_way {
                self.ended.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.flush(state, log, mend)
            };
        }
        Ok(())
    }

    fn flush<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        log: &File,
        mend: &dyn Fn() -> io::Result<()>,
    ) -> MutexGuard<'a, State> {
        state.is_under_way = true;
        let is_coming = |state: &mut State| state.coming > 0;
        let waited = self.all_came.wait_timeout_while(state, LONGEST_WAIT, is_coming);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let (written, is_torn) = (state.written, state.is_torn);
        drop(state);
        let mended = if is_torn { mend() } else { Ok(()) };
        let flushed = mended.and_then(|()| log.sync_data());
        #[cfg(feature = "testing")]
        crate::reporter::stub::SYNCS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let mut state = self.state();
        state.is_under_way = false;
        state.is_torn = flushed.is_err();
        match flushed {
            Ok(()) => state.synced = state.synced.max(written),
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                state.failure = Some((error.kind(), error.to_string()));
            }
        }
        self.ended.notify_all();
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn last_failure(&self) -> io::Error {
        match &self.failure {
            Some((kind, told)) => io::Error::new(*kind, told.clone()),
            None => io::Error::other("the disk did not say why"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> io::Result<()> {
        panic!("no flush has failed");
    }

    #[test]
    fn a_flush_waits_for_those_who_are_about_to_write_but_not_for_long() {
        let log = File::create(std::path::Path::new(env!("OUT_DIR")).join("synced")).unwrap();
        let sync = Sync::default();
        let coming = sync.coming();
        let first = sync.written();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| sync.wait(first, &log, &whole).unwrap());
            while !sync.state().is_under_way && sync.state().synced == 0 {}
            let second = sync.written();
            drop(coming);
            waiter.join().unwrap();
            assert!(sync.state().synced >= first);
            sync.wait(second, &log, &whole).unwrap();
        });
        let _never_comes = sync.coming();
        sync.wait(sync.written(), &log, &whole).unwrap();
        assert_eq!(sync.state().synced, 3);
    }

    #[test]
    fn a_disk_that_fails_is_told_to_all_who_wait() {
        let log = File::open("/proc/self/stat").unwrap();
        let sync = Sync::default();
        let mended = std::cell::Cell::new(0);
        let mend = || {
            mended.set(mended.get() + 1);
            Ok(())
        };
        assert!(sync.wait(sync.written(), &log, &mend).is_err());
        assert_eq!(mended.get(), 0);
        assert!(sync.wait(sync.written(), &log, &mend).is_err());
        assert_eq!((sync.state().synced, mended.get()), (0, 1));
    }
}
