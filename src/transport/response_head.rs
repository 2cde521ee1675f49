//! Parses the head of a response. All input is untrusted. Pure.

use std::mem::MaybeUninit;

use httparse::{Error, Header, ParserConfig, Response, Status};

use crate::response::RetryAfter;

/// The maximum number of headers that are parsed. If a head has more headers, only its status is used.
const MOST_HEADERS: usize = 128;

/// The framing of a response's body (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// No body.
    Nothing,
    /// A body of this many bytes.
    Length(u64),
    /// A body in chunks, each preceded by its length.
    Chunked,
    /// A body that continues until the end of the connection.
    ToTheEnd,
    /// Unknown framing: the headers contradict each other, cannot be parsed or are too many, or the version is
    /// unknown.
    Senseless,
}

/// A complete head.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The length of the head in bytes.
    pub(super) length: usize,
    pub(super) status: u16,
    /// `Retry-After`, if it is text, with `Date`.
    pub(super) retry_after: Option<Box<RetryAfter>>,
    pub(super) framing: Framing,
    /// Whether the connection can be reused after the body, as far as the head shows.
    pub(super) keeps_alive: bool,
}

impl Head {
    /// Parses the head at the beginning of `input`. Returns None if more data must arrive first.
    pub(super) fn parse(input: &[u8]) -> Result<Option<Self>, Error> {
        let mut headers = [MaybeUninit::uninit(); MOST_HEADERS];
        let mut response = Response::new(&mut []);
        match ParserConfig::default().parse_response_with_uninit_headers(&mut response, input, &mut headers) {
            Ok(Status::Complete(length)) => Self::of(&response, length).map(Some),
            Ok(Status::Partial) => Ok(None),
            Err(error @ (Error::TooManyHeaders | Error::Version)) => match Odd::find(input) {
                // More data is needed to decide whether the input is a head.
                Odd::Unknown => Ok(None),
                Odd::Head(head) => Ok(Some(head)),
                Odd::No => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Returns whether another head follows. After 101, the protocol changes, so no other head follows.
    pub(super) fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }

    fn of(response: &Response<'_, '_>, length: usize) -> Result<Self, Error> {
        let status = response.code.filter(|code| *code >= 100).ok_or(Error::Status)?;
        let headers = &*response.headers;
        let is_newer = response.version == Some(1);
        let framing = framing(status, headers, is_newer);
        let retry_after = |value: &str| {
            let date = values(headers, "date").next().map(str::to_owned);
            Box::new(RetryAfter { value: value.to_owned(), date })
        };
        Ok(Self {
            length,
            status,
            retry_after: values(headers, "retry-after").next().map(retry_after),
            framing,
            keeps_alive: is_newer && framing.is_definite() && !is_last(status, headers),
        })
    }
}

// The following functions are not merged into `Head::of`, because `make gate` shows that the parser would be slower.
impl Framing {
    /// Returns whether the beginning of the next response can be determined.
    fn is_definite(self) -> bool {
        matches!(self, Self::Nothing | Self::Length(_) | Self::Chunked)
    }
}

/// Returns whether the connection must not be reused, because the peer closes it, the protocol changes or the framing
/// is not trustworthy.
fn is_last(status: u16, headers: &[Header<'_>]) -> bool {
    let is_doubtful = has(headers, "transfer-encoding") && has(headers, "content-length");
    status == 101 || is_doubtful || has_token(headers, "connection", "close")
}

/// Returns whether a header called `name` lists `token`.
fn has_token(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    values(headers, name).flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(token))
}

fn framing(status: u16, headers: &[Header<'_>], is_newer: bool) -> Framing {
    if matches!(status, 100..=199 | 204 | 304) {
        return Framing::Nothing;
    }
    if has(headers, "transfer-encoding") {
        // If this header is present, `Content-Length` is ignored.
        let last = values(headers, "transfer-encoding").last().and_then(|value| value.rsplit(',').next());
        let is_chunked = is_newer && last.is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"));
        return if is_chunked { Framing::Chunked } else { Framing::ToTheEnd };
    }
    let mut lengths =
        headers.iter().filter(|header| is_named(header, "content-length")).map(|header| length(header.value));
    match lengths.next() {
        None => Framing::ToTheEnd,
        Some(first) if lengths.all(|other| other == first) => first.map_or(Framing::Senseless, Framing::Length),
        Some(_) => Framing::Senseless,
    }
}

/// Parses a `Content-Length`, which must consist of digits.
fn length(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    let append = |number: u64, digit: &u8| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit & 0x0f)),
        _ => None,
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, append) }
}

