use std::io::Write;
use std::time::Duration;

use super::*;
use crate::auth::Authentication;
use crate::auth::signature::Method;
use crate::client::Client;
use crate::options;
use crate::options::base_url::BaseUrl;
use crate::reporter::Overflow;

/// A text that invalid values contain and that no message may contain.
const CANARY: &str = "CANARY";

const ACCOUNT: &str = "api_key = key\napi_secret = secret\n";

fn checked(text: &str) -> Result<Checked, Error> {
    let settings = Settings::parse(text)?;
    settings.check().map_err(|error| settings.explain(&error))
}

fn secret(text: &str) -> String {
    let text = format!("api_key = key\napi_secret{text}");
    match checked(&text).unwrap_or_else(|error| panic!("{text:?}: {error}")).credentials.authentication() {
        Authentication::Query(secret) => secret.expose().to_owned(),
        _ => panic!("auth is query by default"),
    }
}

#[test]
fn a_value_is_what_follows_the_first_equals_sign() {
    for (text, value) in [
        (" = abc", "abc"),
        ("=abc", "abc"),
        ("\t = \tabc \t", "abc"),
        (" = abc\r\n", "abc"),
        (" = abc\n", "abc"),
        (" = a = b", "a = b"),
        (" = a b", "a b"),
        (" = abc # no comment", "abc # no comment"),
        (" = #abc", "#abc"),
        (" = a\"b\"", "a\"b\""),
        (" = a\\\\b", "a\\\\b"),
        (" = ключ", "ключ"),
        (" = \u{a0}abc", "\u{a0}abc"),
        (" = \"abc\"", "abc"),
        (" = \" abc \" ", " abc "),
        (" = \"a\\\"b\\\\c\"", "a\"b\\c"),
        (" = \"\\\\\"", "\\"),
        (" = \"#\"", "#"),
        (" = 'abc'", "'abc'"),
        (" = abc\n\n \t\n# CANARY = 1\n\t#\n\r\n", "abc"),
        (" = abc\n#\u{1}\n", "abc"),
    ] {
        assert_eq!(secret(text), value, "{text:?}");
    }
}

#[test]
fn a_byte_order_mark_is_skipped_once() {
    assert!(checked(&format!("\u{feff}{ACCOUNT}")).is_ok());
    assert!(checked(&format!("\u{feff}\u{feff}{ACCOUNT}")).is_err());
    assert!(checked(&format!("{ACCOUNT}\u{feff}timeout_ms = 1")).is_err());
}

#[test]
fn the_size_is_limited() {
    let padded = |size: usize| format!("{ACCOUNT}#{}", "x".repeat(size - ACCOUNT.len() - 1));
    assert!(checked(&padded(LONGEST)).is_ok());
    assert_eq!(checked(&padded(LONGEST + 1)).err().unwrap().message(), "settings is longer than 65536 bytes");
}

