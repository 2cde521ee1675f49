//! Describes the errors of the TLS library: what failed and, in most cases, what to do about it.

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, PeerIncompatible};

use crate::timestamp::Timestamp;

/// The maximum total length of the names from a certificate in a message, in bytes.
const LONGEST_NAMES: usize = 64;

const NOTHING_IN_COMMON: &str = "the server and this library have no cipher or key type in common; the server must \
                                 support TLS 1.2 with ECDHE, or TLS 1.3";

const TOO_OLD: &str = "the server supports neither TLS 1.2 nor TLS 1.3; its operator must enable one";

const MALFORMED: &str = "a certificate of the server is malformed; its operator must replace it";

const BROKEN: &str = "the server does not follow the TLS protocol; check what responds in place of the service";

/// Returns a sentence for `error` that begins with a lower-case letter.
pub(super) fn sentence(error: &rustls::Error) -> String {
    use rustls::Error::{
        AlertReceived, DecryptError, FailedToGetCurrentTime, FailedToGetRandomBytes, InappropriateHandshakeMessage,
        InappropriateMessage, InconsistentKeys, InvalidCertRevocationList, InvalidCertificate, InvalidMessage,
        NoApplicationProtocol, NoCertificatesPresented, PeerIncompatible, PeerMisbehaved, PeerSentOversizedRecord,
        UnsupportedNameType,
    };
    match error {
        InvalidCertificate(error) => return of_certificate(error),
        AlertReceived(alert) => return of_alert(*alert),
        PeerIncompatible(what) => of_incompatible(what),
        InvalidMessage(_) => "the server does not speak TLS on this port; check base_url",
        InappropriateMessage { .. } | InappropriateHandshakeMessage { .. } | PeerMisbehaved(_) => BROKEN,
        PeerSentOversizedRecord => BROKEN,
        NoCertificatesPresented => "the server has no certificate; its operator must install one",
        UnsupportedNameType => "the host of base_url is neither a DNS name nor an IP address; correct base_url",
        DecryptError => "data from the server was changed in transit, or the server does not follow the protocol",
        InvalidCertRevocationList(_) => "a list of revoked certificates is invalid",
        FailedToGetCurrentTime => "the system's clock cannot be read",
        FailedToGetRandomBytes => "the system provides no random numbers",
        NoApplicationProtocol => "the server does not support HTTP on this port; check base_url",
        InconsistentKeys(_) => "client_key_file does not match the client certificate",
        // No other error results from data that a server sends.
        _ => "the connection could not be secured for an unknown reason",
    }
    .to_owned()
}

