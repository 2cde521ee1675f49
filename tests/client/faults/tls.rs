//! The server side of TLS.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::authority::{Identity, authority};
use crate::script::Step;

/// How a server performs a TLS handshake.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secure {
    identity: Identity,
    version: &'static SupportedProtocolVersion,
    wants_client_certificate: bool,
    /// The number of session tickets that the server sends after the handshake.
    tickets: usize,
    /// The text that the server sends before it reads the end of the handshake.
    pub(crate) early: Option<&'static str>,
}

impl Secure {
    fn new(identity: Identity, version: &'static SupportedProtocolVersion) -> Self {
        Self { identity, version, wants_client_certificate: false, tickets: 2, early: None }
    }
}

/// Returns a TLS 1.3 handshake with the certificate of `identity`.
pub(crate) fn secure(identity: Identity) -> Step {
    Step::Secure(Secure::new(identity, &TLS13))
}

/// Returns a TLS 1.2 handshake with the certificate of `identity`.
pub(crate) fn secure_1_2(identity: Identity) -> Step {
    Step::Secure(Secure::new(identity, &TLS12))
}

/// Returns a handshake that requires a client certificate from the trusted authority.
pub(crate) fn mutual(version: &'static SupportedProtocolVersion) -> Step {
    Step::Secure(Secure { wants_client_certificate: true, ..Secure::new(Identity::Good, version) })
}

/// Returns a TLS 1.3 handshake after which the server sends `tickets` session tickets.
pub(crate) fn with_tickets(tickets: usize) -> Step {
    Step::Secure(Secure { tickets, ..Secure::new(Identity::Good, &TLS13) })
}

/// Returns a TLS 1.3 handshake in which the server sends `early` before it reads the end of the handshake. The server
/// sends the session tickets when it reads again.
pub(crate) fn with_tickets_after(early: &'static str, tickets: usize) -> Step {
    Step::Secure(Secure { tickets, early: Some(early), ..Secure::new(Identity::Good, &TLS13) })
}

impl Secure {
    /// Returns the configuration for rustls.
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
        let mut config = builder.with_single_cert(proof.chain, proof.key.into()).unwrap();
        config.send_tls13_tickets = self.tickets;
        config.send_half_rtt_data = self.early.is_some();
        config.enable_secret_extraction = true;
        Arc::new(config)
    }
}
