//! A certificate authority for one run of the sandbox, and the server's certificate.

use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Datelike, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::error::Error;

/// The names for which the server's certificate is valid.
const NAMES: [&str; 4] = ["localhost", "127.0.0.1", "::1", "conversion.test"];

/// The CA certificate for clients, and the server's TLS configuration. Private keys stay in memory.
pub(crate) struct Certificates {
    pub(crate) ca_pem: String,
    pub(crate) server: Arc<ServerConfig>,
}

impl Certificates {
    pub(crate) fn generate(now: SystemTime) -> Result<Self, Error> {
        let authority = authority(now).map_err(to_error)?;
        let key = KeyPair::generate().map_err(to_error)?;
        let certificate = server(now).and_then(|params| params.signed_by(&key, &authority)).map_err(to_error)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key.into())
            });
        Ok(Self { ca_pem: authority.pem(), server: Arc::new(only_http_1(config.map_err(to_error)?)) })
    }
}

fn only_http_1(mut config: ServerConfig) -> ServerConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

fn authority(now: SystemTime) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = valid_around(now, CertificateParams::default());
    params.distinguished_name.push(DnType::CommonName, "nexmo-sandbox, for tests only");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn server(now: SystemTime) -> Result<CertificateParams, rcgen::Error> {
    let names = NAMES.map(str::to_owned).to_vec();
    let mut params = valid_around(now, CertificateParams::new(names)?);
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Strict verifiers, such as Python's, reject a certificate without an authority key identifier.
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// Makes a certificate valid from December 1 of last year to the end of next year. This period is shorter than 825
/// days, the maximum that some clients accept for a server certificate.
fn valid_around(now: SystemTime, mut params: CertificateParams) -> CertificateParams {
    let year = DateTime::<Utc>::from(now).year();
    params.not_before = date_time_ymd(year.saturating_sub(1), 12, 1);
    params.not_after = date_time_ymd(year.saturating_add(2), 1, 1);
    params
}

fn to_error(error: impl std::fmt::Display) -> Error {
    Error::Certificate(error.to_string())
}
