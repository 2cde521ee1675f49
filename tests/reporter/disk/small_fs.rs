//! A small file system in memory. Only the thread that mounts it, and its child threads and processes, can see it.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;

use crate::common::Folder;

pub(crate) struct SmallFileSystem(Folder);

impl SmallFileSystem {
    /// Creates a file system of this size. If it cannot be mounted, usually because the test does not run as root,
    /// prints to standard error that the test is skipped, and returns `None`.
    pub(crate) fn of(kilobytes: u32) -> Option<Self> {
        let folder = Folder::new();
        match mount(folder.path(), 0, &format!("size={kilobytes}k")) {
            Ok(()) => Some(Self(folder)),
            Err(error) => {
                let test = std::thread::current().name().unwrap_or_default().to_owned();
                #[allow(clippy::explicit_write, reason = "the harness hides the output of a test that passes")]
                writeln!(io::stderr(), "SKIPPED: {test}, because no file system can be mounted: {error}").unwrap();
                None
            }
        }
    }

    pub(crate) fn outbox(&self) -> PathBuf {
        self.0.outbox()
    }

    /// Makes the file system read-only. Returns an error while a file on it is open for writing.
    pub(crate) fn make_read_only(&self) -> io::Result<()> {
        mount(self.0.path(), libc::MS_REMOUNT | libc::MS_RDONLY, "")
    }

    pub(crate) fn make_writable(&self) {
        mount(self.0.path(), libc::MS_REMOUNT, "").unwrap();
    }

    /// Creates a file that uses all free space.
    pub(crate) fn fill(&self) -> PathBuf {
        let path = self.0.path().join("filling");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        path
    }
}

impl Drop for SmallFileSystem {
    fn drop(&mut self) {
        let path = text(self.0.path());
        // SAFETY: the path ends with NUL and outlives the call.
        unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
    }
}

fn text(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

/// Mounts a file system in a new mount namespace of this thread, so nothing is left behind even if the test fails. If
/// `flags` is not 0, instead remounts the file system that is mounted at `path`.
fn mount(path: &Path, flags: libc::c_ulong, data: &str) -> io::Result<()> {
    let (path, data) = (text(path), CString::new(data).unwrap());
    // SAFETY: all texts end with NUL and outlive the calls. `mount` ignores the arguments that are NULL here.
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
