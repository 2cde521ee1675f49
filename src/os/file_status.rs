//! Reads the status of files without following symbolic links.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The identity, the number of links and the length of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) links: u64,
    pub(crate) length: u64,
}

impl Status {
    /// Returns the status of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let mut result = MaybeUninit::<libc::stat64>::uninit();
        // SAFETY: the descriptor is open, and `result` is large enough for the output.
        let code = unsafe { libc::fstat64(file.as_raw_fd(), result.as_mut_ptr()) };
        Self::from_result(code, &result)
    }

    /// Returns the status of the file at an absolute path.
    pub(crate) fn at(path: &CStr) -> io::Result<Self> {
        status_at(libc::AT_FDCWD, path)
    }

    fn from_result(code: libc::c_int, result: &MaybeUninit<libc::stat64>) -> io::Result<Self> {
        if code != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so `result` is initialized.
        let found = unsafe { result.assume_init_ref() };
        Ok(Self {
            device: found.st_dev,
            inode: found.st_ino,
            // `st_nlink` has 32 or 64 bits.
            #[allow(clippy::useless_conversion)]
            links: u64::from(found.st_nlink),
            length: u64::try_from(found.st_size).unwrap_or(0),
        })
    }
}

/// An open directory, which stays accessible when its path changes, even after `chroot`.
#[derive(Debug)]
pub(crate) struct Directory(File);

impl Directory {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
        File::options().read(true).custom_flags(flags).open(path).and_then(super::above_standard).map(Self)
    }

    /// Returns the status of a file in the directory.
    pub(crate) fn status(&self, name: &CStr) -> io::Result<Status> {
        status_at(self.0.as_raw_fd(), name)
    }
}

fn status_at(directory: libc::c_int, name: &CStr) -> io::Result<Status> {
    let mut result = MaybeUninit::<libc::stat64>::uninit();
    // SAFETY: the name ends with NUL, and `result` is large enough for the output.
    let code = unsafe { libc::fstatat64(directory, name.as_ptr(), result.as_mut_ptr(), libc::AT_SYMLINK_NOFOLLOW) };
    Status::from_result(code, &result)
}

/// Returns whether a file is a mount point, for example in a container, and so has another name elsewhere. Returns
/// false if the system does not report this.
pub(crate) fn is_mount_point(path: &Path) -> bool {
    /// The offsets of `stx_attributes` and `stx_attributes_mask` in `struct statx`, in 64-bit words.
    const ATTRIBUTES: usize = 1;
    const KNOWN: usize = 7;
    const MOUNT_ROOT: u64 = 0x2000;
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return false;
    };
    let mut result = [0_u64; 32];
    // SAFETY: the path ends with NUL, and the result has the 256 bytes of the struct.
    let code = unsafe {
        libc::syscall(libc::SYS_statx, libc::AT_FDCWD, path.as_ptr(), libc::AT_SYMLINK_NOFOLLOW, 0, result.as_mut_ptr())
    };
    code == 0 && result[KNOWN] & result[ATTRIBUTES] & MOUNT_ROOT != 0
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn status_of_a_path_and_of_its_open_file_agree() {
        let folder = PathBuf::from(env!("OUT_DIR"));
        let (path, link) = (folder.join("status"), folder.join("status-link"));
        fs::remove_file(&link).ok();
        fs::write(&path, b"12345").unwrap();
        let (directory, file) = (Directory::open(&folder).unwrap(), File::open(&path).unwrap());
        let status = Status::of(&file).unwrap();
        assert_eq!((status.links, status.length), (1, 5));
        assert_eq!(directory.status(c"status").unwrap(), status);
        fs::hard_link(&path, &link).unwrap();
        assert_eq!(
            (Status::of(&file).unwrap().links, directory.status(c"status-link").unwrap().inode),
            (2, status.inode)
        );
        fs::remove_file(&link).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(directory.status(c"status").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(Status::of(&file).unwrap().links, 0);
    }

    #[test]
    fn mount_points_are_recognized() {
        assert!(is_mount_point(Path::new("/proc")) && !is_mount_point(Path::new(env!("OUT_DIR"))));
        assert!(!is_mount_point(Path::new("/nonexistent")));
    }
}
