//! Tests HTTPS with the sandbox's CA.

use std::net::TcpStream;
use std::sync::Arc;

use nexmo_sandbox::{Sandbox, Scheme, Settings};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::{Client, VALID};

type Encrypted = StreamOwned<ClientConnection, TcpStream>;

fn connect(sandbox: &Sandbox, roots: RootCertStore, name: &str) -> Encrypted {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let address = sandbox.https_url().replace("https://localhost", "127.0.0.1");
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), TcpStream::connect(address).unwrap())
}

fn trusting(sandbox: &Sandbox) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(sandbox.ca_file()).unwrap()).unwrap();
    roots
}

#[test]
fn the_certificate_is_valid_for_each_documented_name() {
    let sandbox = Sandbox::start(Settings::default()).unwrap();
    for name in ["localhost", "127.0.0.1", "::1", "conversion.test"] {
        let mut client = Client::over(connect(&sandbox, trusting(&sandbox), name));
        assert_eq!([client.post(VALID).status, client.post(VALID).status], [200, 200], "{name}");
    }
    assert_eq!((sandbox.connections(), sandbox.request_count()), (4, 8));
    assert!(sandbox.requests().iter().all(|record| record.scheme == Scheme::Https));
}

#[test]
fn other_names_and_other_cas_are_rejected() {
    let [sandbox, other] = [(); 2].map(|()| Sandbox::start(Settings::default()).unwrap());
    for (roots, name) in [(trusting(&sandbox), "example.test"), (trusting(&other), "localhost")] {
        let mut stream = connect(&sandbox, roots, name);
        assert!(stream.conn.complete_io(&mut stream.sock).is_err(), "{name}");
    }
    assert_eq!(sandbox.request_count(), 0);
}
