//! The base URL of the service: `https://host[:port][/prefix]`, checked once. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::error::Error;

/// The default base URL.
const SERVICE: &str = "https://api.nexmo.com";

/// The longest base URL accepted, in bytes.
const LONGEST: usize = 2048;

/// A checked base URL, without trailing slashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct BaseUrl {
    text: String,
    /// The position of the host and port in `text`. The prefix follows.
    authority: Range<usize>,
}

impl BaseUrl {
    /// Parses and checks `text`. Plain `http://` is valid only for loopback hosts, unless `plain_http_anywhere` is set.
    pub(crate) fn parse(text: &str, plain_http_anywhere: bool) -> Result<Self, Error> {
        check(text, plain_http_anywhere)
            .map(|()| Self::new(text.trim_end_matches('/')))
            .map_err(|problem| Error::argument("base_url", problem))
    }

    fn new(text: &str) -> Self {
        let start = text.find("://").map_or(0, |end| end.saturating_add("://".len()));
        let length = text.get(start..).and_then(|rest| rest.find('/'));
        let end = length.map_or(text.len(), |length| start.saturating_add(length));
        Self { text: text.to_owned(), authority: start..end }
    }

    /// Returns `http` or `https`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("https")) { "https" } else { "http" }
    }

    /// Returns the host. An IPv6 address is in brackets.
    pub(crate) fn host(&self) -> &str {
        split_port(self.authority()).map_or("", |(host, _)| host)
    }

    /// Returns the explicit port, or the default port of the scheme.
    pub(crate) fn port(&self) -> u16 {
        let explicit = split_port(self.authority()).ok().and_then(|(_, port)| port?.parse().ok());
        explicit.unwrap_or(if self.scheme() == "https" { 443 } else { 80 })
    }

    /// Returns the host and port as given.
    pub(crate) fn authority(&self) -> &str {
        self.text.get(self.authority.clone()).unwrap_or_default()
    }

    /// Returns the path before the API's own path, with a leading slash, or an empty string if there is none.
    pub(crate) fn prefix(&self) -> &str {
        self.text.get(self.authority.end..).unwrap_or_default()
    }

    /// Returns the URL with its scheme and host in lower case, without the default port and without leading zeros in
    /// another port, so that URLs that differ only in these respects compare equal.
    pub(crate) fn normalized(&self) -> String {
        let authority = self.authority().to_ascii_lowercase();
        let default_port = if self.scheme() == "https" { 443 } else { 80 };
        let host_and_port = authority.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        let authority = match host_and_port {
            Some((host, port)) if port == default_port => host.to_owned(),
            Some((host, port)) => format!("{host}:{port}"),
            None => authority,
        };
        format!("{}://{authority}{}", self.scheme(), self.prefix())
    }

    /// Returns the URL as given, but without trailing slashes.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self::new(SERVICE)
    }
}

fn check(text: &str, plain_http_anywhere: bool) -> Result<(), &'static str> {
    if text.len() > LONGEST {
        return Err("is longer than 2048 bytes");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            "contains a space, a control character or a non-ASCII character; percent-encode it or, in a host name, use the xn-- form",
        );
    }
    let (is_plain, rest) = split_scheme(text)?;
    if rest.contains(['?', '#']) {
        return Err("has a query or a fragment; valid: https://host[:port][/prefix]");
    }
    let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err("has user information; use api_key and api_secret instead");
    }
    let (host, port) = split_port(authority)?;
    check_host(host)?;
    check_port(port)?;
    // Trailing slashes are removed later, so they are not checked.
    check_prefix(prefix.trim_end_matches('/'))?;
    if is_plain && !plain_http_anywhere && !is_loopback(host) {
        return Err(
            "uses http:// for a remote host, which exposes the credentials; use https:// or set allow_plain_http (NEXMO_OPTIONS_ALLOW_PLAIN_HTTP)",
        );
    }
    Ok(())
}

/// Returns whether the scheme is plain HTTP, and the rest of the URL.
fn split_scheme(text: &str) -> Result<(bool, &str), &'static str> {
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => Ok((false, rest)),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => Ok((true, rest)),
        _ => Err("does not begin with https://"),
    }
}

/// Splits an authority into host and port; an IPv6 address keeps its brackets.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), &'static str> {
    let host_end = authority.rfind(']').map_or(0, |bracket| bracket.saturating_add(1));
    match authority.get(host_end..).and_then(|rest| rest.find(':')) {
        None => Ok((authority, None)),
        Some(colon) => authority
            .split_at_checked(host_end.saturating_add(colon))
            .map(|(host, port)| (host, port.strip_prefix(':')))
            .ok_or("has no host"),
    }
}

pub(crate) fn check_host(host: &str) -> Result<(), &'static str> {
    if let Some(inside) = host.strip_prefix('[') {
        let address = inside.strip_suffix(']').and_then(|text| text.parse::<Ipv6Addr>().ok());
        return address.map(drop).ok_or("has an invalid IPv6 address in brackets");
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if host.len() > 253 || !name.split('.').all(is_label) {
        return Err("has no valid host name");
    }
    // Some resolvers read names such as `127.1` and `0x7f.1` as IPv4 addresses.
    let is_number =
        |label: &str| label.bytes().all(|byte| byte.is_ascii_digit()) || label.to_ascii_lowercase().starts_with("0x");
    if name.rsplit('.').next().is_some_and(is_number) && name.parse::<Ipv4Addr>().is_err() {
        return Err("has an invalid IPv4 address");
    }
    Ok(())
}

