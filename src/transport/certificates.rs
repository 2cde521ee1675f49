//! Certificates from files: the roots that verify the server, and the client certificate.

use std::path::Path;
use std::{fs, io};

use rustls::RootCertStore;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, is_shortage};
use crate::options::{ClientSettings, Identity, Trust};
use crate::os::fork::PerProcess;

/// The PEM files in which Unix systems keep the certificates they trust. Environment variables are ignored: they
/// would allow the caller of the host program to change which servers are trusted.
const PLATFORM_STORES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The largest file that is read, in bytes. A platform's store has about 250,000.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// The platform's certificates, read once in each process.
static PLATFORM: PerProcess<RootCerts> = PerProcess::new();

/// The certificates that the settings select, in ureq's terms.
pub(super) struct Certificates {
    pub(super) roots: RootCerts,
    pub(super) client: Option<ClientCert>,
}

impl Certificates {
    /// Reads the files that `settings` name.
    pub(super) fn read(settings: &ClientSettings) -> Result<Self, Error> {
        Ok(Self {
            // Plain HTTP does not use them, but an error in them is reported nevertheless.
            roots: match (settings.base_url.scheme(), &settings.trust) {
                ("http", Trust::Platform) => RootCerts::WebPki,
                (_, trust) => roots(trust)?,
            },
            client: settings.identity.as_ref().map(client_cert).transpose()?,
        })
    }
}

/// Returns the certificates that `trust` selects.
fn roots(trust: &Trust) -> Result<RootCerts, Error> {
    match trust {
        Trust::BuiltIn => Ok(RootCerts::WebPki),
        Trust::Platform => match PLATFORM.get() {
            Some(roots) => Ok(roots.clone()),
            None => {
                let read = platform_roots(&PLATFORM_STORES)?;
                Ok(PLATFORM.get_or_make(|| read).clone())
            }
        },
        Trust::File(path) => file_roots(path),
    }
}

/// Returns the certificates of the first store that has any; the built-in roots if there is none. A store that exists
/// and cannot be read is an error: falling back to the built-in roots would silently change which servers are
/// trusted.
fn platform_roots(stores: &[&str]) -> Result<RootCerts, Error> {
    for store in stores {
        match fs::read(store) {
            Ok(pem) => {
                if let Some(roots) = usable_certificates(&pem) {
                    return Ok(roots);
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => return Err(unreadable("the platform's certificate store", Path::new(store), &error)),
        }
    }
    Ok(RootCerts::WebPki)
}

fn file_roots(path: &Path) -> Result<RootCerts, Error> {
    usable_certificates(&read("ca_file", path)?).ok_or_else(|| {
        invalid(
            "ca_file",
            path,
            "contains no usable certificate; valid: PEM, which begins with -----BEGIN CERTIFICATE-----",
        )
    })
}

/// Returns the client certificate to present to a server that requests one.
fn client_cert(identity: &Identity) -> Result<ClientCert, Error> {
    let (certificate_pem, key_pem) =
        (read("client_cert_file", &identity.certificate)?, read("client_key_file", &identity.key)?);
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&certificate_pem).filter_map(Result::ok).collect();
    let no_certificate = || {
        invalid(
            "client_cert_file",
            &identity.certificate,
            "contains no certificate; valid: PEM, which begins with -----BEGIN CERTIFICATE-----",
        )
    };
    let no_key = || {
        invalid(
            "client_key_file",
            &identity.key,
            "contains no usable key; valid: PEM without a passphrase, which begins with -----BEGIN PRIVATE KEY-----",
        )
    };
    if chain.is_empty() {
        return Err(no_certificate());
    }
    // The HTTP library panics on the keys that this rejects.
    let key = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|_| no_key())?;
    let signing_key = any_supported_type(&key).map_err(|_| no_key())?;
    match CertifiedKey::new(chain.clone(), signing_key).keys_match() {
        Ok(()) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            return Err(invalid("client_key_file", &identity.key, "does not match the client certificate"));
        }
        Err(_) => return Err(no_certificate()),
    }
    let chain: Vec<_> = chain.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    let key = PrivateKey::from_pem(&key_pem).map_err(|_| no_key())?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn read(parameter: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let to_error = |error: io::Error| unreadable(parameter, path, &error);
    let data = fs::metadata(path).map_err(to_error)?;
    // A pipe would block, and a device might never end.
    if !data.is_file() || data.len() > LARGEST_FILE {
        return Err(invalid(parameter, path, "is not a regular file of at most 4 MiB"));
    }
    fs::read(path).map(Zeroizing::new).map_err(to_error)
}

/// The error for a file that cannot be read: the argument is invalid, unless the cause may be temporary.
pub(crate) fn unreadable(parameter: &str, path: &Path, error: &io::Error) -> Error {
    let message = format!("{parameter} {} cannot be read: {error}", path.display());
    let is_temporary = is_shortage(error) || matches!(error.raw_os_error(), Some(libc::EIO | libc::EINTR));
    Error::new(if is_temporary { Kind::System } else { Kind::InvalidArgument }, message)
}

fn invalid(parameter: &str, path: &Path, problem: &str) -> Error {
    Error::argument(parameter, format!("{} {problem}", path.display()))
}

/// Returns the certificates in `pem` that can be used as roots; none if there are none.
fn usable_certificates(pem: &[u8]) -> Option<RootCerts> {
    let is_usable = |der: &CertificateDer<'static>| RootCertStore::empty().add(der.clone()).is_ok();
    let usable: Vec<Certificate<'static>> = CertificateDer::pem_slice_iter(pem)
        .filter_map(Result::ok)
        .filter(is_usable)
        .map(|der| Certificate::from_der(&der).to_owned())
        .collect();
    (!usable.is_empty()).then(|| RootCerts::from(usable))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CA: &str = "tests/data/ca.pem";

    #[test]
    fn the_first_store_that_has_a_certificate_is_used() {
        let roots = platform_roots(&["/nonexistent", "Cargo.toml/x", "Cargo.toml", CA]).unwrap();
        assert!(matches!(roots, RootCerts::Specific(certificates) if certificates.len() == 1));
    }

    #[test]
    fn without_a_store_the_built_in_roots_are_used() {
        assert!(matches!(platform_roots(&["/nonexistent", "Cargo.toml"]), Ok(RootCerts::WebPki)));
    }

    #[test]
    fn a_store_that_exists_and_cannot_be_read_is_an_error() {
        let error = platform_roots(&["src", CA]).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidArgument);
        assert!(error.message().contains(" src cannot be read"), "{error}");
    }

    #[test]
    fn a_temporary_failure_is_not_an_invalid_argument() {
        let kind = |code| unreadable("ca_file", Path::new("/x"), &io::Error::from_raw_os_error(code)).kind();
        for code in [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::EIO, libc::EINTR] {
            assert_eq!(kind(code), Kind::System);
        }
        for code in [libc::ENOENT, libc::EACCES, libc::EISDIR, libc::ELOOP] {
            assert_eq!(kind(code), Kind::InvalidArgument);
        }
    }

    #[test]
    fn a_file_without_a_usable_certificate_is_reported_by_name() {
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(usable_certificates(garbage.as_bytes()).is_none());
        for path in ["/nonexistent", "Cargo.toml", "src"] {
            let error = roots(&Trust::File(path.into())).unwrap_err();
            assert!(error.message().starts_with(&format!("ca_file {path} ")), "{error}");
        }
        assert!(roots(&Trust::File(CA.into())).is_ok());
    }
}