/// Returns a sentence that says why the server's certificate is not accepted.
fn of_certificate(error: &CertificateError) -> String {
    use CertificateError::{
        ApplicationVerificationFailure, BadEncoding, BadSignature, Expired, ExpiredContext, ExpiredRevocationList,
        ExpiredRevocationListContext, InvalidOcspResponse, InvalidPurpose, InvalidPurposeContext, NotValidForName,
        NotValidForNameContext, NotValidYet, NotValidYetContext, Other, Revoked, UnhandledCriticalExtension,
        UnknownIssuer, UnknownRevocationStatus, UnsupportedSignatureAlgorithmContext,
        UnsupportedSignatureAlgorithmForPublicKeyContext,
    };
    match error {
        ExpiredContext { time, not_after } => {
            return format!(
                "the server's certificate expired at {}, and this machine's clock shows {}; correct the clock, or have \
                 the certificate renewed",
                date(*not_after),
                date(*time)
            );
        }
        NotValidYetContext { time, not_before } => {
            return format!(
                "the server's certificate is valid from {}, and this machine's clock shows {}; correct the clock",
                date(*not_before),
                date(*time)
            );
        }
        NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "the server's certificate has no subject alternative name, so no host matches it; the server's operator must \
             replace it"
        }
        NotValidForNameContext { expected, presented } => {
            return format!(
                "the server's certificate is not for {}{}; check base_url",
                expected.to_str(),
                names(presented)
            );
        }
        Expired => {
            "the server's certificate has expired, or its period of validity is invalid; have it renewed by \
             the server's operator"
        }
        NotValidYet => "the server's certificate is not valid yet; correct this machine's clock",
        NotValidForName => "the server's certificate is for another name; check base_url",
        BadEncoding => MALFORMED,
        Revoked => "the server's certificate has been revoked; its operator must replace it",
        UnhandledCriticalExtension => {
            "a certificate of the server has a critical extension that is not supported; its operator must replace it"
        }
        UnknownIssuer => "the issuer of the server's certificate is not trusted; set ca_file to trust it",
        UnknownRevocationStatus | ExpiredRevocationList | ExpiredRevocationListContext { .. } | InvalidOcspResponse => {
            "it cannot be determined whether the server's certificate has been revoked"
        }
        BadSignature => {
            "a certificate of the server is not signed by its issuer, or signed with a key that is too weak (RSA below \
             2048 bits)"
        }
        UnsupportedSignatureAlgorithmContext { .. } => {
            "a certificate of the server is signed with an algorithm that is not supported, such as SHA-1; its operator \
             must replace it"
        }
        UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "a certificate of the server has a key of a type that is not supported; its operator must replace it"
        }
        InvalidPurpose | InvalidPurposeContext { .. } => {
            "the server's certificate is not meant for servers (extended key usage); its operator must replace it"
        }
        Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            Some(error) => of_webpki(error),
            None => "the server's certificate cannot be verified",
        },
        ApplicationVerificationFailure => "the server's certificate cannot be verified",
        // `UnsupportedSignatureAlgorithm` is not named because it is deprecated. Errors that later versions of rustls
        // may add also get this message.
        _ => "a certificate of the server is signed with an algorithm that is not supported",
    }
    .to_owned()
}

/// Returns a sentence for an error that the TLS library passes on unchanged from the certificate library.
fn of_webpki(error: &webpki::Error) -> &'static str {
    use webpki::Error::{
        CaUsedAsEndEntity, CertDistrusted, EmptyEkuExtension, EndEntityUsedAsCa, ExtensionValueInvalid,
        InvalidNetworkMaskConstraint, InvalidSerialNumber, MalformedDnsIdentifier, MalformedExtensions,
        MalformedNameConstraint, MaximumNameConstraintComparisonsExceeded, MaximumPathBuildCallsExceeded,
        MaximumPathDepthExceeded, MaximumSignatureChecksExceeded, NameConstraintViolation, PathLenConstraintViolated,
        SignatureAlgorithmMismatch, UnsupportedCertVersion, UnsupportedCriticalExtension, UnsupportedNameType,
    };
    match error {
        CaUsedAsEndEntity => {
            "the server uses the certificate of an authority (CA:TRUE) as its own; its operator must issue one for the \
             server"
        }
        EndEntityUsedAsCa => {
            "the certificate that signed the server's certificate does not belong to an authority (it lacks CA:TRUE)"
        }
        CertDistrusted => "the server's certificate is explicitly distrusted",
        UnsupportedCertVersion => "a certificate of the server is not of X.509 version 3; its operator must replace it",
        UnsupportedCriticalExtension => {
            "a certificate of the server has a critical extension that is not supported; its operator must replace it"
        }
        NameConstraintViolation => {
            "the issuer of the server's certificate may not issue certificates for this host name"
        }
        PathLenConstraintViolated | MaximumPathDepthExceeded => {
            "there are more issuers between the server's certificate and a trusted one than allowed"
        }
        MaximumNameConstraintComparisonsExceeded | MaximumPathBuildCallsExceeded | MaximumSignatureChecksExceeded => {
            "the server's certificate and its issuers are too complex to verify"
        }
        UnsupportedNameType => "the host of base_url is neither a DNS name nor an IP address; correct base_url",
        EmptyEkuExtension
        | ExtensionValueInvalid
        | InvalidNetworkMaskConstraint
        | InvalidSerialNumber
        | MalformedDnsIdentifier
        | MalformedExtensions
        | MalformedNameConstraint
        | SignatureAlgorithmMismatch => MALFORMED,
        _ => "the server's certificate cannot be verified",
    }
}

