//! Lists the connections of the process, so that a forked child can close its copies of them.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::MutexGuard;
use std::time::Duration;

use crate::os;
use crate::sync::{Condvar, Mutex};

/// The maximum time that a fork waits for connections and files that are being opened or closed. A file on a disk that
/// hangs must not block the fork.
const MAX_WAIT: Duration = Duration::from_millis(100);

/// The open connections of this process. This mutex is not locked while a connection is opened or closed, except in the
/// child of a fork, which has no other thread.
static CONNECTIONS: Mutex<Connections> =
    Mutex::new(Connections { open: Vec::new(), changing: 0, is_fork_waiting: false });

/// Notified when `changing` decreases while a fork waits, and when the fork stops waiting.
static CONNECTIONS_CHANGED: Condvar = Condvar::new();

/// The connections and other files that a forked child must close.
pub(super) struct Connections {
    open: Vec<RawFd>,
    /// The number of connections that are being opened or closed.
    changing: usize,
    /// Whether a fork waits until `changing` is 0. Meanwhile, no thread may begin to open or close a connection.
    is_fork_waiting: bool,
}

impl Connections {
    /// Closes all connections in the child of a fork, in which no other thread opens or closes one.
    pub(super) fn close_in_child(&mut self) {
        self.changing = 0;
        self.open.drain(..).for_each(os::close);
    }
}

/// Waits until no connection is being opened or closed, for at most [`MAX_WAIT`], and locks the list. A call that
/// takes longer to open a connection is most likely blocked in the kernel, and has no descriptor yet that a child
/// could inherit.
pub(super) fn lock_for_fork() -> MutexGuard<'static, Connections> {
    let mut connections = CONNECTIONS.lock();
    if connections.changing > 0 {
        connections.is_fork_waiting = true;
        let condition = |connections: &mut Connections| connections.changing > 0;
        connections = CONNECTIONS_CHANGED.wait_timeout_while(connections, MAX_WAIT, condition).0;
        connections.is_fork_waiting = false;
        CONNECTIONS_CHANGED.notify_all();
    }
    connections
}

/// Opens a connection and registers it, so that a forked child closes its copy. The descriptor is above those of the
/// standard streams. A fork in another thread waits for this call, for at most [`MAX_WAIT`].
pub(crate) fn open_connection<C>(open: impl FnOnce() -> io::Result<C>) -> io::Result<C>
where
    C: AsRawFd + From<OwnedFd> + Into<OwnedFd>,
{
    let change = Change::begin(|_| {});
    let connection = os::above_standard(open()?)?;
    CONNECTIONS.lock().open.push(connection.as_raw_fd());
    drop(change);
    Ok(connection)
}

/// Removes `descriptor` from the list and calls `close`, which closes it. A fork in another thread waits for this
/// call, for at most [`MAX_WAIT`].
pub(crate) fn connection_closed(descriptor: RawFd, close: impl FnOnce()) {
    let _change = Change::begin(|open| open.retain(|other| *other != descriptor));
    close();
}

/// A guard that counts a connection as being opened or closed.
struct Change;

impl Change {
    /// Waits until no fork is waiting, calls `change` with the list of connections and begins the change.
    fn begin(change: impl FnOnce(&mut Vec<RawFd>)) -> Self {
        let mut connections = CONNECTIONS.lock();
        while connections.is_fork_waiting {
            connections = CONNECTIONS_CHANGED.wait(connections);
        }
        change(&mut connections.open);
        connections.changing = connections.changing.saturating_add(1);
        Self
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        let mut connections = CONNECTIONS.lock();
        connections.changing = connections.changing.saturating_sub(1);
        if connections.is_fork_waiting {
            CONNECTIONS_CHANGED.notify_all();
        }
    }
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use std::fs::File;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn an_open_that_hangs_blocks_neither_others_nor_a_fork() {
        let ((begin, has_begun), (release, released)) = (channel(), channel::<()>());
        let (end, ended) = channel();
        let hanging = thread::spawn(move || {
            open_connection(|| {
                begin.send(()).unwrap();
                released.recv().ok();
                File::open("/dev/null")
            })
        });
        has_begun.recv().unwrap();
        thread::spawn(move || {
            let file = open_connection(|| File::open("/dev/null")).unwrap();
            connection_closed(file.as_raw_fd(), || ());
            // SAFETY: the child only exits.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: `_exit` ends the child without running exit handlers.
                unsafe { libc::_exit(i32::from(CONNECTIONS.lock().changing > 0)) };
            }
            let mut status = -1;
            // SAFETY: the status outlives the call.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            let after = open_connection(|| File::open("/dev/null")).unwrap();
            connection_closed(after.as_raw_fd(), || ());
            end.send(status).unwrap();
        });
        let status = ended.recv_timeout(Duration::from_secs(60));
        drop(release);
        let file = hanging.join().unwrap().unwrap();
        connection_closed(file.as_raw_fd(), || ());
        assert_eq!(status, Ok(0));
    }
}
