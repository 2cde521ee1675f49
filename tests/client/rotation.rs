//! Tests certificate files that are replaced while clients and reporters use them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, thread};

use nexmo_conversion::{
    Channel, Client, Conversion, Credentials, Durability, Kind, MessageId, Options, Reporter, ReporterOptions,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// A time limit that an operation exceeds only if it fails.
const SOON: Duration = Duration::from_secs(60);

/// A certificate authority.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// Returns the configuration of a server with a certificate from this authority. If `clients` is not `None`, the
    /// server requires a client certificate from that authority.
    fn server(&self, clients: Option<&Self>) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let builder = match clients {
            None => builder.unwrap().with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.issuer.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.unwrap().with_client_cert_verifier(verifier.unwrap())
            }
        };
        let (certificate, key) = self.leaf();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key.into()).unwrap())
    }

    fn leaf(&self) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

/// A server that responds to one request per connection. Each new connection uses the current value of `tls`.
struct Server {
    base_url: String,
    tls: Arc<Mutex<Arc<ServerConfig>>>,
}

impl Server {
    fn start(config: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let tls = Arc::new(Mutex::new(config));
        let current = Arc::clone(&tls);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let config = Arc::clone(&current.lock().unwrap());
                thread::spawn(move || {
                    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream.unwrap());
                    let response = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    if stream.read(&mut [0; 4096]).is_ok() {
                        stream.write_all(response).and_then(|()| stream.flush()).ok();
                        stream.conn.send_close_notify();
                        stream.flush().ok();
                    }
                });
            }
        });
        Self { base_url, tls }
    }

    fn change(&self, config: Arc<ServerConfig>) {
        *self.tls.lock().unwrap() = config;
    }
}

/// A file that is replaced as certificate renewal tools do it: by renaming a new file to its name.
struct Replaced(PathBuf);

impl Replaced {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("rotation-{}-{name}", std::process::id());
        let file = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        file.replace(text);
        file
    }

    fn replace(&self, text: &str) {
        let written = self.0.with_extension("new");
        fs::write(&written, text).unwrap();
        fs::rename(written, &self.0).unwrap();
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

fn credentials() -> Credentials {
    Credentials::query("abcd1234", "s3cret").unwrap()
}

fn conversion(message_id: &str) -> Conversion {
    let message_id = MessageId::new(message_id).unwrap();
    Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }
}

/// Repeats a report until it succeeds, because the client checks its files at most once a second.
fn report_until_accepted(client: &Client) {
    let start = Instant::now();
    while let Err(error) = client.report(&conversion("id")).result {
        assert!(start.elapsed() < SOON, "{error}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn open_clients_and_reporters_use_a_new_ca_file() {
    let (old, new) = (Authority::new(), Authority::new());
    let server = Server::start(old.server(None));
    let ca_file = Replaced::new("ca.pem", &old.issuer.pem());
    let options = Options { base_url: Some(&server.base_url), ca_file: Some(&ca_file.0), ..Options::default() };
    let client = Client::new(credentials(), &options).unwrap();
    let reporter_options = ReporterOptions { durability: Durability::None, ..ReporterOptions::default() };
    let reporter = Reporter::new(credentials(), &options, &reporter_options).unwrap();
    assert_eq!(client.report(&conversion("before")).result, Ok(()));
    reporter.submit(&conversion("before")).unwrap();
    reporter.flush(Some(SOON)).unwrap();
    server.change(new.server(None));
    ca_file.replace(&new.issuer.pem());
    report_until_accepted(&client);
    reporter.submit(&conversion("after")).unwrap();
    reporter.flush(Some(SOON)).unwrap();
}

#[test]
fn open_clients_use_a_new_client_certificate() {
    let (authority, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let server = Server::start(authority.server(Some(&old)));
    let ca_file = Replaced::new("mutual-ca.pem", &authority.issuer.pem());
    let (certificate, key) = old.leaf();
    let certificate_file = Replaced::new("client.pem", &certificate.pem());
    let key_file = Replaced::new("client-key.pem", &key.serialize_pem());
    let options = Options {
        base_url: Some(&server.base_url),
        ca_file: Some(&ca_file.0),
        client_cert_file: Some(&certificate_file.0),
        client_key_file: Some(&key_file.0),
        ..Options::default()
    };
    let client = Client::new(credentials(), &options).unwrap();
    assert_eq!(client.report(&conversion("before")).result, Ok(()));
    server.change(authority.server(Some(&new)));
    let (certificate, key) = new.leaf();
    // The certificate and the key do not match until both files are new, so the old ones stay in use.
    certificate_file.replace(&certificate.pem());
    let start = Instant::now();
    let error = loop {
        let error = client.report(&conversion("between")).result.unwrap_err();
        if error.message().contains("client_key_file") {
            break error;
        }
        assert!(start.elapsed() < SOON, "{error}");
        thread::sleep(Duration::from_millis(50));
    };
    assert!(
        error
            .message()
            .ends_with("does not match the client certificate; the certificates read before are still in use"),
        "{error}"
    );
    assert_ne!(error.kind(), Kind::InvalidArgument);
    key_file.replace(&key.serialize_pem());
    report_until_accepted(&client);
}
