//! Sanitizes text from a server for error messages. Pure. A body is untrusted: it may repeat the request with its
//! secret, contain control characters, or nest without limit.
//!
//! Secrets that appear literally are masked. A body that contains a secret in another form, escaped, encoded,
//! truncated or split, is not quoted at all, because the possible encodings are unlimited.

use std::borrow::Cow;
use std::iter;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use serde_json::{Map, Value};

/// Replaces a secret.
const MASK: &str = "***";

/// The maximum length of the quoted text, in characters.
const LONGEST: usize = 400;

/// The maximum length of the examined text, in characters. A secret truncated at its end is treated as in a truncated
/// text.
const LONGEST_EXAMINED: usize = 1024;

/// The number of consecutive letters and digits that reveal a secret.
const REVEALING_PART: usize = 6;

/// The number of leading characters of a secret that reveal it at the end of a text, where the rest was cut off.
const REVEALING_START: usize = 3;

/// How many layers of encoding are decoded to find a secret.
const MOST_LAYERS: usize = 3;

/// The fields of the service's error bodies, in the order in which they are quoted.
const QUOTED_FIELDS: [&str; 4] = ["title", "error_title", "detail", "resolution"];

/// Returns a line for a log from a server's `body`, without control characters and `secrets`; none if nothing can be
/// quoted.
pub(crate) fn quote<'a>(body: &[u8], secrets: impl Iterator<Item = &'a str>) -> Option<String> {
    let secrets: Vec<&str> = secrets.filter(|secret| !secret.is_empty()).collect();
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(fields)) => joined_fields(&fields),
        Ok(_) => return None,
        Err(_) => text_of(body).into_owned(),
    };
    let text: String = text.chars().take(LONGEST_EXAMINED).collect();
    // Masked before and after the text changes, because a tag may be inside a secret, or a secret inside a tag.
    let masked = mask(&text, &secrets);
    let line = mask(&one_line(&without_tags(&masked)), &secrets);
    let finder = SecretFinder::of(&secrets);
    if line.is_empty() || finder.finds_in(&masked) || (line != masked && finder.finds_in(&line)) {
        return None;
    }
    Some(line.chars().take(LONGEST).collect())
}

fn joined_fields(fields: &Map<String, Value>) -> String {
    let text: Vec<&str> = QUOTED_FIELDS.iter().filter_map(|name| fields.get(*name)?.as_str()).collect();
    text.join(" - ")
}

