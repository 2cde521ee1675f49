//! The server's part in TLS.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::authority::{Identity, authority};
use crate::script::Step;

/// How a server takes its part in a handshake.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secure {
    identity: Identity,
    version: &'static SupportedProtocolVersion,
    wants_client_certificate: bool,
}

/// TLS 1.3 with a certificate of `identity`.
pub(crate) fn secure(identity: Identity) -> Step {
    Step::Secure(Secure { identity, version: &TLS13, wants_client_certificate: false })
}

/// TLS 1.2 with a certificate of `identity`.
pub(crate) fn secure_1_2(identity: Identity) -> Step {
    Step::Secure(Secure { identity, version: &TLS12, wants_client_certificate: false })
}

/// TLS that serves nobody without a certificate from the suite's authority.
pub(crate) fn mutual(version: &'static SupportedProtocolVersion) -> Step {
    Step::Secure(Secure { identity: Identity::Good, version, wants_client_certificate: true })
}

impl Secure {
    /// What rustls needs to know.
    pub(crate) fn config(self) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(&[self.version]);
        let builder = builder.unwrap();
        let builder = if self.wants_client_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(authority().certificate()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let proof = authority().prove(self.identity);
        Arc::new(builder.with_single_cert(proof.chain, proof.key.into()).unwrap())
    }
}
