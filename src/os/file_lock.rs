//! Opens and checks files that several processes share, locks bytes of them, and recognizes network file systems.

use std::ffi::{CString, c_char};
use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::file_status::is_mount_point;

/// Whether a lock can be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Any number of shared locks can be held at once.
    Shared,
    /// No other lock can be held at the same time.
    Exclusive,
}

/// Opens `path`, or creates it with mode 0600. Fails if `is_new` is set and the file exists, or if the file is not
/// private as described at [`check_private`].
pub(crate) fn open_private(path: &Path, is_new: bool) -> io::Result<File> {
    let mut options = private_options();
    if is_new {
        options.create_new(true)
    } else {
        options.create(true)
    };
    options.open(path).and_then(super::above_standard).and_then(|file| check_private(file, path))
}

/// Like [`open_private`], but fails if the file does not exist.
pub(crate) fn open_existing_private(path: &Path) -> io::Result<File> {
    private_options().open(path).and_then(super::above_standard).and_then(|file| check_private(file, path))
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
    options
}

/// Returns `file` if it is a regular file that only this user can write to and that has no other name.
fn check_private(file: File, path: &Path) -> io::Result<File> {
    let found = file.metadata()?;
    // SAFETY: the call has no requirements.
    let user = unsafe { libc::geteuid() };
    let problem = if !found.is_file() {
        "is not a regular file".to_owned()
    } else if found.uid() != user {
        format!(
            "belongs to user {}, and this process runs as user {user}; run as the owner, or use another path",
            found.uid()
        )
    } else if found.mode() & 0o022 != 0 {
        "can be written by others; remove their permission (chmod go-w)".to_owned()
    } else if found.nlink() > 1 {
        "has a second name (a hard link), by which another process could damage it; remove one of the names".to_owned()
    } else if is_mount_point(path) {
        "is a mount point, so it has a second name; mount its directory instead".to_owned()
    } else {
        return Ok(file);
    };
    Err(io::Error::other(format!("{} {problem}", path.display())))
}

/// Calls `open64`. Like [`open_private`], never returns a descriptor of standard input, output or error. Does not
/// check the file.
///
/// # Safety
///
/// Same as for `open`.
pub(crate) unsafe extern "C" fn open(path: *const c_char, flags: libc::c_int, mode: libc::mode_t) -> libc::c_int {
    // SAFETY: the caller guarantees that the arguments are valid.
    let opened = unsafe { libc::open64(path, flags, mode) };
    if opened < 0 {
        return opened;
    }
    // SAFETY: the descriptor was just opened and has no other owner.
    let file = unsafe { OwnedFd::from_raw_fd(opened) };
    super::above_standard(file).map_or(-1, OwnedFd::into_raw_fd)
}

/// Replaces `fchown` and changes nothing. A process only uses files that its user owns, and setting the same owner
/// again would notify every process that watches the file.
pub(crate) extern "C" fn keep_owner(_: libc::c_int, _: libc::uid_t, _: libc::gid_t) -> libc::c_int {
    0
}

/// Locks one byte of `file`. Returns false if another open file description holds a conflicting lock. The lock belongs
/// to the open file description. The kernel releases it when that description is closed, even if the process is killed,
/// but not when another descriptor of the same file is closed.
pub(crate) fn try_lock(file: &File, byte: i64, sharing: Sharing) -> io::Result<bool> {
    let kind = match sharing {
        Sharing::Shared => libc::F_RDLCK,
        Sharing::Exclusive => libc::F_WRLCK,
    };
    match set_lock(file, byte, kind) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        other => other.map(|()| true),
    }
}

/// Releases the lock of one byte.
pub(crate) fn unlock(file: &File, byte: i64) -> io::Result<()> {
    set_lock(file, byte, libc::F_UNLCK)
}

/// Returns whether another open file description holds a lock of any kind on one of the `count` bytes that begin at
/// `start`.
pub(crate) fn is_locked_elsewhere(file: &File, start: i64, count: i64) -> io::Result<bool> {
    let mut lock = lock_of(start, count, libc::F_WRLCK);
    call_fcntl(file, libc::F_OFD_GETLK, &mut lock)?;
    Ok(libc::c_int::from(lock.l_type) != libc::F_UNLCK)
}

/// The number of the `fcntl` system call. With 32-bit pointers, the struct that glibc's `fcntl` expects for these locks
/// depends on the glibc version that the program was linked against; the kernel always accepts the struct with 64-bit
/// offsets.
#[cfg(target_pointer_width = "32")]
const FCNTL: libc::c_long = libc::SYS_fcntl64;
#[cfg(not(target_pointer_width = "32"))]
const FCNTL: libc::c_long = libc::SYS_fcntl;

