//! Finds secrets in text that was escaped, encoded, truncated or split.

use std::iter;

use crate::secret::Wiped;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;

use super::{MASK, between_tags};

/// The minimum number of consecutive letters and digits of a secret that count as revealing it.
const REVEALING_PART: usize = 6;

/// The minimum number of leading letters and digits of a secret that count as revealing it at the end of a text, which
/// may be truncated.
const REVEALING_START: usize = 3;

/// The maximum number of layers of encoding that are decoded to find a secret.
const MOST_LAYERS: usize = 3;

/// Finds secrets in a text regardless of the tags, escapes, spaces and punctuation inserted into them.
pub(super) struct SecretFinder<'a> {
    /// The secrets without a letter or digit, except [`MASK`], which a masked text contains. They are searched for
    /// literally.
    signs: Vec<&'a str>,
    /// The letters and digits of each secret, of its hexadecimal form and of its Base64 forms, in lower case.
    bare: Vec<Wiped<Vec<char>>>,
    /// Every substring of an element of `bare` that has the length of a revealing part, sorted.
    parts: Wiped<Vec<[char; REVEALING_PART]>>,
}

impl<'a> SecretFinder<'a> {
    pub(super) fn of(secrets: &[&'a str]) -> Self {
        let is_signs = |secret: &&str| !secret.contains(char::is_alphanumeric) && *secret != MASK;
        let signs = secrets.iter().copied().filter(is_signs).collect();
        let forms = |secret: &&str| {
            let encoded = [Wiped::new(hex::encode(secret)), Wiped::new(STANDARD.encode(secret))];
            [bare(secret), bare_ascii(&encoded[0]), bare_ascii(&encoded[1])]
        };
        let inside = |secret: &&str| [1, 2].map(|offset| bare_ascii(&base64_inside(secret, offset)));
        // Shorter forms would be found in most texts.
        let inside = secrets.iter().flat_map(inside).filter(|form| form.len() >= REVEALING_START);
        let bare: Vec<_> = secrets.iter().flat_map(forms).chain(inside).collect();
        let count = bare.iter().map(|secret| secret.len()).sum();
        let mut parts = Wiped::new(Vec::with_capacity(count));
        let windows = bare.iter().flat_map(|secret| secret.windows(REVEALING_PART));
        parts.extend(windows.filter_map(|part| <[char; REVEALING_PART]>::try_from(part).ok()));
        parts.sort_unstable();
        Self { signs, bare, parts }
    }

    /// Returns whether `text` contains a secret, before or after decoding up to [`MOST_LAYERS`] layers, with or
    /// without the HTML tags of the text.
    pub(super) fn finds_in(&self, text: &str) -> bool {
        let decoded = |text: &Wiped<String>| Some(Wiped::new(unescape(text))).filter(|decoded| decoded != text);
        iter::successors(Some(Wiped::new(text.to_owned())), decoded).take(1 + MOST_LAYERS).any(|text| {
            self.signs.iter().any(|secret| text.contains(secret))
                || self.finds_in_bare(&bare(&text))
                || (text.contains('<') && self.finds_in_bare(&bare(&between_tags(&text, ""))))
        })
    }

    fn finds_in_bare(&self, text: &[char]) -> bool {
        let is_part = |part: &[char]| self.parts.binary_search_by(|known| known.as_slice().cmp(part)).is_ok();
        let is_whole = |secret: &[char]| {
            (1..REVEALING_PART).contains(&secret.len()) && text.windows(secret.len()).any(|part| part == secret)
        };
        let is_start = |secret: &[char]| {
            let mut starts = (REVEALING_START..secret.len()).filter_map(|length| secret.get(..length));
            starts.any(|start| text.ends_with(start))
        };
        text.windows(REVEALING_PART).any(is_part) || self.bare.iter().any(|secret| is_whole(secret) || is_start(secret))
    }
}

/// Returns the Base64 characters that depend only on `secret` if it is a part of an encoded text and begins at `offset`
/// in a group of three bytes.
fn base64_inside(secret: &str, offset: usize) -> Wiped<String> {
    let mut padded = Wiped::new(Vec::with_capacity(offset.saturating_add(secret.len())));
    padded.resize(offset, 0);
    padded.extend_from_slice(secret.as_bytes());
    let encoded = Wiped::new(STANDARD.encode(&*padded));
    let bits = |bytes: usize| bytes.saturating_mul(8);
    let (start, end) = (bits(offset).div_ceil(6), bits(offset.saturating_add(secret.len())) / 6);
    Wiped::new(encoded.get(start..end).unwrap_or_default().to_owned())
}

/// Returns only the letters and digits of `text`, in lower case.
fn bare(text: &str) -> Wiped<Vec<char>> {
    if text.is_ascii() {
        return bare_ascii(text);
    }
    // The capacity is reserved in full, because a vector that reallocates leaves copies behind that are not wiped.
    let mut bare = Wiped::new(Vec::with_capacity(text.len()));
    bare.extend(text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase));
    bare
}

