//! Wraps system calls, mostly in safe functions.
#![allow(unsafe_code)]

pub(crate) mod file_lock;
pub(crate) mod file_size;
pub(crate) mod file_status;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod wakeup;

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};
use std::{io, ptr, thread};

use crate::error::is_shortage;

/// The stack size of the library's threads, in bytes. The system's DNS lookup needs the most stack.
const STACK_SIZE: usize = 512 * 1024;

/// Starts a thread with a small stack. Blocks all signals on it, because signals are for the host program. If the
/// thread cannot be created, [`is_shortage`] returns true for the error.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name(name.to_owned()).stack_size(STACK_SIZE);
    let spawned = with_signals_blocked(|| builder.spawn(work).map(drop));
    spawned.map_err(|error| {
        io::Error::new(
            io::ErrorKind::OutOfMemory,
            format!("no thread can be created because memory is short or a limit on processes or threads is reached: {error}"),
        )
    })
}

/// Opens a file for reading, with a descriptor above those of the standard streams.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    File::open(path).and_then(above_standard)
}

/// Makes the kernel start to write the changes of a file to the disk, without waiting until they are written. If this
/// fails, the next flush takes longer, and returns the error if there is one.
pub(crate) fn start_writeback(file: &File) {
    // SAFETY: the file is open. A length of 0 means the rest of the file.
    unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
}

/// Tries to open a file. Returns the error if this fails because the process or the system lacks descriptors or memory.
pub(crate) fn descriptor_shortage() -> Option<io::Error> {
    open_to_read(Path::new("/dev/null")).err().filter(is_shortage)
}

/// Returns `file` with a descriptor above those of standard input, output and error. A host program may run with one of
/// these closed, and what it prints must not reach a file or a connection of the library.
pub(crate) fn above_standard<F: From<OwnedFd> + Into<OwnedFd>>(file: F) -> io::Result<F> {
    let descriptor: OwnedFd = file.into();
    // `try_clone` never returns a descriptor below 3.
    if descriptor.as_raw_fd() <= libc::STDERR_FILENO {
        descriptor.try_clone().map(F::from)
    } else {
        Ok(descriptor.into())
    }
}

/// Runs `action` with all signals blocked. A thread that `action` starts keeps them blocked.
fn with_signals_blocked<T>(action: impl FnOnce() -> T) -> T {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are local and outlive the calls. The call that reads `all` initializes `before` if it succeeds.
    let is_blocked = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) == 0
    };
    let result = action();
    if is_blocked {
        // SAFETY: the call above succeeded, so `before` is initialized.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    }
    result
}

/// Defers `pthread_cancel` of this thread until the value is dropped. glibc cancels a thread with an exception, which
/// must not reach the code that catches panics.
pub(crate) struct Uncancellable(libc::c_int);

impl Uncancellable {
    pub(crate) fn begin() -> Self {
        let mut before = ENABLE;
        // SAFETY: the call changes only this thread's own state, and `before` outlives the call.
        unsafe { pthread_setcancelstate(DISABLE, &raw mut before) };
        Self(before)
    }
}

impl Drop for Uncancellable {
    fn drop(&mut self) {
        // SAFETY: the call changes only this thread's own state, and NULL means that the previous state is not needed.
        unsafe { pthread_setcancelstate(self.0, ptr::null_mut()) };
    }
}

/// The values of `PTHREAD_CANCEL_ENABLE` and `PTHREAD_CANCEL_DISABLE` in glibc and musl. The libc crate lacks them.
const ENABLE: libc::c_int = 0;
const DISABLE: libc::c_int = 1;

unsafe extern "C" {
    fn pthread_setcancelstate(state: libc::c_int, before: *mut libc::c_int) -> libc::c_int;
}

/// Returns a number, initially 0, that the kernel resets to 0 in each child that has its own copy of the memory, even
/// if no fork handler runs. Returns None if the kernel cannot do this because it is older than Linux 4.14, or if
/// memory is short.
pub(crate) fn wiped_in_children() -> Option<&'static AtomicU32> {
    const SIZE: usize = size_of::<AtomicU32>();
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the kernel chooses a free address for the mapping and rounds the size up to a page.
    let page = unsafe { libc::mmap(ptr::null_mut(), SIZE, access, kind, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the page was just mapped.
    if unsafe { libc::madvise(page, SIZE, libc::MADV_WIPEONFORK) } != 0 {
        // SAFETY: nothing refers to the page.
        unsafe { libc::munmap(page, SIZE) };
        return None;
    }
    // SAFETY: the page is large enough, aligned, initialized by the system and never unmapped.
    Some(unsafe { &*page.cast::<AtomicU32>() })
}

/// Registers three functions that run at every later call of `fork`: before it, and after it in the parent and in the
/// child.
pub(crate) fn at_fork(before: extern "C" fn(), in_parent: extern "C" fn(), in_child: extern "C" fn()) {
    // SAFETY: the functions are never unloaded, because the library is linked with `nodelete`. If the system has no
    // memory to register them, `fork::is_sound` returns false in a child, which then cannot use the library.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
}

/// Closes a descriptor, which nothing else in this process may use.
pub(crate) fn close(descriptor: RawFd) {
    // SAFETY: the caller guarantees that the descriptor is not used elsewhere in this process.
    unsafe { libc::close(descriptor) };
}

/// Returns the time since boot, including sleep.
pub(crate) fn uptime() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: `time` is large enough for the output, and all zeroes are a valid value.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_BOOTTIME, time.as_mut_ptr());
        time.assume_init()
    };
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A condition to wait for on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Bytes or the end of the stream can be read.
    Read,
    /// Bytes can be written, or the connection is established.
    Write,
}

