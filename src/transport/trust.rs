//! Whose word is taken for who the server is: the certificates that a connection is checked against.

use std::fs;
use std::path::Path;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use ureq::tls::{Certificate, RootCerts};

use crate::error::Error;
use crate::options::Trust;

/// Where Unix systems keep the certificates they trust, in one PEM file. No environment variable is asked: it would
/// let whoever starts the host program change whom it trusts.
const PLATFORM_STORES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The certificates that `trust` names.
pub(crate) fn roots(trust: &Trust) -> Result<RootCerts, Error> {
    match trust {
        Trust::BuiltIn => Ok(RootCerts::WebPki),
        Trust::Platform => Ok(platform_roots(&PLATFORM_STORES)),
        Trust::File(path) => file_roots(path),
    }
}

/// The certificates of the first store that has any; the built-in roots where there is none.
fn platform_roots(stores: &[&str]) -> RootCerts {
    let found = stores.iter().filter_map(|store| usable_certificates(&fs::read(store).ok()?)).next();
    found.unwrap_or(RootCerts::WebPki)
}

fn file_roots(path: &Path) -> Result<RootCerts, Error> {
    let pem = fs::read(path)
        .map_err(|error| Error::argument("ca_file", format!("{} cannot be read: {error}", path.display())))?;
    usable_certificates(&pem).ok_or_else(|| {
        Error::argument(
            "ca_file",
            format!(
                "{} holds no usable certificate: give PEM, which begins -----BEGIN CERTIFICATE-----",
                path.display()
            ),
        )
    })
}

/// The certificates in `pem` that can serve as roots; none if there is not one.
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
    fn the_first_store_that_has_a_certificate_counts() {
        let roots = platform_roots(&["/nonexistent", "Cargo.toml", CA]);
        assert!(matches!(roots, RootCerts::Specific(certificates) if certificates.len() == 1));
    }

    #[test]
    fn without_a_store_the_built_in_roots_serve() {
        assert!(matches!(platform_roots(&["/nonexistent", "Cargo.toml"]), RootCerts::WebPki));
    }

    #[test]
    fn a_file_without_a_usable_certificate_is_refused_by_name() {
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(usable_certificates(garbage.as_bytes()).is_none());
        for path in ["/nonexistent", "Cargo.toml", "src"] {
            let error = roots(&Trust::File(path.into())).unwrap_err();
            assert!(error.message().starts_with(&format!("ca_file {path} ")), "{error}");
        }
        assert!(roots(&Trust::File(CA.into())).is_ok());
    }
}