fn of_incompatible(what: &PeerIncompatible) -> &'static str {
    use PeerIncompatible::{
        ServerDoesNotSupportTls12Or13, ServerTlsVersionIsDisabledByOurConfig, SupportedVersionsExtensionRequired,
        Tls12NotOffered, Tls12NotOfferedOrEnabled,
    };
    match what {
        ServerDoesNotSupportTls12Or13
        | ServerTlsVersionIsDisabledByOurConfig
        | SupportedVersionsExtensionRequired
        | Tls12NotOffered
        | Tls12NotOfferedOrEnabled => TOO_OLD,
        _ => NOTHING_IN_COMMON,
    }
}

/// Returns a sentence that says why the server ended the connection.
fn of_alert(alert: AlertDescription) -> String {
    use AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked, CertificateUnknown,
        HandshakeFailure, InsufficientSecurity, InternalError, NoCertificate, ProtocolVersion, UnknownCA,
        UnrecognisedName, UnsupportedCertificate,
    };
    match alert {
        HandshakeFailure | InsufficientSecurity => NOTHING_IN_COMMON,
        ProtocolVersion => TOO_OLD,
        CertificateRequired | NoCertificate => "the server requires a client certificate; set client_cert_file",
        CertificateExpired => "the server responded that the client certificate has expired; renew client_cert_file",
        CertificateRevoked => {
            "the server responded that the client certificate has been revoked; replace client_cert_file"
        }
        UnknownCA => "the server does not trust the issuer of the client certificate; check client_cert_file",
        BadCertificate | UnsupportedCertificate | CertificateUnknown | AccessDenied => {
            "the server rejected the client certificate, or requires one; check client_cert_file"
        }
        UnrecognisedName => "the server does not serve this host name; check base_url",
        InternalError => "the server reported an internal error",
        other => return format!("the server ended the connection with TLS alert {}", u8::from(other)),
    }
    .to_owned()
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_unix_seconds(seconds).map_or_else(|_| "an unknown time".to_owned(), |time| format!("{time} UTC"))
}

