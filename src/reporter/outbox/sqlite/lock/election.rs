//! One process sends what is in an outbox: the one that has a byte of its lock file for itself. The kernel frees it the
//! moment its holder dies, so there are no leases, and no clocks to compare.
//!
//! The lock file is a bell, too. Who puts a report and does not send rings it after the commit, so that what is signals for can
//! be read, and the one that sends watches for that. A process that is killed between the two rings as well, for the kernel
//! then closes its lock file, and closings are watched for. Who stands by is woken by closings alone: the one that sends may
//! have died. By rings it would be at every report of anybody.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::os::file_lock;
use crate::os::file_lock::Sharing;
use crate::os::wakeup::{Change, Descriptor, Watch};
use crate::reporter::outbox::sqlite::error::Failure;
use crate::reporter::outbox::sqlite::file::OutboxPath;

/// The byte of the lock file that the sending process has.
const LEAD_BYTE: i64 = 0;

/// Whether this process sends, and what it notices of the others.
#[derive(Debug)]
pub(crate) struct Election {
    state: Mutex<State>,
    /// Changed by who has the state, and never true without the lock.
    is_sender: AtomicBool,
    watch: Option<Watch>,
}

#[derive(Debug, Default)]
struct State {
    lock: Option<Descriptor>,
    /// Whether the rings of others are heard.
    is_hearing: bool,
}

