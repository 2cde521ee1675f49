//! Wakes threads on notifications within a process, and when any process changes a file.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use super::{close, fork, ignore_interruption, milliseconds_until};

/// A descriptor that is closed in a forked child.
#[derive(Debug)]
pub(crate) struct Descriptor(ManuallyDrop<File>);

impl Descriptor {
    /// Takes ownership of the descriptor that `open` opens.
    pub(crate) fn open(open: impl FnOnce() -> io::Result<File>) -> io::Result<Self> {
        fork::open_connection(open).map(|file| Self(ManuallyDrop::new(file)))
    }

    /// Returns the open file.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        let descriptor = self.0.as_raw_fd();
        fork::connection_closed(descriptor, || close(descriptor));
    }
}

/// A descriptor that is readable after `notify` until `clear`. Writing to it never raises SIGPIPE.
#[derive(Debug)]
pub(crate) struct Wakeup(Descriptor);

impl Wakeup {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: the call takes no pointers.
        Descriptor::open(|| owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })).map(Self)
    }

    pub(crate) fn notify(&self) {
        // The write fails only if the descriptor is already readable.
        self.0.file().write_all(&1_u64.to_ne_bytes()).ok();
    }

    pub(crate) fn clear(&self) {
        self.0.file().read_exact(&mut [0; 8]).ok();
    }
}

impl AsFd for Wakeup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.file().as_fd()
    }
}

/// The size of an inotify event without a name, in bytes, and the bytes of it that hold the mask.
const EVENT_SIZE: usize = 16;
const MASK_BYTES: std::ops::Range<usize> = 4..8;

/// Watches files for changes that any process makes.
#[derive(Debug)]
pub(crate) struct Watch(Descriptor);

/// The changes for which a file is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The file was removed or renamed, gained or lost another name, or its metadata, such as its mode, changed.
    Renamed,
    /// One of the changes of [`Change::Renamed`], or a process read the file, or closed it after opening it for
    /// writing.
    Closed,
    /// One of the changes of [`Change::Closed`], or the file was written or truncated.
    WrittenOrClosed,
}

impl Change {
    fn mask(self) -> u32 {
        const RENAMED: u32 = libc::IN_ATTRIB | libc::IN_MOVE_SELF | libc::IN_DELETE_SELF;
        const CLOSED: u32 = RENAMED | libc::IN_ACCESS | libc::IN_CLOSE_WRITE;
        match self {
            Self::Renamed => RENAMED,
            Self::Closed => CLOSED,
            Self::WrittenOrClosed => CLOSED | libc::IN_MODIFY,
        }
    }
}

/// What a watch has noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Noticed(u32);

impl Noticed {
    /// Returns whether a process closed a file that it had opened for writing.
    pub(crate) fn is_closed(self) -> bool {
        self.0 & libc::IN_CLOSE_WRITE != 0
    }

    /// Returns whether there was a change other than a write or truncation.
    pub(crate) fn is_more_than_written(self) -> bool {
        self.0 & !libc::IN_MODIFY != 0
    }
}

impl Watch {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: the call takes no pointers.
        Descriptor::open(|| owned(unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) })).map(Self)
    }

    /// Watches the file at `path` for `change`. Replaces the change for which this file was watched before. Other files
    /// stay watched.
    pub(crate) fn set(&self, path: &Path, change: Change) -> io::Result<()> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        let mask = change.mask() | libc::IN_DONT_FOLLOW;
        // SAFETY: the path ends with NUL and outlives the call.
        let watched = unsafe { libc::inotify_add_watch(self.0.file().as_raw_fd(), path.as_ptr(), mask) };
        if watched < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Discards the pending notifications and returns the changes that they reported.
    pub(crate) fn clear(&self) -> Noticed {
        let (mut events, mut noticed) = ([0; 4096], 0);
        while let Ok(count @ 1..) = self.0.file().read(&mut events) {
            // Only files are watched, so no event is followed by a name.
            for event in events.get(..count).unwrap_or_default().chunks_exact(EVENT_SIZE) {
                let mask = event.get(MASK_BYTES).and_then(|bytes| bytes.try_into().ok());
                noticed |= mask.map_or(0, u32::from_ne_bytes);
            }
        }
        Noticed(noticed)
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.file().as_fd()
    }
}

