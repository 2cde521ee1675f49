//! Reads the body of a response, either completely or not at all. All input is untrusted. Pure.

use crate::secret::Wiped;
use httparse::{EMPTY_HEADER, Status};

use super::response_head::Framing;

/// The maximum length of a body, in bytes.
const LONGEST: usize = 64 * 1024;

/// The maximum number of trailer lines.
const MOST_TRAILERS: usize = 16;

/// A body that is being read. It may contain a copy of the request, including a secret.
#[derive(Debug)]
pub(super) struct Body {
    read: Wiped<Vec<u8>>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// `left` bytes of the body follow. If `are_a_chunk` is set, they are the rest of a chunk.
    Bytes {
        left: usize,
        are_a_chunk: bool,
    },
    /// The length of a chunk follows.
    Size,
    /// The line end after a chunk follows.
    LineEnd,
    /// The trailers follow.
    Trailers,
    /// The body continues until the end of the connection.
    ToTheEnd,
    Complete,
}

/// A body cannot be read, because it is too long or malformed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl Body {
    pub(super) fn new(framing: Framing) -> Result<Self, Unreadable> {
        let state = match framing {
            Framing::Nothing | Framing::Length(0) => State::Complete,
            Framing::Length(length) => State::Bytes { left: within_bounds(length, 0)?, are_a_chunk: false },
            Framing::Chunked => State::Size,
            Framing::ToTheEnd => State::ToTheEnd,
            Framing::Senseless => return Err(Unreadable),
        };
        Ok(Self { read: Wiped::default(), state })
    }

    /// Consumes as much of `input` as possible and returns the number of bytes consumed.
    pub(super) fn read(&mut self, input: &[u8]) -> Result<usize, Unreadable> {
        let mut consumed: usize = 0;
        while self.state != State::Complete {
            let count = self.step(input.get(consumed..).unwrap_or_default())?;
            if count == 0 {
                break;
            }
            consumed = consumed.saturating_add(count);
        }
        Ok(consumed)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// Returns the body if it is complete. The end of the connection completes only a body that continues until then.
    pub(super) fn whole(self, has_ended: bool) -> Option<Wiped<Vec<u8>>> {
        let is_whole = self.is_complete() || has_ended && self.state == State::ToTheEnd;
        is_whole.then_some(self.read)
    }

    /// Consumes part of `input` and returns the number of bytes consumed, which is 0 if more data must arrive first.
    fn step(&mut self, input: &[u8]) -> Result<usize, Unreadable> {
        match self.state {
            State::Bytes { left, are_a_chunk } => Ok(self.read_bytes(input, left, are_a_chunk)),
            State::Size => self.read_size(input),
            State::LineEnd => self.read_line_end(input),
            State::Trailers => self.read_trailers(input),
            State::ToTheEnd => self.read_all(input),
            State::Complete => Ok(0),
        }
    }

    fn read_bytes(&mut self, input: &[u8], left: usize, are_a_chunk: bool) -> usize {
        let bytes = input.get(..left).unwrap_or(input);
        self.append(bytes);
        self.state = match (left.saturating_sub(bytes.len()), are_a_chunk) {
            (0, true) => State::LineEnd,
            (0, false) => State::Complete,
            (left, _) => State::Bytes { left, are_a_chunk },
        };
        bytes.len()
    }

    /// Appends `bytes`. If the capacity is too small, copies the data to a new vector and wipes the old one, because a
    /// vector that reallocates leaves behind an unwiped copy.
    fn append(&mut self, bytes: &[u8]) {
        let length = self.read.len().saturating_add(bytes.len());
        if self.read.capacity() == 0 {
            self.read.reserve(length);
        } else if length > self.read.capacity() {
            let mut larger = Wiped::new(Vec::with_capacity(length.saturating_mul(2).min(LONGEST)));
            larger.extend_from_slice(&self.read);
            self.read = larger;
        }
        self.read.extend_from_slice(bytes);
    }

    fn read_size(&mut self, input: &[u8]) -> Result<usize, Unreadable> {
        // The parser would treat a line without a digit as the last chunk.
        if input.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) {
            return Err(Unreadable);
        }
        match httparse::parse_chunk_size(input).map_err(|_| Unreadable)? {
            Status::Partial => Ok(0),
            Status::Complete((length, 0)) => {
                self.state = State::Trailers;
                Ok(length)
            }
            Status::Complete((length, size)) => {
                self.state = State::Bytes { left: within_bounds(size, self.read.len())?, are_a_chunk: true };
                Ok(length)
            }
        }
    }

    fn read_line_end(&mut self, input: &[u8]) -> Result<usize, Unreadable> {
        match input {
            [b'\r', b'\n', ..] => {
                self.state = State::Size;
                Ok(2)
            }
            [] | [b'\r'] => Ok(0),
            _ => Err(Unreadable),
        }
    }

    fn read_trailers(&mut self, input: &[u8]) -> Result<usize, Unreadable> {
        match httparse::parse_headers(input, &mut [EMPTY_HEADER; MOST_TRAILERS]).map_err(|_| Unreadable)? {
            Status::Partial => Ok(0),
            Status::Complete((length, _)) => {
                self.state = State::Complete;
                Ok(length)
            }
        }
    }

    fn read_all(&mut self, input: &[u8]) -> Result<usize, Unreadable> {
        within_bounds(u64::try_from(input.len()).unwrap_or(u64::MAX), self.read.len())?;
        self.append(input);
        Ok(input.len())
    }
}