/// Returns the names in a certificate as `, but for a, b`, or an empty string if there are none, or if they are too
/// long or contain unusual characters. The certificate library writes each name as `DnsName("a")` or
/// `IpAddress(1.2.3.4)`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let (_, rest) = name.split_once('(')?;
        let name = rest.strip_suffix(')')?.trim_matches('"');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:*".contains(&byte);
        (!name.is_empty() && name.bytes().all(is_plain)).then(|| name.to_owned())
    };
    let names: Option<Vec<String>> = presented.iter().map(bare).collect();
    let names = names.unwrap_or_default().join(", ");
    if names.is_empty() || names.len() > LONGEST_NAMES { String::new() } else { format!(", but for {names}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use rustls::pki_types::ServerName;
    use rustls::server::VerifierBuilderError;
    use rustls::{Error, OtherError};

    use super::*;

    /// Returns whether `text` contains a name from code: an upper-case letter after a lower-case letter, or `Other`.
    fn names_code(text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        let is_name = |pair: &[char]| matches!(pair, [a, b] if a.is_lowercase() && b.is_uppercase());
        letters.windows(2).any(is_name) || text.contains("Other")
    }

    fn certificate(error: CertificateError) -> Error {
        Error::InvalidCertificate(error)
    }

    fn of_library(error: webpki::Error) -> Error {
        certificate(CertificateError::Other(OtherError(Arc::new(error))))
    }

    #[test]
    fn every_error_has_a_sentence_without_names_from_code() {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(849_545_240));
        let alerts = (0..=u8::MAX).map(|number| Error::AlertReceived(number.into()));
        let certificates = [
            CertificateError::BadEncoding,
            CertificateError::Expired,
            CertificateError::ExpiredContext { time, not_after: time },
            CertificateError::NotValidYet,
            CertificateError::NotValidYetContext { time, not_before: time },
            CertificateError::Revoked,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::UnknownIssuer,
            CertificateError::UnknownRevocationStatus,
            CertificateError::ExpiredRevocationList,
            CertificateError::BadSignature,
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: vec![1],
                supported_algorithms: Vec::new(),
            },
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: vec![1],
                public_key_algorithm_id: vec![2],
            },
            CertificateError::NotValidForName,
            CertificateError::InvalidPurpose,
            CertificateError::InvalidOcspResponse,
            CertificateError::ApplicationVerificationFailure,
            CertificateError::Other(OtherError(Arc::new(VerifierBuilderError::NoRootAnchors))),
        ];
        let of_webpki = [
            webpki::Error::CaUsedAsEndEntity,
            webpki::Error::CertDistrusted,
            webpki::Error::EmptyEkuExtension,
            webpki::Error::EndEntityUsedAsCa,
            webpki::Error::ExtensionValueInvalid,
            webpki::Error::InvalidNetworkMaskConstraint,
            webpki::Error::InvalidSerialNumber,
            webpki::Error::MalformedDnsIdentifier,
            webpki::Error::MalformedExtensions,
            webpki::Error::MalformedNameConstraint,
            webpki::Error::MaximumPathBuildCallsExceeded,
            webpki::Error::MaximumPathDepthExceeded,
            webpki::Error::NameConstraintViolation,
            webpki::Error::PathLenConstraintViolated,
            webpki::Error::SignatureAlgorithmMismatch,
            webpki::Error::UnsupportedCertVersion,
            webpki::Error::UnsupportedCriticalExtension,
            webpki::Error::UnsupportedNameType,
            webpki::Error::UnsupportedDeltaCrl,
        ];
        let others = [
            Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
            Error::InappropriateMessage { expect_types: Vec::new(), got_type: rustls::ContentType::Alert },
            Error::NoCertificatesPresented,
            Error::UnsupportedNameType,
            Error::DecryptError,
            Error::EncryptError,
            Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
            Error::PeerMisbehaved(rustls::PeerMisbehaved::IllegalHelloRetryRequestWithEmptyCookie),
            Error::General("SomeError(Thing)".to_owned()),
            Error::FailedToGetCurrentTime,
            Error::FailedToGetRandomBytes,
            Error::HandshakeNotComplete,
            Error::PeerSentOversizedRecord,
            Error::NoApplicationProtocol,
            Error::BadMaxFragmentSize,
            Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch),
            Error::Other(OtherError(Arc::new(VerifierBuilderError::NoRootAnchors))),
        ];
        let all = alerts.chain(certificates.map(certificate)).chain(of_webpki.map(of_library)).chain(others);
        for error in all {
            let text = sentence(&error);
            assert!(text.len() > 20 && text.len() < 190 && !names_code(&text), "{error:?}: {text}");
        }
    }

    #[test]
    fn times_are_written_as_dates() {
        let time = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expired = CertificateError::ExpiredContext { time: time(1_577_880_000), not_after: time(849_545_240) };
        assert_eq!(
            sentence(&certificate(expired)),
            "the server's certificate expired at 1996-12-02 16:47:20 UTC, and this machine's clock shows 2020-01-01 \
             12:00:00 UTC; correct the clock, or have the certificate renewed"
        );
        let early = CertificateError::NotValidYetContext { time: time(0), not_before: time(u64::MAX) };
        assert!(sentence(&certificate(early)).contains("valid from an unknown time, and"));
    }

    #[test]
    fn a_wrong_host_name_is_shown_with_the_names_in_the_certificate() {
        let sentence = |presented: &[&str]| {
            let presented = presented.iter().map(|name| (*name).to_owned()).collect();
            let expected = ServerName::try_from("localhost").unwrap();
            sentence(&certificate(CertificateError::NotValidForNameContext { expected, presented }))
        };
        assert_eq!(
            sentence(&["DnsName(\"*.other.test\")", "IpAddress(127.0.0.1)"]),
            "the server's certificate is not for localhost, but for *.other.test, 127.0.0.1; check base_url"
        );
        let bare = "the server's certificate is not for localhost; check base_url";
        let long = format!("DnsName(\"{}\")", "x".repeat(200));
        for presented in [&["DnsName(\"a\u{1b}[31m\")"][..], &[&long], &["Unknown"]] {
            assert_eq!(sentence(presented), bare);
        }
        assert!(sentence(&[]).contains("no subject alternative name"));
    }
}
