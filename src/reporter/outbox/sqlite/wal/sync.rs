//! Flushes the WAL to the disk.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};

/// The size of the blocks in which the WAL is rewritten, in bytes.
const BLOCK_SIZE: usize = 64 * 1024;

/// Whether the last flush failed. After a failed flush, the kernel may consider the unwritten pages clean and not
/// write them again.
#[derive(Debug, Default)]
pub(crate) struct WalSync {
    needs_rewrite: AtomicBool,
}

impl WalSync {
    /// Returns whether [`rewrite`] is required before the next flush.
    pub(crate) fn needs_rewrite(&self) -> bool {
        self.needs_rewrite.load(Ordering::Acquire)
    }

    /// Flushes the WAL. The caller ensures that one thread does this at a time.
    pub(crate) fn flush(&self, wal: &File) -> io::Result<()> {
        let flushed = wal.sync_data();
        #[cfg(feature = "testing")]
        crate::reporter::testing::SYNCS.fetch_add(1, Ordering::SeqCst);
        self.needs_rewrite.store(flushed.is_err(), Ordering::Release);
        flushed
    }
}

/// Overwrites the WAL with its own content, so that the next flush writes all of it to the disk. The caller prevents
/// all other writes.
pub(crate) fn rewrite(wal: &File) -> io::Result<()> {
    let (mut block, mut at) = (vec![0; BLOCK_SIZE], 0_u64);
    loop {
        let length = wal.read_at(&mut block, at)?;
        let Some(bytes) = block.get(..length).filter(|bytes| !bytes.is_empty()) else {
            return Ok(());
        };
        wal.write_all_at(bytes, at)?;
        at = at.saturating_add(u64::try_from(length).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn failed_flush_requires_a_rewrite() {
        let sync = WalSync::default();
        assert!(sync.flush(&File::open("/proc/self/stat").unwrap()).is_err() && sync.needs_rewrite());
        let path = std::path::Path::new(env!("OUT_DIR")).join("flushed");
        let content: Vec<u8> = (0..3 * BLOCK_SIZE / 2).map(|number| u8::try_from(number % 251).unwrap()).collect();
        fs::write(&path, &content).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        rewrite(&file).unwrap();
        assert!(sync.flush(&file).is_ok() && !sync.needs_rewrite());
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}