/// Returns `more` if a body of which `read` bytes have been read stays within the size limit with `more` bytes added.
fn within_bounds(more: u64, read: usize) -> Result<usize, Unreadable> {
    let more = usize::try_from(more).map_err(|_| Unreadable)?;
    if more <= LONGEST.saturating_sub(read) { Ok(more) } else { Err(Unreadable) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the body read from `input`, split into pieces of `size` bytes, and the unread rest.
    fn read(framing: Framing, input: &str, size: usize) -> (Option<String>, String) {
        let Ok(mut body) = Body::new(framing) else {
            return (None, input.to_owned());
        };
        let (mut buffer, mut rest) = (Vec::new(), input.as_bytes());
        loop {
            match body.read(&buffer) {
                Ok(count) => drop(buffer.drain(..count)),
                Err(Unreadable) => return (None, String::new()),
            }
            if body.is_complete() || rest.is_empty() {
                let left = String::from_utf8([&buffer, rest].concat()).unwrap();
                return (body.whole(true).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()), left);
            }
            let (piece, others) = rest.split_at(size.min(rest.len()));
            buffer.extend_from_slice(piece);
            rest = others;
        }
    }

    #[test]
    fn a_body_is_read_exactly_to_its_end_however_it_is_split() {
        for (framing, input, body, left) in [
            (Framing::Nothing, "next", "", "next"),
            (Framing::Length(0), "next", "", "next"),
            (Framing::Length(4), "bodynext", "body", "next"),
            (Framing::Chunked, "2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\n\r\nnext", "body", "next"),
            (Framing::Chunked, "4\r\nbody\r\n000\r\nx: y\r\nz:\r\n\r\nnext", "body", "next"),
            (Framing::ToTheEnd, "body and all", "body and all", ""),
        ] {
            for size in 1..=input.len() {
                assert_eq!(
                    read(framing, input, size),
                    (Some(body.to_owned()), left.to_owned()),
                    "{input} in pieces of {size}"
                );
            }
        }
    }

    #[test]
    fn a_truncated_or_malformed_body_is_none() {
        for (framing, input) in [
            (Framing::Length(4), "bod"),
            (Framing::Chunked, "4\r\nbod"),
            (Framing::Chunked, "4\r\nbody\r\n"),
            (Framing::Chunked, "4\r\nbody\r\n0\r\n"),
            (Framing::Chunked, "4\r\nbodyx0\r\n\r\n"),
            (Framing::Chunked, "four\r\nbody\r\n0\r\n\r\n"),
            (Framing::Chunked, "-4\r\nbody\r\n0\r\n\r\n"),
            (Framing::Chunked, "10000000000000004\r\nbody\r\n0\r\n\r\n"),
            (Framing::Chunked, "ffffffffffffffff\r\nbody\r\n0\r\n\r\n"),
            (Framing::Chunked, "4\r\nbody\r\n\r\n\r\n"),
            (Framing::Chunked, "4\r\nbody\r\n \r\n\r\n"),
            (Framing::Chunked, "4\r\nbody\r\n;x\r\n\r\n"),
            (Framing::Senseless, "body"),
        ] {
            for size in 1..=input.len() {
                assert_eq!(read(framing, input, size).0, None, "{input} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_body_of_64_kib_is_read_and_a_longer_one_is_not() {
        let longest = "x".repeat(LONGEST);
        let longer = "x".repeat(LONGEST + 1);
        assert_eq!(read(Framing::Length(65_536), &longest, 999).0, Some(longest.clone()));
        assert_eq!(read(Framing::Length(65_537), &longer, 999).0, None);
        assert_eq!(read(Framing::ToTheEnd, &longest, 999).0, Some(longest.clone()));
        assert_eq!(read(Framing::ToTheEnd, &longer, 999).0, None);
        let halves = format!("8000\r\n{0}\r\n8000\r\n{0}\r\n", "x".repeat(0x8000));
        assert_eq!(read(Framing::Chunked, &format!("{halves}0\r\n\r\n"), 999).0, Some(longest));
        assert_eq!(read(Framing::Chunked, &format!("{halves}1\r\nx\r\n0\r\n\r\n"), 999).0, None);
    }
}