/// Invalid lines after the account's lines, each with the expected message.
const INVALID: &[(&str, &str)] = &[
    ("timeout_ms", "line 3: = is missing; valid: name = value"),
    ("CANARY", "line 3: = is missing; valid: name = value"),
    ("\u{1}", "line 3: = is missing; valid: name = value"),
    ("\u{a0}", "line 3: = is missing; valid: name = value"),
    ("= CANARY", "line 3: the name is unknown"),
    ("CANARY = 1", "line 3: the name is unknown"),
    ("api key = CANARY", "line 3: the name is unknown"),
    ("Timeout_ms = CANARY", "line 3: the name is unknown"),
    ("timeout_ms\u{a0} = CANARY", "line 3: the name is unknown"),
    ("sha256 = CANARY", "line 3: the name is unknown"),
    ("timeout = CANARY", "line 3: timeout is unknown"),
    ("flags = CANARY", "line 3: flags is unknown"),
    ("struct_size = CANARY", "line 3: struct_size is unknown"),
    ("_ = CANARY", "line 3: _ is unknown"),
    ("abcdefghijklmnopqrstuvwxyz_abcde = 1", "line 3: abcdefghijklmnopqrstuvwxyz_abcde is unknown"),
    ("abcdefghijklmnopqrstuvwxyz_abcdef = 1", "line 3: the name is unknown"),
    ("\n\r\n# x\nnone = 1", "line 6: none is unknown"),
    ("api_key = CANARY", "line 3: api_key is already set in line 1"),
    ("timeout_ms = 1\ntimeout_ms = 1", "line 4: timeout_ms is already set in line 3"),
    ("proxy =", "line 3: proxy has no value; use \"\" for an empty string"),
    ("proxy = \t \r\n", "line 3: proxy has no value; use \"\" for an empty string"),
    ("proxy = CANARY\tb", "line 3: proxy has a value that contains a control character"),
    ("proxy = CANARY\r\r\n", "line 3: proxy has a value that contains a control character"),
    ("proxy = CANARY\r", "line 3: proxy has a value that contains a control character"),
    ("proxy = \"CANARY\u{7f}\"", "line 3: proxy has a value that contains a control character"),
    ("proxy = CANARY\0", "line 3: proxy has a value that contains a control character"),
    ("proxy = \"", "line 3: proxy has no closing quote"),
    ("proxy = \"CANARY", "line 3: proxy has no closing quote"),
    ("proxy = \"CANARY\\\"", "line 3: proxy has no closing quote"),
    ("proxy = \"CANARY\" # x", "line 3: proxy has text after the closing quote; use \\\" for a quote in the value"),
    ("proxy = \"CANARY\"CANARY\"", "line 3: proxy has text after the closing quote; use \\\" for a quote in the value"),
    ("proxy = \"CANARY\\n\"", "line 3: proxy has a backslash that is not part of \\\" or \\\\"),
    ("proxy = \"CANARY\\", "line 3: proxy has a backslash that is not part of \\\" or \\\\"),
    ("timeout_ms = CANARY", "line 3: timeout_ms must consist of decimal digits"),
    ("timeout_ms = \"\"", "line 3: timeout_ms must consist of decimal digits"),
    ("timeout_ms = -1", "line 3: timeout_ms must consist of decimal digits"),
    ("timeout_ms = +1", "line 3: timeout_ms must consist of decimal digits"),
    ("timeout_ms = 1_000", "line 3: timeout_ms must consist of decimal digits"),
    ("timeout_ms = \" 1\"", "line 3: timeout_ms must consist of decimal digits"),
    ("timeout_ms = ١", "line 3: timeout_ms must consist of decimal digits"),
    ("timeout_ms = 3600001", "line 3: timeout_ms is out of range; valid: 1 to 3600000, or 0 for the default"),
    (
        "timeout_ms = 18446744073709551616",
        "line 3: timeout_ms is out of range; valid: 1 to 3600000, or 0 for the default",
    ),
    ("max_attempts = 4294967297", "line 3: max_attempts is out of range; valid: 1 to 100, or 0 for the default"),
    ("sign_unix_seconds = CANARY", "line 3: sign_unix_seconds must be true or false"),
    ("sign_unix_seconds = True", "line 3: sign_unix_seconds must be true or false"),
    ("sign_unix_seconds = 1", "line 3: sign_unix_seconds must be true or false"),
    ("auth = CANARY", "line 3: auth must be one of query, basic, signature"),
    ("auth = 0", "line 3: auth must be one of query, basic, signature"),
    ("auth = \"\"", "line 3: auth must be one of query, basic, signature"),
    (
        "signature_method = CANARY",
        "line 3: signature_method must be one of md5_hash, hmac_md5, hmac_sha1, hmac_sha256, hmac_sha512",
    ),
    ("base_url = CANARY", "line 3: base_url does not begin with https://"),
    ("base_url = \"\"", "line 3: base_url does not begin with https://"),
    ("base_url = https://u:CANARY@host", "line 3: base_url has user information; use api_key and api_secret instead"),
    (
        "\nproxy = http://u:CANARY@host",
        "line 4: proxy is not of the form http://[user:password@]host:port or socks5://[user:password@]host:port",
    ),
    ("user_agent = CANARYé", "line 3: user_agent contains characters other than visible ASCII and spaces"),
    (
        "ca_file = /CANARY\nbuilt_in_roots_only = true",
        "line 3: ca_file is set together with built_in_roots_only (NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY); set only one of them",
    ),
    ("client_cert_file = /CANARY", "client_key_file is missing; client_cert_file requires it"),
    ("max_pending = 1", "line 3: max_pending is an option of reporters, which require outbox or durability = none"),
    (
        "allow_network_file_system = false",
        "line 3: allow_network_file_system is an option of reporters, which require outbox or durability = none",
    ),
    (
        "timeout_ms = 1\noverflow = fail\ndurability = power",
        "line 4: overflow is an option of reporters, which require outbox or durability = none",
    ),
    ("outbox = \"\"", "line 3: outbox is empty"),
    (
        "durability = none\noutbox = /CANARY",
        "line 4: outbox is set, but durability none uses no file; set only one of them",
    ),
    (
        "outbox = https://u:CANARY@host",
        "line 3: outbox looks like a URL; pass the path of a file, such as /var/lib/shop/conversions or ./name:with:colons",
    ),
    (
        "outbox = /CANARY\nmax_pending = 1000000001",
        "line 4: max_pending is out of range; valid: 1 to 1000000000, or 0 for the default",
    ),
    (
        "outbox = /CANARY\nmax_age_s = 31536001",
        "line 4: max_age_s is out of range; valid: 1 to 31536000, or 0 for the default",
    ),
    (
        "outbox = /CANARY\nmax_in_flight = 257",
        "line 4: max_in_flight is out of range; valid: 1 to 256, or 0 for the default",
    ),
    (
        "outbox = /CANARY\nbusy_timeout_ms = 60001",
        "line 4: busy_timeout_ms is out of range; valid: 1 to 60000, or 0 for the default",
    ),
    ("outbox = /CANARY\ndurability = 2", "line 4: durability must be one of process, power, none"),
    ("outbox = /CANARY\noverflow = refuse", "line 4: overflow must be one of fail, drop_oldest"),
];

