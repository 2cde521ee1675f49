//! Elects the one process that sends the reports of an outbox. That process holds [`Lock::Sender`], which the kernel
//! releases when the process exits, so there are no leases and no clocks to compare.
//!
//! The lock file also carries notifications. A process that inserts a report but is not the sender writes to the lock
//! file after its commit, which wakes the sender through inotify. A process that creates an event while there is none
//! reads the lock file after its commit, which wakes all processes. If a process is killed between the commit and the
//! notification, the kernel closes its lock file, which also wakes all processes. Standby processes do not watch for
//! writes, which would wake them for every report.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard};

use super::lock_file::{Lock, LockFile};
use crate::os::wakeup::{Change, Noticed, Watch};
use crate::sync::Mutex;

/// The role of this process, and the notifications between it and other processes.
#[derive(Debug)]
pub(crate) struct Election {
    /// The path of the lock file.
    path: PathBuf,
    state: Mutex<State>,
    /// Whether this process is the sender. Changes only while `state` is locked, and is true only while
    /// [`Lock::Sender`] is held.
    is_sender: AtomicBool,
    /// Whether a report was stored of which the sender has not been notified.
    is_notification_wanted: AtomicBool,
    /// Whether this process watches the lock file.
    is_watched: AtomicBool,
    watch: Option<Arc<Watch>>,
}

#[derive(Debug, Default)]
struct State {
    lock_file: Option<LockFile>,
    /// Whether this process watches for writes by other processes.
    is_watching_writes: bool,
}

impl Election {
    /// Creates an election without opening the lock file. Without a watch, the worker polls.
    pub(crate) fn new(path: PathBuf, watch: Option<Arc<Watch>>) -> Self {
        Self {
            path,
            state: Mutex::default(),
            is_sender: AtomicBool::new(false),
            is_notification_wanted: AtomicBool::new(false),
            is_watched: AtomicBool::new(false),
            watch,
        }
    }

    /// Tries to become the sender if this process is not the sender. Returns whether it is the sender now.
    pub(crate) fn try_become_sender(&self) -> io::Result<bool> {
        let result = self.try_lock_sender(&mut self.state());
        self.notify_if_wanted();
        result
    }

    fn try_lock_sender(&self, state: &mut State) -> io::Result<bool> {
        if !state.lock_file.as_ref().is_some_and(LockFile::is_current) {
            let lock_file = self.open()?;
            self.is_sender.store(false, Ordering::SeqCst);
            *state = State { lock_file: Some(lock_file), is_watching_writes: false };
        }
        if !self.is_sender() {
            let is_locked = state.lock_file.as_ref().map(|lock_file| lock_file.try_lock(Lock::Sender));
            self.is_sender.store(is_locked.transpose()?.unwrap_or(false), Ordering::SeqCst);
        }
        // The watch starts before the search for reports, so that each report is either found or announced.
        if self.is_sender() && !state.is_watching_writes {
            state.is_watching_writes = self.watch_for(Change::WrittenOrClosed);
        }
        Ok(self.is_sender())
    }

    /// Notifies the sender of a stored report, unless this process is the sender. Must be called after the commit,
    /// because the sender reads the outbox at once. If the state is locked, the thread that locked it notifies the
    /// sender, so that a submit does not wait for a system call of that thread.
    pub(crate) fn notify(&self) {
        if !self.is_sender() {
            self.is_notification_wanted.store(true, Ordering::SeqCst);
            self.notify_if_wanted();
        }
    }

    /// Notifies all processes that an event was created while there was none. Must be called after the commit,
    /// because they read the outbox at once.
    pub(crate) fn notify_of_event(&self) {
        let mut state = self.state();
        if state.lock_file.is_none() {
            state.lock_file = self.open().ok();
        }
        if let Some(lock_file) = &state.lock_file {
            lock_file.notify_of_event();
        }
        drop(state);
        self.notify_if_wanted();
    }

    /// Notifies the sender if a notification is wanted. Must be called whenever the state has been unlocked.
    fn notify_if_wanted(&self) {
        while self.is_notification_wanted.load(Ordering::SeqCst) {
            let Some(mut state) = self.state.try_lock() else {
                return;
            };
            if self.is_notification_wanted.swap(false, Ordering::SeqCst) && !self.is_sender() {
                match &state.lock_file {
                    Some(lock_file) => lock_file.notify(),
                    None => state.lock_file = self.open().ok(),
                }
            }
        }
    }

