//! Reads certificates from files: the roots that verify the server, and the client certificate.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustls::RootCertStore;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts};
use zeroize::Zeroizing;

use super::pem::{NoKey, Pem};
use crate::error::{Error, Kind, is_shortage};
use crate::options::{ClientSettings, Identity, Trust};
use crate::os::fork::PerProcess;
use crate::sync::Mutex;

/// The PEM files in which Unix systems keep the certificates that they trust. Environment variables that name other
/// files are ignored, because they would allow the caller of the host program to change which servers are trusted.
const PLATFORM_STORES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The maximum size of a file, in bytes. A platform's store has about 250,000 bytes.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// The platform's certificates as last read, which all clients of this process share.
static PLATFORM: PerProcess<Mutex<Option<(Versions, RootCerts)>>> = PerProcess::new();

/// The files from which certificates are read.
#[derive(Debug, Clone)]
pub(super) struct CertificateFiles {
    trust: Trust,
    identity: Option<Identity>,
}

/// The certificates that the settings select, as ureq's types.
#[derive(Debug, Clone)]
pub(super) struct Certificates {
    pub(super) roots: RootCerts,
    pub(super) client: Option<ClientCert>,
    /// The versions of the files before the certificates were read.
    pub(super) versions: Versions,
}

/// Identifies a version of a file by its device, inode and size, and by the times of its last modification and its last
/// change of metadata, each in seconds and nanoseconds.
pub(crate) type FileVersion = (u64, u64, u64, [i64; 4]);

/// The versions of several files, each None if the file does not exist or cannot be examined.
pub(super) type Versions = Vec<Option<FileVersion>>;

/// Returns the version of the file at `path`.
pub(crate) fn file_version(path: &Path) -> io::Result<FileVersion> {
    let data = fs::metadata(path)?;
    Ok((data.dev(), data.ino(), data.size(), [data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec()]))
}

impl CertificateFiles {
    pub(super) fn of(settings: &ClientSettings) -> Self {
        let trust = match (settings.base_url.scheme(), &settings.trust) {
            // Plain HTTP uses no certificates, so the platform's store is not read. If the settings name a file, it is
            // read, so that errors in it are reported.
            ("http", Trust::Platform) => Trust::BuiltIn,
            (_, trust) => trust.clone(),
        };
        Self { trust, identity: settings.identity.clone() }
    }

    /// Reads the files.
    pub(super) fn read(&self) -> Result<Certificates, Error> {
        // The versions are read first, so that a file that changes while it is read is read again later.
        let versions = self.versions();
        let roots = match &self.trust {
            Trust::BuiltIn => RootCerts::WebPki,
            Trust::Platform => shared_platform_roots()?,
            Trust::File(path) => file_roots(path)?,
        };
        Ok(Certificates { roots, client: self.identity.as_ref().map(client_cert).transpose()?, versions })
    }

    /// Returns the current versions of the files.
    pub(super) fn versions(&self) -> Versions {
        let roots: Vec<&Path> = match &self.trust {
            Trust::BuiltIn => Vec::new(),
            Trust::Platform => PLATFORM_STORES.map(Path::new).to_vec(),
            Trust::File(path) => vec![path],
        };
        let client = self.identity.iter().flat_map(|identity| [&*identity.certificate, &*identity.key]);
        roots.into_iter().chain(client).map(|path| file_version(path).ok()).collect()
    }
}

/// Returns the platform's certificates, reading them again only if a store has changed. Fails if there was a store
/// before and there is none now.
fn shared_platform_roots() -> Result<RootCerts, Error> {
    let versions = PLATFORM_STORES.map(|path| file_version(Path::new(path)).ok()).to_vec();
    let shared = PLATFORM.get_or_make(Mutex::default);
    if let Some((_, roots)) = shared.lock().as_ref().filter(|(known, _)| *known == versions) {
        return Ok(roots.clone());
    }
    // The lock is not held here, because reading files can block.
    let roots = platform_roots(&PLATFORM_STORES, read_file)?;
    let mut shared = shared.lock();
    if matches!((&roots, &*shared), (RootCerts::WebPki, Some((_, RootCerts::Specific(_))))) {
        return Err(Error::new(Kind::System, "the platform's certificate store no longer exists"));
    }
    *shared = Some((versions, roots.clone()));
    Ok(roots)
}