fn set_lock(file: &File, byte: i64, kind: libc::c_int) -> io::Result<()> {
    call_fcntl(file, libc::F_OFD_SETLK, &mut lock_of(byte, 1, kind))
}

fn lock_of(start: i64, count: i64, kind: libc::c_int) -> libc::flock64 {
    libc::flock64 {
        l_type: libc::c_short::try_from(kind).unwrap_or_default(),
        l_whence: libc::c_short::try_from(libc::SEEK_SET).unwrap_or_default(),
        l_start: start,
        l_len: count,
        l_pid: 0,
    }
}

fn call_fcntl(file: &File, command: libc::c_int, lock: &mut libc::flock64) -> io::Result<()> {
    // SAFETY: the descriptor is open, and the struct outlives the call.
    match unsafe { lock_by_system_call(file.as_raw_fd(), command, lock) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The maximum number of attempts to release a lock.
const MAX_UNLOCKS: u8 = 10;

/// Calls `fcntl`. Repeats a failed release of a lock, because SQLite ignores the error, and the lock would block other
/// processes until the file is closed.
///
/// # Safety
///
/// Same as for `fcntl`.
unsafe fn lock_by_system_call(file: libc::c_int, command: libc::c_int, lock: &mut libc::flock64) -> libc::c_long {
    let tries = if libc::c_int::from(lock.l_type) == libc::F_UNLCK { MAX_UNLOCKS } else { 1 };
    // SAFETY: the struct outlives the calls.
    let mut results = (0..tries).map(|_| unsafe { libc::syscall(FCNTL, file, command, &raw mut *lock) });
    results.find(|result| *result >= 0).unwrap_or(-1)
}

/// Calls `fcntl`, but replaces `F_GETLK` and `F_SETLK`, which concern locks of the process, with the commands for
/// locks of the open file description. A lock of the process does not exclude other users of the file in the same
/// process, and is released when any of them closes the file.
///
/// # Safety
///
/// Same as for `fcntl`. For `F_GETLK` and `F_SETLK`, `argument` must be a pointer to a `flock64`.
pub(crate) unsafe extern "C" fn fcntl(file: libc::c_int, command: libc::c_int, argument: usize) -> libc::c_int {
    let Some(command) = of_open_file(command) else {
        // SAFETY: the caller guarantees that the arguments are valid.
        return unsafe { libc::fcntl(file, command, argument) };
    };
    // SAFETY: for these commands, the caller passes a pointer to a `flock64`.
    let mut lock = unsafe { *(argument as *const libc::flock64) };
    // The kernel requires this to be 0.
    lock.l_pid = 0;
    // SAFETY: the caller guarantees that `file` and `command` are valid, and `lock` outlives the call.
    let result = unsafe { lock_by_system_call(file, command, &mut lock) };
    // SAFETY: as above; `F_OFD_GETLK` returns its result in the struct.
    unsafe { *(argument as *mut libc::flock64) = lock };
    libc::c_int::try_from(result).unwrap_or(-1)
}

/// Converts `F_GETLK` and `F_SETLK` to the commands for locks of the open file description. Returns None for any
/// other command.
fn of_open_file(command: libc::c_int) -> Option<libc::c_int> {
    // `F_GETLK64` and `F_SETLK64`, which SQLite uses if pointers have 32 bits.
    #[cfg(target_pointer_width = "32")]
    const GET_SET: [libc::c_int; 2] = [12, 13];
    #[cfg(not(target_pointer_width = "32"))]
    const GET_SET: [libc::c_int; 2] = [libc::F_GETLK, libc::F_SETLK];
    let [get, set] = GET_SET;
    if command == get {
        Some(libc::F_OFD_GETLK)
    } else if command == set {
        Some(libc::F_OFD_SETLK)
    } else {
        None
    }
}

/// Returns whether `folder` is on a network file system, where locks and shared memory are unreliable.
pub(crate) fn is_on_network(folder: &Path) -> io::Result<bool> {
    let path = CString::new(folder.as_os_str().as_bytes())?;
    let mut result = MaybeUninit::<libc::statfs64>::uninit();
    // SAFETY: the path ends with NUL, and `result` is large enough for the output.
    if unsafe { libc::statfs64(path.as_ptr(), result.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `result` is initialized.
    let kind = unsafe { result.assume_init() }.f_type;
    Ok(is_network(kind))
}

/// Returns whether other machines can change the files of a file system of this type, so that locks and shared memory
/// may not be coherent. The type is a 32-bit number, but `f_type` has 32 or 64 bits, signed or unsigned, so the same
/// type can have a positive or a negative value.
fn is_network(kind: impl Into<i128>) -> bool {
    // From linux/magic.h and the sources of the file systems.
    const NETWORK: [i128; 21] = [
        0x6969,      // NFS
        0x517b,      // SMB
        0xff53_4d42, // CIFS
        0xfe53_4d42, // SMB2
        0x564c,      // NCP
        0x7375_7245, // Coda
        0x5346_414f, // OpenAFS
        0x6b41_4653, // AFS
        0x0102_1997, // 9P, which virtual machines use too
        0x6573_5546, // FUSE: virtiofs, sshfs, GlusterFS, s3fs
        0x786f_4256, // VirtualBox shared folders
        0xbacb_acbc, // VMware shared folders
        0x7c7c_6673, // Parallels shared folders
        0x00c3_6400, // Ceph
        0x0bd0_0bd0, // Lustre
        0x4750_4653, // GPFS
        0x0116_1970, // GFS2
        0x7461_636f, // OCFS2
        0x1983_0326, // BeeGFS
        0x2003_0528, // OrangeFS
        0xaad7_aaea, // Panasas
    ];
    NETWORK.contains(&(kind.into() & 0xffff_ffff))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_lock_belongs_to_the_open_file_description() {
        let path = PathBuf::from(env!("OUT_DIR")).join("locked");
        let open = || open_private(&path, false).unwrap();
        let (first, second) = (open(), open());
        assert!(try_lock(&first, 0, Sharing::Exclusive).unwrap());
        assert!(!try_lock(&second, 0, Sharing::Exclusive).unwrap());
        assert!(is_locked_elsewhere(&second, 0, 9).unwrap() && !is_locked_elsewhere(&first, 0, 9).unwrap());
        assert!(!is_locked_elsewhere(&second, 1, 9).unwrap());
        assert!(
            try_lock(&second, 1, Sharing::Exclusive).unwrap(),
            "a lock on one byte must not exclude a lock on another byte"
        );
        drop(open());
        assert!(
            !try_lock(&second, 0, Sharing::Shared).unwrap(),
            "closing another descriptor of the file must not release the lock"
        );
        unlock(&first, 0).unwrap();
        assert!(try_lock(&second, 0, Sharing::Shared).unwrap() && try_lock(&first, 0, Sharing::Shared).unwrap());
        drop(second);
        assert!(try_lock(&first, 0, Sharing::Exclusive).unwrap(), "closing the file must release its lock");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_is_private_and_symbolic_links_are_not_followed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = PathBuf::from(env!("OUT_DIR"));
        let (path, link) = (folder.join("private"), folder.join("link"));
        let file = open_private(&path, true).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(open_private(&path, true).is_err() && open_private(&path, false).is_ok());
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(open_private(&link, false).is_err());
        assert!(!is_on_network(&folder).unwrap());
        assert!(is_on_network(&folder.join("nowhere")).is_err());
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(&link).unwrap();
    }

    #[test]
    fn a_file_system_is_identified_by_32_bits() {
        const SMB2: u32 = 0xfe53_4d42;
        const CIFS: u32 = 0xff53_4d42;
        const BTRFS: u32 = 0x9123_683e;
        const EXT4: u32 = 0xef53;
        let is_known = |kind: u32| {
            let signed = kind.cast_signed();
            let wide = [is_network(i64::from(signed)), is_network(i64::from(kind)), is_network(u64::from(kind))];
            assert_eq!(wide, [is_network(signed); 3], "{kind:x}");
            is_network(signed)
        };
        assert!(is_known(SMB2) && is_known(CIFS));
        assert!(!is_known(BTRFS) && !is_known(EXT4));
        let [fuse, vboxsf, hgfs, gfs2, beegfs, orangefs, ncp] =
            [0x6573_5546, 0x786f_4256, 0xbacb_acbc, 0x0116_1970, 0x1983_0326, 0x2003_0528, 0x564c];
        assert!([fuse, vboxsf, hgfs, gfs2, beegfs, orangefs, ncp].into_iter().all(is_known));
        let [tmpfs, overlay, xfs, zfs] = [0x0102_1994, 0x794c_7630, 0x5846_5342, 0x2fc1_2fc1];
        assert!(![tmpfs, overlay, xfs, zfs].into_iter().any(is_known));
    }
}