fn has(headers: &[Header<'_>], name: &str) -> bool {
    headers.iter().any(|header| is_named(header, name))
}

fn is_named(header: &Header<'_>, name: &str) -> bool {
    header.name.eq_ignore_ascii_case(name)
}

/// Returns those values of headers called `name` that are valid UTF-8.
fn values<'a>(headers: &'a [Header<'_>], name: &'a str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |header| is_named(header, name)).filter_map(|header| str::from_utf8(header.value).ok())
}

/// The length of `HTTP/1.1 200 `, which is a status line without its reason phrase and line end, in bytes.
const SHORTEST: usize = 13;

/// The interpretation of input that the parser rejects because of an unknown version or too many headers. The status of
/// such a head still counts: a service that responds 402 with a thousand headers has responded 402.
enum Odd {
    Head(Head),
    /// The input is not complete.
    Unknown,
    /// The input is not a head.
    No,
}

impl Odd {
    fn find(input: &[u8]) -> Self {
        if input.len() < SHORTEST && input.starts_with(b"HTTP/1.") {
            return Self::Unknown;
        }
        let Some(end) = input.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            return if status_of(input).is_some() { Self::Unknown } else { Self::No };
        };
        let length = end.saturating_add(4);
        match input.get(..length).filter(|head| is_well_formed(head)).and_then(status_of) {
            Some(status) => {
                Self::Head(Head { length, status, retry_after: None, framing: Framing::Senseless, keeps_alive: false })
            }
            None => Self::No,
        }
    }
}

/// Returns whether every line after the first is a header with a valid name and no line contains a control character
/// other than a tab. Other input is not a head.
fn is_well_formed(head: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let is_header = |line: &[u8]| match line.iter().position(|byte| *byte == b':') {
        Some(length) => length > 0 && line.iter().take(length).all(is_name),
        None => false,
    };
    let has_control = |line: &[u8]| line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
    let text = head.strip_suffix(b"\r\n\r\n").unwrap_or(head);
    let mut lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    !has_control(first) && lines.all(|line| is_header(line) && !has_control(line))
}

