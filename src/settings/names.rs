//! The names of all settings, in one table: the settings, the command line and the documents use it.

use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use self::Form::{Choice, Flag, Number, Text as AnyText};
use crate::auth::credentials::Credentials;
use crate::auth::signature::Method;
use crate::error::Error;
use crate::options::{ClientSettings, Options};
use crate::reporter::{Durability, Overflow, ReporterOptions, ReporterSettings};

/// One setting.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) group: Group,
    pub(crate) form: Form,
}

/// The struct that a setting belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Credentials,
    Options,
    ReporterOptions,
}

/// The form of a setting's value, and where it is stored.
pub(crate) enum Form {
    /// Any text.
    Text(fn(&mut Chosen) -> &mut Text),
    /// Decimal digits; 0 selects the default.
    Number(fn(&mut Chosen) -> &mut u64),
    /// `true` or `false`.
    Flag(fn(&mut Chosen) -> &mut bool),
    /// One of these words.
    Choice(&'static [(&'static str, Choose)]),
}

/// Sets a choice.
type Choose = fn(&mut Chosen);

/// An optional text. It is wiped when dropped, because any text may contain a password.
type Text = Option<Zeroizing<String>>;

/// How requests are authenticated.
#[derive(Default, PartialEq, Eq)]
enum Auth {
    #[default]
    Query,
    Basic,
    Signature,
}

/// The values of the given settings; empty or 0 for all others.
#[derive(Default)]
pub(crate) struct Chosen {
    api_key: Text,
    api_secret: Text,
    signature_secret: Text,
    auth: Auth,
    signature_method: Option<Method>,
    base_url: Text,
    proxy: Text,
    ca_file: Text,
    client_cert_file: Text,
    client_key_file: Text,
    user_agent: Text,
    connect_timeout_ms: u64,
    timeout_ms: u64,
    max_attempts: u64,
    max_idle_connections: u64,
    allow_plain_http: bool,
    proxy_from_environment: bool,
    built_in_roots_only: bool,
    sign_unix_seconds: bool,
    outbox: Text,
    durability: Durability,
    overflow: Overflow,
    max_pending: u64,
    max_age_s: u64,
    max_in_flight: u64,
    busy_timeout_ms: u64,
    allow_network_file_system: bool,
}

const fn setting(group: Group, name: &'static str, form: Form) -> Setting {
    Setting { name, group, form }
}

/// Every setting, in the order of the fields of the structs.
pub(crate) static SETTINGS: &[Setting] = &[
    setting(Group::Credentials, "api_key", AnyText(|chosen| &mut chosen.api_key)),
    setting(Group::Credentials, "api_secret", AnyText(|chosen| &mut chosen.api_secret)),
    setting(Group::Credentials, "signature_secret", AnyText(|chosen| &mut chosen.signature_secret)),
    setting(
        Group::Credentials,
        "auth",
        Choice(&[
            ("query", |chosen| chosen.auth = Auth::Query),
            ("basic", |chosen| chosen.auth = Auth::Basic),
            ("signature", |chosen| chosen.auth = Auth::Signature),
        ]),
    ),
    setting(
        Group::Credentials,
        "signature_method",
        Choice(&[
            ("md5_hash", |chosen| chosen.signature_method = Some(Method::Md5Hash)),
            ("hmac_md5", |chosen| chosen.signature_method = Some(Method::HmacMd5)),
            ("hmac_sha1", |chosen| chosen.signature_method = Some(Method::HmacSha1)),
            ("hmac_sha256", |chosen| chosen.signature_method = Some(Method::HmacSha256)),
            ("hmac_sha512", |chosen| chosen.signature_method = Some(Method::HmacSha512)),
        ]),
    ),
    setting(Group::Options, "base_url", AnyText(|chosen| &mut chosen.base_url)),
    setting(Group::Options, "proxy", AnyText(|chosen| &mut chosen.proxy)),
    setting(Group::Options, "ca_file", AnyText(|chosen| &mut chosen.ca_file)),
    setting(Group::Options, "client_cert_file", AnyText(|chosen| &mut chosen.client_cert_file)),
    setting(Group::Options, "client_key_file", AnyText(|chosen| &mut chosen.client_key_file)),
    setting(Group::Options, "user_agent", AnyText(|chosen| &mut chosen.user_agent)),
    setting(Group::Options, "connect_timeout_ms", Number(|chosen| &mut chosen.connect_timeout_ms)),
    setting(Group::Options, "timeout_ms", Number(|chosen| &mut chosen.timeout_ms)),
    setting(Group::Options, "max_attempts", Number(|chosen| &mut chosen.max_attempts)),
    setting(Group::Options, "max_idle_connections", Number(|chosen| &mut chosen.max_idle_connections)),
    setting(Group::Options, "allow_plain_http", Flag(|chosen| &mut chosen.allow_plain_http)),
    setting(Group::Options, "proxy_from_environment", Flag(|chosen| &mut chosen.proxy_from_environment)),
    setting(Group::Options, "built_in_roots_only", Flag(|chosen| &mut chosen.built_in_roots_only)),
    setting(Group::Options, "sign_unix_seconds", Flag(|chosen| &mut chosen.sign_unix_seconds)),
    setting(Group::ReporterOptions, "outbox", AnyText(|chosen| &mut chosen.outbox)),
    setting(
        Group::ReporterOptions,
        "durability",
        Choice(&[
            ("process", |chosen| chosen.durability = Durability::Process),
            ("power", |chosen| chosen.durability = Durability::Power),
            ("none", |chosen| chosen.durability = Durability::None),
        ]),
    ),
    setting(
        Group::ReporterOptions,
        "overflow",
        Choice(&[
            ("fail", |chosen| chosen.overflow = Overflow::Fail),
            ("drop_oldest", |chosen| chosen.overflow = Overflow::DropOldest),
        ]),
    ),
    setting(Group::ReporterOptions, "max_pending", Number(|chosen| &mut chosen.max_pending)),
    setting(Group::ReporterOptions, "max_age_s", Number(|chosen| &mut chosen.max_age_s)),
    setting(Group::ReporterOptions, "max_in_flight", Number(|chosen| &mut chosen.max_in_flight)),
    setting(Group::ReporterOptions, "busy_timeout_ms", Number(|chosen| &mut chosen.busy_timeout_ms)),
    setting(Group::ReporterOptions, "allow_network_file_system", Flag(|chosen| &mut chosen.allow_network_file_system)),
];