/// Returns the usable certificates of the first store that has any, or the built-in roots if no store exists. Fails
/// with [`Kind::System`] if a store cannot be read, or if stores exist but contain no usable certificate. In these
/// cases, the built-in roots are not used, because they would silently change which servers are trusted.
fn platform_roots(stores: &[&str], read: impl Fn(&Path) -> io::Result<Zeroizing<Vec<u8>>>) -> Result<RootCerts, Error> {
    let mut empty = None;
    for store in stores {
        match read(Path::new(store)) {
            Ok(bytes) => match usable_certificates(&bytes) {
                Some(roots) => return Ok(roots),
                None => empty = empty.or(Some(store)),
            },
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => {
                let message = format!("the platform's certificate store {store} cannot be read: {error}");
                return Err(Error::new(Kind::System, message));
            }
        }
    }
    match empty {
        None => Ok(RootCerts::WebPki),
        Some(store) => Err(Error::new(
            Kind::System,
            format!(
                "the platform's certificate store {store} contains no usable certificate; restore it, or set ca_file or \
                 built_in_roots_only (NEXMO_OPTIONS_BUILT_IN_ROOTS_ONLY)"
            ),
        )),
    }
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
    let certificate_pem = Pem::new(&read("client_cert_file", &identity.certificate)?);
    let key_pem = Pem::new(&read("client_key_file", &identity.key)?);
    let chain: Vec<_> = certificate_pem.certificates().collect();
    let no_certificate = |problem| invalid("client_cert_file", &identity.certificate, problem);
    if chain.is_empty() {
        return Err(no_certificate(
            "contains no certificate; valid: PEM, which begins with -----BEGIN CERTIFICATE-----",
        ));
    }
    let key = private_key(&key_pem).map_err(|problem| invalid("client_key_file", &identity.key, problem))?;
    // This rejects the keys on which the HTTP library panics.
    let signing_key =
        any_supported_type(&key).map_err(|_| invalid("client_key_file", &identity.key, UNSUPPORTED_KEY))?;
    match CertifiedKey::new(chain.clone(), signing_key).keys_match() {
        Ok(()) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            return Err(invalid("client_key_file", &identity.key, "does not match the client certificate"));
        }
        Err(_) => return Err(no_certificate("contains a certificate that cannot be decoded")),
    }
    let chain: Vec<_> = chain.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    let key = PrivateKey::from_pem(key_pem.as_bytes())
        .map_err(|_| invalid("client_key_file", &identity.key, "contains undecodable data before the key"))?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

const UNSUPPORTED_KEY: &str =
    "contains a key of a type that is not supported; valid: RSA of 2048 to 4096 bits, ECDSA P-256 or P-384, Ed25519";

fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>, &'static str> {
    pem.private_key().map_err(|reason| match reason {
        NoKey::Encrypted => "contains a key with a passphrase, which is not supported; valid: PEM without one",
        NoKey::OfOpenSsh => {
            "contains a key in OpenSSH format; valid: PEM, which begins with -----BEGIN PRIVATE KEY-----"
        }
        NoKey::Missing if pem.has_dsa_key() => UNSUPPORTED_KEY,
        NoKey::Missing => {
            "contains no usable key; valid: PEM without a passphrase, which begins with -----BEGIN PRIVATE KEY-----"
        }
    })
}

fn read(parameter: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    read_file(path).map_err(|error| unreadable(parameter, path, &error))
}

/// Reads a regular file of bounded size. Rejects a pipe or a device without blocking.
fn read_file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let data = file.metadata()?;
    let unsuitable = || io::Error::new(io::ErrorKind::InvalidInput, "not a regular file of at most 4 MiB");
    if !data.is_file() || data.len() > LARGEST_FILE {
        return Err(unsuitable());
    }
    // The capacity is reserved in full, because a vector that reallocates leaves unwiped copies behind.
    let capacity = usize::try_from(data.len()).unwrap_or_default().saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    // The read is limited as well, because the file may be growing.
    file.take(LARGEST_FILE.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= LARGEST_FILE) { Ok(bytes) } else { Err(unsuitable()) }
}

/// Returns the error for a file that cannot be read: an invalid argument, unless the cause may be temporary.
pub(crate) fn unreadable(parameter: &str, path: &Path, error: &io::Error) -> Error {
    let message = format!("{parameter} {} cannot be read: {error}", path.display());
    let is_temporary = is_shortage(error)
        || matches!(
            error.raw_os_error(),
            Some(libc::EIO | libc::EINTR | libc::ENOBUFS | libc::ESTALE | libc::ETIMEDOUT | libc::EHOSTDOWN)
        );
    Error::new(if is_temporary { Kind::System } else { Kind::InvalidArgument }, message)
}

fn invalid(parameter: &str, path: &Path, problem: &str) -> Error {
    Error::argument(parameter, format!("{} {problem}", path.display()))
}