/// Returns the status in a first line such as `HTTP/1.1 200 OK`, for any version 1.x.
pub(super) fn status_of(head: &[u8]) -> Option<u16> {
    let line = str::from_utf8(head.get(..SHORTEST)?).ok()?;
    let rest = line.strip_prefix("HTTP/1.")?.strip_prefix(|minor: char| minor.is_ascii_digit())?;
    let digits = rest.strip_prefix(' ')?.strip_suffix([' ', '\r'])?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|status| is_number && *status >= 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read_from_the_first_line() {
        for (head, status) in [
            ("HTTP/1.1 200 Connection established\r\n\r\n", Some(200)),
            ("HTTP/1.0 200\r\n\r\n", Some(200)),
            ("HTTP/1.0 407 No\r\nx: HTTP/1.1 200\r\n\r\n", Some(407)),
            ("", None),
            ("200", None),
            ("HTTP/2 200\r\n\r\n", None),
            ("HTTP/1. 200\r\n\r\n", None),
            ("HTTP/1.1 2x0\r\n\r\n", None),
            ("HTTP/1.1 +20\r\n\r\n", None),
            ("HTTP/1.1 99\r\n\r\n", None),
            ("HTTP/1.1 2000\r\n\r\n", None),
            ("SSH-2.0-OpenSSH\r\n\r\n", None),
        ] {
            assert_eq!(status_of(head.as_bytes()), status, "{head}");
        }
    }

    fn parsed(text: &str) -> Head {
        Head::parse(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn the_head_determines_the_framing() {
        use Framing::{Chunked, Length, Nothing, Senseless, ToTheEnd};
        for (lines, framing) in [
            ("200 OK\r\ncontent-length: 7", Length(7)),
            ("200 OK\r\nContent-Length:7\t\r\ncontent-length: 7", Length(7)),
            ("200 OK\r\ncontent-length: 7\r\ntransfer-encoding: gzip, Chunked", Chunked),
            ("200 OK\r\ntransfer-encoding: gzip", ToTheEnd),
            ("200 OK\r\ntransfer-encoding: gzip\r\ncontent-length: 0", ToTheEnd),
            ("200 OK\r\ntransfer-encoding: chunked, gzip", ToTheEnd),
            ("200 OK\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked", Chunked),
            ("200 OK", ToTheEnd),
            ("204 None\r\ncontent-length: 7", Nothing),
            ("304 Same\r\ntransfer-encoding: chunked", Nothing),
            ("200 OK\r\ncontent-length: 7\r\ncontent-length: 8", Senseless),
            ("200 OK\r\ncontent-length: +7", Senseless),
            ("200 OK\r\ncontent-length:", Senseless),
            ("200 OK\r\ncontent-length: 7, 7", Senseless),
            ("200 OK\r\ncontent-length: 18446744073709551616", Senseless),
        ] {
            assert_eq!(parsed(&format!("HTTP/1.1 {lines}\r\n\r\n")).framing, framing, "{lines}");
        }
    }

    #[test]
    fn a_connection_is_kept_if_the_peer_allows_it_and_the_end_is_known() {
        let keeps = |text: &str| parsed(text).keeps_alive;
        assert!(keeps("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
        assert!(keeps("HTTP/1.1 204 None\r\nconnection: keep-alive\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: x, Close\r\n\r\n"));
        assert!(!keeps("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 200 OK\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 101 Switching\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n"));
    }

    #[test]
    fn a_head_ends_at_the_empty_line_and_has_its_retry_after() {
        let head = parsed("\r\nHTTP/1.1 429 Slowly\r\nRetry-After: 7\r\ncontent-length: 0\r\n\r\nHTTP/1.1");
        let retry_after = |head: Head| head.retry_after.map(|retry_after| (retry_after.value, retry_after.date));
        assert_eq!((head.length, head.status, head.is_interim()), (60, 429, false));
        assert_eq!(retry_after(head), Some(("7".to_owned(), None)));
        let head = parsed("HTTP/1.1 429 Slowly\r\nDate: then\r\nRetry-After: 7\r\n\r\n");
        assert_eq!(retry_after(head), Some(("7".to_owned(), Some("then".to_owned()))));
        assert_eq!(parsed("HTTP/1.1 200 OK\r\nDate: then\r\n\r\n").retry_after, None);
        assert!(parsed("HTTP/1.1 103 Hints\r\n\r\n").is_interim() && !parsed("HTTP/1.1 101 No\r\n\r\n").is_interim());
        assert_eq!(Head::parse(b"HTTP/1.1 200 OK\r\ncontent-le"), Ok(None));
    }

    #[test]
    fn an_unusual_head_has_a_status_and_other_data_has_none() {
        let status = |text: &str| Head::parse(text.as_bytes()).map(|head| head.map(|head| head.status));
        let many = "x: y\r\n".repeat(1000);
        assert_eq!(status(&format!("HTTP/1.1 402 No\r\n{many}\r\n")), Ok(Some(402)));
        assert_eq!(status(&format!("HTTP/1.1 402 No\r\n{many}")), Ok(None));
        assert_eq!(status(&format!("HTTP/1.1 402 No\r\nx: sch\u{f6}n\r\n{many}\r\n")), Ok(Some(402)));
        let newer = "HTTP/1.2 402 No\r\nx: y\r\n\r\n";
        assert_eq!(status(newer), Ok(Some(402)));
        assert!((0..newer.len()).all(|end| status(newer.get(..end).unwrap()) == Ok(None)));
        for noise in [
            "HTTP/1.1 40x No\r\n\r\n",
            "HTTP/1.X 402 No\r\n\r\n",
            "HTTP/1.  402 No\r\n\r\n",
            "HTTP/1.1 402 No\r\nno colon, and nothing behind it\r\n",
            "HTTP/1.1 099 No\r\n\r\n",
            "HTTP/1.1 +20 No\r\n\r\n",
            "HTTP/1.1 4020 No\r\n\r\n",
            "HTTP/1.1 402 N\0o\r\n\r\n",
            "HTTP/1.1 402 No\r\nno colon\r\n\r\n",
            "HTTP/1.1 402 No\r\nname : x\r\n\r\n",
            "HTTP/1.1 402 No\r\n: x\r\n\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n",
        ] {
            assert!(status(noise).is_err(), "{noise}");
        }
    }
}
