//! Keeps secrets out of records: a log file is something that people send to each other.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;

use crate::account::Account;

const STARS: &str = "***";
const SECRET_PARAMETERS: [&str; 2] = ["api_secret", "sig"];
const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Shorter secrets occur in innocent words; they are masked in their own places only.
const SHORTEST_SOUGHT: usize = 4;

/// Knows what must not be shown, by its place and by its text.
#[derive(Debug)]
pub(crate) struct Mask {
    secrets: Vec<String>,
}

impl Mask {
    pub(crate) fn new(accounts: &[Account]) -> Self {
        let secrets = accounts.iter().flat_map(secrets_of);
        Self { secrets: secrets.filter(|secret| secret.len() >= SHORTEST_SOUGHT).collect() }
    }

    /// The text without the secrets of any account, should they have got there by mistake.
    pub(crate) fn text(&self, text: &str) -> String {
        let plain = self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, STARS));
        // A `+` may stand for itself or for a space, so both readings are looked at.
        let readings = [&plain, &plain.replace('+', " ")].map(|text| decoded(text));
        let found = readings.iter().any(|reading| self.secrets.iter().any(|secret| reading.contains(secret)));
        if found { STARS.into() } else { plain }
    }

    /// The request target with its secret values, and any user information, replaced.
    pub(crate) fn target(&self, target: &str) -> String {
        match target.split_once('?') {
            None => self.text(&without_user(target)),
            Some((head, query)) => format!("{}?{}", self.text(&without_user(head)), self.query(query)),
        }
    }

    fn query(&self, query: &str) -> String {
        query.split('&').map(|pair| self.pair(pair)).collect::<Vec<_>>().join("&")
    }

    fn pair(&self, pair: &str) -> String {
        match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}={STARS}"),
            _ => self.text(pair),
        }
    }

    /// A header's value; of credentials only the scheme is left.
    pub(crate) fn header(&self, name: &str, value: &str) -> String {
        if !SECRET_HEADERS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
            return self.text(value);
        }
        match value.split_once(' ') {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("basic") => format!("Basic {STARS}"),
            _ => STARS.into(),
        }
    }
}

fn secrets_of(account: &Account) -> Vec<String> {
    let basic = BASE64_STANDARD.encode(format!("{}:{}", account.api_key, account.api_secret));
    [Some(basic), Some(account.api_secret.clone()), account.signature_secret.clone()].into_iter().flatten().collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Looks through encoding, case and dashes, since a misspelt name still has a secret behind it.
fn is_secret(name: &str) -> bool {
    let plain = decoded(name).to_lowercase().replace('-', "_");
    SECRET_PARAMETERS.contains(&plain.as_str())
}

/// A target in absolute form may carry `user:password@` before its host.
fn without_user(head: &str) -> String {
    let Some((scheme, rest)) = head.split_once("://") else { return head.to_owned() };
    let (authority, path) =
        rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{STARS}@{host}{path}"),
        None => head.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        Mask::new(&[Account { api_secret: "s3 cret".into(), ..Account::default() }])
    }

    #[test]
    fn secret_parameters_lose_their_values_however_they_are_spelt() {
        let shown = mask().target("/p?api_key=k&api_secret=wrong&sig=00ff&api%5Fsecret=x&Api-Secret=x&SIG=x&sig");
        let stars = "/p?api_key=k&api_secret=***&sig=***&api%5Fsecret=***&Api-Secret=***&SIG=***&sig";
        assert_eq!(shown, stars);
    }

    #[test]
    fn known_secrets_are_found_in_wrong_places() {
        let shown = mask().target("/s3%20cret?message-id=s3+cret&a=sign4ture&b=s3%20cret&sign4ture&c=safe");
        assert_eq!(shown, "***?***&a=***&***&***&c=safe");
    }

    #[test]
    fn a_secret_with_a_plus_is_found_in_every_spelling() {
        let mask = Mask::new(&[Account { api_secret: "a+b c".into(), ..Account::default() }]);
        assert_eq!(mask.target("/?1=a%2Bb%20c&2=a%2Bb+c&3=a+b%20c&4=a+b"), "/?***&***&***&4=a+b");
    }

    #[test]
    fn credentials_in_headers_leave_their_scheme_at_most() {
        assert_eq!(mask().header("authorization", "basic YWJj"), "Basic ***");
        assert_eq!(mask().header("Authorization", "s3cret"), "***");
        assert_eq!(mask().header("authorization", "Bearer token"), "***");
        assert_eq!(mask().header("cookie", "a=b"), "***");
        assert_eq!(mask().header("user-agent", "nexmo-conversion/1.0.0 x"), "nexmo-conversion/1.0.0 x");
        assert_eq!(mask().header("x-note", "my s3 cret and YWJjZDEyMzQ6czMgY3JldA=="), "my *** and ***");
    }

    #[test]
    fn user_information_is_taken_out_of_absolute_targets() {
        assert_eq!(mask().target("http://me:pw@host:1/p@q?a=1"), "http://***@host:1/p@q?a=1");
        assert_eq!(mask().target("http://host/p@q"), "http://host/p@q");
        assert_eq!(mask().target("/p@q://x@y"), "/p@q://***@y");
    }

    #[test]
    fn short_secrets_do_not_tear_words_apart() {
        let mask = Mask::new(&[Account { api_secret: "sms".into(), signature_secret: None, ..Account::default() }]);
        assert_eq!(mask.target("/conversions/sms?api_secret=sms"), "/conversions/sms?api_secret=***");
    }
}