impl Election {
    /// Without a watch, of which a system has only so many, others are looked for now and then.
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), is_sender: AtomicBool::new(false), watch: Watch::new().ok() }
    }

    /// Tries to be the one that sends.
    pub(crate) fn seek(&self, place: &OutboxPath) -> Result<bool, Failure> {
        let mut state = self.state();
        if !state.lock.as_ref().is_some_and(|lock| is_current(lock, place)) {
            let lock = self.open(place)?;
            self.is_sender.store(false, Ordering::SeqCst);
            *state = State { lock: Some(lock), is_hearing: false };
        }
        if !self.is_sender() {
            let is_free =
                state.lock.as_ref().map(|lock| file_lock::try_lock(lock.file(), LEAD_BYTE, Sharing::Exclusive));
            self.is_sender.store(is_free.transpose()?.unwrap_or(false), Ordering::SeqCst);
        }
        // Before reports are looked for, so that each is either found or signals for.
        if self.is_sender() && !state.is_hearing {
            state.is_hearing = self.watch_for(Change::WrittenOrClosed, place);
        }
        Ok(self.is_sender())
    }

    /// Tells the process that sends, unless it is this one, of a report that was put. To be called after the commit: it looks
    /// at once.
    pub(crate) fn notify(&self, place: &OutboxPath) {
        if self.is_sender() {
            return;
        }
        let mut state = self.state();
        match &state.lock {
            Some(lock) => place.notify(lock.file()),
            None => state.lock = self.open(place).ok(),
        }
    }

    /// The lock file, which is signals: a report may have been put before, for which a file was signals that is no more.
    fn open(&self, place: &OutboxPath) -> Result<Descriptor, Failure> {
        let lock = place.open_lock()?;
        place.notify(lock.file());
        self.watch_for(Change::Closed, place);
        Ok(lock)
    }

    /// Lets others send.
    pub(crate) fn give_up(&self, place: &OutboxPath) {
        let mut state = self.state();
        self.watch_for(Change::Closed, place);
        self.release(&mut state);
    }

    fn release(&self, state: &mut State) {
        // While the lock is held still, so that who gets it finds all that was put without a ring.
        self.is_sender.store(false, Ordering::SeqCst);
        if let Some(lock) = &state.lock {
            file_lock::unlock(lock.file(), LEAD_BYTE).ok();
        }
        // Closed only now, so that those who notice find it unlocked.
        *state = State::default();
    }

    /// From now on for this, and no longer for what was watched for before. False: that cannot be.
    fn watch_for(&self, change: Change, place: &OutboxPath) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.set(&place.beside(".lock"), change).is_ok())
    }

    /// Whether what others put is noticed.
    pub(crate) fn notices(&self) -> bool {
        self.state().is_hearing
    }

    pub(crate) fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(Watch::as_fd)
    }

    pub(crate) fn clear_notice(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::clear)
    }

    fn is_sender(&self) -> bool {
        self.is_sender.load(Ordering::SeqCst)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Election {
    fn drop(&mut self) {
        self.release(&mut self.state());
    }
}

/// Whether the lock is on the file that its path names, which somebody may have removed.
fn is_current(lock: &Descriptor, place: &OutboxPath) -> bool {
    let own = lock.file().metadata();
    let found = fs::metadata(place.beside(".lock"));
    own.is_ok_and(|own| found.is_ok_and(|found| (own.dev(), own.ino()) == (found.dev(), found.ino())))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use crate::conversion::{Channel, Conversion, MessageId};
    use crate::os::wakeup::wait_for_either;
    use crate::reporter::outbox::sqlite::{SqliteOutbox, Terms};
    use crate::reporter::outbox::{Outbox, Overflow};

    /// A folder of its own with an outbox in it, of which each that is opened is as another process has it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = Path::new(env!("OUT_DIR")).join(name);
            std::fs::remove_dir_all(&path).ok();
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn open(&self, survives_power_loss: bool) -> SqliteOutbox {
            let terms = Terms {
                path: &self.0.join("outbox"),
                allow_network: true,
                api_key: "abcd1234",
                base_url: "http://localhost",
                survives_power_loss,
                most: 100,
                overflow: Overflow::Fail,
                busy_timeout: Duration::from_secs(60),
            };
            let outbox = SqliteOutbox::new(&terms).unwrap();
            outbox.snapshot().unwrap();
            outbox
        }

        /// One that sends, and one that stands by.
        fn open_two(&self, survives_power_loss: bool) -> (SqliteOutbox, SqliteOutbox) {
            let (sender, other) = (self.open(survives_power_loss), self.open(survives_power_loss));
            assert!(sender.try_become_sender().unwrap() && !other.try_become_sender().unwrap());
            clear_notice(&[&sender, &other]);
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

    fn clear_notice(outboxes: &[&SqliteOutbox]) {
        for outbox in outboxes {
            outbox.clear_notice();
        }
    }

    fn put(outbox: &SqliteOutbox) {
        let message_id = MessageId::new("id").unwrap();
        outbox.put(&Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }).unwrap();
    }

    /// Whether it would be woken, once.
    fn hears(outbox: &SqliteOutbox) -> bool {
        let is_readable = wait_for_either(outbox.watch().unwrap(), None, Some(Instant::now()));
        assert_eq!(outbox.clear_notice(), is_readable);
        is_readable
    }

    #[test]
    fn who_sends_hears_what_others_put_and_those_who_stand_by_do_not() {
        for survives_power_loss in [false, true] {
            let folder = Folder::new(if survives_power_loss { "signals-power" } else { "signals" });
            let (sender, other) = folder.open_two(survives_power_loss);
            let text = std::fs::read(folder.lock()).unwrap();
            put(&other);
            assert!(hears(&sender) && !hears(&other));
            put(&sender);
            assert!(!hears(&sender) && !hears(&other), "who sends knows of its own");
            let third = folder.open(survives_power_loss);
            put(&third);
            assert!(hears(&sender) && !hears(&other), "before it first seeks");
            assert!(!third.try_become_sender().unwrap());
            clear_notice(&[&sender, &third]);
            put(&third);
            assert!(hears(&sender) && !hears(&other) && !hears(&third));
            drop(third);
            assert!(hears(&sender) && hears(&other), "it may have died before it rang, or while it sent");
            assert!(!text.is_empty() && std::fs::read(folder.lock()).unwrap() == text);
        }
    }

    #[test]
    fn who_takes_the_lead_hears_and_who_gives_it_up_does_not() {
        let folder = Folder::new("passed-on");
        let (first, second) = folder.open_two(false);
        first.step_down();
        assert!(hears(&second) && second.try_become_sender().unwrap());
        clear_notice(&[&first, &second]);
        assert!(!first.notices() && second.notices());
        put(&first);
        assert!(hears(&second) && !hears(&first), "though it has no lock file open");
        assert!(!first.try_become_sender().unwrap());
        put(&second);
        assert!(!hears(&first));
        second.step_down();
        assert!(hears(&first) && first.try_become_sender().unwrap());
        clear_notice(&[&first, &second]);
        put(&second);
        assert!(hears(&first) && !hears(&second));
    }

    #[test]
    fn a_lock_file_without_its_text_is_rung_and_left_as_it_is() {
        for text in ["", "4711\n"] {
            let folder = Folder::new(if text.is_empty() { "no-text" } else { "other-text" });
            let (sender, other) = folder.open_two(false);
            std::fs::write(folder.lock(), text).unwrap();
            clear_notice(&[&sender, &other]);
            put(&other);
            assert!(hears(&sender));
            assert_eq!(std::fs::read_to_string(folder.lock()).unwrap(), text);
        }
    }

    #[test]
    fn what_was_put_while_the_lock_file_was_replaced_is_heard() {
        let folder = Folder::new("replaced");
        let (former, sender) = folder.open_two(false);
        std::fs::rename(folder.lock(), folder.0.join("elsewhere")).unwrap();
        assert!(sender.try_become_sender().unwrap(), "of the new one");
        clear_notice(&[&sender]);
        put(&former);
        assert!(!hears(&sender), "it does not know yet that it leads no more");
        assert!(!former.try_become_sender().unwrap());
        assert!(hears(&sender));
        put(&former);
        assert!(hears(&sender));
    }
}