#[test]
fn errors_name_the_line_and_setting_and_never_quote_the_value() {
    for (text, message) in INVALID {
        let error = checked(&format!("{ACCOUNT}{text}")).err().unwrap_or_else(|| panic!("{text:?} was accepted"));
        assert_eq!((error.kind(), error.message()), (Kind::InvalidArgument, *message), "{text:?}");
        assert!(!error.message().contains(CANARY), "{text:?}");
    }
}

#[test]
fn errors_in_the_account_name_the_setting() {
    let long = format!("api_key = {}\napi_secret = CANARY", CANARY.repeat(43));
    for (text, message) in [
        ("", "api_key is missing"),
        ("api_secret = CANARY", "api_key is missing"),
        ("api_key = CANARY", "api_secret is missing"),
        ("api_key = CANARY\nauth = basic\nsignature_secret = CANARY", "api_secret is missing"),
        ("api_key = CANARY\nauth = signature\napi_secret = CANARY", "signature_secret is missing"),
        ("api_key = CANARY\nauth = signature\nsignature_secret = CANARY", "signature_method is missing"),
        ("api_key = \"\"\napi_secret = CANARY", "line 1: api_key is empty; valid: 1 to 256 bytes"),
        ("api_key = CANARY\napi_secret = \"\"", "line 2: api_secret is 0 bytes long; valid: 1 to 256 bytes"),
        ("api_secret = CANARY\napi_key = \" CANARY\"", "line 2: api_key has leading or trailing white space"),
        (
            "auth = basic\napi_secret = CANARY\napi_key = CANARY:CANARY",
            "line 3: api_key contains a colon, which Basic authentication does not allow",
        ),
        (&long, "line 1: api_key is 258 bytes long; valid: 1 to 256 bytes"),
    ] {
        let error = checked(text).err().unwrap_or_else(|| panic!("{text:?} was accepted"));
        assert_eq!((error.kind(), error.message()), (Kind::InvalidArgument, message), "{text:?}");
    }
}

#[test]
fn errors_in_a_file_name_the_line_and_setting_but_not_the_path() {
    let path = std::env::temp_dir().join(format!("{CANARY} {}", std::process::id()));
    std::fs::File::create(&path).unwrap().write_all(b"no certificate").unwrap();
    let text = format!("{ACCOUNT}ca_file = {}", path.display());
    let opened = |text: &str| {
        let settings = Settings::parse(text).unwrap();
        let checked = settings.check().unwrap();
        let error = Client::with_settings(checked.credentials, checked.options).err().unwrap();
        settings.explain(&error)
    };
    let unusable = opened(&text);
    std::fs::remove_file(&path).unwrap();
    let missing = opened(&text);
    assert_eq!((unusable.kind(), missing.kind()), (Kind::InvalidArgument, Kind::InvalidArgument));
    assert!(unusable.message().starts_with("line 3: ca_file contains no usable certificate"), "{unusable}");
    assert!(missing.message().starts_with("line 3: ca_file cannot be read: "), "{missing}");
}

#[test]
fn other_errors_are_unchanged() {
    let settings = || Settings::parse(ACCOUNT).unwrap();
    for message in ["the disk is full", "proxy from the environment variable https_proxy is wrong", "api_keys", ""] {
        let error = Error::new(Kind::Outbox, message);
        assert_eq!(settings().explain(&error), error);
    }
    let explained = settings().explain(&Error::new(Kind::System, "api_secret cannot be read"));
    assert_eq!((explained.kind(), explained.message()), (Kind::System, "line 2: api_secret cannot be read"));
}

