//! A certificate authority of the suite's own: good certificates and every kind of bad one.

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

/// Whom a server, or a client, claims to be, and by whose word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// `localhost` and 127.0.0.1, now, by the authority that is trusted.
    Good,
    /// By nobody's word but its own.
    SelfSigned,
    /// Until 2020.
    Expired,
    /// From 2090 on.
    NotYetValid,
    /// Of another name.
    OtherHost,
    /// Named in the subject alone, as was done long ago.
    NoAlternativeName,
    /// By an authority that nobody knows.
    UnknownAuthority,
    /// By an authority with the trusted one's name, and another key.
    FalseAuthority,
    /// By the word of a server, which is no authority.
    ByNoAuthority,
    /// For clients only.
    ForClients,
    /// For clients, by an authority that nobody knows.
    UnknownClient,
    /// For clients, until 2020.
    ExpiredClient,
}

/// A certificate, those behind it, and its key.
pub(crate) struct Proof {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivatePkcs8KeyDer<'static>,
}

/// Signs what the suite needs.
pub(crate) struct Authority {
    trusted: CertifiedIssuer<'static, KeyPair>,
    namesake: CertifiedIssuer<'static, KeyPair>,
    unknown: CertifiedIssuer<'static, KeyPair>,
}

/// The suite's authority, made once.
pub(crate) fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority {
        trusted: issuer("faults"),
        namesake: issuer("faults"),
        unknown: issuer("somebody"),
    })
}

impl Authority {
    /// The certificate that is trusted, as bytes.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.trusted.der().clone()
    }

    /// Proof of being `identity`.
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

/// A file with a certificate.
pub(crate) fn certificate_file(name: &str, certificates: &[CertificateDer<'_>]) -> PathBuf {
    let pem = |der: &CertificateDer<'_>| pem_of("CERTIFICATE", der);
    file(name, &certificates.iter().map(pem).collect::<String>())
}

/// A file with a key.
pub(crate) fn key_file(name: &str, key: &PrivatePkcs8KeyDer<'_>) -> PathBuf {
    file(name, &pem_of("PRIVATE KEY", key.secret_pkcs8_der()))
}

fn pem_of(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// Removes all files that were made here.
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

/// Beside what the build makes, and this process's own.
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
