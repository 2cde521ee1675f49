//! The options of a client, checked once.

pub(crate) mod base_url;
mod no_proxy;
pub(crate) mod proxy_url;
pub(crate) mod setting;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::base_url::{BaseUrl, is_loopback};
use self::proxy_url::ProxyUrl;
use self::setting::{Form, Setting};
use crate::error::Error;

/// The default overall timeout of one report.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The default timeout for resolving the host name and connecting, including TLS.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest timeout that can be set.
pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);

/// The largest valid `max_attempts`.
pub(crate) const MOST_ATTEMPTS: u32 = 100;

/// The default maximum number of idle connections to keep.
const DEFAULT_CONNECTIONS: u32 = 32;

/// The largest valid `max_idle_connections`.
pub(crate) const MOST_CONNECTIONS: u32 = 1024;

/// The longest user agent suffix accepted, in bytes.
const LONGEST_USER_AGENT: usize = 256;

/// The options of a client. `Options::default()` sets each field to `None` or `false`. `None` selects the default
/// that the comment on the field states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options<'a> {
    /// Base URL of the service, `https://host[:port][/prefix]`. `http://` requires a loopback host or
    /// `allow_plain_http`. Default: `https://api.nexmo.com`.
    pub base_url: Option<&'a str>,
    /// Allows `http://` for remote hosts, and a remote proxy with an `http://` base URL. Both expose the credentials
    /// on the network.
    pub allow_plain_http: bool,
    /// PEM file with the only root certificates to trust. Invalid together with `built_in_roots_only`. Default: the
    /// platform's store or, if there is none, the built-in roots.
    pub ca_file: Option<&'a Path>,
    /// Trusts the root certificates built into the library instead of the platform's store.
    pub built_in_roots_only: bool,
    /// Text appended to the `user-agent` header, such as `shop/2.1`: up to 256 visible ASCII characters and spaces.
    /// Default: none.
    pub user_agent: Option<&'a str>,
    /// Timeout of each attempt for resolving the host name and connecting, including TLS, 1 ms to 1 h. Default: 5 s.
    pub connect_timeout: Option<Duration>,
    /// Overall timeout of one report, including all attempts and the pauses between them, 1 ms to 1 h. Default: 10 s.
    pub timeout: Option<Duration>,
    /// Proxy, `http://[user:password@]host:port` or `socks5://[user:password@]host:port`. The proxy resolves the
    /// service's name. A remote proxy with an `http://` base URL is invalid unless `allow_plain_http` is set. Default:
    /// none.
    pub proxy: Option<&'a str>,
    /// If `proxy` is `None`, uses the proxy in the environment variable `https_proxy` (`http_proxy` for an `http://`
    /// base URL) or `all_proxy`, unless `no_proxy` lists the host. Also reads upper-case names, except `HTTP_PROXY`.
    /// Ignores a remote proxy for an `http://` base URL unless `allow_plain_http` is set. Has no effect in a CGI
    /// program.
    pub proxy_from_environment: bool,
    /// PEM file with the client certificate and its intermediate certificates. Used if the server requests it.
    /// Requires `client_key_file`. Default: none.
    pub client_cert_file: Option<&'a Path>,
    /// PEM file with the private key of the client certificate. Requires `client_cert_file`. Default: none.
    pub client_key_file: Option<&'a Path>,
    /// The maximum number of attempts for one report, 1 to 100. Default: 1. Retryable failures are retried after a
    /// delay, within the overall timeout.
    pub max_attempts: Option<u32>,
    /// The maximum number of idle connections to keep, 1 to 1024. Default: 32.
    pub max_idle_connections: Option<u32>,
    /// With signature authentication, sends the current time in seconds since 1970 as `timestamp`, as the service's
    /// signing guide describes, instead of the conversion's timestamp. By default, sends the conversion's timestamp or,
    /// if that is `None`, the current date and time.
    pub sign_unix_seconds: bool,
}

/// Checked options, with defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientSettings {
    pub(crate) base_url: BaseUrl,
    pub(crate) trust: Trust,
    pub(crate) identity: Option<Identity>,
    pub(crate) proxy: Option<ProxyUrl>,
    pub(crate) max_attempts: u32,
    pub(crate) max_idle_connections: u32,
    pub(crate) user_agent: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) sign_unix_seconds: bool,
}

impl ClientSettings {
    /// Returns whether requests with these settings and requests with `other` may share connections.
    pub(crate) fn shares_connections_with(&self, other: &Self) -> bool {
        // The pattern has no `..`, so the compiler reports a new field that this function ignores.
        let Self {
            base_url,
            trust,
            identity,
            proxy,
            max_idle_connections,
            max_attempts: _,
            user_agent: _,
            connect_timeout: _,
            timeout: _,
            sign_unix_seconds: _,
        } = other;
        self.base_url == *base_url
            && self.trust == *trust
            && self.identity == *identity
            && self.proxy == *proxy
            && self.max_idle_connections == *max_idle_connections
    }

