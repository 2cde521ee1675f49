//! Finds settings by their names and stores their values. The modules that define the options also define their
//! settings; the settings of credentials are defined here.

use crate::auth::credentials::Credentials;
use crate::auth::signature::Method;
use crate::error::Error;
use crate::options::Options;
use crate::options::setting::{Form, Setting};
use crate::reporter::{Durability, ReporterOptions};

/// The authentication method.
#[derive(Default, PartialEq, Eq)]
enum Auth {
    #[default]
    Query,
    Basic,
    Signature,
}

/// Unchecked credentials.
#[derive(Default)]
pub(crate) struct GivenCredentials<'a> {
    api_key: Option<&'a str>,
    api_secret: Option<&'a str>,
    signature_secret: Option<&'a str>,
    auth: Auth,
    signature_method: Option<Method>,
}

impl<'a> GivenCredentials<'a> {
    /// The settings for the credentials, in the order of the fields of the C struct.
    pub(crate) const SETTINGS: &'a [Setting<'a, Self>] = &[
        Setting::new("api_key", Form::Text(|given, text| given.api_key = Some(text))),
        Setting::new("api_secret", Form::Text(|given, text| given.api_secret = Some(text))),
        Setting::new("signature_secret", Form::Text(|given, text| given.signature_secret = Some(text))),
        Setting::new(
            "auth",
            Form::Choice(&[
                ("query", |given| given.auth = Auth::Query),
                ("basic", |given| given.auth = Auth::Basic),
                ("signature", |given| given.auth = Auth::Signature),
            ]),
        ),
        Setting::new(
            "signature_method",
            Form::Choice(&[
                ("md5_hash", |given| given.signature_method = Some(Method::Md5Hash)),
                ("hmac_md5", |given| given.signature_method = Some(Method::HmacMd5)),
                ("hmac_sha1", |given| given.signature_method = Some(Method::HmacSha1)),
                ("hmac_sha256", |given| given.signature_method = Some(Method::HmacSha256)),
                ("hmac_sha512", |given| given.signature_method = Some(Method::HmacSha512)),
            ]),
        ),
    ];

    pub(super) fn check(&self) -> Result<Credentials, Error> {
        let api_key = required("api_key", self.api_key)?;
        let api_secret = || required("api_secret", self.api_secret);
        match self.auth {
            Auth::Query => Credentials::query(api_key, api_secret()?),
            Auth::Basic => Credentials::basic(api_key, api_secret()?),
            Auth::Signature => {
                let secret = required("signature_secret", self.signature_secret)?;
                let method = self.signature_method.ok_or_else(|| missing("signature_method"))?;
                Credentials::signature(api_key, secret, method)
            }
        }
    }
}

fn required<'a>(name: &str, given: Option<&'a str>) -> Result<&'a str, Error> {
    given.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::argument(name, "is missing")
}

/// The properties of a setting.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) is_number: bool,
    pub(super) is_reporter_option: bool,
}

/// Returns the setting called `name`, or None if there is none.
pub(super) fn find(name: &str) -> Option<Known> {
    known(GivenCredentials::SETTINGS, name, false)
        .or_else(|| known(Options::SETTINGS, name, false))
        .or_else(|| known(ReporterOptions::SETTINGS, name, true))
}

fn known<T>(settings: &[Setting<'_, T>], name: &str, is_reporter_option: bool) -> Option<Known> {
    let setting = settings.iter().find(|setting| setting.name == name)?;
    Some(Known { name: setting.name, is_number: matches!(setting.form, Form::Number(_)), is_reporter_option })
}

/// The values of all settings: the given values, and the defaults of the other settings.
#[derive(Default)]
pub(super) struct Chosen<'a> {
    pub(super) credentials: GivenCredentials<'a>,
    pub(super) options: Options<'a>,
    pub(super) reporter: ReporterOptions<'a>,
}

impl<'a> Chosen<'a> {
    /// Sets the setting called `name`, if there is one. The error describes the problem without quoting the value.
    pub(super) fn set(&mut self, name: &str, value: &'a str) -> Result<(), String> {
        set(GivenCredentials::SETTINGS, &mut self.credentials, name, value)?;
        set(Options::SETTINGS, &mut self.options, name, value)?;
        set(ReporterOptions::SETTINGS, &mut self.reporter, name, value)
    }

    /// Returns true if the settings are those of a reporter, and false if they are those of a client.
    pub(super) fn is_reporter(&self) -> bool {
        self.reporter.outbox.is_some() || self.reporter.durability == Durability::None
    }
}

fn set<'a, T>(settings: &[Setting<'a, T>], target: &mut T, name: &str, value: &'a str) -> Result<(), String> {
    settings.iter().find(|setting| setting.name == name).map_or(Ok(()), |setting| setting.set(target, value))
}
