//! Lets one process at a time write to an outbox, approximately in the order of arrival.
//!
//! The kernel's file locks guarantee no order and have no timeout. Therefore, a process tries to acquire the lock
//! repeatedly and waits on the futex in the lock file between two attempts. A process that has waited for
//! [`OVERDUE_AFTER`] is overdue, and newcomers wait until it has acquired the lock.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::busy_timeout::BusyTimeout;
use super::lock_file::{Lock, LockFile, MAGIC_START};
use crate::os::futex::Futex;

/// The waiting time after which a process is overdue and takes precedence over newcomers.
const OVERDUE_AFTER: Duration = Duration::from_millis(2);

/// If the lock stays free for this time while a process is overdue, that process counts as stopped.
const STOPPED_AFTER: Duration = Duration::from_millis(1);

/// The first and the longest wait on the futex between two attempts. If another process releases the lock between an
/// attempt and the wait, its wakeup is missed, so the first wait is short. Each wait is twice as long as the previous
/// one, up to the longest, so that many waiting processes use little CPU time.
const FIRST_WAIT: Duration = Duration::from_micros(100);
const MAX_WAIT: Duration = Duration::from_millis(2);

/// The time for which overdue processes are ignored after one of them did not acquire the free lock. That process may
/// be stopped.
const IGNORED_FOR: Duration = Duration::from_millis(100);

/// The futex bits that ordinary and overdue processes wait for.
const ORDINARY: u32 = 1;
const OVERDUE: u32 = 2;

/// The lock for writing.
#[derive(Debug)]
pub(crate) struct WriteLock {
    futex: Futex,
    created: Instant,
    /// The time until which overdue processes are ignored, in nanoseconds since `created`.
    ignored_until: AtomicU64,
}

/// A guard that releases the lock, if it is held, when dropped.
pub(crate) struct WriteGuard<'a>(Option<(&'a WriteLock, &'a LockFile)>);

/// A guard that releases [`Lock::Overdue`] when dropped.
struct OverdueGuard<'a>(&'a LockFile);

impl WriteLock {
    pub(crate) fn new(lock_file: &LockFile) -> io::Result<Self> {
        Ok(Self { futex: lock_file.futex()?, created: Instant::now(), ignored_until: AtomicU64::new(0) })
    }