    /// Returns each option that is set and names a file, with the path of the file.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let ca_file = match &self.trust {
            Trust::File(path) => Some(("ca_file", path.as_path())),
            Trust::Platform | Trust::BuiltIn => None,
        };
        let client = self.identity.iter().flat_map(|identity| {
            [("client_cert_file", identity.certificate.as_path()), ("client_key_file", identity.key.as_path())]
        });
        ca_file.into_iter().chain(client)
    }
}

/// The certificates to trust.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Trust {
    /// The platform's store; if there is none, the built-in roots.
    Platform,
    /// The roots built into the library.
    BuiltIn,
    /// The certificates of one PEM file.
    File(PathBuf),
}

/// The files of the client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl<'a> Options<'a> {
    /// One setting for each option, in the order of the fields and flags of the C struct.
    pub(crate) const SETTINGS: &'a [Setting<'a, Self>] = &[
        Setting::new("base_url", Form::Text(|options, text| options.base_url = Some(text))),
        Setting::new("proxy", Form::Text(|options, text| options.proxy = Some(text))),
        Setting::new("ca_file", Form::Text(|options, text| options.ca_file = Some(Path::new(text)))),
        Setting::new("client_cert_file", Form::Text(|options, text| options.client_cert_file = Some(Path::new(text)))),
        Setting::new("client_key_file", Form::Text(|options, text| options.client_key_file = Some(Path::new(text)))),
        Setting::new("user_agent", Form::Text(|options, text| options.user_agent = Some(text))),
        Setting::new(
            "connect_timeout_ms",
            Form::Number(|options, number| options.connect_timeout = number.map(Duration::from_millis)),
        ),
        Setting::new("timeout_ms", Form::Number(|options, number| options.timeout = number.map(Duration::from_millis))),
        Setting::new("max_attempts", Form::Number(|options, number| options.max_attempts = setting::count(number))),
        Setting::new(
            "max_idle_connections",
            Form::Number(|options, number| options.max_idle_connections = setting::count(number)),
        ),
        Setting::new("allow_plain_http", Form::Flag(|options, flag| options.allow_plain_http = flag)),
        Setting::new("proxy_from_environment", Form::Flag(|options, flag| options.proxy_from_environment = flag)),
        Setting::new("built_in_roots_only", Form::Flag(|options, flag| options.built_in_roots_only = flag)),
        Setting::new("sign_unix_seconds", Form::Flag(|options, flag| options.sign_unix_seconds = flag)),
    ];

    /// Checks the options as far as possible without access to files or the network. Reads the environment if
    /// `proxy_from_environment` is set.
    pub(crate) fn check(&self) -> Result<ClientSettings, Error> {
        let base_url =
            self.base_url.map(|text| BaseUrl::parse(text, self.allow_plain_http)).transpose()?.unwrap_or_default();
        Ok(ClientSettings {
            trust: self.trust()?,
            identity: self.identity()?,
            proxy: self.proxy_for(&base_url)?,
            max_attempts: count("max_attempts", self.max_attempts, 1, MOST_ATTEMPTS)?,
            max_idle_connections: count(
                "max_idle_connections",
                self.max_idle_connections,
                DEFAULT_CONNECTIONS,
                MOST_CONNECTIONS,
            )?,
            base_url,
            user_agent: user_agent(self.user_agent)?,
            connect_timeout: limit("connect_timeout_ms", self.connect_timeout, DEFAULT_CONNECT_TIMEOUT)?,
            timeout: limit("timeout_ms", self.timeout, DEFAULT_TIMEOUT)?,
            sign_unix_seconds: self.sign_unix_seconds,
        })
    }

    fn trust(&self) -> Result<Trust, Error> {
        match self.ca_file {
            Some(_) if self.built_in_roots_only => Err(Error::argument(
                "ca_file",
                "is set together with built_in_roots_only (NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY); set only one of them",
            )),
            Some(path) => Ok(Trust::File(path.to_owned())),
            None if self.built_in_roots_only => Ok(Trust::BuiltIn),
            None => Ok(Trust::Platform),
        }
    }

    fn identity(&self) -> Result<Option<Identity>, Error> {
        match (self.client_cert_file, self.client_key_file) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some(Identity { certificate: certificate.to_owned(), key: key.to_owned() }))
            }
            (Some(_), None) => Err(Error::argument("client_key_file", "is missing; client_cert_file requires it")),
            (None, Some(_)) => Err(Error::argument("client_cert_file", "is missing; client_key_file requires it")),
        }
    }

    /// Returns the proxy to use. With an `http://` base URL, a remote proxy would receive the credentials
    /// unencrypted. Unless `allow_plain_http` is set, such a proxy is therefore invalid in `proxy`, and ignored in
    /// the environment.
    fn proxy_for(&self, base_url: &BaseUrl) -> Result<Option<ProxyUrl>, Error> {
        const EXPOSED: &str = "is a remote proxy, which exposes the credentials of an http:// base_url; use https:// or set \
                            allow_plain_http (NEXMO_OPTIONS_ALLOW_PLAIN_HTTP)";
        let is_exposed_to =
            |proxy: &ProxyUrl| base_url.scheme() == "http" && !self.allow_plain_http && !is_loopback(&proxy.host);
        match self.proxy.map(ProxyUrl::parse).transpose()? {
            Some(proxy) if is_exposed_to(&proxy) => Err(Error::argument("proxy", EXPOSED)),
            None if self.proxy_from_environment => {
                let proxy = ProxyUrl::from_environment(base_url.scheme(), base_url.host(), base_url.port())?;
                Ok(proxy.filter(|proxy| !is_exposed_to(proxy)))
            }
            given => Ok(given),
        }
    }
}

