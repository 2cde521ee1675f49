//! Certificate authorities for the tests, which issue valid and invalid certificates.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// The kind of certificate that a server or a client presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A valid server certificate for `localhost` from the trusted authority.
    Good,
    /// A self-signed certificate.
    SelfSigned,
    /// A certificate that expired in 2020.
    Expired,
    /// A certificate that is valid from 2090.
    NotYetValid,
    /// A certificate for another name.
    OtherHost,
    /// A certificate that has the host name only in the subject, which is obsolete.
    NoAlternativeName,
    /// A certificate from an unknown authority.
    UnknownAuthority,
    /// A certificate from an authority that has the name of the trusted authority but another key.
    FalseAuthority,
    /// A certificate signed with the key of a server certificate, which does not belong to an authority.
    ByNoAuthority,
    /// A certificate for clients only.
    ForClients,
    /// A client certificate from an unknown authority.
    UnknownClient,
    /// A client certificate that expired in 2020.
    ExpiredClient,
}

/// A certificate chain, and the key of its first certificate.
pub(crate) struct Proof {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivatePkcs8KeyDer<'static>,
}

/// The issuers: the trusted authority, an authority with the same name, and an unknown authority.
pub(crate) struct Authority {
    trusted: CertifiedIssuer<'static, KeyPair>,
    namesake: CertifiedIssuer<'static, KeyPair>,
    unknown: CertifiedIssuer<'static, KeyPair>,
}

/// Returns the issuers, which are created once.
pub(crate) fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority {
        trusted: issuer("faults"),
        namesake: issuer("faults"),
        unknown: issuer("unknown"),
    })
}

impl Authority {
    /// Returns the certificate of the trusted authority.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.trusted.der().clone()
    }

    /// Creates the certificate and key of `identity`.
    pub(crate) fn prove(&self, identity: Identity) -> Proof {
        let key = KeyPair::generate().unwrap();
        let params = params(identity);
        let (certificate, behind) = match identity {
            Identity::SelfSigned => (params.self_signed(&key), None),
            Identity::UnknownAuthority | Identity::UnknownClient => {
                (params.signed_by(&key, &self.unknown), Some(self.unknown.der().clone()))
            }
            Identity::FalseAuthority => (params.signed_by(&key, &self.namesake), Some(self.namesake.der().clone())),
            Identity::ByNoAuthority => {
                let server = CertifiedIssuer::signed_by(leaf("server"), KeyPair::generate().unwrap(), &self.trusted);
                let server = server.unwrap();
                (params.signed_by(&key, &server), Some(server.der().clone()))
            }
            _ => (params.signed_by(&key, &self.trusted), None),
        };
        let chain = [Some(certificate.unwrap().der().clone()), behind].into_iter().flatten().collect();
        Proof { chain, key: PrivatePkcs8KeyDer::from(key.serialize_der()) }
    }
}

/// Writes certificates to a file and returns its path.
pub(crate) fn certificate_file(name: &str, certificates: &[CertificateDer<'_>]) -> PathBuf {
    let pem = |der: &CertificateDer<'_>| pem_of("CERTIFICATE", der);
    file(name, &certificates.iter().map(pem).collect::<String>())
}

/// Writes a key to a file and returns its path.
pub(crate) fn key_file(name: &str, key: &PrivatePkcs8KeyDer<'_>) -> PathBuf {
    file(name, &pem_of("PRIVATE KEY", key.secret_pkcs8_der()))
}

fn pem_of(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// Removes all files that this module created.
pub(crate) fn remove_files() {
    fs::remove_dir_all(directory()).ok();
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = directory().join(name);
    if !path.exists() {
        fs::create_dir_all(directory()).unwrap();
        let unfinished = path.with_extension(format!("{:?}", std::thread::current().id()));
        fs::write(&unfinished, text).unwrap();
        fs::rename(unfinished, &path).unwrap();
    }
    path
}

/// Returns the directory for the files. It is in the build directory and has the process id in its name.
fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{}", std::process::id()))
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn params(identity: Identity) -> CertificateParams {
    let mut params = leaf(if identity == Identity::OtherHost { "other.test" } else { "localhost" });
    match identity {
        Identity::Expired | Identity::ExpiredClient => params.not_after = date_time_ymd(2020, 1, 1),
        Identity::NotYetValid => params.not_before = date_time_ymd(2090, 1, 1),
        Identity::NoAlternativeName => params.subject_alt_names.clear(),
        _ => {}
    }
    if matches!(identity, Identity::ForClients | Identity::UnknownClient | Identity::ExpiredClient) {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    }
    params
}

fn leaf(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}
