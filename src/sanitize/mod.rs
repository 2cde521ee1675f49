//! Sanitizes text from a server for error messages. A body is untrusted: it may repeat the request with its secret,
//! contain control characters, or be deeply nested JSON. Pure.
//!
//! Secrets that appear literally or percent-encoded are masked. A text that contains a secret in another form
//! (escaped, encoded, truncated or split) is not quoted at all, because such a secret cannot be masked reliably.

mod secret_finder;

use std::borrow::Cow;

use crate::secret::Wiped;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use self::secret_finder::SecretFinder;

/// The text that replaces a secret.
const MASK: &str = "***";

/// The maximum length of the quoted text, in characters.
const LONGEST: usize = 400;

/// The maximum length of the examined text, in characters. A secret that this limit cuts short is found like a
/// secret at the end of a truncated text.
const LONGEST_EXAMINED: usize = 1024;

/// The fields that are quoted from the service's error bodies, in this order.
const QUOTED_FIELDS: [&str; 4] = ["title", "error_title", "detail", "resolution"];

/// The length of the shortest secret that is masked in a body, in bytes. Shorter secrets are masked only in the
/// quoted text, because they may also be part of the body's syntax.
const SHORTEST_REDACTED: usize = 6;

/// Masks each secret of at least [`SHORTEST_REDACTED`] bytes in `body`, plain or as [`percent_encoded`] writes it,
/// ignoring ASCII case.
pub(crate) fn redact(body: &mut Vec<u8>, secrets: &[&str]) {
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST_REDACTED) {
        redact_one(body, secret.as_bytes());
        let encoded = percent_encoded(secret);
        if *encoded != **secret {
            redact_one(body, encoded.as_bytes());
        }
    }
}

fn redact_one(body: &mut Vec<u8>, secret: &[u8]) {
    let mut start: usize = 0;
    let next = |body: &Vec<u8>, start: usize| {
        let rest = body.get(start..).unwrap_or_default();
        // Comparing the first byte is fast and excludes most positions.
        let begins = |part: &&[u8]| part.first().zip(secret.first()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
        rest.windows(secret.len()).position(|part| begins(&part) && part.eq_ignore_ascii_case(secret))
    };
    while let Some(position) = next(body, start) {
        start = start.saturating_add(position);
        let end = start.saturating_add(secret.len());
        drop(body.splice(start..end, MASK.bytes()));
        start = start.saturating_add(MASK.len());
    }
}

/// Returns `secret` with each byte except ASCII letters and digits percent-encoded. The capacity is reserved in full,
/// because a string that reallocates leaves copies behind that are not wiped.
fn percent_encoded(secret: &str) -> Wiped<String> {
    let mut encoded = Wiped::new(String::with_capacity(3 * secret.len()));
    encoded.extend(utf8_percent_encode(secret, NON_ALPHANUMERIC));
    encoded
}

/// Returns the text to quote from a server's `body`, as one line that contains neither control characters nor
/// `secrets`, or None if nothing can be quoted.
pub(crate) fn quote(body: &[u8], secrets: &[&str]) -> Option<String> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(fields)) => {
            QUOTED_FIELDS.iter().filter_map(|name| fields.get(*name)?.as_str()).collect::<Vec<_>>().join(" - ")
        }
        Ok(_) => return None,
        Err(_) => text_of(body).into_owned(),
    };
    let text: String = text.chars().take(LONGEST_EXAMINED).collect();
    // Secrets are masked both before and after tags are removed, because a tag may be inside a secret, or a secret
    // inside a tag.
    let masked = mask(&text, secrets);
    let is_html = masked.trim_start().starts_with('<');
    let line = if is_html { one_line(&between_tags(&masked, " ")) } else { one_line(&masked) };
    let line = mask(&line, secrets);
    let finder = SecretFinder::of(secrets);
    if line.is_empty() || finder.finds_in(&masked) || (line != masked && finder.finds_in(&line)) {
        return None;
    }
    Some(line.chars().take(LONGEST).collect())
}

