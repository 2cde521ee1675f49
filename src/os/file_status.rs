//! Reads the status of files without following a symbolic link at the end of a path.

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

/// `struct statx` of the kernel.
#[repr(C)]
struct Statx {
    mask: u32,
    block_size: u32,
    attributes: u64,
    links: u32,
    owner: [u32; 2],
    mode: [u16; 2],
    inode: u64,
    length: u64,
    blocks: u64,
    attributes_mask: u64,
    times: [u64; 8],
    device_of_special_file: [u32; 2],
    device: [u32; 2],
    reserved: [u64; 14],
}

/// Properties of a file, in the mask of [`Statx`].
const LINKS: u32 = 0x4;
const INODE: u32 = 0x100;
const LENGTH: u32 = 0x200;

impl Status {
    /// Returns the status of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let descriptor = file.as_raw_fd();
        Self::read(descriptor, c"", libc::AT_EMPTY_PATH).or_else(|_| {
            let mut result = MaybeUninit::<libc::stat64>::uninit();
            // SAFETY: the descriptor is open, and `result` is large enough for the output.
            let code = unsafe { libc::fstat64(descriptor, result.as_mut_ptr()) };
            Self::from_result(code, &result)
        })
    }

    /// Returns the status of the file at an absolute path.
    pub(crate) fn at(path: &CStr) -> io::Result<Self> {
        Self::in_directory(libc::AT_FDCWD, path)
    }

    fn in_directory(directory: libc::c_int, name: &CStr) -> io::Result<Self> {
        match Self::read(directory, name, libc::AT_SYMLINK_NOFOLLOW) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let flags = libc::AT_SYMLINK_NOFOLLOW;
                let mut result = MaybeUninit::<libc::stat64>::uninit();
                // SAFETY: the name ends with NUL, and `result` is large enough for the output.
                let code = unsafe { libc::fstatat64(directory, name.as_ptr(), result.as_mut_ptr(), flags) };
                Self::from_result(code, &result)
            }
            other => other,
        }
    }

    /// Reads the status without the times of the file. After a program has read the times, the next write to the file
    /// must record a new time, which makes that write half as fast on ext4. Fails if the system does not provide
    /// `statx`.
    fn read(directory: libc::c_int, name: &CStr, flags: libc::c_int) -> io::Result<Self> {
        let mut result = MaybeUninit::uninit();
        let found = statx(directory, name, flags, LINKS | INODE | LENGTH, &mut result)?;
        let [major, minor] = found.device;
        let (inode, links, length) = (found.inode, u64::from(found.links), found.length);
        // `makedev` is unsafe on some systems.
        #[allow(unused_unsafe)]
        // SAFETY: the call has no requirements.
        Ok(Self { device: unsafe { libc::makedev(major, minor) }, inode, links, length })
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

/// Calls `statx`, and returns the result in place, because it has 256 bytes.
fn statx<'a>(
    directory: libc::c_int,
    name: &CStr,
    flags: libc::c_int,
    mask: u32,
    result: &'a mut MaybeUninit<Statx>,
) -> io::Result<&'a Statx> {
    // SAFETY: the name ends with NUL, and the result has the 256 bytes of the struct.
    let code = unsafe { libc::syscall(libc::SYS_statx, directory, name.as_ptr(), flags, mask, result.as_mut_ptr()) };
    if code != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the whole struct is initialized.
    Ok(unsafe { result.assume_init_ref() })
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
        Status::in_directory(self.0.as_raw_fd(), name)
    }
}

/// Returns whether a file is a mount point, for example in a container, and so has another name elsewhere. Returns
/// false if the system does not report this.
pub(crate) fn is_mount_point(path: &Path) -> bool {
    const MOUNT_ROOT: u64 = 0x2000;
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return false;
    };
    let mut result = MaybeUninit::uninit();
    statx(libc::AT_FDCWD, &path, libc::AT_SYMLINK_NOFOLLOW, 0, &mut result)
        .is_ok_and(|found| found.attributes_mask & found.attributes & MOUNT_ROOT != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
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
        let found = fs::metadata(&path).unwrap();
        assert_eq!((status.device, status.inode), (found.dev(), found.ino()));
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