/// Takes ownership of `descriptor`, the result of a call that opens one. Returns the system's error if the call failed.
fn owned(descriptor: RawFd) -> io::Result<File> {
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just opened and has no other owner.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// Waits until `first` or `second` is readable. Returns false if `deadline` expired first or the wait failed.
pub(crate) fn wait_for_either(
    first: BorrowedFd<'_>,
    second: Option<BorrowedFd<'_>>,
    deadline: Option<Instant>,
) -> bool {
    let poll = |descriptor| libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // `poll` ignores negative descriptors.
    let mut both = [poll(first.as_raw_fd()), poll(second.map_or(-1, |second| second.as_raw_fd()))];
    loop {
        // SAFETY: `both` has two elements, and their descriptors are borrowed for the duration of the call or negative.
        let ready = unsafe { libc::poll(both.as_mut_ptr(), 2, milliseconds_until(deadline)) };
        let is_over = ready > 0 || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_over || ignore_interruption(ready).is_err() {
            return ready > 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
        wait_for_either(descriptor, None, Some(Instant::now()))
    }

    #[test]
    fn a_wakeup_is_readable_until_it_is_cleared() {
        let wakeup = Wakeup::new().unwrap();
        assert!(!is_readable(wakeup.as_fd()));
        wakeup.notify();
        wakeup.notify();
        assert!(is_readable(wakeup.as_fd()));
        wait_for_either(wakeup.as_fd(), None, None);
        wakeup.clear();
        assert!(!is_readable(wakeup.as_fd()));
        wakeup.clear();
        wait_for_either(wakeup.as_fd(), None, Some(Instant::now() + Duration::from_millis(1)));
    }

    #[test]
    fn a_watch_distinguishes_writing_from_closing() {
        let path = std::path::PathBuf::from(env!("OUT_DIR")).join("watched");
        let mut file = File::create(&path).unwrap();
        let (both, closing) = (Watch::new().unwrap(), Watch::new().unwrap());
        both.set(&path, Change::WrittenOrClosed).unwrap();
        closing.set(&path, Change::Closed).unwrap();
        file.write_all(b"x").unwrap();
        assert!(is_readable(both.as_fd()) && !is_readable(closing.as_fd()));
        assert!(both.clear() != Noticed::default() && !is_readable(both.as_fd()) && both.clear() == Noticed::default());
        // Each call replaces the change for which the file was watched.
        both.set(&path, Change::Closed).unwrap();
        closing.set(&path, Change::WrittenOrClosed).unwrap();
        file.write_all(b"x").unwrap();
        assert!(!is_readable(both.as_fd()) && is_readable(closing.as_fd()));
        assert!(!closing.clear().is_more_than_written());
        drop(file);
        assert!(is_readable(both.as_fd()) && is_readable(closing.as_fd()));
        assert!(both.clear().is_closed() && closing.clear().is_more_than_written());
        std::fs::read(&path).unwrap();
        assert!(both.clear().is_more_than_written() && !closing.clear().is_closed());
        assert!(closing.set(Path::new("/nowhere/at/all"), Change::Closed).is_err());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_watch_notices_other_names_of_a_file_but_not_its_content() {
        let folder = std::path::PathBuf::from(env!("OUT_DIR"));
        let [path, other] = ["watched-name", "watched-other-name"].map(|name| folder.join(name));
        std::fs::remove_file(&other).ok();
        let watch = Watch::new().unwrap();
        let mut file = File::create(&path).unwrap();
        watch.set(&path, Change::Renamed).unwrap();
        file.write_all(b"x").unwrap();
        file.set_len(0).unwrap();
        drop(file);
        std::fs::read(&path).unwrap();
        assert_eq!(watch.clear(), Noticed::default());
        std::fs::hard_link(&path, &other).unwrap();
        assert!(watch.clear().is_more_than_written());
        std::fs::remove_file(&other).unwrap();
        assert!(watch.clear().is_more_than_written());
        std::fs::rename(&path, &other).unwrap();
        assert!(watch.clear().is_more_than_written());
        std::fs::remove_file(&other).unwrap();
        assert!(watch.clear().is_more_than_written());
    }
}