pub(crate) fn check_port(port: Option<&str>) -> Result<(), &'static str> {
    let is_port =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0);
    if port.is_none_or(is_port) { Ok(()) } else { Err("has an invalid port; valid: 1 to 65535") }
}

fn check_prefix(prefix: &str) -> Result<(), &'static str> {
    if prefix.starts_with('/') {
        // Some servers interpret the text after two slashes at the start of a request target as a host name.
        return Err("has a path prefix that begins with two slashes");
    }
    let mut bytes = prefix.bytes();
    while let Some(byte) = bytes.next() {
        let is_fine = match byte {
            b'%' => {
                bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())
                    && bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte),
        };
        if !is_fine {
            return Err("has a path prefix with a character that a path cannot contain; percent-encode it");
        }
    }
    Ok(())
}

/// Returns whether `host` is a loopback host: an address in 127.0.0.0/8, `::1` or `localhost`.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_valid_base_url() {
        assert_eq!(BaseUrl::parse(SERVICE, false).unwrap(), BaseUrl::default());
    }

    #[test]
    fn a_url_is_kept_without_its_trailing_slashes() {
        for (given, kept) in [
            ("https://host", "https://host"),
            ("https://host/", "https://host"),
            ("https://host//", "https://host"),
            ("https://host/a//b", "https://host/a//b"),
            ("HTTPS://Host:8443/a/b/", "HTTPS://Host:8443/a/b"),
            ("https://[2001:db8::1]:8443/%7Ea", "https://[2001:db8::1]:8443/%7Ea"),
            ("http://127.0.0.1:80", "http://127.0.0.1:80"),
            ("http://127.9.9.9", "http://127.9.9.9"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            ("http://LOCALHOST", "http://LOCALHOST"),
            ("https://xn--bcher-kva.example.", "https://xn--bcher-kva.example."),
        ] {
            assert_eq!(BaseUrl::parse(given, false).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn equivalent_urls_normalize_to_the_same_url() {
        for (given, normal) in [
            ("https://api.nexmo.com", "https://api.nexmo.com"),
            ("HTTPS://API.Nexmo.com:443/", "https://api.nexmo.com"),
            ("https://host:8443/A/b", "https://host:8443/A/b"),
            ("https://host:80", "https://host:80"),
            ("http://LocalHost:80/x", "http://localhost/x"),
            ("http://localhost:443", "http://localhost:443"),
            ("https://host:0443", "https://host"),
            ("https://host:08443", "https://host:8443"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://[2001:DB8::443]", "https://[2001:db8::443]"),
        ] {
            assert_eq!(BaseUrl::parse(given, false).unwrap().normalized(), normal);
        }
    }

    #[test]
    fn scheme_and_host_are_parsed() {
        for (url, scheme, host) in [
            ("https://host", "https", "host"),
            ("HTTPS://a.b:8443/c", "https", "a.b"),
            ("http://[::1]:80/x", "http", "[::1]"),
            ("http://127.0.0.1/x:y", "http", "127.0.0.1"),
        ] {
            let url = BaseUrl::parse(url, false).unwrap();
            assert_eq!((url.scheme(), url.host()), (scheme, host));
        }
    }

    #[test]
    fn an_invalid_url_is_rejected() {
        let invalid = [
            "",
            "host",
            "ftp://host",
            "https:/host",
            "https://",
            "https:///x",
            "https://user@host",
            "https://u:p@host/",
            "https://host//a",
            "https://host///a/",
            "https://host?x",
            "https://host#x",
            "https://host:0",
            "https://host:65536",
            "https://host:",
            "https://host:+1",
            "https://ho st",
            "https://host/ä",
            "https://host/a b",
            "https://host/%zz",
            "https://host/%2",
            "https://a..b",
            "https://[::1",
            "https://::1",
            "https://[1.2.3.4]",
            "https://256.1.1.1",
            "https://127.1",
            "https://0x7f.1",
            "https://host\\x",
            "https://host\n",
            "https://host/\"",
            "http://host",
            "http://127.1.1.1.example",
            "http://128.0.0.1",
            "http://localhost.example",
            "http://[::2]",
            "https://0x7f000001",
            "https://-._!",
            "https://-a",
            "https://a-.b",
        ];
        for text in invalid {
            assert!(BaseUrl::parse(text, false).is_err(), "{text:?} was accepted");
        }
        assert!(BaseUrl::parse(&format!("https://host/{}", "x".repeat(2048)), false).is_err());
    }

    #[test]
    fn plain_http_to_a_remote_host_requires_the_flag() {
        assert!(BaseUrl::parse("http://host:8080/x", true).is_ok());
        assert!(BaseUrl::parse("ftp://host", true).is_err());
    }
}
