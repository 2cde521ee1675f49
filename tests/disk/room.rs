//! A small file system of its own, in memory, which the thread that mounts it and those that it starts see alone.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;

use crate::common::Folder;

pub(crate) struct Room(Folder);

impl Room {
    /// One of so many KiB. Without the right to mount there is none, which is said past the test harness.
    pub(crate) fn of(kilobytes: u32) -> Option<Self> {
        let folder = Folder::new();
        match mount(folder.path(), 0, &format!("size={kilobytes}k")) {
            Ok(()) => Some(Self(folder)),
            Err(error) => {
                let test = std::thread::current().name().unwrap_or_default().to_owned();
                #[allow(clippy::explicit_write, reason = "what a test prints is not shown when it passes")]
                writeln!(io::stderr(), "LEFT OUT: {test}, for no file system can be mounted here: {error}").unwrap();
                None
            }
        }
    }

    pub(crate) fn outbox(&self) -> PathBuf {
        self.0.outbox()
    }

    /// An error while something on it is open for writing.
    pub(crate) fn make_read_only(&self) -> io::Result<()> {
        mount(self.0.path(), libc::MS_REMOUNT | libc::MS_RDONLY, "")
    }

    pub(crate) fn make_writable(&self) {
        mount(self.0.path(), libc::MS_REMOUNT, "").unwrap();
    }

    /// A file that takes up all room that is left.
    pub(crate) fn fill(&self) -> PathBuf {
        let path = self.0.path().join("filling");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        path
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let path = text(self.0.path());
        // SAFETY: the path ends with NUL and outlives the call.
        unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
    }
}

fn text(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

/// Mounts in a name space of this thread's own, so that nothing is left behind however the test ends.
fn mount(path: &Path, flags: libc::c_ulong, data: &str) -> io::Result<()> {
    let (path, data) = (text(path), CString::new(data).unwrap());
    // SAFETY: all texts end with NUL and outlive the calls; the others take no memory.
    unsafe {
        if flags == 0 {
            done(libc::unshare(libc::CLONE_NEWNS))?;
            let private = libc::MS_PRIVATE | libc::MS_REC;
            done(libc::mount(ptr::null(), c"/".as_ptr(), ptr::null(), private, ptr::null()))?;
        }
        let kind = c"tmpfs".as_ptr();
        done(libc::mount(kind, path.as_ptr(), kind, flags, data.as_ptr().cast()))
    }
}

fn done(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
