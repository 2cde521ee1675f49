//! Buffers the WAL frames of a transaction until it is complete.

/// The size in bytes of a WAL frame header (<https://sqlite.org/fileformat2.html#the_write_ahead_log>).
const FRAME_HEADER_SIZE: usize = 24;

/// The size, in bytes, at which the buffer is written even if the transaction is not complete. SQLite's own VFS
/// limits a write to less than 128 KiB.
const MAX_BUFFERED: usize = 48 * 1024;

/// The unwritten frames of one transaction: pages, each preceded by its header.
#[derive(Debug, Default)]
pub(crate) struct WriteBuffer {
    bytes: Vec<u8>,
    /// The offset of the buffer in the WAL.
    start: i64,
    /// The page that the last header announced, if that page has not been added yet.
    expected_page: Option<Page>,
}

/// A page, as described by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    /// More pages of the transaction follow.
    Inner,
    /// The page completes its transaction.
    Last,
}

/// What to do with a write by SQLite.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The write is buffered, and more follows.
    Wait,
    /// The write is buffered, and the whole buffer must be written now.
    WriteAll,
    /// The write must be passed to the system's VFS without buffering.
    WriteThis,
    /// The write does not continue the buffered frames, and must fail.
    Fail,
}

impl WriteBuffer {
    /// Buffers a write to the WAL if it can be delayed.
    pub(crate) fn add(&mut self, bytes: &[u8], offset: i64) -> Step {
        let end = self.start.saturating_add(i64::try_from(self.bytes.len()).unwrap_or(i64::MAX));
        let is_next = !self.bytes.is_empty() && offset == end;
        match self.expected_page.take() {
            None if bytes.len() == FRAME_HEADER_SIZE && (self.bytes.is_empty() || is_next) => {
                self.expected_page = Some(page(bytes));
                self.append(bytes, offset);
                Step::Wait
            }
            None if self.bytes.is_empty() => Step::WriteThis,
            Some(page) if is_next => {
                self.append(bytes, offset);
                if page == Page::Last || self.bytes.len() >= MAX_BUFFERED { Step::WriteAll } else { Step::Wait }
            }
            _ => Step::Fail,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    fn append(&mut self, bytes: &[u8], offset: i64) {
        if self.bytes.is_empty() {
            self.start = offset;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Discards the buffered frames.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.expected_page = None;
    }
}

/// Returns the kind of page that a header announces. The database size in the header is nonzero only if the page
/// completes a transaction.
fn page(header: &[u8]) -> Page {
    if header.iter().skip(4).take(4).all(|byte| *byte == 0) { Page::Inner } else { Page::Last }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INNER: [u8; FRAME_HEADER_SIZE] = [0; FRAME_HEADER_SIZE];
    const PAGE: [u8; 1024] = [7; 1024];

    fn last() -> [u8; FRAME_HEADER_SIZE] {
        let mut header = INNER;
        header[7] = 1;
        header
    }

    #[test]
    fn pages_are_buffered_until_the_transaction_is_complete() {
        let mut buffer = WriteBuffer::default();
        assert_eq!(buffer.add(&INNER, 32), Step::Wait);
        assert_eq!(buffer.add(&PAGE, 56), Step::Wait);
        assert_eq!(buffer.add(&last(), 1080), Step::Wait);
        assert_eq!(buffer.add(&PAGE, 1104), Step::WriteAll);
        assert_eq!((buffer.start, buffer.bytes.len()), (32, 2096));
        assert_eq!(buffer.bytes, [&INNER[..], &PAGE, &last(), &PAGE].concat());
    }

    #[test]
    fn large_transaction_is_written_in_parts() {
        let mut buffer = WriteBuffer::default();
        let mut offset = 32;
        let mut add = |bytes: &[u8]| {
            offset += i64::try_from(bytes.len()).unwrap();
            buffer.add(bytes, offset - i64::try_from(bytes.len()).unwrap())
        };
        let steps: Vec<Step> =
            (0..MAX_BUFFERED / (FRAME_HEADER_SIZE + PAGE.len()) + 1).flat_map(|_| [add(&INNER), add(&PAGE)]).collect();
        let (end, before) = steps.split_last().unwrap();
        assert!(*end == Step::WriteAll && before.iter().all(|step| *step == Step::Wait));
    }

    #[test]
    fn other_writes_are_direct_and_fail_between_pages() {
        let mut buffer = WriteBuffer::default();
        assert_eq!(buffer.add(&[1; 32], 0), Step::WriteThis);
        assert_eq!(buffer.add(&PAGE, 5000), Step::WriteThis);
        buffer.add(&INNER, 32);
        assert_eq!(buffer.add(&PAGE, 57), Step::Fail, "a page must follow its header");
        buffer.clear();
        buffer.add(&INNER, 32);
        buffer.add(&PAGE, 56);
        assert_eq!(
            buffer.add(&INNER, 32),
            Step::Fail,
            "a transaction must not begin before the previous one is complete"
        );
    }
}
