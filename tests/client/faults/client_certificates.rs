//! Tests servers that request a client certificate.

use nexmo_conversion::Kind;
use rustls::version::{TLS12, TLS13};

use crate::authority::Identity;
use crate::case::{Case, secure_case};
use crate::script::{OK, respond};
use crate::tls::{mutual, secure};

pub(crate) fn cases() -> Vec<Case> {
    let wanted = |version| [vec![mutual(version)], respond(OK)].concat();
    let unasked = [vec![secure(Identity::Good)], respond(OK)].concat();
    let mut cases = vec![
        secure_case("a client certificate, TLS 1.3").shows(Identity::ForClients).plays(wanted(&TLS13)).succeeds(200),
        secure_case("a client certificate, TLS 1.2").shows(Identity::ForClients).plays(wanted(&TLS12)).succeeds(200),
        secure_case("a client certificate that is not requested")
            .shows(Identity::ForClients)
            .plays(unasked)
            .succeeds(200),
        // With TLS 1.3, the client completes the handshake and writes its request before it receives the server's
        // rejection of the client certificate.
        secure_case("a missing client certificate, TLS 1.3").plays(wanted(&TLS13)).fails(Kind::Tls).no_request(),
        secure_case("a missing client certificate, TLS 1.2").plays(wanted(&TLS12)).fails_unsent(Kind::Tls).no_request(),
    ];
    for (name, identity) in [
        ("from an unknown authority", Identity::UnknownClient),
        ("expired", Identity::ExpiredClient),
        ("for servers only", Identity::Good),
        ("that is self-signed", Identity::SelfSigned),
    ] {
        cases.extend([
            secure_case(format!("a client certificate {name}, TLS 1.3"))
                .shows(identity)
                .plays(wanted(&TLS13))
                .fails(Kind::Tls)
                .no_request(),
            secure_case(format!("a client certificate {name}, TLS 1.2"))
                .shows(identity)
                .plays(wanted(&TLS12))
                .fails_unsent(Kind::Tls)
                .no_request(),
        ]);
    }
    cases
}
