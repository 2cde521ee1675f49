//! The proxy URL: `http://[user:password@]host:port` or `socks5://...`, given or read from the environment. Pure,
//! except for [`ProxyUrl::from_environment`].

use std::env;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::base_url::{check_host, check_port};
use super::no_proxy;
use crate::error::Error;
use crate::secret::Secret;

/// The longest proxy URL accepted, in bytes.
const LONGEST: usize = 2048;

/// The proxy protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyKind {
    /// HTTP `CONNECT`.
    Http,
    /// SOCKS version 5.
    Socks5,
}

/// The credentials for the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProxyUser {
    pub(crate) name: String,
    pub(crate) password: Secret,
}

/// A checked proxy URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProxyUrl {
    pub(crate) kind: ProxyKind,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<ProxyUser>,
}

impl ProxyUrl {
    /// Parses and checks `text`. Percent-decodes the user and password.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|problem| Error::argument("proxy", problem))
    }

    /// Returns the proxy that the environment specifies for a service at `scheme`, `host` and `port`. Like curl, uses
    /// the variable of the scheme, `https_proxy` or `http_proxy`, or else `all_proxy`, unless `no_proxy` lists the
    /// host. Prefers a name in lower case to the same name in upper case. Ignores `HTTP_PROXY`, because an HTTP
    /// client can set it in a CGI program. Ignores all of the variables if the process is a CGI program.
    pub(crate) fn from_environment(scheme: &str, host: &str, port: u16) -> Result<Option<Self>, Error> {
        // The conversion is lossy, so that a proxy URL that is not UTF-8 is reported as invalid rather than ignored.
        from_variables(scheme, host, port, |name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }
}

fn from_variables(
    scheme: &str,
    host: &str,
    port: u16,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<ProxyUrl>, Error> {
    // Like curl, treats an empty variable as unset. Also treats a blank one as unset.
    let named = |name: &str| {
        let value = variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        value.map(|text| (name.to_owned(), text))
    };
    let either = |name: &str| named(name).or_else(|| named(&name.to_ascii_uppercase()));
    let of_scheme = match scheme {
        "http" => named("http_proxy"),
        _ => either(&format!("{scheme}_proxy")),
    };
    let is_cgi = variable("REQUEST_METHOD").is_some();
    let is_excepted = || either("no_proxy").is_some_and(|(_, list)| no_proxy::lists(&list, host, port));
    match of_scheme.or_else(|| either("all_proxy")) {
        Some((name, text)) if !is_cgi && !is_excepted() => parse_variable(&text)
            .map(Some)
            .map_err(|problem| Error::argument(&format!("proxy from the environment variable {name}"), problem)),
        _ => Ok(None),
    }
}

/// Like [`parse`], but also accepts two forms that are common in variables: a URL without a scheme, which means
/// `http://`, and the scheme `socks5h`, which means `socks5`.
fn parse_variable(text: &str) -> Result<ProxyUrl, &'static str> {
    match text.split_once("://") {
        None => parse(&Zeroizing::new(format!("http://{text}"))),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("socks5h") => {
            parse(&Zeroizing::new(format!("socks5://{rest}")))
        }
        Some(_) => parse(text),
    }
}

fn parse(text: &str) -> Result<ProxyUrl, &'static str> {
    const SHAPE: &str = "is not of the form http://[user:password@]host:port or socks5://[user:password@]host:port";
    if text.len() > LONGEST {
        return Err("is longer than 2048 bytes");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("contains a space, a control character or a non-ASCII character; percent-encode it");
    }
    let (scheme, rest) = text.split_once("://").ok_or(SHAPE)?;
    let kind = match scheme.to_ascii_lowercase().as_str() {
        "http" => ProxyKind::Http,
        "socks5" => ProxyKind::Socks5,
        _ => return Err(SHAPE),
    };
    let (user, address) = rest.rsplit_once('@').map_or((None, rest), |(user, address)| (Some(user), address));
    let (host, port) = address.strip_suffix('/').unwrap_or(address).rsplit_once(':').ok_or(SHAPE)?;
    check_host(host)?;
    check_port(Some(port))?;
    let port = port.parse().map_err(|_| SHAPE)?;
    Ok(ProxyUrl { kind, host: host.to_owned(), port, user: user.map(parse_user).transpose()? })
}

