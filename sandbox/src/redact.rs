//! Removes secrets from records, because users share log files.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;

use crate::account::Account;

const REDACTED: &str = "***";
const SECRET_PARAMETERS: [&str; 2] = ["api_secret", "sig"];
const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// The minimum length, in bytes, of an account's secret that is redacted in any text. Shorter secrets may occur in
/// ordinary words, so they are redacted only as values of secret parameters and headers.
const MIN_SECRET_LENGTH: usize = 4;

/// Redacts the values of secret parameters and headers, and also the accounts' secrets, unless they are too short, in
/// any other text.
#[derive(Debug)]
pub(crate) struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    pub(crate) fn new(accounts: &[Account]) -> Self {
        let secrets = accounts.iter().flat_map(secrets_of);
        Self { secrets: secrets.filter(|secret| secret.len() >= MIN_SECRET_LENGTH).collect() }
    }

    /// Redacts the accounts' secrets in `text`, or all of `text` if it contains a percent-encoded secret.
    pub(crate) fn text(&self, text: &str) -> String {
        let plain = self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED));
        // In encoded text, a `+` can stand for itself or for a space.
        let readings = [&plain, &plain.replace('+', " ")].map(|text| decoded(text));
        let found = readings.iter().any(|reading| self.secrets.iter().any(|secret| reading.contains(secret)));
        if found { REDACTED.into() } else { plain }
    }

    /// Redacts the user information, the values of secret parameters and the accounts' secrets in a request target.
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
            Some((name, _)) if is_secret(name) => format!("{name}={REDACTED}"),
            _ => self.text(pair),
        }
    }

    /// Redacts the whole value of a secret header, except for the scheme `Basic`. In other headers, redacts the
    /// accounts' secrets.
    pub(crate) fn header(&self, name: &str, value: &str) -> String {
        if !SECRET_HEADERS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
            return self.text(value);
        }
        match value.split_once(' ') {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("basic") => format!("Basic {REDACTED}"),
            _ => REDACTED.into(),
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

/// Returns whether a parameter's value is secret. Decodes the name, ignores its case, and treats `-` like `_`, because
/// a client may misspell the name and still send a secret.
fn is_secret(name: &str) -> bool {
    let plain = decoded(name).to_lowercase().replace('-', "_");
    SECRET_PARAMETERS.contains(&plain.as_str())
}

/// Redacts `user:password@`, which may precede the host in a target in absolute form.
fn without_user(head: &str) -> String {
    let Some((scheme, rest)) = head.split_once("://") else { return head.to_owned() };
    let (authority, path) =
        rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{REDACTED}@{host}{path}"),
        None => head.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(&[Account { api_secret: "s3 cret".into(), ..Account::default() }])
    }

    #[test]
    fn secret_parameters_are_redacted_in_every_spelling() {
        let shown = redactor().target("/p?api_key=k&api_secret=wrong&sig=00ff&api%5Fsecret=x&Api-Secret=x&SIG=x&sig");
        let redacted = "/p?api_key=k&api_secret=***&sig=***&api%5Fsecret=***&Api-Secret=***&SIG=***&sig";
        assert_eq!(shown, redacted);
    }

    #[test]
    fn known_secrets_are_redacted_in_other_parameters() {
        let shown = redactor().target("/s3%20cret?message-id=s3+cret&a=sign4ture&b=s3%20cret&sign4ture&c=safe");
        assert_eq!(shown, "***?***&a=***&***&***&c=safe");
    }

    #[test]
    fn a_secret_with_a_plus_is_redacted_in_every_encoding() {
        let redactor = Redactor::new(&[Account { api_secret: "a+b c".into(), ..Account::default() }]);
        assert_eq!(redactor.target("/?1=a%2Bb%20c&2=a%2Bb+c&3=a+b%20c&4=a+b"), "/?***&***&***&4=a+b");
    }

    #[test]
    fn credentials_in_headers_are_redacted() {
        assert_eq!(redactor().header("authorization", "basic YWJj"), "Basic ***");
        assert_eq!(redactor().header("Authorization", "s3cret"), "***");
        assert_eq!(redactor().header("authorization", "Bearer token"), "***");
        assert_eq!(redactor().header("cookie", "a=b"), "***");
        assert_eq!(redactor().header("user-agent", "nexmo-conversion/1.0.0 x"), "nexmo-conversion/1.0.0 x");
        assert_eq!(redactor().header("x-note", "my s3 cret and YWJjZDEyMzQ6czMgY3JldA=="), "my *** and ***");
    }

    #[test]
    fn user_information_is_redacted_in_absolute_targets() {
        assert_eq!(redactor().target("http://me:pw@host:1/p@q?a=1"), "http://***@host:1/p@q?a=1");
        assert_eq!(redactor().target("http://host/p@q"), "http://host/p@q");
        assert_eq!(redactor().target("/p@q://x@y"), "/p@q://***@y");
    }

    #[test]
    fn short_secrets_are_not_redacted_in_other_text() {
        let redactor =
            Redactor::new(&[Account { api_secret: "sms".into(), signature_secret: None, ..Account::default() }]);
        assert_eq!(redactor.target("/conversions/sms?api_secret=sms"), "/conversions/sms?api_secret=***");
    }
}