/// Returns the error for a number that is out of range. If the parameter's name ends with a unit, such as `_ms`, both
/// `given` and `most` are in that unit. The message also offers 0, which means the default in the C interface and in
/// settings.
pub(crate) fn out_of_range(parameter: &str, given: impl Display, most: impl Display) -> Error {
    Error::argument(parameter, format!("is {given}; valid: 1 to {most}, or 0 for the default"))
}

fn count(parameter: &str, given: Option<u32>, default: u32, most: u32) -> Result<u32, Error> {
    match given.unwrap_or(default) {
        count if (1..=most).contains(&count) => Ok(count),
        count => Err(out_of_range(parameter, count, most)),
    }
}

fn limit(parameter: &str, given: Option<Duration>, default: Duration) -> Result<Duration, Error> {
    match given.unwrap_or(default) {
        limit if limit.as_millis() == 0 || limit > LONGEST_TIMEOUT => {
            Err(out_of_range(parameter, limit.as_millis(), LONGEST_TIMEOUT.as_millis()))
        }
        limit => Ok(limit),
    }
}

fn user_agent(suffix: Option<&str>) -> Result<String, Error> {
    const OWN: &str = concat!("nexmo-conversion/", env!("CARGO_PKG_VERSION"));
    match suffix.unwrap_or_default() {
        "" => Ok(OWN.to_owned()),
        text if text.len() > LONGEST_USER_AGENT => Err(Error::argument("user_agent", "is longer than 256 bytes")),
        text if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) => {
            Ok(format!("{OWN} {text}").trim_end().to_owned())
        }
        _ => Err(Error::argument("user_agent", "contains characters other than visible ASCII and spaces")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_used_when_nothing_is_set() {
        let settings = Options::default().check().unwrap();
        assert_eq!(settings.base_url.as_str(), "https://api.nexmo.com");
        assert_eq!(settings.trust, Trust::Platform);
        assert_eq!(settings.user_agent, concat!("nexmo-conversion/", env!("CARGO_PKG_VERSION")));
        assert_eq!((settings.connect_timeout, settings.timeout), (Duration::from_secs(5), Duration::from_secs(10)));
    }

    #[test]
    fn a_timeout_has_a_minimum_and_a_maximum() {
        let check = |limit| Options { timeout: Some(limit), ..Options::default() }.check();
        assert!(check(Duration::from_millis(1)).is_ok());
        assert!(check(Duration::from_secs(3600)).is_ok());
        assert!(check(Duration::ZERO).is_err());
        assert!(check(Duration::from_micros(999)).is_err());
        let error = check(Duration::from_millis(3_600_001)).unwrap_err();
        assert_eq!(error.message(), "timeout_ms is 3600001; valid: 1 to 3600000, or 0 for the default");
    }

    #[test]
    fn a_user_agent_suffix_is_visible_ascii() {
        let check = |suffix| Options { user_agent: Some(suffix), ..Options::default() }.check();
        assert!(check("shop/2 (test)").unwrap().user_agent.ends_with(" shop/2 (test)"));
        assert_eq!(check("").unwrap(), Options::default().check().unwrap());
        assert_eq!(check("  ").unwrap(), Options::default().check().unwrap());
        let spaces = " ".repeat(257);
        for suffix in ["shop\r\nx: y", "ключ", "\t", "a\u{7f}", "shop/1\n", "\u{a0}shop", &spaces] {
            assert!(check(suffix).is_err(), "{suffix:?} was accepted");
        }
        assert!(check(&"x".repeat(257)).is_err());
    }

    #[test]
    fn plain_http_is_not_sent_to_a_remote_proxy() {
        let check = |base_url, proxy, allow_plain_http| {
            Options { base_url: Some(base_url), proxy: Some(proxy), allow_plain_http, ..Options::default() }.check()
        };
        assert!(check("http://localhost", "http://proxy.test:3128", false).is_err());
        assert!(check("http://localhost", "http://proxy.test:3128", true).is_ok());
        assert!(check("http://localhost", "http://127.0.0.1:3128", false).is_ok());
        assert!(check("https://localhost", "http://proxy.test:3128", false).is_ok());
    }

    #[test]
    fn two_sources_of_trust_are_invalid() {
        let options = Options { ca_file: Some(Path::new("ca.pem")), built_in_roots_only: true, ..Options::default() };
        assert!(options.check().unwrap_err().message().starts_with("ca_file "));
    }
}
