//! What of a server's text may be shown. Pure. A body is hostile until shown otherwise: it may repeat the request with
//! its secret, hold control characters, or nest without end.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Stands where a secret stood.
const MASK: &str = "***";

/// The most that is shown, in characters.
const LONGEST: usize = 400;

/// The fields of the service's error bodies, in the order in which they read well.
const TELLING_FIELDS: [&str; 4] = ["title", "error_title", "detail", "resolution"];

/// A line for a log out of a server's `body`, without controls and without `secrets`; none if there is nothing to show.
pub(crate) fn quote<'a>(body: &[u8], secrets: impl Iterator<Item = &'a str>) -> Option<String> {
    let secrets: Vec<&str> = secrets.filter(|secret| !secret.is_empty()).collect();
    let told = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(fields)) => told_by(&fields),
        // Broken JSON may hide a secret behind escapes that nobody decodes.
        Ok(_) | Err(_) if body.trim_ascii_start().starts_with(b"{") || body.trim_ascii_start().starts_with(b"[") => {
            return None;
        }
        Ok(_) | Err(_) => mask(&text_of(body), &secrets),
    };
    let line = mask(&one_line(&without_tags(&mask(&one_line(&told), &secrets))), &secrets);
    if line.is_empty() || shows_any(&line, &secrets) {
        return None;
    }
    Some(line.chars().take(LONGEST).collect())
}

fn told_by(fields: &Map<String, Value>) -> String {
    let told: Vec<&str> = TELLING_FIELDS.iter().filter_map(|name| fields.get(*name)?.as_str()).collect();
    told.join(" - ")
}

/// The body as text: UTF-8, or else the ISO-8859-1 that old servers speak, in which every byte is a character.
fn text_of(body: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => body.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// All white space and controls between words become one space.
fn one_line(text: &str) -> String {
    let is_unseen = |c: char| c.is_whitespace() || c.is_control() || is_format(c);
    text.split(is_unseen).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Characters that turn the direction of a line or have no width: they make a log lie.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// The text between the tags, if it is HTML.
fn without_tags(text: &str) -> String {
    if !text.starts_with('<') {
        return text.to_owned();
    }
    let after_tag = |part: &str| part.split_once('>').map(|(_, after)| after.to_owned());
    text.split('<').filter_map(after_tag).collect::<Vec<_>>().join(" ")
}

/// Masks each secret, in either case, written out or percent-encoded.
fn mask(text: &str, secrets: &[&str]) -> String {
    let encoded =
        |secret: &str| percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
    secrets.iter().fold(text.to_owned(), |text, secret| mask_one(&mask_one(&text, secret), &encoded(secret)))
}

fn mask_one(text: &str, secret: &str) -> String {
    let lower_secret = secret.to_ascii_lowercase();
    // Lower case in ASCII keeps every byte in its place, so that what is found in one is cut from the other.
    let lower_text = text.to_ascii_lowercase();
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for (start, found) in lower_text.match_indices(&lower_secret) {
        masked.push_str(text.get(end..start).unwrap_or_default());
        masked.push_str(MASK);
        end = start.saturating_add(found.len());
    }
    masked.push_str(text.get(end..).unwrap_or_default());
    masked
}

/// Whether a reader who decodes `text`, up to three times over, finds a secret in it.
fn shows_any(text: &str, secrets: &[&str]) -> bool {
    let mut decoded = text.to_ascii_lowercase();
    for _ in 0..3 {
        decoded = unescape(&decoded);
        if secrets.iter().any(|secret| shows(&decoded, &secret.to_ascii_lowercase())) {
            return true;
        }
    }
    false
}

fn shows(text: &str, secret: &str) -> bool {
    // A reader's eye joins what tags or spaces have parted.
    let joined = |text: &str| text.replace([' ', '+'], "");
    // What is masked already cannot be found again, unless the secret is made of the mask's own stars.
    secret.chars().any(|c| c != '*') && (text.contains(secret) || joined(text).contains(&joined(secret)))
}

/// Undoes percent-encoding and the escapes of HTML and JSON.
fn unescape(text: &str) -> String {
    const ESCAPES: [(&str, &str); 9] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("\\\"", "\""),
        ("\\/", "/"),
        ("&amp;", "&"),
    ];
    let text = percent_decode_str(text).decode_utf8_lossy().into_owned();
    ESCAPES.iter().fold(text, |text, (escape, plain)| text.replace(escape, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &[u8]) -> Option<String> {
        quote(body, ["s3cret/&", "c2lnbmF0dXJl"].into_iter())
    }

    #[test]
    fn the_documented_bodies_read_well() {
        let body = br#"{"type":"https://x/#unauthorized","title":"Invalid credentials supplied","detail":"You did not provide correct credentials.","instance":"797a"}"#;
        assert_eq!(shown(body).unwrap(), "Invalid credentials supplied - You did not provide correct credentials.");
        let body = br#"{"error_title":"Old","resolution":"Try again."}"#;
        assert_eq!(shown(body).unwrap(), "Old - Try again.");
    }

    #[test]
    fn html_in_latin_1_shows_its_text() {
        let body =
            b"<html><head><title>402</title></head>\r\n<body><h1>Bad Account\xa0Credentials \xe9</h1></body></html>";
        assert_eq!(shown(body).unwrap(), "402 Bad Account Credentials é");
    }

    #[test]
    fn nothing_worth_showing_shows_nothing() {
        let deep = "[".repeat(100_000);
        let bodies: [&[u8]; 9] =
            [b"", b" \r\n\t", b"{}", b"{\"title\":7}", b"{\"title\":", b"[1]", b"<>", deep.as_bytes(), b"\0\x01"];
        for body in bodies {
            assert_eq!(shown(body), None, "{:?}", body.get(..20));
        }
    }

    #[test]
    fn controls_and_invisible_characters_are_gone() {
        assert_eq!(shown("a\u{1b}[31mb\r\nc\u{202e}d\u{85}e".as_bytes()).unwrap(), "a [31mb c d e");
        assert_eq!(shown(br#"{"title":"a\u0000b\u001bc"}"#).unwrap(), "a b c");
    }

    #[test]
    fn a_secret_is_masked_however_it_is_written() {
        let bodies: [&[u8]; 12] = [
            b"you sent s3cret/& to me",
            b"you sent S3CRET/& to me",
            b"you sent s3cret%2F%26 to me",
            b"you sent S3cret%2f%26 to me",
            b"you sent s3cret/&amp; to me",
            b"you sent s3cret%252F%2526 to me",
            b"you sent Basic c2lnbmF0dXJl to me",
            b"{\"title\":\"s3cret\\/\\u0026 to me\"}",
            b"{\"title\":\"\\u00733cret/&\"}",
            b"<p>s3cret/&</p>",
            b"<p>s3<b></b>cret/&</p>",
            b"s3cret/&s3cret/&",
        ];
        for body in bodies {
            let line = shown(body).unwrap_or_default();
            assert!(!unescape(&unescape(&line)).replace(' ', "").to_ascii_lowercase().contains("s3cret/"), "{line}");
            assert!(!line.contains("c2ln"), "{line}");
        }
        assert_eq!(shown(bodies[0]).unwrap(), "you sent *** to me");
    }

    #[test]
    fn what_is_shown_is_bounded() {
        assert_eq!(shown("é".repeat(5000).as_bytes()).unwrap().chars().count(), LONGEST);
    }
}