    /// Opens the lock file and notifies the sender, because the notification of an earlier report may have gone to a
    /// lock file that was removed since.
    fn open(&self) -> io::Result<LockFile> {
        let lock_file = LockFile::open(&self.path)?;
        lock_file.notify();
        self.watch_for(Change::Closed);
        Ok(lock_file)
    }

    /// Lets another process become the sender.
    pub(crate) fn step_down(&self) {
        let mut state = self.state();
        self.watch_for(Change::Closed);
        self.release(&mut state);
        drop(state);
        self.notify_if_wanted();
    }

    fn release(&self, state: &mut State) {
        // The flag is cleared while the lock is still held, so that the next sender finds every report that was stored
        // without a notification.
        self.is_sender.store(false, Ordering::SeqCst);
        if let Some(lock_file) = &state.lock_file {
            lock_file.unlock(Lock::Sender).ok();
        }
        // The file is closed only after unlocking, so that the processes that the close wakes find it unlocked.
        *state = State::default();
    }

    /// Watches the lock file for `change` instead of any earlier change. Returns false if the file cannot be watched.
    fn watch_for(&self, change: Change) -> bool {
        let is_watched = self.watch.as_ref().is_some_and(|watch| watch.set(&self.path, change).is_ok());
        self.is_watched.store(is_watched, Ordering::SeqCst);
        is_watched
    }

    /// Returns whether this process is notified of all changes that concern its role: events, the exit of the sender
    /// and, if this process is the sender, new reports.
    pub(crate) fn is_notified(&self) -> bool {
        self.is_watched.load(Ordering::SeqCst) && (!self.is_sender() || self.is_watching())
    }

    /// Returns whether this process is notified of reports by other processes.
    pub(crate) fn is_watching(&self) -> bool {
        let is_watching = self.state().is_watching_writes;
        self.notify_if_wanted();
        is_watching
    }