/// Decodes the body as UTF-8, or else as ISO-8859-1, which old servers send and in which every byte is a character.
fn text_of(body: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => body.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Replaces white space, control characters and invisible characters by single spaces between words.
fn one_line(text: &str) -> String {
    let is_unseen = |c: char| c.is_whitespace() || c.is_control() || is_format(c);
    text.split(is_unseen).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Characters that change the direction of text or have no width and would make a log misleading.
fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns the text without its tags, if it is HTML.
fn without_tags(text: &str) -> String {
    if text.trim_start().starts_with('<') { between_tags(text, " ") } else { text.to_owned() }
}

fn between_tags(text: &str, joint: &str) -> String {
    let (before, rest) = text.split_once('<').unwrap_or((text, ""));
    let after_tag = |part: &'_ str| part.split_once('>').map(|(_, after)| after.to_owned());
    let parts = rest.split('<').filter_map(after_tag);
    [before.to_owned()].into_iter().chain(parts).collect::<Vec<_>>().join(joint)
}

/// Masks each literal occurrence of a secret, case-insensitively, plain or percent-encoded.
fn mask(text: &str, secrets: &[&str]) -> String {
    let encoded = |secret: &str| utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    secrets.iter().fold(text.to_owned(), |text, secret| mask_one(&mask_one(&text, secret), &encoded(secret)))
}

fn mask_one(text: &str, secret: &str) -> String {
    let lower_secret = secret.to_ascii_lowercase();
    // ASCII lower-casing keeps byte offsets, so offsets found in one text apply to the other.
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

/// Finds secrets in a text regardless of the tags, escapes, spaces and punctuation inserted into them.
struct SecretFinder<'a> {
    /// Secrets without a letter or digit, which are searched for literally.
    signs: Vec<&'a str>,
    /// The letters and digits of each secret, plain and encoded.
    bare: Vec<Vec<char>>,
    /// Every substring of those that is long enough to reveal a secret, sorted.
    parts: Vec<[char; REVEALING_PART]>,
}

impl<'a> SecretFinder<'a> {
    fn of(secrets: &[&'a str]) -> Self {
        let is_signs = |secret: &&str| !secret.contains(char::is_alphanumeric) && *secret != MASK;
        let signs = secrets.iter().copied().filter(is_signs).collect();
        let forms = |secret: &&str| [bare(secret), bare(&hex::encode(secret)), bare(&STANDARD.encode(secret))];
        let bare: Vec<Vec<char>> = secrets.iter().flat_map(forms).collect();
        let parts = bare.iter().flat_map(|secret| secret.windows(REVEALING_PART));
        let mut parts: Vec<_> = parts.filter_map(|part| part.try_into().ok()).collect();
        parts.sort_unstable();
        Self { signs, bare, parts }
    }

    /// Whether `text`, or what it decodes to, contains one, with or without its tags.
    fn finds_in(&self, text: &str) -> bool {
        let decoded = |text: &String| Some(unescape(text)).filter(|decoded| decoded != text);
        iter::successors(Some(text.to_owned()), decoded).take(1 + MOST_LAYERS).any(|text| {
            self.signs.iter().any(|secret| text.contains(secret))
                || self.finds_in_bare(&bare(&text))
                || (text.contains('<') && self.finds_in_bare(&bare(&between_tags(&text, ""))))
        })
    }

    fn finds_in_bare(&self, text: &[char]) -> bool {
        let is_part = |part: &[char]| self.parts.binary_search_by(|known| known.as_slice().cmp(part)).is_ok();
        let is_whole = |secret: &Vec<char>| {
            (1..REVEALING_PART).contains(&secret.len()) && text.windows(secret.len()).any(|part| part == secret)
        };
        let is_start = |secret: &Vec<char>| {
            let mut starts = (REVEALING_START..secret.len()).filter_map(|length| secret.get(..length));
            starts.any(|start| text.ends_with(start))
        };
        text.windows(REVEALING_PART).any(is_part) || self.bare.iter().any(|secret| is_whole(secret) || is_start(secret))
    }
}

/// Returns the letters and digits only, in lower case.
fn bare(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Decodes percent-encoding and the escapes of HTML, JSON, programming languages and mail, one layer. Named escapes
/// other than those of HTML's special characters are removed.
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

/// Parses `#115;`, `#x73;` or `shy;`, with or without the semicolon.
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

/// Replaces the text after each `opening` by the result of `read`: a character or none, and the rest of the text.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &[u8]) -> Option<String> {
        quote(body, ["s3cret/&", "c2lnbmF0dXJl"].into_iter())
    }

    #[test]
    fn the_documented_bodies_are_quoted() {
        let body = br#"{"type":"https://x/#unauthorized","title":"Invalid credentials supplied","detail":"You did not provide correct credentials.","instance":"797a"}"#;
        assert_eq!(shown(body).unwrap(), "Invalid credentials supplied - You did not provide correct credentials.");
        let body = br#"{"error_title":"Old","resolution":"Try again."}"#;
        assert_eq!(shown(body).unwrap(), "Old - Try again.");
    }

    #[test]
    fn html_in_latin_1_is_quoted_as_text() {
        let body =
            b"<html><head><title>402</title></head>\r\n<body><h1>Bad Account\xa0Credentials \xe9</h1></body></html>";
        assert_eq!(shown(body).unwrap(), "402 Bad Account Credentials é");
    }

    #[test]
    fn an_empty_text_is_not_quoted() {
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
            assert_eq!(quote(body, [secret].into_iter()), None, "{}", String::from_utf8_lossy(body));
        }
        let secret = "Tr0ub4dor3xyz";
        for body in [
            "you sent &#84&#114&#48&#117&#98&#52&#100&#111&#114&#51&#120&#121&#122 to me",
            r"you sent \x54\x72\x30\x75\x62\x34\x64\x6f\x72\x33\x78\x79\x7a to me",
            r"you sent \u{54}\u{72}\u{30}\u{75}\u{62}\u{34}\u{64}\u{6f}\u{72}\u{33} to me",
            "you sent %u0054%u0072%u0030%u0075%u0062%u0034%u0064%u006f to me",
            "you sent =54=72=30=75=62=34=64=6f=72=33 to me",
            "you sent VHIwdWI0ZG9yM3h5eg== to me",
            "you sent 5472 3075 6234 646f 7233 7879 7a to me",
        ] {
            assert_eq!(quote(body.as_bytes(), [secret].into_iter()), None, "{body}");
        }
        assert_eq!(quote(b"you sent &amp;&lt;&gt;&quot;&#39;$ to me", ["&<>\"'$"].into_iter()), None);
        let secret = "pa'ss\"98/76&=+ä";
        let latin_1 = b"you sent pa'ss\"98/76&=+\xe4 to me";
        assert_eq!(quote(latin_1, [secret].into_iter()).as_deref(), Some("you sent *** to me"));
    }

    #[test]
    fn part_of_a_token_is_not_quoted() {
        assert_eq!(quote(b"got Basic YWJjZDpzM2NyZXQxMg", ["YWJjZDpzM2NyZXQxMg=="].into_iter()), None);
        assert_eq!(quote(b"got Basic ZDpzM2NyZX to me", ["YWJjZDpzM2NyZXQxMg=="].into_iter()), None);
    }

    #[test]
    fn the_quoted_text_is_bounded() {
        assert_eq!(shown("é".repeat(5000).as_bytes()).unwrap().chars().count(), LONGEST);
    }
}