#[test]
fn settings_without_an_outbox_are_those_of_a_client() {
    let defaults = checked(ACCOUNT).ok().unwrap();
    assert!(defaults.reporter.is_none());
    assert_eq!(defaults.options, crate::Options::default().check().unwrap());
    let zeroes = "timeout_ms = 0\nconnect_timeout_ms = 00\nmax_attempts = 000\nmax_idle_connections = \"0\"";
    assert_eq!(checked(&format!("{ACCOUNT}{zeroes}")).ok().unwrap().options, defaults.options);
}

#[test]
fn every_option_takes_effect() {
    let text = "api_key = key\r\nsignature_secret = s\nauth = \"signature\"\nsignature_method = hmac_sha256\n\
                base_url = http://host.example:8080/x\nallow_plain_http = true\nproxy = socks5://proxy.example:1080\n\
                ca_file = /ca\nclient_cert_file = /cert\nclient_key_file = /key\nuser_agent = shop/2.1\n\
                connect_timeout_ms = 00000001\ntimeout_ms = \"0002\"\nmax_attempts = 3\nmax_idle_connections = 4\n\
                sign_unix_seconds = \"true\"\nproxy_from_environment = false\nbuilt_in_roots_only = false";
    let Checked { credentials, options, reporter } = checked(text).unwrap_or_else(|error| panic!("{error}"));
    assert!(reporter.is_none());
    assert_eq!(credentials.api_key(), "key");
    assert!(matches!(credentials.authentication(), Authentication::Signature(Method::HmacSha256, _)));
    assert_eq!(options.base_url, BaseUrl::parse("http://host.example:8080/x", true).unwrap());
    assert_eq!(options.proxy.map(|proxy| proxy.host).as_deref(), Some("proxy.example"));
    assert_eq!(options.trust, options::Trust::File("/ca".into()));
    assert_eq!(options.identity, Some(options::Identity { certificate: "/cert".into(), key: "/key".into() }));
    assert!(options.user_agent.ends_with(" shop/2.1"));
    assert_eq!(options.connect_timeout, Duration::from_millis(1));
    assert_eq!(options.timeout, Duration::from_millis(2));
    assert_eq!((options.max_attempts, options.max_idle_connections), (3, 4));
    assert!(options.sign_unix_seconds);
    let text = format!("{ACCOUNT}built_in_roots_only = true");
    assert_eq!(checked(&text).ok().unwrap().options.trust, options::Trust::BuiltIn);
}

#[test]
fn every_reporter_option_takes_effect() {
    let text = "outbox = /o\ndurability = power\noverflow = drop_oldest\nmax_pending = 1000000000\nmax_age_s = 2\n\
                max_in_flight = 3\nbusy_timeout_ms = 4\nallow_network_file_system = true";
    let reporter = checked(&format!("{text}\n{ACCOUNT}")).ok().unwrap().reporter.unwrap();
    assert_eq!(reporter.outbox.path.as_deref(), Some("/o".as_ref()));
    assert!(reporter.outbox.survives_power_loss && reporter.outbox.allow_network);
    assert_eq!((reporter.outbox.overflow, reporter.outbox.max_pending), (Overflow::DropOldest, 1_000_000_000));
    assert_eq!((reporter.max_age, reporter.outbox.busy_timeout), (Duration::from_secs(2), Duration::from_millis(4)));
    assert_eq!(reporter.max_in_flight, 3);
    let reporter = checked(&format!("{ACCOUNT}durability = none")).ok().unwrap().reporter.unwrap();
    assert!(
        reporter.outbox.path.is_none()
            && !reporter.outbox.survives_power_loss
            && reporter.outbox.overflow == Overflow::Fail
    );
}

#[test]
fn every_choice_maps_to_its_value() {
    for (word, method) in [
        ("md5_hash", Method::Md5Hash),
        ("hmac_md5", Method::HmacMd5),
        ("hmac_sha1", Method::HmacSha1),
        ("hmac_sha256", Method::HmacSha256),
        ("hmac_sha512", Method::HmacSha512),
    ] {
        let text = format!("{ACCOUNT}signature_secret = s\nauth = signature\nsignature_method = {word}");
        let credentials = checked(&text).ok().unwrap().credentials;
        assert!(matches!(credentials.authentication(), Authentication::Signature(found, _) if *found == method));
    }
    let basic = checked(&format!("{ACCOUNT}auth = basic")).ok().unwrap().credentials;
    assert!(matches!(basic.authentication(), Authentication::Basic(_)));
    assert!(checked(&format!("{ACCOUNT}auth = query\noutbox = /o\ndurability = process")).is_ok());
}