    /// Waits for the lock if another process has the outbox open. Otherwise, SQLite's own locks suffice. Returns None
    /// if the timeout expired or a fork interrupted the wait.
    pub(crate) fn acquire_among_others<'a>(
        &'a self,
        lock_file: &'a LockFile,
        busy_timeout: &BusyTimeout,
    ) -> io::Result<Option<WriteGuard<'a>>> {
        if lock_file.is_locked_elsewhere(Lock::Open)? {
            return self.acquire(lock_file, busy_timeout);
        }
        Ok(Some(WriteGuard(None)))
    }

    /// Waits for the lock. Returns None if the timeout expired or a fork interrupted the wait.
    pub(crate) fn acquire<'a>(
        &'a self,
        lock_file: &'a LockFile,
        busy_timeout: &BusyTimeout,
    ) -> io::Result<Option<WriteGuard<'a>>> {
        if !self.must_yield(lock_file)? && lock_file.try_lock(Lock::Write)? {
            return Ok(Some(WriteGuard(Some((self, lock_file)))));
        }
        let (start, mut wait) = (Instant::now(), FIRST_WAIT);
        let (mut overdue, mut free_since) = (None, None);
        while busy_timeout.has_time() {
            if overdue.is_none() && start.elapsed() >= OVERDUE_AFTER && lock_file.try_lock(Lock::Overdue)? {
                overdue = Some(OverdueGuard(lock_file));
            }
            let is_overdue = overdue.is_some();
            let must_yield = !is_overdue && self.must_yield(lock_file)?;
            if !must_yield && lock_file.try_lock(Lock::Write)? {
                return Ok(Some(WriteGuard(Some((self, lock_file)))));
            }
            self.wait(if is_overdue { OVERDUE } else { ORDINARY }, wait);
            wait = wait.saturating_mul(2).min(MAX_WAIT);
            if !must_yield || lock_file.is_locked_elsewhere(Lock::Write)? || !self.must_yield(lock_file)? {
                free_since = None;
            } else if free_since.get_or_insert_with(Instant::now).elapsed() >= STOPPED_AFTER {
                let until = self.created.elapsed().saturating_add(IGNORED_FOR);
                self.ignored_until.store(to_nanoseconds(until), Ordering::Relaxed);
            }
        }
        Ok(None)
    }

    /// Returns whether another process is overdue and not ignored.
    fn must_yield(&self, lock_file: &LockFile) -> io::Result<bool> {
        let ignored_until = self.ignored_until.load(Ordering::Relaxed);
        let is_ignored = ignored_until > 0 && to_nanoseconds(self.created.elapsed()) < ignored_until;
        Ok(!is_ignored && lock_file.is_locked_elsewhere(Lock::Overdue)?)
    }

    fn wait(&self, bit: u32, timeout: Duration) {
        let start = Instant::now();
        self.futex.wait(MAGIC_START, bit, timeout);
        // An immediate return may mean that the lock file was changed or that the system does not support futexes in
        // it.
        if start.elapsed() < Duration::from_micros(1) {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

impl Drop for WriteGuard<'_> {
    fn drop(&mut self) {
        if let Some((lock, lock_file)) = self.0 {
            lock_file.unlock(Lock::Write).ok();
            if !lock.futex.wake_one(OVERDUE) {
                lock.futex.wake_one(ORDINARY);
            }
        }
    }
}

impl Drop for OverdueGuard<'_> {
    fn drop(&mut self) {
        self.0.unlock(Lock::Overdue).ok();
    }
}

fn to_nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn path(name: &str) -> PathBuf {
        let path = PathBuf::from(env!("OUT_DIR")).join(name);
        std::fs::remove_file(&path).ok();
        path
    }

    /// Opens the lock at `path`. Each opened lock behaves like a separate process.
    fn open(path: &std::path::Path) -> (LockFile, WriteLock) {
        let lock_file = LockFile::open(path).unwrap();
        lock_file.mark().unwrap();
        let lock = WriteLock::new(&lock_file).unwrap();
        (lock_file, lock)
    }

    fn in_a_minute() -> BusyTimeout {
        BusyTimeout::until(Instant::now() + Duration::from_secs(60))
    }

    #[test]
    fn lock_has_one_holder_among_all_processes() {
        let path = path("write-lock");
        let (inside, count) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let (lock_file, lock) = open(&path);
                    for _ in 0..200 {
                        let guard = lock.acquire(&lock_file, &in_a_minute()).unwrap().unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        count.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(guard);
                    }
                });
            }
        });
        assert_eq!(count.into_inner(), 1600);
    }

    #[test]
    fn wait_ends_at_the_deadline_and_leaves_no_lock() {
        let path = path("write-lock-timeout");
        let (first, second, third) = (open(&path), open(&path), open(&path));
        let guard = first.1.acquire(&first.0, &in_a_minute()).unwrap().unwrap();
        let soon = BusyTimeout::until(Instant::now() + 2 * OVERDUE_AFTER);
        assert!(second.1.acquire(&second.0, &soon).unwrap().is_none());
        assert!(!third.0.is_locked_elsewhere(Lock::Overdue).unwrap());
        drop(guard);
        assert!(third.1.acquire(&third.0, &in_a_minute()).unwrap().is_some());
    }

    #[test]
    fn stopped_process_that_is_overdue_is_ignored() {
        let path = path("write-lock-stopped");
        let (stopped, other) = (open(&path), open(&path));
        assert!(stopped.0.try_lock(Lock::Overdue).unwrap());
        for _ in 0..3 {
            assert!(other.1.acquire(&other.0, &in_a_minute()).unwrap().is_some());
        }
    }
}