    pub(crate) fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(|watch| watch.as_fd())
    }

    pub(crate) fn clear_watch(&self) -> Noticed {
        self.watch.as_ref().map_or_else(Noticed::default, |watch| watch.clear())
    }

    fn is_sender(&self) -> bool {
        self.is_sender.load(Ordering::SeqCst)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Drop for Election {
    fn drop(&mut self) {
        self.release(&mut self.state());
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use crate::conversion::{Channel, Conversion, MessageId};
    use crate::os::wakeup::{Noticed, wait_for_either};
    use crate::reporter::outbox::sqlite::SqliteStore;
    use crate::reporter::outbox::store::{Overflow, Store};
    use crate::reporter::outbox::{Account, OutboxSettings};

    /// A temporary directory with an outbox. Each opened store behaves like a separate process.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = Path::new(env!("OUT_DIR")).join(name);
            std::fs::remove_dir_all(&path).ok();
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn open(&self, survives_power_loss: bool) -> SqliteStore {
            let settings = OutboxSettings {
                path: None,
                allow_network: true,
                survives_power_loss,
                max_pending: 100,
                overflow: Overflow::Fail,
                busy_timeout: Duration::from_secs(60),
            };
            let account = Account { api_key: "abcd1234".to_owned(), base_url: "http://localhost".to_owned() };
            let store = SqliteStore::new(&self.0.join("outbox"), &settings, &account).unwrap();
            store.snapshot().unwrap();
            store
        }

        /// Opens two stores, of which the first is the sender.
        fn open_two(&self, survives_power_loss: bool) -> (SqliteStore, SqliteStore) {
            let (sender, other) = (self.open(survives_power_loss), self.open(survives_power_loss));
            assert!(sender.try_become_sender().unwrap() && !other.try_become_sender().unwrap());
            clear_watch(&[&sender, &other]);
            (sender, other)
        }

        fn lock(&self) -> PathBuf {
            self.0.join("outbox.lock")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }

    fn clear_watch(outboxes: &[&SqliteStore]) {
        for outbox in outboxes {
            outbox.clear_watch();
        }
    }

    fn put(outbox: &SqliteStore) {
        let message_id = MessageId::new("id").unwrap();
        outbox.put(&Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }).unwrap();
    }

    /// Returns whether the outbox has been notified since the last call.
    fn is_woken(outbox: &SqliteStore) -> bool {
        let is_readable = wait_for_either(outbox.watch().unwrap(), None, Some(Instant::now()));
        assert_eq!(outbox.clear_watch() != Noticed::default(), is_readable);
        is_readable
    }

    #[test]
    fn only_the_sender_is_woken_by_reports_of_others() {
        for survives_power_loss in [false, true] {
            let folder = Folder::new(if survives_power_loss { "notify-power" } else { "notify" });
            let (sender, other) = folder.open_two(survives_power_loss);
            let text = std::fs::read(folder.lock()).unwrap();
            // Reading the file announced an event to both stores.
            clear_watch(&[&sender, &other]);
            put(&other);
            assert!(is_woken(&sender) && !is_woken(&other));
            put(&sender);
            assert!(!is_woken(&sender) && !is_woken(&other), "no process may be notified of the sender's own report");
            let third = folder.open(survives_power_loss);
            put(&third);
            assert!(
                is_woken(&sender) && !is_woken(&other),
                "a put must wake the sender even before the store has called try_become_sender"
            );
            assert!(!third.try_become_sender().unwrap());
            clear_watch(&[&sender, &third]);
            put(&third);
            assert!(is_woken(&sender) && !is_woken(&other) && !is_woken(&third));
            drop(third);
            assert!(
                is_woken(&sender) && is_woken(&other),
                "closing a store must wake all processes, because that store may have been the sender"
            );
            assert!(!text.is_empty() && std::fs::read(folder.lock()).unwrap() == text);
        }
    }

    #[test]
    fn notifications_follow_the_election() {
        let folder = Folder::new("passed-on");
        let (first, second) = folder.open_two(false);
        first.step_down();
        assert!(is_woken(&second) && second.try_become_sender().unwrap());
        clear_watch(&[&first, &second]);
        assert!(!first.election.is_watching() && second.election.is_watching());
        put(&first);
        assert!(is_woken(&second) && !is_woken(&first), "a put must wake the sender even if the lock file is not open");
        assert!(!first.try_become_sender().unwrap());
        put(&second);
        assert!(!is_woken(&first));
        second.step_down();
        assert!(is_woken(&first) && first.try_become_sender().unwrap());
        clear_watch(&[&first, &second]);
        put(&second);
        assert!(is_woken(&first) && !is_woken(&second));
    }

    #[test]
    fn lock_file_with_other_content_notifies_and_stays_unchanged() {
        for text in ["", "4711\n"] {
            let folder = Folder::new(if text.is_empty() { "no-text" } else { "other-text" });
            let (sender, other) = folder.open_two(false);
            std::fs::write(folder.lock(), text).unwrap();
            clear_watch(&[&sender, &other]);
            put(&other);
            assert!(is_woken(&sender));
            assert_eq!(std::fs::read_to_string(folder.lock()).unwrap(), text);
        }
    }

    #[test]
    fn notification_does_not_wait_for_the_lock_and_is_not_lost() {
        let folder = Folder::new("locked-state");
        let (sender, other) = folder.open_two(false);
        let state = other.election.state();
        put(&other);
        assert!(!is_woken(&sender), "only the thread that holds the lock may notify the sender");
        drop(state);
        assert!(!other.election.is_watching());
        assert!(is_woken(&sender));
    }

    #[test]
    fn reports_during_lock_file_replacement_are_announced() {
        let folder = Folder::new("replaced");
        let (former, sender) = folder.open_two(false);
        std::fs::rename(folder.lock(), folder.0.join("elsewhere")).unwrap();
        assert!(sender.try_become_sender().unwrap(), "the store must become the sender with the new lock file");
        clear_watch(&[&sender]);
        put(&former);
        assert!(!is_woken(&sender), "a write to the moved lock file must not wake the sender");
        assert!(!former.try_become_sender().unwrap());
        assert!(is_woken(&sender));
        put(&former);
        assert!(is_woken(&sender));
    }
}