/// Decodes the body as UTF-8 or, if it is not valid UTF-8, as ISO-8859-1, which old servers send.
fn text_of(body: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => body.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Replaces each run of white space, control characters and invisible characters with one space. Removes such runs at
/// the beginning and the end.
fn one_line(text: &str) -> String {
    let is_unseen = |c: char| c.is_whitespace() || c.is_control() || is_format(c);
    text.split(is_unseen).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Returns whether a character changes the direction of text or has no width, and so could make a log misleading.
fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns the parts of `text` outside its HTML tags, joined with `joint`.
fn between_tags(text: &str, joint: &str) -> String {
    let (before, rest) = text.split_once('<').unwrap_or((text, ""));
    let after_tag = |part: &'_ str| part.split_once('>').map(|(_, after)| after.to_owned());
    let parts = rest.split('<').filter_map(after_tag);
    [before.to_owned()].into_iter().chain(parts).collect::<Vec<_>>().join(joint)
}

/// Masks each occurrence of a secret, plain or as [`percent_encoded`] writes it, ignoring ASCII case.
fn mask(text: &str, secrets: &[&str]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| mask_one(&mask_one(&text, secret), &percent_encoded(secret)))
}

fn mask_one(text: &str, secret: &str) -> String {
    let lower_secret = Wiped::new(secret.to_ascii_lowercase());
    // ASCII lower-casing keeps byte offsets, so offsets found in one text apply to the other.
    let lower_text = text.to_ascii_lowercase();
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for (start, found) in lower_text.match_indices(lower_secret.as_str()) {
        masked.push_str(text.get(end..start).unwrap_or_default());
        masked.push_str(MASK);
        end = start.saturating_add(found.len());
    }
    masked.push_str(text.get(end..).unwrap_or_default());
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &[u8]) -> Option<String> {
        quote(body, &["s3cret/&", "c2lnbmF0dXJl"])
    }

    #[test]
    fn the_documented_bodies_are_quoted() {
        let body = br#"{"type":"https://x/#unauthorized","title":"Invalid credentials supplied","detail":"You did not provide correct credentials.","instance":"797a"}"#;
        assert_eq!(shown(body).unwrap(), "Invalid credentials supplied - You did not provide correct credentials.");
        let body = br#"{"error_title":"Old","resolution":"Try again."}"#;
        assert_eq!(shown(body).unwrap(), "Old - Try again.");
    }

    #[test]
    fn a_literal_secret_is_masked_in_the_body() {
        for (body, redacted) in [
            ("you sent s3cret/& to me", "you sent *** to me"),
            ("S3cret%2f%26s3cret/&", "******"),
            ("s3cret/", "s3cret/"),
            ("", ""),
        ] {
            let mut bytes = body.as_bytes().to_vec();
            redact(&mut bytes, &["s3cret/&", "t"]);
            assert_eq!(String::from_utf8(bytes).unwrap(), redacted);
        }
    }

    #[test]
    fn html_in_latin_1_is_quoted_as_text() {
        let body =
            b"<html><head><title>402</title></head>\r\n<body><h1>Bad Account\xa0Credentials \xe9</h1></body></html>";
        assert_eq!(shown(body).unwrap(), "402 Bad Account Credentials é");
    }

    #[test]
    fn a_body_without_text_is_not_quoted() {
        let deep = "[".repeat(100_000);
        let bodies: [&[u8]; 8] = [b"", b" \r\n\t", b"{}", b"{\"title\":7}", b"[1]", b"\"text\"", b"<>", b"\0\x01"];
        for body in bodies {
            assert_eq!(shown(body), None, "{:?}", body.get(..20));
        }
        assert!(shown(deep.as_bytes()).is_none_or(|line| line.len() == LONGEST));
    }

    #[test]
    fn control_and_invisible_characters_are_removed() {
        assert_eq!(shown("a\u{1b}[31mb\r\nc\u{202e}d\u{85}e".as_bytes()).unwrap(), "a [31mb c d e");
        assert_eq!(shown(br#"{"title":"a\u0000b\u001bc"}"#).unwrap(), "a b c");
    }

    #[test]
    fn a_literal_secret_is_masked() {
        for (body, line) in [
            ("you sent s3cret/& to me", "you sent *** to me"),
            ("you sent S3CRET/& to me", "you sent *** to me"),
            ("you sent s3cret%2F%26 to me", "you sent *** to me"),
            ("you sent S3cret%2f%26 to me", "you sent *** to me"),
            ("you sent Basic c2lnbmF0dXJl to me", "you sent Basic *** to me"),
            ("{\"title\":\"s3cret\\/\\u0026 to me\"}", "*** to me"),
            ("{\"title\":\"\\u00733cret/& to me\"}", "*** to me"),
            ("<p>s3cret/& to me</p>", "*** to me"),
            ("s3cret/&s3cret/& to me", "****** to me"),
        ] {
            assert_eq!(shown(body.as_bytes()).as_deref(), Some(line), "{body}");
        }
    }

    #[test]
    fn a_text_that_contains_an_encoded_secret_is_not_quoted() {
        let secret = "pa'ss\"98/76&=+ä";
        let bodies: [&[u8]; 19] = [
            b"you sent pa&#039;ss&quot;98/76&amp;=+ to me",
            b"you sent pa&#39;ss&#34;98&#x2F;76&amp;&#x3D;&#43; to me",
            b"\"you sent pa'ss\\\"98/76\\u0026=+ to me",
            b"Error 402: {\"api_secret\":\"pa'ss\\\"98/76\\u0026=+\"}",
            b"\xef\xbb\xbf{\"x\":\"pa'ss\\\"98\\/76\\u0026\",",
            b"{\"title\":\"{\\\"api_secret\\\":\\\"pa'ss\\\\\\\"98/76\\\\u0026\\\"}\"}",
            b"you sent pa%2527ss%252298%252F76 to me",
            b"you sent pa+ss 98 76 to me",
            b"you sent p a ' s s \" 9 8 / 7 6 to me",
            b"you sent p<b>a</b>'ss\"<i>98</i>/76 to me",
            b"<p>p<b>a</b>'ss\"<i>98</i>/76</p>",
            b"you sent pa&shy;ss&shy;98&shy;76 to me",
            b"you sent &#112;&#97;&#115;&#115;&#57;&#56;&#55;&#54; to me",
            b"you sent \\u0070\\u0061\\u0073\\u0073\\u0039\\u0038 to me",
            "you sent p\u{fe0f}a\u{34f}s\u{61c}s\u{200b}98\u{ad}76 to me".as_bytes(),
            "you sent pa'ss\"98/76&=+Ã¤ to me".as_bytes(),
            b"you sent PASS9876 to me",
            b"you sent pa'ss",
            b"you sent pa's",
        ];
        for body in bodies {
            assert_eq!(quote(body, &[secret]), None, "{}", String::from_utf8_lossy(body));
        }
        let secret = "Tr0ub4dor3xyz";
        for body in [
            "you sent &#84&#114&#48&#117&#98&#52&#100&#111&#114&#51&#120&#121&#122 to me",
            r"you sent \x54\x72\x30\x75\x62\x34\x64\x6f\x72\x33\x78\x79\x7a to me",
            r"you sent \u{54}\u{72}\u{30}\u{75}\u{62}\u{34}\u{64}\u{6f}\u{72}\u{33} to me",
            "you sent %u0054%u0072%u0030%u0075%u0062%u0034%u0064%u006f to me",
            "you sent =54=72=30=75=62=34=64=6f=72=33 to me",
            "you sent VHIwdWI0ZG9yM3h5eg== to me",
            // In Base64, the secret after one to three other bytes.
            "you sent YToxVHIwdWI0ZG9yM3h5eg== to me",
            "you sent YTpUcjB1YjRkb3IzeHl6 to me",
            "you sent YWI6VHIwdWI0ZG9yM3h5eg to me",
            "you sent eDpUcjB1YjRkb3IzeHl6Ong= to me",
            "you sent OlRyMHViNGRvcjN4eXo6 to me",
            "you sent 5472 3075 6234 646f 7233 7879 7a to me",
        ] {
            assert_eq!(quote(body.as_bytes(), &[secret]), None, "{body}");
        }
        assert_eq!(quote(b"you sent &amp;&lt;&gt;&quot;&#39;$ to me", &["&<>\"'$"]), None);
        let secret = "pa'ss\"98/76&=+ä";
        let latin_1 = b"you sent pa'ss\"98/76&=+\xe4 to me";
        assert_eq!(quote(latin_1, &[secret]).as_deref(), Some("you sent *** to me"));
    }

    #[test]
    fn a_secret_in_base64_is_found_between_any_other_text() {
        use base64::Engine;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        for secret in ["s3cret", "Tr0ub4dor3xyz", "pa'ss\"98/76&=+ä", "???>>>~~~ab"] {
            for (before, after) in [("", ""), ("k", ""), ("ke", ":x"), ("key", "yz"), ("key:", "\"}"), ("{\"k", "-")] {
                let text = format!("{before}{secret}{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    let body = format!("got {encoded} from you");
                    assert_eq!(quote(body.as_bytes(), &[secret]), None, "{text}");
                }
            }
        }
        assert!(quote(b"got nothing from you", &["s3cret"]).is_some());
    }

    #[test]
    fn part_of_a_token_is_not_quoted() {
        assert_eq!(quote(b"got Basic YWJjZDpzM2NyZXQxMg", &["YWJjZDpzM2NyZXQxMg=="]), None);
        assert_eq!(quote(b"got Basic ZDpzM2NyZX to me", &["YWJjZDpzM2NyZXQxMg=="]), None);
    }

    #[test]
    fn the_quoted_text_is_bounded() {
        assert_eq!(shown("é".repeat(5000).as_bytes()).unwrap().chars().count(), LONGEST);
    }
}