fn parse_user(text: &str) -> Result<ProxyUser, &'static str> {
    const PROBLEM: &str =
        "has an invalid user or password; each must be 1 to 255 bytes of UTF-8 without control characters";
    let (name, password) = text.split_once(':').ok_or(PROBLEM)?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8().map(|text| text.into_owned()).map_err(|_| PROBLEM);
    let (name, password) = (decode(name)?, Zeroizing::new(decode(password)?));
    let is_fine = |text: &str| (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
    if !is_fine(&name) || !is_fine(&password) || (name.contains(':')) {
        return Err(PROBLEM);
    }
    Secret::new("proxy", &password).map(|password| ProxyUser { name, password }).map_err(|_| PROBLEM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_url_has_kind_host_and_port() {
        let proxy = ProxyUrl::parse("http://proxy.test:3128").unwrap();
        assert_eq!(
            (proxy.kind, proxy.host.as_str(), proxy.port, proxy.user),
            (ProxyKind::Http, "proxy.test", 3128, None)
        );
        let proxy = ProxyUrl::parse("socks5://us%40er:p%3Aw:d@[::1]:1080/").unwrap();
        assert_eq!((proxy.kind, proxy.host.as_str(), proxy.port), (ProxyKind::Socks5, "[::1]", 1080));
        let user = proxy.user.unwrap();
        assert_eq!((user.name.as_str(), user.password.expose()), ("us@er", "p:w:d"));
    }

    #[test]
    fn an_invalid_url_is_rejected_without_quoting_it() {
        let invalid = [
            "",
            "proxy",
            "proxy:3128",
            "https://hush:3128",
            "ftp://hush:21",
            "http://proxy",
            "http://proxy:",
            "http://:3128",
            "http://proxy:0",
            "http://proxy:65536",
            "http://proxy:3128/x",
            "http://u@proxy:3128",
            "http://u:@proxy:3128",
            "http://:hush@proxy:3128",
            "http://u:%ff@proxy:3128",
            "http://u:hush%0a@proxy:3128",
            "http://proxy :3128",
            "socks4://proxy:1080",
            "socks5h://proxy:1080",
            "http://pröxy:3128",
            "http://1.2.3:3128",
        ];
        for text in invalid {
            let error = ProxyUrl::parse(text).unwrap_err();
            assert!(error.message().starts_with("proxy ") && !error.message().contains("hush"), "{error}");
        }
        let proxy = ProxyUrl::parse("http://user:hush@proxy:3128").unwrap();
        assert!(!format!("{proxy:?}").contains("hush"));
    }

    fn find(variables: &[(&str, &str)]) -> Option<String> {
        let variable =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        from_variables("https", "api.nexmo.com", 443, variable).unwrap().map(|proxy| proxy.host)
    }

    #[test]
    fn the_environment_is_read_as_curl_does_and_never_in_a_cgi_program() {
        assert_eq!(find(&[("https_proxy", "http://one:1"), ("all_proxy", "http://two:2")]).as_deref(), Some("one"));
        assert_eq!(find(&[("all_proxy", "socks5://two:2")]).as_deref(), Some("two"));
        assert_eq!(find(&[("https_proxy", ""), ("all_proxy", "http://two:2")]).as_deref(), Some("two"));
        assert_eq!(find(&[("https_proxy", "")]), None);
        assert_eq!(find(&[("HTTPS_PROXY", "http://one:1"), ("all_proxy", "http://two:2")]).as_deref(), Some("one"));
        assert_eq!(find(&[("HTTPS_PROXY", "http://one:1"), ("https_proxy", "http://two:2")]).as_deref(), Some("two"));
        assert_eq!(find(&[("ALL_PROXY", "http://one:1")]).as_deref(), Some("one"));
        assert_eq!(find(&[("HTTP_PROXY", "http://one:1"), ("http_proxy", "http://one:1")]), None);
        assert_eq!(find(&[("https_proxy", "http://one:1"), ("REQUEST_METHOD", "GET")]), None);
        let http = |variables: &[(&str, &str)]| {
            let variable =
                |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
            from_variables("http", "host", 80, variable).unwrap().map(|proxy| proxy.host)
        };
        assert_eq!(http(&[("HTTP_PROXY", "http://one:1")]), None);
        assert_eq!(http(&[("HTTP_PROXY", "http://one:1"), ("http_proxy", "http://two:2")]).as_deref(), Some("two"));
    }

    #[test]
    fn a_variable_may_lack_the_scheme_and_is_reported_by_name_if_it_is_invalid() {
        for value in ["one:1", " http://one:1 ", "http://one:1/", "HTTP://one:1", "user:hush@one:1", "socks5h://one:1"]
        {
            assert_eq!(find(&[("https_proxy", value)]).as_deref(), Some("one"), "{value}");
        }
        for value in ["one", "http://one", "https://one:1", "socks4://one:1", "http://one:1/x", "user@one:1", "one:x"] {
            for name in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
                let variable = |other: &str| (other == name).then(|| value.to_owned());
                let error = from_variables("https", "host", 443, variable).unwrap_err();
                assert!(
                    error.message().starts_with(&format!("proxy from the environment variable {name} ")),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn no_proxy_is_used_for_a_host_listed_in_no_proxy() {
        for name in ["no_proxy", "NO_PROXY"] {
            for list in ["*", "api.nexmo.com", "other, nexmo.com", ".nexmo.com", "NEXMO.COM", "api.nexmo.com:443"] {
                assert_eq!(find(&[("https_proxy", "http://one:1"), (name, list)]), None, "{list}");
            }
            for list in ["", "exmo.com", "i.nexmo.com", "www.nexmo.com", "nexmo.com:444"] {
                assert!(find(&[("https_proxy", "http://one:1"), (name, list)]).is_some(), "{list}");
            }
        }
        assert!(find(&[("https_proxy", "http://one:1"), ("no_proxy", "x"), ("NO_PROXY", "*")]).is_some());
    }
}