impl Readiness {
    fn events(self) -> libc::c_short {
        match self {
            Self::Read => libc::POLLIN,
            Self::Write => libc::POLLOUT,
        }
    }
}

/// Waits until `connection` is ready or has an error. Returns false if `deadline` expired first.
pub(crate) fn wait(connection: BorrowedFd<'_>, readiness: Readiness, deadline: Option<Instant>) -> io::Result<bool> {
    let events = readiness.events();
    let mut poll = libc::pollfd { fd: connection.as_raw_fd(), events, revents: 0 };
    loop {
        // SAFETY: one descriptor is passed, and it is borrowed for the duration of the call.
        let ready = unsafe { libc::poll(&raw mut poll, 1, milliseconds_until(deadline)) };
        match ready {
            0 if deadline.is_some_and(|deadline| Instant::now() >= deadline) => return Ok(false),
            1.. => return Ok(true),
            // The loop continues if a signal interrupted the wait or if the wait ended before the deadline.
            _ => ignore_interruption(ready)?,
        }
    }
}

/// Waits until one of `connections` is ready or has an error, and returns its index. Returns None if `deadline` expired
/// first.
pub(crate) fn wait_for_any(
    connections: &[BorrowedFd<'_>],
    readiness: Readiness,
    deadline: Option<Instant>,
) -> io::Result<Option<usize>> {
    let events = readiness.events();
    let mut polls: Vec<_> =
        connections.iter().map(|connection| libc::pollfd { fd: connection.as_raw_fd(), events, revents: 0 }).collect();
    let count = libc::nfds_t::try_from(polls.len()).unwrap_or(0);
    loop {
        // SAFETY: `count` descriptors are passed, and they are borrowed for the duration of the call.
        let ready = unsafe { libc::poll(polls.as_mut_ptr(), count, milliseconds_until(deadline)) };
        match ready {
            0 if deadline.is_some_and(|deadline| Instant::now() >= deadline) => return Ok(None),
            1.. => return Ok(polls.iter().position(|poll| poll.revents != 0)),
            // The loop continues if a signal interrupted the wait or if the wait ended before the deadline.
            _ => ignore_interruption(ready)?,
        }
    }
}

fn ignore_interruption(result: libc::c_int) -> io::Result<()> {
    let error = io::Error::last_os_error();
    if result >= 0 || error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}

/// Reads the data that has arrived on `connection`, without waiting. With `peek`, the data stays available for the next
/// read.
pub(crate) fn read_at_once(connection: BorrowedFd<'_>, buffer: &mut [u8], peek: bool) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | if peek { libc::MSG_PEEK } else { 0 };
    // SAFETY: the buffer is borrowed for the duration of the call, and its length is passed.
    let read = unsafe { libc::recv(connection.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}

/// Writes as much as `connection` accepts without waiting. Does not raise SIGPIPE if the peer has closed the
/// connection.
pub(crate) fn write_at_once(connection: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the bytes are borrowed for the duration of the call, and their length is passed.
    let written = unsafe { libc::send(connection.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
    usize::try_from(written).map_err(|_| io::Error::last_os_error())
}

/// Returns the timeout for `poll` in milliseconds, rounded up, or -1 if there is no deadline. The wait may end
/// shortly before the deadline, because fractions of a microsecond are ignored.
fn milliseconds_until(deadline: Option<Instant>) -> libc::c_int {
    let Some(deadline) = deadline else {
        return -1;
    };
    let left = deadline.saturating_duration_since(Instant::now());
    libc::c_int::try_from(left.as_micros().div_ceil(1000)).unwrap_or(libc::c_int::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_library_thread_blocks_all_signals() {
        let (sender, receiver) = channel();
        let blocked_here = is_blocked(libc::SIGTERM);
        spawn("test", move || sender.send(is_blocked(libc::SIGTERM)).unwrap()).unwrap();
        assert!(receiver.recv().unwrap());
        assert_eq!(is_blocked(libc::SIGTERM), blocked_here);
    }

    fn is_blocked(signal: libc::c_int) -> bool {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `set` is local; with NULL as its second argument, the call only reads the mask.
        unsafe {
            assert_eq!(libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), set.as_mut_ptr()), 0);
            libc::sigismember(set.as_ptr(), signal) == 1
        }
    }

    #[test]
    fn a_wait_reports_readiness_or_the_deadline() {
        let (stream, _peer) = connection();
        assert!(wait(stream.as_fd(), Readiness::Write, None).unwrap());
        assert!(!wait(stream.as_fd(), Readiness::Read, Some(Instant::now())).unwrap());
        while write_at_once(stream.as_fd(), &[0; 64 * 1024]).is_ok() {}
        assert!(!wait(stream.as_fd(), Readiness::Write, Some(Instant::now())).unwrap());
    }

    #[test]
    fn nonblocking_calls_never_wait() {
        let (stream, peer) = connection();
        let mut byte = [0];
        let nothing = read_at_once(stream.as_fd(), &mut byte, false).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(write_at_once(peer.as_fd(), b"x").unwrap(), 1);
        stream.peek(&mut byte).unwrap();
        assert_eq!(read_at_once(stream.as_fd(), &mut byte, true).unwrap(), 1);
        assert_eq!((read_at_once(stream.as_fd(), &mut byte, false).unwrap(), byte), (1, [b'x']));
        drop(peer);
        stream.peek(&mut byte).unwrap();
        assert_eq!(read_at_once(stream.as_fd(), &mut byte, false).unwrap(), 0);
    }

    fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (stream, listener.accept().unwrap().0)
    }
}