/// Returns the certificates in `pem` that can be used as roots, or None if there are none.
fn usable_certificates(pem: &[u8]) -> Option<RootCerts> {
    let is_usable = |der: &CertificateDer<'static>| RootCertStore::empty().add(der.clone()).is_ok();
    let usable: Vec<Certificate<'static>> =
        Pem::new(pem).certificates().filter(is_usable).map(|der| Certificate::from_der(&der).to_owned()).collect();
    (!usable.is_empty()).then(|| RootCerts::from(usable))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const CA: &str = "tests/data/ca.pem";

    fn bytes(text: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(text.as_bytes().to_vec())
    }

    #[test]
    fn the_first_store_that_has_a_certificate_is_used() {
        let roots = platform_roots(&["/nonexistent", "Cargo.toml/x", "Cargo.toml", CA], read_file).unwrap();
        assert!(matches!(roots, RootCerts::Specific(certificates) if certificates.len() == 1));
    }

    #[test]
    fn the_built_in_roots_are_used_only_if_no_store_exists() {
        assert!(matches!(platform_roots(&["/nonexistent", "Cargo.toml/x"], read_file), Ok(RootCerts::WebPki)));
        let error = platform_roots(&["/nonexistent", "Cargo.toml"], read_file).unwrap_err();
        assert_eq!(error.kind(), Kind::System);
        assert!(error.message().contains("store Cargo.toml contains no usable certificate"), "{error}");
    }

    #[test]
    fn a_store_that_exists_and_cannot_be_read_is_an_error() {
        let error = platform_roots(&["src", CA], read_file).unwrap_err();
        assert_eq!(error.kind(), Kind::System);
        assert!(error.message().contains("store src cannot be read"), "{error}");
        for code in [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::EACCES, libc::EIO, libc::ELOOP] {
            let error = platform_roots(&["x"], |_| Err(io::Error::from_raw_os_error(code))).unwrap_err();
            assert_eq!(error.kind(), Kind::System, "{code}");
        }
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
        let garbage = bytes("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assert!(usable_certificates(&garbage).is_none());
        for path in ["/nonexistent", "Cargo.toml", "src", "/dev/zero", "/dev/tty"] {
            let error = file_roots(Path::new(path)).unwrap_err();
            assert!(error.message().starts_with(&format!("ca_file {path} ")), "{error}");
        }
        assert!(file_roots(Path::new(CA)).is_ok());
    }

    #[test]
    fn a_pipe_is_invalid_without_waiting_for_a_writer() {
        let path = Path::new(env!("OUT_DIR")).join("pipe.pem");
        fs::remove_file(&path).ok();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = file_roots(&path).unwrap_err();
        assert!(error.message().ends_with("not a regular file of at most 4 MiB"), "{error}");
    }

    #[test]
    fn a_file_larger_than_the_limit_is_invalid() {
        let path = Path::new(env!("OUT_DIR")).join("large.pem");
        let file = fs::File::create(&path).unwrap();
        file.set_len(LARGEST_FILE + 1).unwrap();
        assert_eq!(read_file(&path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        file.set_len(LARGEST_FILE).unwrap();
        assert!(read_file(&path).is_ok());
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_error_for_a_client_key_names_the_reason() {
        let path = Path::new(env!("OUT_DIR")).join("key.pem");
        let identity = Identity { certificate: "tests/data/client.pem".into(), key: path.clone() };
        let reason = |text: &str| {
            fs::write(&path, text).unwrap();
            client_cert(&identity).unwrap_err().message().to_owned()
        };
        let section = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        // A PKCS #8 key with the identifier of Ed448.
        let ed448 = section(
            "PRIVATE KEY",
            "MEcCAQAwBQYDK2VxBDsEOQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        );
        for (text, words) in [
            (String::new(), "contains no usable key"),
            (section("CERTIFICATE", "AAAA"), "contains no usable key"),
            (section("ENCRYPTED PRIVATE KEY", "AAAA"), "a key with a passphrase"),
            (section("OPENSSH PRIVATE KEY", "AAAA"), "in OpenSSH format"),
            (section("DSA PRIVATE KEY", "AAAA"), "of a type that is not supported; valid: RSA"),
            (ed448, "of a type that is not supported; valid: RSA"),
        ] {
            let message = reason(&text);
            assert!(message.starts_with("client_key_file ") && message.contains(words), "{message}");
        }
        let key = fs::read_to_string("tests/data/client-key.pem").unwrap();
        fs::write(&path, format!("\u{feff}{}", key.replace('\n', "\r\n"))).unwrap();
        assert!(client_cert(&identity).is_ok());
        fs::remove_file(path).unwrap();
    }
}
