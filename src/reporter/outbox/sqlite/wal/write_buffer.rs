//! What a transaction writes to the log, until it is complete.

/// Bytes of the header of each page in the log (<https://sqlite.org/fileformat2.html#the_write_ahead_log>).
const HEADER: usize = 24;

/// From so many bytes on they are written before the transaction is complete. SQLite's own code for files takes less than
/// 128 KiB at once.
const MOST: usize = 48 * 1024;

/// What was not written yet: pages of one transaction, each behind its header.
#[derive(Debug, Default)]
pub(crate) struct WriteBuffer {
    bytes: Vec<u8>,
    /// Where in the log it begins.
    start: i64,
    /// What the last header says that stands at the end, without its page.
    awaited: Option<Page>,
}

/// A page, by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    /// There are more in its transaction.
    Inner,
    /// It completes its transaction.
    Last,
}

/// What is to be done with what SQLite writes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It was gathered, and there is more to come.
    Wait,
    /// It was gathered, and all is to be written now.
    WriteAll,
    /// It is to be written by itself.
    WriteThis,
    /// It does not follow what was gathered.
    Refuse,
}

impl WriteBuffer {
    /// Gathers what is to be written to the log there, if it can wait.
    pub(crate) fn add(&mut self, bytes: &[u8], offset: i64) -> Step {
        let end = self.start.saturating_add(i64::try_from(self.bytes.len()).unwrap_or(i64::MAX));
        let is_next = !self.bytes.is_empty() && offset == end;
        match self.awaited.take() {
            None if bytes.len() == HEADER && (self.bytes.is_empty() || is_next) => {
                self.awaited = Some(page(bytes));
                self.append(bytes, offset);
                Step::Wait
            }
            None if self.bytes.is_empty() => Step::WriteThis,
            Some(page) if is_next => {
                self.append(bytes, offset);
                if page == Page::Last || self.bytes.len() >= MOST { Step::WriteAll } else { Step::Wait }
            }
            _ => Step::Refuse,
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

    /// Forgets all of it.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.awaited = None;
    }
}

/// What a header says of its page: the size of the database, when it completes a transaction, or zero.
fn page(header: &[u8]) -> Page {
    if header.iter().skip(4).take(4).all(|byte| *byte == 0) { Page::Inner } else { Page::Last }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INNER: [u8; HEADER] = [0; HEADER];
    const PAGE: [u8; 1024] = [7; 1024];

    fn last() -> [u8; HEADER] {
        let mut header = INNER;
        header[7] = 1;
        header
    }

    #[test]
    fn pages_are_gathered_until_their_transaction_is_complete() {
        let mut gathered = WriteBuffer::default();
        assert_eq!(gathered.add(&INNER, 32), Step::Wait);
        assert_eq!(gathered.add(&PAGE, 56), Step::Wait);
        assert_eq!(gathered.add(&last(), 1080), Step::Wait);
        assert_eq!(gathered.add(&PAGE, 1104), Step::WriteAll);
        assert_eq!((gathered.start, gathered.bytes.len()), (32, 2096));
        assert_eq!(gathered.bytes, [&INNER[..], &PAGE, &last(), &PAGE].concat());
    }

    #[test]
    fn a_large_transaction_is_written_in_parts() {
        let mut gathered = WriteBuffer::default();
        let mut offset = 32;
        let mut add = |bytes: &[u8]| {
            offset += i64::try_from(bytes.len()).unwrap();
            gathered.add(bytes, offset - i64::try_from(bytes.len()).unwrap())
        };
        let steps: Vec<Step> = (0..MOST / (HEADER + PAGE.len()) + 1).flat_map(|_| [add(&INNER), add(&PAGE)]).collect();
        let (end, before) = steps.split_last().unwrap();
        assert!(*end == Step::WriteAll && before.iter().all(|step| *step == Step::Wait));
    }

    #[test]
    fn what_is_no_page_is_written_by_itself_and_refused_among_pages() {
        let mut gathered = WriteBuffer::default();
        assert_eq!(gathered.add(&[1; 32], 0), Step::WriteThis);
        assert_eq!(gathered.add(&PAGE, 5000), Step::WriteThis);
        gathered.add(&INNER, 32);
        assert_eq!(gathered.add(&PAGE, 57), Step::Refuse, "it does not follow its header");
        gathered.clear();
        gathered.add(&INNER, 32);
        gathered.add(&PAGE, 56);
        assert_eq!(gathered.add(&INNER, 32), Step::Refuse, "of another transaction, while one is not complete");
    }
}