/// Returns the setting of that name.
pub(crate) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|known| known.name == name)
}

impl Chosen {
    /// Sets one setting. The error describes the problem without quoting the value.
    pub(crate) fn set(&mut self, name: &Setting, value: Zeroizing<String>) -> Result<(), String> {
        match name.form {
            Form::Text(field) => *field(self) = Some(value),
            Form::Number(field) => {
                *field(self) = number(&value).ok_or("is not a number; valid: decimal digits")?;
            }
            Form::Flag(field) => {
                *field(self) = match value.as_str() {
                    "true" => true,
                    "false" => false,
                    _ => return Err("is not true or false".to_owned()),
                };
            }
            Form::Choice(choices) => match choices.iter().find(|(word, _)| *word == value.as_str()) {
                Some((_, choose)) => choose(self),
                None => {
                    let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                    return Err(format!("is not one of {}", words.join(", ")));
                }
            },
        }
        Ok(())
    }

    /// Returns the value of a setting, if it is a text and was given.
    pub(crate) fn text(&mut self, name: &Setting) -> Option<&str> {
        match name.form {
            Form::Text(field) => text(field(self)),
            _ => None,
        }
    }

    /// Whether the settings are those of a reporter; otherwise they are those of a client.
    pub(crate) fn is_reporter(&self) -> bool {
        self.outbox.is_some() || self.durability == Durability::None
    }

    pub(crate) fn credentials(&self) -> Result<Credentials, Error> {
        let api_key = required("api_key", &self.api_key)?;
        let api_secret = || required("api_secret", &self.api_secret);
        match self.auth {
            Auth::Query => Credentials::query(api_key, api_secret()?),
            Auth::Basic => Credentials::basic(api_key, api_secret()?),
            Auth::Signature => {
                let secret = required("signature_secret", &self.signature_secret)?;
                let method = self.signature_method.ok_or_else(|| missing("signature_method"))?;
                Credentials::signature(api_key, secret, method)
            }
        }
    }

    pub(crate) fn options(&self) -> Result<ClientSettings, Error> {
        let options = Options {
            base_url: text(&self.base_url),
            allow_plain_http: self.allow_plain_http,
            ca_file: path(&self.ca_file),
            built_in_roots_only: self.built_in_roots_only,
            user_agent: text(&self.user_agent),
            connect_timeout: milliseconds(self.connect_timeout_ms),
            timeout: milliseconds(self.timeout_ms),
            proxy: text(&self.proxy),
            proxy_from_environment: self.proxy_from_environment,
            client_cert_file: path(&self.client_cert_file),
            client_key_file: path(&self.client_key_file),
            max_attempts: count(self.max_attempts),
            max_idle_connections: count(self.max_idle_connections),
            sign_unix_seconds: self.sign_unix_seconds,
        };
        options.check()
    }

    pub(crate) fn reporter_settings(&self) -> Result<ReporterSettings, Error> {
        let options = ReporterOptions {
            outbox: path(&self.outbox),
            durability: self.durability,
            max_pending: chosen(self.max_pending),
            overflow: self.overflow,
            max_age: chosen(self.max_age_s).map(Duration::from_secs),
            max_in_flight: count(self.max_in_flight),
            busy_timeout: milliseconds(self.busy_timeout_ms),
            allow_network_file_system: self.allow_network_file_system,
        };
        options.check()
    }
}

/// Parses decimal digits. A number that overflows is out of range for every setting.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let append = |number: u64, byte: u8| number.saturating_mul(10).saturating_add(u64::from(byte & 0x0f));
    is_number.then(|| text.bytes().fold(0, append))
}

fn required<'a>(name: &str, given: &'a Text) -> Result<&'a str, Error> {
    text(given).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::argument(name, "is missing")
}

fn text(given: &Text) -> Option<&str> {
    given.as_deref().map(String::as_str)
}

fn path(given: &Text) -> Option<&Path> {
    text(given).map(Path::new)
}

fn chosen(number: u64) -> Option<u64> {
    (number != 0).then_some(number)
}

fn milliseconds(number: u64) -> Option<Duration> {
    chosen(number).map(Duration::from_millis)
}

fn count(number: u64) -> Option<u32> {
    chosen(number).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}