/// Like [`bare`], but for ASCII text.
fn bare_ascii(text: &str) -> Wiped<Vec<char>> {
    let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
    let mut bare = Wiped::new(Vec::with_capacity(text.len()));
    bare.extend(letters.map(|byte| char::from(byte.to_ascii_lowercase())));
    bare
}

/// Decodes one layer of percent-encoding and of the escapes of HTML, JSON, programming languages and mail. Removes
/// named HTML entities, except those of HTML's special characters.
fn unescape(text: &str) -> String {
    let text = percent_decode(text.as_bytes()).decode_utf8_lossy().into_owned();
    let text = replace_escapes(&text, "&", read_entity);
    ["\\u{", "\\u", "\\x", "%u", "="].iter().fold(text, |text, opening| {
        let most_digits = match *opening {
            "\\x" | "=" => 2,
            "\\u{" => 6,
            _ => 4,
        };
        replace_escapes(&text, opening, |escape| read_hexadecimal(escape, most_digits))
    })
}

/// Parses `#115;`, `#x73;` or `shy;`. The semicolon after a number is optional. Returns no character for a name other
/// than those of HTML's special characters.
fn read_entity(escape: &str) -> Option<(Option<char>, &str)> {
    let Some(number) = escape.strip_prefix('#') else {
        let end = escape.find(|c: char| !c.is_ascii_alphanumeric())?;
        let (name, rest) = escape.split_at_checked(end)?;
        let character = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')].into_iter();
        let character = character.filter(|(known, _)| *known == name).map(|(_, character)| character).next();
        return rest.strip_prefix(';').map(|rest| (character, rest));
    };
    let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |digits| (digits, 16));
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end)?;
    let code = u32::from_str_radix(digits, radix).ok()?;
    Some((char::from_u32(code), rest.strip_prefix(';').unwrap_or(rest)))
}

fn read_hexadecimal(escape: &str, most_digits: usize) -> Option<(Option<char>, &str)> {
    let end = escape.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(escape.len()).min(most_digits);
    let (digits, rest) = escape.split_at_checked(end)?;
    let code = u32::from_str_radix(digits, 16).ok()?;
    Some((char::from_u32(code), rest.strip_prefix('}').unwrap_or(rest)))
}

/// Replaces each escape that begins with `opening`. `read` parses the text after the opening and returns the escaped
/// character, if any, and the rest of the text, or None if the text is not an escape.
fn replace_escapes(text: &str, opening: &str, read: impl Fn(&str) -> Option<(Option<char>, &str)>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once(opening) {
        replaced.push_str(before);
        match read(escape) {
            Some((character, after)) => {
                replaced.extend(character);
                rest = after;
            }
            None => {
                replaced.push_str(opening);
                rest = escape;
            }
        }
    }
    replaced.push_str(rest);
    replaced
}
